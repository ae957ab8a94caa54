"""Clips of any container, codec and timing, made with the libraries that the reader uses."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]


def moving_square(frames: int = 16, height: int = 48, width: int = 64) -> Pictures:
    """A red square that moves one pixel a frame to the right, over coloured blocks."""
    blocks = np.random.default_rng(0).integers(40, 200, (height // 8, width // 8, 3))
    back = blocks.repeat(8, 0).repeat(8, 1).astype(np.uint8)
    made = np.repeat(back[None], frames, 0)
    for t in range(frames):
        made[t, 10:30, 4 + t : 20 + t] = (230, 40, 30)
    return made


def clip_bytes(
    pictures: Pictures, container: str, codec: str, pixels: str, *, fps: float = 8, ticks: Sequence[int] | None = None,
    tick: Fraction = Fraction(1, 1000), options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None, transfer: int | None = None,
) -> bytes:
    """A file of the pictures, (frames, height, width, 3 or 4).

    Args:
        ticks: When each frame is shown, in `tick` seconds; at `fps` where not given.
        transfer: The transfer curve that the file states, by its number in ITU-T H.273.
    """
    source = "rgba" if pictures.shape[-1] == 4 else "rgb24"
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container, options=container_options or {}) as output:
        stream = output.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width, stream.pix_fmt = *pictures.shape[1:3], pixels
        stream.options = options or {}
        if transfer is not None:
            stream.codec_context.color_trc = transfer
        if ticks is not None:
            stream.codec_context.time_base = tick
        for nth, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=source).reformat(format=pixels)
            frame.pts = None if ticks is None else ticks[nth]
            if ticks is not None:
                frame.time_base = tick
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return buffer.getvalue()


CONTAINERS: dict[str, tuple[str, str, str, dict[str, str], dict[str, str]]] = {
    "mp4": ("mp4", "libx264", "yuv420p", {"g": "10"}, {}),
    "fragmented mp4": ("mp4", "libx264", "yuv420p", {"g": "10"}, {"movflags": "frag_keyframe+empty_moov"}),
    "mov": ("mov", "prores_ks", "yuv422p10le", {}, {}),
    "mkv ffv1": ("matroska", "ffv1", "bgr0", {}, {}),
    "mkv h264": ("matroska", "libx264", "yuv420p", {"g": "10"}, {}),
    "webm vp9": ("webm", "libvpx-vp9", "yuv420p", {"deadline": "realtime", "cpu-used": "8"}, {}),
    "webm vp8": ("webm", "libvpx", "yuv420p", {"deadline": "realtime", "cpu-used": "8"}, {}),
    "webm live": ("webm", "libvpx", "yuv420p", {"deadline": "realtime"}, {"live": "1"}),
    "gif": ("gif", "gif", "rgb8", {}, {}),
    "avi": ("avi", "mjpeg", "yuvj420p", {}, {}),
    "flv": ("flv", "flv1", "yuv420p", {}, {}),
    "ogg": ("ogg", "libvpx", "yuv420p", {"deadline": "realtime"}, {}),
    "transport stream": ("mpegts", "libx264", "yuv420p", {"g": "10"}, {}),
    "blu-ray stream": ("mpegts", "mpeg2video", "yuv420p", {}, {"mpegts_m2ts_mode": "1"}),
    "program stream": ("vob", "mpeg2video", "yuv420p", {}, {}),
    "mpeg-1 stream": ("mpeg", "mpeg1video", "yuv420p", {}, {}),
    "wmv": ("asf", "wmv2", "yuv420p", {}, {}),
    "apng": ("apng", "apng", "rgb24", {}, {}),
    "mxf": ("mxf", "mpeg2video", "yuv420p", {}, {}),
}
"""Name > container, codec, pixel format, options of the codec and of the container."""
FEW_RATES = ("mpeg-1 stream", "mxf")
"""Formats that cannot hold every rate."""


def clip_of(name: str, pictures: Pictures, fps: float | None = None) -> bytes:
    """A file of one of `CONTAINERS`; 8 frames a second, or 25 where the format does not know 8."""
    fps = fps or (25 if name in FEW_RATES else 8)
    container, codec, pixels, options, container_options = CONTAINERS[name]
    return clip_bytes(
        pictures, container, codec, pixels, fps=fps, options=options, container_options=container_options
    )
