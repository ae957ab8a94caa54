"""Embeddings of frames by an image-and-text network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vbench_lite.features.extractor import Arrays, Backbone, ClipStream, Frame

if TYPE_CHECKING:
    from torch import Tensor

Vectors = NDArray[np.float64]


class ImageText:
    """`likeness` of each frame but the first, and `mean`, the mean of the frames' unit embeddings, (values,).

    Embeds `BATCH` frames at a time and holds the first and the latest embedding, not all of them.
    """

    name, version = "image_text", "1"
    backbone: ClassVar[Backbone] = "image"

    def start(self, clip: ClipStream) -> None:
        from vbench_lite.backbones.image_text import BATCH

        self._network: Any = clip.network
        self._batch = BATCH
        self._waiting: list[Tensor] = []
        self._edges: tuple[Vectors, Vectors] | None = None
        """The first embedding and the latest."""
        self._sum, self._count = np.zeros(0), 0
        self._likeness: list[Vectors] = []

    def see(self, frame: Frame) -> None:
        self._waiting.append(self._network.prepare(frame))
        if len(self._waiting) == self._batch:
            self._embed_waiting()

    def _embed_waiting(self) -> None:
        import torch

        found = unit_rows(self._network.embed_images(torch.stack(self._waiting)))
        self._waiting = []
        if self._edges is None:
            self._edges, self._sum = (found[0], found[0]), np.zeros(found.shape[1])
            pairs = likeness(found[1:], found[:-1], found[0])
        else:
            first, last = self._edges
            pairs = likeness(found, np.vstack([last, found[:-1]]), first)
        self._likeness.append(pairs)
        self._edges = (self._edges[0], found[-1])
        self._sum, self._count = self._sum + found.sum(0), self._count + len(found)

    def finish(self) -> Arrays:
        if self._waiting:
            self._embed_waiting()
        return {"likeness": np.concatenate(self._likeness), "mean": self._sum / self._count}


def likeness(frames: Vectors, before: Vectors, first: Vectors) -> Vectors:
    """How similar each frame is to the one before it and to the clip's first: the mean of both cosines, cut off at 0.

    Args:
        frames: (frames, values), rows of unit length.
        before: (frames, values); row i is the frame before row i of `frames`.
        first: (values,), unit length.

    Returns:
        (frames,), 0 to 1.
    """
    return (np.maximum((frames * before).sum(1), 0) + np.maximum(frames @ first, 0)) / 2


def unit_rows(vectors: NDArray[np.floating]) -> Vectors:
    """Rows of length 1, float64; zeros stay zeros.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    vectors = np.asarray(vectors, np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
