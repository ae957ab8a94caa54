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


ENCODING = {"preset": "medium", "threads": "1", "mbtree": "0"}
"""x264's settings. Its macroblock tree stays off: on some frame widths it reads memory that nothing wrote, and the
same frames now and then gave another file."""


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
        stream.options = {"crf": str(crf), **ENCODING}
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
        UnreadableClip: It is empty, broken, cut off, no video, or larger than the limits.
    """
    with ClipReader(source, Limits(max_frames, max_pixels)) as reader:
        pictures = list(reader)
    return np.stack(pictures), reader.info()


def iterate_frames(source: Path | bytes, max_pixels: int = 4096 * 2304) -> Iterator[tuple[Frames, ClipInfo]]:
    """Decodes frame by frame: each (height, width, 3) with what is known of the clip so far."""
    with ClipReader(source, Limits(pixels_per_frame=max_pixels)) as reader:
        for picture in reader:
            yield picture, reader.info()


class Limits(NamedTuple):
    """What a clip may decode to: a small file can hold far more pixels than a machine has memory."""

    frames: int = 10_000
    pixels_per_frame: int = 4096 * 2304
    pixels: int = 20_000_000_000


class ClipReader:
    """One streaming pass over a clip: iterate once for its frames, then ask `info()`.

    Frames come one at a time as uint8 (height, width, 3), so memory does not grow with the clip.
    A single reformatter and one decoding thread: clips are decoded side by side instead, and the
    pixels do not depend on either.

    Raises:
        UnreadableClip: On opening or while iterating; the message says what is wrong with the file.
    """

    def __init__(self, source: Path | bytes, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.decoded = 0
        self._times: list[float] = []
        handle = io.BytesIO(source) if isinstance(source, bytes) else str(source)
        if (len(source) if isinstance(source, bytes) else _size(source)) == 0:
            raise UnreadableClip("the file is empty (0 bytes)")
        try:
            self._container = av.open(handle)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise UnreadableClip(f"not a readable video: {_reason(error)}") from None
        if not self._container.streams.video:
            self._container.close()
            raise UnreadableClip("no video stream")
        self._stream = self._container.streams.video[0]
        self._stream.thread_count = 1
        self.height, self.width = self._stream.height, self._stream.width
        self.announced = int(self._stream.frames)
        """Frames that the file says it holds; 0 where it does not say."""

    def __enter__(self) -> ClipReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frames]:
        self._check_size(self.height, self.width)
        reformatter = VideoReformatter()
        packets = 0
        try:
            for packet in self._container.demux(self._stream):
                packets += packet.size > 0 and not packet.is_corrupt
                for frame in packet.decode():
                    self._check(frame)
                    yield _pixels(reformatter, frame)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise UnreadableClip(f"broken after {self.decoded} frames: {_reason(error)}") from None
        if self.announced > self.decoded and packets < self.announced:
            raise UnreadableClip(f"cut off: {self.decoded} of {self.announced} frames can be decoded")
        if not self.decoded:
            raise UnreadableClip("no frames")

    def info(self) -> ClipInfo:
        return ClipInfo(self.decoded, self.height, self.width, self.fps())

    def fps(self) -> float | None:
        """Mean frames a second: the file's own statement, or what the frame times come to."""
        if self._stream.average_rate:
            return float(self._stream.average_rate)
        span = self._times[-1] - self._times[0] if len(self._times) > 1 else 0.0
        return (len(self._times) - 1) / span if span > 0 else None

    def uneven(self) -> bool:
        """Whether frames stand for unlike times: some step is 1.5 times the shortest, or more."""
        steps = np.diff(self._times)
        return bool(len(steps) > 1 and steps.max() > 1.5 * max(float(steps.min()), 1e-9))

    def _check(self, frame: av.VideoFrame) -> None:
        if not self.decoded:
            self.height, self.width = frame.height, frame.width
            self._check_size(frame.height, frame.width)
        if (frame.height, frame.width) != (self.height, self.width):
            raise UnreadableClip(
                f"the frame size changes from {self.width}x{self.height} to {frame.width}x{frame.height}"
            )
        self.decoded += 1
        if self.decoded > self.limits.frames:
            raise UnreadableClip(f"more than {self.limits.frames} frames")
        if self.decoded * self.height * self.width > self.limits.pixels:
            raise UnreadableClip(f"more than {self.limits.pixels} pixels in all")
        if frame.time is not None:
            self._times.append(frame.time)

    def _check_size(self, height: int, width: int) -> None:
        if height * width > self.limits.pixels_per_frame:
            raise UnreadableClip(f"{width}x{height} is more than {self.limits.pixels_per_frame} pixels a frame")


def _pixels(reformatter: VideoReformatter, frame: av.VideoFrame) -> Frames:
    pixels: Frames = reformatter.reformat(frame, format="rgb24").to_ndarray()  # type: ignore[assignment]
    return pixels


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise UnreadableClip(f"cannot be opened: {error.strerror}") from None


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
