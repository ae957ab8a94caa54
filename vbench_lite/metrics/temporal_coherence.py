"""Steadiness, warping error and motion: what two neighbouring frames tell.

All three read neighbouring frames only; flow is OpenCV's DIS at its medium preset, on luma with the
short side at most 256 pixels, which gives exactly no motion between equal frames.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vbench_lite.metrics.base import ONE_FRAME, ClipContext, ClipMetric, mean_or_none
from vbench_lite.records import Score

Frame = NDArray[np.uint8]
Flow = NDArray[np.float32]

FLOW_SIDE = 256
SMALLEST_SIDE = 16
"""DIS needs patches of 8 pixels at half size; smaller frames are enlarged first."""
LONGEST_SIDE = 8192
"""A frame 32 times as long as wide, or more, is squashed: OpenCV reads flow up to 32,766 pixels only."""
TOP_SHARE = 0.05


def frame_difference(first: Frame, second: Frame) -> float:
    """Mean absolute difference of two frames, uint8 (height, width, 3), as a share of full scale: 0 to 1."""
    return float(cv2.norm(first, second, cv2.NORM_L1)) / (255.0 * first.size)


def flicker(frames: Frame) -> float:
    """Steadiness: 1 minus the mean absolute difference between neighbouring frames.

    It rewards stillness: a frozen clip scores a perfect 1, fast motion loses as flicker does. Read
    it beside `motion` and `warp_error`.

    Args:
        frames: uint8, (frames, height, width, 3); at least two frames.

    Returns:
        0 to 1, no unit, higher is steadier.

    Raises:
        ValueError: Fewer than two frames.

    Source:
        VBench "temporal flickering" (Huang et al., CVPR 2024, arXiv:2311.17982), per clip, without
        its choice of static clips.

    >>> import numpy as np
    >>> flicker(np.stack([np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 51, np.uint8)]))
    0.8
    """
    need_two(frames)
    return 1 - float(np.mean([frame_difference(a, b) for a, b in pairwise(frames)]))


def warp_error(frames: Frame) -> float | None:
    """Mean squared difference between each frame and the next one warped back onto it.

    Change that motion explains does not count; flicker, popping and deformation do. A frozen clip
    scores a perfect 0; large flat areas hide errors; fast motion hides most pixels as occluded.

    Args:
        frames: uint8, (frames, height, width, 3); at least two frames.

    Returns:
        0 to 1, lower is better, on frames in [0, 1]; None where every pixel is occluded.

    Source:
        The warping error of Lai et al. (ECCV 2018, arXiv:1808.00449) with the occlusion test that
        EvalCrafter (arXiv:2310.11440) states; flow is DIS in place of RAFT, so the numbers differ.
    """
    need_two(frames)
    errors = [e for e in _pairs(frames).warp_errors if e >= 0]
    return float(np.mean(errors)) if errors else None


def motion(frames: Frame, fps: float) -> float:
    """How fast the fastest twentieth of the picture moves, in short sides of the frame a second.

    Neither good nor bad. 0 is a frozen clip. Noise and flicker count as motion as well.

    Args:
        frames: uint8, (frames, height, width, 3); at least two frames.
        fps: Frames a second; more than 0.

    Source:
        The top-5 % flow magnitude of VBench "dynamic degree", kept as a number instead of a verdict.
    """
    need_two(frames)
    return float(np.mean(_pairs(frames).motions)) * fps


class FlowPairs:
    """Flow, warping error and motion of each pair of a clip, frame by frame."""

    def __init__(self) -> None:
        self.warp_errors: list[float] = []
        self.motions: list[float] = []
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._last: _Prepared | None = None

    def see(self, frame: Frame) -> None:
        new, old = _prepare(frame), self._last
        self._last = new
        if old is None:
            return
        if np.array_equal(old.pixels, new.pixels):
            self.warp_errors.append(0.0)
            self.motions.append(0.0)
            return
        forward = self._dis.calc(old.luma, new.luma, None)
        backward = self._dis.calc(new.luma, old.luma, None)
        self.warp_errors.append(pair_warp_error(old.pixels, new.pixels, forward, backward))
        self.motions.append(top_magnitude(forward) / min(forward.shape[:2]))


class _Prepared(NamedTuple):
    pixels: Frame
    luma: Frame


def _prepare(frame: Frame) -> _Prepared:
    small = flow_size(frame)
    return _Prepared(small, cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))  # type: ignore[arg-type]


def flow_size(frame: Frame) -> Frame:
    """The frame at the size that flow is read at: short side at most `FLOW_SIDE` and at least `SMALLEST_SIDE`.

    Large frames are halved, four pixels to one, for as long as that does not go too far; what is left
    is bilinear. That takes a ninth of the time of one step by means over areas.
    """
    height, width = frame.shape[:2]
    short = min(height, width)
    side = max(min(short, FLOW_SIDE), SMALLEST_SIDE)
    to = (min(LONGEST_SIDE, round(width * side / short)), min(LONGEST_SIDE, round(height * side / short)))
    while min(frame.shape[:2]) >= 2 * side:
        frame = cv2.resize(frame, (frame.shape[1] // 2, frame.shape[0] // 2), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if (frame.shape[1], frame.shape[0]) != to:
        frame = cv2.resize(frame, to, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return frame


def pair_warp_error(first: Frame, second: Frame, forward: Flow, backward: Flow) -> float:
    """Mean squared difference of `first` and the warped `second` where nothing is occluded; -1 where all is.

    A pixel is occluded when it leaves the frame, or when forward and backward flow disagree:
    |f + b|^2 > 0.01 (|f|^2 + |b|^2) + 0.5, lengths in pixels.
    """
    height, width = first.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    x, y = x + forward[..., 0], y + forward[..., 1]
    warped = cv2.remap(second.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    back = cv2.remap(backward, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    apart = np.square(forward + back).sum(-1)
    lengths = np.square(forward).sum(-1) + np.square(back).sum(-1)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    seen = inside & (apart <= 0.01 * lengths + 0.5)
    if not seen.any():
        return -1.0
    return float(np.square((first.astype(np.float32) - warped)[seen], dtype=np.float64).mean()) / 255**2


def top_magnitude(flow: Flow, share: float = TOP_SHARE) -> float:
    """Mean of the largest `share` of flow lengths, in pixels."""
    lengths = np.sqrt(np.square(flow, dtype=np.float64).sum(-1)).ravel()
    count = max(1, int(len(lengths) * share))
    return float(np.partition(lengths, len(lengths) - count)[-count:].mean())


def _pairs(frames: Frame) -> FlowPairs:
    pairs = FlowPairs()
    for frame in frames:
        pairs.see(frame)
    return pairs


def need_two(frames: Frame) -> None:
    if len(frames) < 2:
        raise ValueError(f"{len(frames)} frames: at least two are needed to tell what changes")


class Flicker(ClipMetric):
    """`flicker` over clips."""

    higher_is_better = True

    def score(self, case: ClipContext) -> Score:
        return mean_or_none(1 - case.clip.differences, ONE_FRAME)


class WarpError(ClipMetric):
    """`warp_error` over clips."""

    higher_is_better = False

    def score(self, case: ClipContext) -> Score:
        if case.clip.frames < 2:
            return Score(None, ONE_FRAME)
        errors = case.clip.warp_errors
        return mean_or_none(errors[errors >= 0], "motion is so fast that every pixel is occluded")


class Motion(ClipMetric):
    """`motion` over clips."""

    higher_is_better = None

    def score(self, case: ClipContext) -> Score:
        if case.clip.frames < 2:
            return Score(None, ONE_FRAME)
        if not case.clip.fps:
            return Score(None, "the file does not say how many frames it shows a second")
        return Score(float(case.clip.motions.mean()) * case.clip.fps)
