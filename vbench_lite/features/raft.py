"""Whether a clip is dynamic, by RAFT, as in VBench's dynamic_degree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from vbench_lite.features.extractor import Arrays, Backbone, ClipStream, Frame
from vbench_lite.features.flow import top_magnitude

if TYPE_CHECKING:
    from vbench_lite.backbones.raft import EncodedFrame

SAMPLED_FPS = 8
"""Approximate number of frames per second that are compared."""
MOST_POINTS = 36_000
"""Highest number of points in the feature grid. Frames of 1920x1088 have 32,640."""


class RaftMotion:
    """Arrays `dynamic`, (1,) with 1.0 or 0.0 or (0,) if not known, and `magnitudes` of the compared pairs, in pixels.

    Every `max(1, round(fps / 8))`-th frame is compared with the next one. A pair moves if the mean of its largest 5 %
    of flow magnitudes is above 6 min(height, width) / 256 pixels. A clip of n such frames is dynamic if `round(4 n /
    16)` pairs move. The comparison stops when later pairs cannot change the result. Each frame is encoded once. Keeps
    one earlier frame.
    """

    name, version = "raft", "1"
    backbone: ClassVar[Backbone] = "raft"
    needs_frame_count = True

    def start(self, clip: ClipStream) -> None:
        self._network: Any = clip.network
        self._step = max(1, round(clip.fps / SAMPLED_FPS))
        self._pairs = -(-clip.frames // self._step) - 1 if clip.frames and clip.fps else -1
        """Number of pairs; -1 if the file does not state frames or frame rate."""
        self._needed = round(4 * (self._pairs + 1) / 16)
        self._place, self._moving = 0, 0
        self._last: EncodedFrame | None = None
        self._magnitudes: list[float] = []

    def see(self, frame: Frame) -> None:
        place, self._place = self._place, self._place + 1
        if place % self._step or self._decision() is not None or unfit_size(*frame.shape[:2]):
            return
        first, self._last = self._last, self._network.encode(frame)
        if first is not None:
            flow = self._network.flow(first, self._last)
            self._magnitudes.append(top_magnitude(flow.transpose(1, 2, 0)))
            self._moving += self._magnitudes[-1] > 6 * min(frame.shape[:2]) / 256

    def _decision(self) -> bool | None:
        """The result; None while later pairs can still change it, or if the number of pairs is not known."""
        left = self._pairs - len(self._magnitudes)
        if self._pairs < 0:
            return None
        if self._moving >= self._needed and self._pairs:
            return True
        return False if self._moving + left < self._needed or not left else None

    def finish(self) -> Arrays:
        decision = self._decision()
        decided = [] if decision is None else [float(decision)]
        return {"dynamic": np.array(decided), "magnitudes": np.array(self._magnitudes)}


def unfit_size(height: int, width: int) -> str:
    """Why RAFT cannot compare frames of this size; "" if it can.

    RAFT needs 128 pixels per side; sides of 121 and more are padded to that. It correlates every eighth pixel of one
    frame with every eighth pixel of the other, which takes 4 GiB at 1920x1088.

    >>> unfit_size(121, 640), unfit_size(120, 640)
    ('', 'frames of 640x120 are too small for RAFT, which needs 121 pixels per side')
    """
    if min(height, width) <= 120:
        return f"frames of {width}x{height} are too small for RAFT, which needs 121 pixels per side"
    points = -(-height // 8) * -(-width // 8)
    if points > MOST_POINTS:
        memory = f"{4 * points**2 / 2**30:.0f} GiB"
        return f"frames of {width}x{height} are too large for RAFT: its correlations would take {memory}"
    return ""
