"""Converts decoded frames to the picture that a viewer sees: uint8 RGB, composited over black and oriented.

Pixels with a transfer curve of standard-range video (BT.709, BT.601, BT.470, sRGB, BT.2020 with 10 and 12 bits) are
used as stored, as in players. Other curves are refused, because their brightness and colours would be wrong. Primaries
are not converted.
"""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from vbench_lite.errors import UnreadableClip

Pixels = NDArray[np.uint8]

REFUSED_TRANSFERS = {
    8: "linear light", 9: "a logarithmic curve", 10: "a logarithmic curve", 16: "HDR (PQ, SMPTE ST 2084)",
    17: "SMPTE ST 428", 18: "HDR (HLG, ARIB STD-B67)",
}
"""Number in ITU-T H.273 -> name of transfer characteristics that are not standard range."""


def refused_transfer(number: int | None) -> str:
    """Why frames with this transfer curve cannot be read; "" if they can.

    >>> refused_transfer(16)
    'its colours are HDR (PQ, SMPTE ST 2084), which is not supported: convert the clip to standard range (BT.709)'
    >>> refused_transfer(1)
    ''
    """
    if number not in REFUSED_TRANSFERS:
        return ""
    curve = REFUSED_TRANSFERS[number]
    return f"its colours are {curve}, which is not supported: convert the clip to standard range (BT.709)"


class RgbConverter:
    """Converts decoded frames to uint8 (height, width, 3), RGB: over black, mirrored and rotated as the file states."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._layouts: dict[str, str] = {}
        """Pixel format -> layout to convert to; "rgba" if the format has transparency."""
        self._rotation: int | None = None
        self._matrix: NDArray[np.int32] | None = None

    def __call__(self, frame: av.VideoFrame) -> Pixels:
        format_ = frame.format
        layout = self._layouts.get(format_.name)
        if layout is None:
            layout = self._layouts[format_.name] = "rgba" if has_alpha(format_) else "rgb24"
        found: Any = self._reformatter.reformat(frame, format=layout, threads=1).to_ndarray()
        pixels: Pixels = over_black(found) if layout == "rgba" else found
        if frame.rotation != self._rotation:  # reading the side data is as slow as converting the colours
            self._rotation, self._matrix = frame.rotation, display_matrix(frame)
        return pixels if self._matrix is None else oriented(pixels, self._matrix)


def has_alpha(layout: av.VideoFormat) -> bool:
    """Whether frames of this pixel format have transparency."""
    return layout.has_palette or any(component.is_alpha for component in layout.components)


def over_black(pixels: Pixels) -> Pixels:
    """Composite (height, width, 4) with straight alpha over black. Returns (height, width, 3)."""
    colours, alpha = pixels[..., :3], pixels[..., 3:]
    if alpha.min() == 255:
        return np.ascontiguousarray(colours)
    return ((colours.astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)


def display_matrix(frame: av.VideoFrame) -> NDArray[np.int32] | None:
    """The 2x2 part of a frame's display matrix; None if the frame has none."""
    found = frame.side_data.get("DISPLAYMATRIX")
    if found is None:
        return None
    values = np.frombuffer(bytes(found), np.int32)
    return values.reshape(3, 3)[:2, :2] if values.size == 9 else None


def oriented(pixels: Pixels, matrix: NDArray[np.int32]) -> Pixels:
    """The picture as players show it: mirrored, and rotated by the nearest multiple of 90 degrees.

    Args:
        pixels: uint8, (height, width, channels).
        matrix: ((a, b), (c, d)). A stored pixel at (x, y), y downwards, is shown at (a x + c y, b x + d y).

    >>> picture = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    >>> oriented(picture, np.array([[-1, 0], [0, 1]]))[..., 0].tolist()
    [[2, 1, 0], [5, 4, 3]]
    >>> oriented(picture, np.array([[0, 1], [-1, 0]]))[..., 0].tolist()
    [[3, 0], [4, 1], [5, 2]]
    """
    (a, b), (c, d) = matrix.astype(np.int64).tolist()
    if abs(a) + abs(d) < abs(b) + abs(c):
        pixels = pixels.swapaxes(0, 1)
        right, down = c, b
    else:
        right, down = a, d
    if right < 0:
        pixels = pixels[:, ::-1]
    if down < 0:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def transfer_of(frame: av.VideoFrame, decoder: Any) -> int | None:
    """The number of a frame's transfer curve in ITU-T H.273; None if the file does not state it."""
    number = getattr(frame, "color_trc", None) or getattr(decoder, "color_trc", None)
    return None if number is None else int(number)


_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def alpha_decoder(stream: av.VideoStream) -> Any:
    """The decoder for a WebM stream with transparency, which FFmpeg's own decoders ignore; None for other streams.

    Raises:
        UnreadableClip: This build of FFmpeg has no decoder for the transparency.
    """
    kind = stream.codec_context.codec.canonical_name
    if kind not in _ALPHA_DECODERS or {k.lower(): v for k, v in stream.metadata.items()}.get("alpha_mode") != "1":
        return None
    try:
        decoder = av.CodecContext.create(_ALPHA_DECODERS[kind], "r")
    except (av.FFmpegError, ValueError):
        raise UnreadableClip(
            f"it has transparent pixels that need the decoder {_ALPHA_DECODERS[kind]}, which this FFmpeg lacks"
        ) from None
    decoder.extradata = stream.codec_context.extradata
    return decoder
