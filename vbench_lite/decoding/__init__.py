"""Parts of `video.ClipReader`: times of frames, files that are cut off, colours, transparency and orientation."""
