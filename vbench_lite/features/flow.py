"""Optical flow between consecutive frames: the amount of motion, and the error after warping.

The flow is OpenCV's DIS with the medium preset, on luma with a short side of at most 256 pixels. It is exactly 0
between equal frames.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vbench_lite.features.extractor import Arrays, ClipStream, Frame

FlowField = NDArray[np.float32]

FLOW_SIDE = 256
SMALLEST_SIDE = 16
"""Smaller frames are enlarged first, because DIS needs patches of 8 pixels at half size."""
LONGEST_SIDE = 8192
"""Frames with a larger ratio of sides than 32 are compressed to this side: OpenCV reads flow up to 32,766 pixels."""
TOP_FRACTION = 0.05


class Flow:
    """Arrays `warp_errors` and `motions`, (frames - 1,), for consecutive frames. Keeps one earlier frame.

    `warp_errors`: mean squared difference after warping, 0 to 1; -1 if every pixel is occluded.
    `motions`: mean of the largest 5 % of flow magnitudes, in short sides of the frame.
    """

    name, version = "flow", "1"

    def start(self, clip: ClipStream) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._last: _Prepared | None = None
        self._warp_errors: list[float] = []
        self._motions: list[float] = []

    def see(self, frame: Frame) -> None:
        new, old = _prepare(frame), self._last
        self._last = new
        if old is None:
            return
        if np.array_equal(old.pixels, new.pixels):
            self._warp_errors.append(0.0)
            self._motions.append(0.0)
            return
        forward = self._dis.calc(old.luma, new.luma, None)
        backward = self._dis.calc(new.luma, old.luma, None)
        self._warp_errors.append(pair_warp_error(old.pixels, new.pixels, forward, backward))
        self._motions.append(top_magnitude(forward) / min(forward.shape[:2]))

    def finish(self) -> Arrays:
        return {"warp_errors": np.array(self._warp_errors), "motions": np.array(self._motions)}


class _Prepared(NamedTuple):
    pixels: Frame
    luma: Frame


def _prepare(frame: Frame) -> _Prepared:
    small = flow_size(frame)
    return _Prepared(small, cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))  # type: ignore[arg-type]


def flow_size(frame: Frame) -> Frame:
    """Resize a frame for flow: the short side is at most `FLOW_SIDE` and at least `SMALLEST_SIDE` pixels.

    A large frame is halved repeatedly (mean of four pixels). The last step is bilinear. This takes a ninth of the time
    of one resize by area means.
    """
    height, width = frame.shape[:2]
    short = min(height, width)
    side = max(min(short, FLOW_SIDE), SMALLEST_SIDE)
    to = (min(LONGEST_SIDE, round(width * side / short)), min(LONGEST_SIDE, round(height * side / short)))
    while min(frame.shape[:2]) >= 2 * side:
        frame = cv2.resize(frame, (frame.shape[1] // 2, frame.shape[0] // 2), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return cv2.resize(frame, to)  # type: ignore[return-value]


def pair_warp_error(first: Frame, second: Frame, forward: FlowField, backward: FlowField) -> float:
    """Mean squared difference of `first` and the warped `second` over visible pixels, 0 to 1; -1 if none is visible.

    A pixel is occluded if it leaves the frame, or if forward and backward flow disagree:
    |f + b|^2 > 0.01 (|f|^2 + |b|^2) + 0.5, with lengths in pixels.

    Args:
        first: uint8, (height, width, 3).
        second: The next frame, of the same shape.
        forward: Flow from first to second, (height, width, 2), in pixels.
        backward: Flow from second to first.
    """
    height, width = first.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    x, y = x + forward[..., 0], y + forward[..., 1]
    warped = cv2.remap(second.astype(np.float32), x, y, cv2.INTER_LINEAR)
    back = cv2.remap(backward, x, y, cv2.INTER_LINEAR)
    apart = np.square(forward + back).sum(-1)
    lengths = np.square(forward).sum(-1) + np.square(back).sum(-1)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    seen = inside & (apart <= 0.01 * lengths + 0.5)
    if not seen.any():
        return -1.0
    return float(np.square((first.astype(np.float32) - warped)[seen], dtype=np.float64).mean()) / 255**2


def top_magnitude(flow: FlowField, fraction: float = TOP_FRACTION) -> float:
    """Mean of the largest `fraction` of flow magnitudes, in pixels."""
    lengths = np.sqrt(np.square(flow, dtype=np.float64).sum(-1)).ravel()
    count = max(1, int(len(lengths) * fraction))
    return float(np.partition(lengths, len(lengths) - count)[-count:].mean())
