"""The difference of the first and the last frame of a clip."""

from __future__ import annotations

import numpy as np

from vbench_lite.features.extractor import Arrays, ClipStream, Frame
from vbench_lite.features.pixels import frame_difference


class Ends:
    """Array `seam`, (1,): mean absolute difference of the last and the first frame, 0 to 1. Keeps two frames."""

    name, version = "ends", "1"

    def start(self, clip: ClipStream) -> None:
        self._first: Frame | None = None
        self._last: Frame | None = None

    def see(self, frame: Frame) -> None:
        self._first = frame if self._first is None else self._first
        self._last = frame

    def finish(self) -> Arrays:
        if self._first is None or self._last is None:
            return {"seam": np.zeros(0)}
        return {"seam": np.array([frame_difference(self._last, self._first)])}
