"""Parts of `video.ClipReader`: times of frames, truncated files, colours, transparency and orientation."""
