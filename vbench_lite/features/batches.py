"""Frames of one clip that go through a network together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vbench_lite.features.extractor import ClipStream, Frame

if TYPE_CHECKING:
    from torch import Tensor


class FrameBatches:
    """The part that extractors of frame-by-frame networks share: prepares frames and passes them on in batches.

    A subclass gives `name`, `version`, `backbone`, `finish`, and `_take`, which gets (frames, 3, rows, columns).
    It calls `_flush` before it reads what it has gathered.
    """

    def start(self, clip: ClipStream) -> None:
        from vbench_lite.backbones.image_text import BATCH

        self._network: Any = clip.network
        self._batch = BATCH
        self._waiting: list[Tensor] = []

    def see(self, frame: Frame) -> None:
        self._waiting.append(self._network.prepare(frame))
        if len(self._waiting) == self._batch:
            self._flush()

    def _flush(self) -> None:
        import torch

        if self._waiting:
            prepared, self._waiting = torch.stack(self._waiting), []
            self._take(prepared)

    def _take(self, prepared: Tensor) -> None:
        raise NotImplementedError
