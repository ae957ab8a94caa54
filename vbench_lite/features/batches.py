"""Base classes of extractors that run a network on batches of frames of one clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vbench_lite.features.extractor import Arrays, ClipStream, Frame

if TYPE_CHECKING:
    from torch import Tensor


class FrameBatches:
    """Base class of extractors whose network reads single frames: prepares frames and passes them on in batches.

    A subclass defines `name`, `version`, `backbone`, `finish`, and `_take`, which receives prepared frames of shape
    (frames, 3, height, width). Its `finish` calls `_flush` first.
    """

    batch: ClassVar[int] = 16
    """Number of frames per batch. Raise `version` when it changes, because the last digits in float32 depend on it."""

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
    """Array `scores`, (frames,): the score of each frame by a network with a method `score`.

    A subclass names the network in `backbone`.
    """

    def start(self, clip: ClipStream) -> None:
        super().start(clip)
        self._scores: list[NDArray[np.float64]] = []

    def _take(self, prepared: Tensor) -> None:
        self._scores.append(self._network.score(prepared))

    def finish(self) -> Arrays:
        self._flush()
        return {"scores": np.concatenate(self._scores)}
