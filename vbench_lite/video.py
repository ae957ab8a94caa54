"""Reads and writes clips. Frames are always uint8, (frames, height, width, 3), RGB."""

from __future__ import annotations

import errno
import io
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from vbench_lite.decoding.completeness import Evidence
from vbench_lite.decoding.pixels import RgbConverter, alpha_decoder, refused_transfer, transfer_of
from vbench_lite.decoding.timing import FrameTimes
from vbench_lite.errors import UnreadableClip, system_reason
from vbench_lite.userfile import link_problem

Frames = NDArray[np.uint8]


ENCODER = "libx264 medium, one thread, no AVX-512"
"""Settings that affect the file in addition to frames, rate and quality."""
AV_MAJOR = int(av.__version__.split(".")[0])
AVX_512F = 13
"""OpenCV's id of the instruction set."""


CLIP_SUFFIXES = (
    ".mp4", ".webm", ".gif", ".mov", ".mkv", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".m2ts", ".flv", ".wmv", ".ogv",
    ".3gp",
)
"""File extensions of clips. Another file is a clip if it can be opened as a video."""


class ClipInfo(NamedTuple):
    frames: int
    height: int
    width: int
    fps: float | None


def encode_mp4(frames: Frames, fps: float, crf: int = 12) -> bytes:
    """Encodes as H.264 4:2:0 with explicit BT.601 tags, so that browsers and decoders show the same colours.

    Args:
        frames: uint8, (frames, height, width, 3); odd sizes are padded by repeating the last row or column.
        fps: Frames per second.
        crf: Quality of x264. At 12 its loss is much smaller than that of the colour subsampling.

    Returns:
        The mp4 file. Players can start before they have the whole file (faststart).
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
        stream.options = {"crf": str(crf), "preset": "medium", "threads": "1", **_sound_assembly()}
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 6, 6, 6, 1
        reformatter = VideoReformatter()
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = reformatter.reformat(
                frame, format="yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG, threads=1
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _sound_assembly() -> dict[str, str]:
    """x264 parameters that disable AVX-512. At most widths that are not a multiple of 256, x264's AVX-512 code of the
    macroblock tree reads uninitialised memory, so the same frames sometimes gave another file. Its AVX2 code does not.
    """
    import cv2

    return {"x264-params": "asm=AVX2"} if cv2.checkHardwareSupport(AVX_512F) else {}


def read_clip(
    source: Path | str | bytes, max_frames: int = 10_000, max_pixels: int = 4096 * 2304
) -> tuple[Frames, ClipInfo]:
    """Decodes a whole clip.

    Raises:
        UnreadableClip: The file is empty, broken, cut off, not a video, or exceeds the limits.
    """
    with ClipReader(source, Limits(max_frames, max_pixels)) as reader:
        pictures = list(reader)
    return np.stack(pictures), reader.info()


NO_OTHER_FILE = {"protocol_whitelist": "none"}
"""Options that prevent a playlist with the name of a clip from opening other files and addresses."""


class Limits(NamedTuple):
    """Limits of a decoded clip, because a small file can decode to more pixels than fit into memory."""

    frames: int = 10_000
    pixels_per_frame: int = 4096 * 2304
    pixels: int = 20_000_000_000


class ClipReader:
    """Reads a clip in one pass: iterate once over its frames, then call `info()`.

    Yields frames as uint8 (height, width, 3), as a player shows them: over black where they are transparent, mirrored
    and rotated as the file states. Memory does not grow with the length of the clip. One reformatter and one decoding
    thread are used, because clips are decoded in parallel; the pixels do not depend on this. No other file is read.

    Raises:
        UnreadableClip: On opening or while iterating. The message states the problem of the file.
    """

    def __init__(self, source: Path | str | bytes, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.decoded = 0
        with ExitStack() as opened:
            self._handle = opened.enter_context(io.BytesIO(source) if isinstance(source, bytes) else _open(source))
            self._stream = self._open_stream(self._handle, opened)
            self._opened = opened.pop_all()
        self._decoder = alpha_decoder(self._stream) or self._stream.codec_context
        self._decoder.thread_count = 1
        self._decoder.options = {"max_pixels": str(self.limits.pixels_per_frame)}
        self._stored = self._stream.height, self._stream.width
        """Height and width before rotation."""
        self.height, self.width = self._stored
        self.announced = int(self._stream.frames)
        """Number of frames that the file states; 0 if it does not."""
        # Read here, because a stream whose container is closed cannot be read: av 19 raises, earlier versions read
        # freed memory.
        stated = self._stream.codec_context.framerate or self._stream.average_rate
        self.average_rate = float(self._stream.average_rate or stated or 0)
        """Mean frames per second that the file states; 0 if it does not. `fps()` counts the frames instead."""
        self._times = FrameTimes(float(stated or 0))
        self._evidence = Evidence.of_stream(self._stream)

    def _open_stream(self, handle: BinaryIO, opened: ExitStack) -> av.VideoStream:
        if not handle.read(1):
            raise UnreadableClip("the file is empty (0 bytes)")
        handle.seek(0)
        try:
            self._container = opened.enter_context(open_container(handle))
        except (av.FFmpegError, OSError, ValueError) as error:
            raise UnreadableClip(f"not a readable video: {system_reason(error)}") from None
        stream = self._container.streams.best("video")
        if not isinstance(stream, av.VideoStream) or stream.codec_context is None:
            raise UnreadableClip("no video stream" + " that can be decoded" * bool(self._container.streams.video))
        return stream

    def __enter__(self) -> ClipReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def __iter__(self) -> Iterator[Frames]:
        self._check_size(self.height, self.width)
        to_rgb = RgbConverter()
        for frame in self._frames():
            self._check(frame)
            pixels = to_rgb(frame)
            self.height, self.width = pixels.shape[:2]
            yield pixels
        if why := self._evidence.problem(self._handle, self.decoded, self._times):
            raise UnreadableClip(why)
        if not self.decoded:
            raise UnreadableClip("no frames")

    def _frames(self) -> Iterator[av.VideoFrame]:
        """All frames. An error of the container ends the clip; missing frames are detected later."""
        try:
            for packet in self._packets():
                yield from self._decoder.decode(packet)  # type: ignore[misc]
            if self._evidence.error:
                yield from self._decoder.decode(None)  # type: ignore[misc]
        except (av.FFmpegError, OSError, ValueError) as error:
            raise UnreadableClip(f"broken after {self.decoded} frames: {system_reason(error)}") from None

    def _packets(self) -> Iterator[av.Packet]:
        try:
            for packet in self._container.demux():
                self._evidence.see(packet)
                if packet.stream.index == self._stream.index:
                    yield packet
        except (av.FFmpegError, OSError, ValueError) as error:
            self._evidence.error = system_reason(error)

    def info(self) -> ClipInfo:
        return ClipInfo(self.decoded, self.height, self.width, self.fps())

    def still_picture(self) -> str:
        """A message if the file is a picture; "" for a video."""
        kind = self._container.format.name
        return "it is a picture" if kind == "image2" or kind.endswith("_pipe") else ""

    def fps(self) -> float | None:
        """Mean frames per second from the timestamps of the frames; see `decoding.timing`."""
        return self._times.fps()

    def uneven(self) -> bool:
        """Whether frames have different durations; see `decoding.timing`."""
        return self._times.uneven()

    def _check(self, frame: av.VideoFrame) -> None:
        height, width = frame.height, frame.width
        if not self.decoded:
            self._stored = height, width
            self._check_size(height, width)
            if why := refused_transfer(transfer_of(frame, self._decoder)):
                raise UnreadableClip(why)
        if (height, width) != self._stored:
            before = f"{self._stored[1]}x{self._stored[0]}"
            raise UnreadableClip(f"the frame size changes from {before} to {width}x{height}")
        if frame.is_corrupt:
            raise UnreadableClip(f"broken after {self.decoded} frames: the next one is damaged")
        self.decoded += 1
        if self.decoded > self.limits.frames:
            raise UnreadableClip(f"more than {self.limits.frames} frames")
        if self.decoded * height * width > self.limits.pixels:
            raise UnreadableClip(f"more than {self.limits.pixels} pixels in total")
        self._times.add(frame.pts, frame.time_base)

    def _check_size(self, height: int, width: int) -> None:
        if height * width > self.limits.pixels_per_frame:
            raise UnreadableClip(f"{width}x{height} is more than {self.limits.pixels_per_frame} pixels per frame")


def open_container(handle: BinaryIO) -> av.container.InputContainer:
    """Opens a file for reading, with any bytes in its metadata. No other file is opened.

    av 19 accepts metadata that are not UTF-8; earlier versions need `metadata_errors` for this.
    """
    keep_metadata = {} if AV_MAJOR >= 19 else {"metadata_errors": "replace"}
    return av.open(_QuietSeeks(handle), options=NO_OTHER_FILE, **keep_metadata)


class _QuietSeeks:
    """A file for av. A seek to an invalid position, as in damaged files, returns an error code, because av would print
    the traceback of an exception."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle, self.read, self.tell = handle, handle.read, handle.tell
        self.name = getattr(handle, "name", "")

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._handle.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -errno.EINVAL


def _open(source: Path | str) -> BinaryIO:
    path = Path(source)
    if why := no_file(path):
        raise UnreadableClip(why)
    try:
        return path.open("rb")
    except OSError as error:
        raise UnreadableClip(f"cannot be opened: {system_reason(error)}") from None


def no_file(path: Path) -> str:
    """Why a path cannot be a clip; "" if it can. The file is not opened, because reading a pipe may never end."""
    if path.is_file():
        return ""
    if path.is_dir():
        return "it is a folder"
    if problem := link_problem(path):
        return problem
    return "it is a pipe, a socket or a device" if path.exists() else "cannot be opened: No such file or directory"


def left_out_reason(path: Path) -> str:
    """Why the content of a file is not a clip; "" if it can be opened as a video.

    The file extension is ignored. A picture is not a clip, although libraries open it as a video of one frame.
    """
    try:
        with ClipReader(path) as reader:
            return reader.still_picture()
    except UnreadableClip as error:
        return str(error)
