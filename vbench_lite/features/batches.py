"""Frames of one clip that go through a network together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vbench_lite.features.extractor import Arrays, ClipStream, Frame

if TYPE_CHECKING:
    from torch import Tensor


class FrameBatches:
    """The part that extractors of frame-by-frame networks share: prepares frames and passes them on in batches.

    A subclass gives `name`, `version`, `backbone`, `finish`, and `_take`, which gets (frames, 3, rows, columns).
    It calls `_flush` before it reads what it has gathered.
    """

    batch: ClassVar[int] = 16
    """Frames of one clip that go through the network together. It is part of the version, because in float32 the last
    digits depend on it."""

    def start(self, clip: ClipStream) -> None:
        self._network: Any = clip.network
        self._waiting: list[Tensor] = []

    def see(self, frame: Frame) -> None:
        self._waiting.append(self._network.prepare(frame))
        if len(self._waiting) == self.batch:
            self._flush()

    def _flush(self) -> None:
        import torch

        if self._waiting:
            prepared, self._waiting = torch.stack(self._waiting), []
            self._take(prepared)

    def _take(self, prepared: Tensor) -> None:
        raise NotImplementedError


class FrameScores(FrameBatches):
    """`scores` of every frame, (frames,), by a network with `score`. A subclass names it."""

    def start(self, clip: ClipStream) -> None:
        super().start(clip)
        self._scores: list[NDArray[np.float64]] = []

    def _take(self, prepared: Tensor) -> None:
        self._scores.append(self._network.score(prepared))

    def finish(self) -> Arrays:
        self._flush()
        return {"scores": np.concatenate(self._scores)}
