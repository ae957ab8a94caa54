"""Reading and writing clips. Frames are uint8, (frames, height, width, 3), RGB, everywhere."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from vbench_lite.errors import VbenchError

Frames = NDArray[np.uint8]


class UnreadableClip(VbenchError):
    """A clip that cannot be decoded, or that decodes to more than the limits allow."""


class ClipInfo(NamedTuple):
    frames: int
    height: int
    width: int
    fps: float | None


def encode_mp4(frames: Frames, fps: float, crf: int = 12) -> bytes:
    """H.264 4:2:0 with BT.601 tags written out, so that browsers and decoders agree on colours.

    Args:
        frames: uint8, (frames, height, width, 3); odd sizes are padded by repeating the last row or column.
        fps: Frames a second.
        crf: x264's quality; 12 keeps the loss well under that of the colour subsampling.

    Returns:
        The mp4 file, playable from its first bytes on (faststart).
    """
    height, width = frames.shape[1:3]
    if height % 2 or width % 2:
        frames = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"  # faststart moves the index to the front, which needs a real file
        _encode(frames, fps, crf, path)
        return path.read_bytes()


def _encode(frames: Frames, fps: float, crf: int, path: Path) -> None:
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.options = {"crf": str(crf), "preset": "medium", "threads": "1"}
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 6, 6, 6, 1
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def read_clip(source: Path | bytes, max_frames: int = 10_000, max_pixels: int = 4096 * 2304) -> tuple[Frames, ClipInfo]:
    """Decodes a whole clip.

    Raises:
        UnreadableClip: It is empty, broken, no video, or larger than the limits.
    """
    pictures = []
    info = None
    for picture, info in iterate_frames(source, max_pixels):
        if len(pictures) == max_frames:
            raise UnreadableClip(f"more than {max_frames} frames")
        pictures.append(picture)
    if info is None:
        raise UnreadableClip("no frames")
    return np.stack(pictures), info._replace(frames=len(pictures))


def iterate_frames(source: Path | bytes, max_pixels: int = 4096 * 2304) -> Iterator[tuple[Frames, ClipInfo]]:
    """Decodes frame by frame: each (height, width, 3) with the stream's facts."""
    handle = io.BytesIO(source) if isinstance(source, bytes) else str(source)
    try:
        with av.open(handle) as container:
            if not container.streams.video:
                raise UnreadableClip("no video stream")
            stream = container.streams.video[0]
            stream.thread_count = 1
            if stream.width * stream.height > max_pixels:
                raise UnreadableClip(f"{stream.width}x{stream.height} is more than {max_pixels} pixels a frame")
            fps = float(stream.average_rate) if stream.average_rate else None
            info = ClipInfo(stream.frames, stream.height, stream.width, fps)
            reformatter = VideoReformatter()
            for frame in container.decode(stream):
                yield reformatter.reformat(frame, format="rgb24").to_ndarray(), info
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnreadableClip(f"not decodable: {error}") from None
