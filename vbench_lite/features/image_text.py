"""Embeddings of frames by an image-and-text network, and the base class for other networks that embed frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from vbench_lite.features.batches import FrameBatches
from vbench_lite.features.extractor import Arrays, Backbone, ClipStream

if TYPE_CHECKING:
    from torch import Tensor

Vectors = NDArray[np.float64]


class FrameEmbeddings(FrameBatches):
    """Base class of extractors that embed frames and keep a few statistics of the unit embeddings.

    `likeness`, (frames - 1,): result of `likeness` for each frame after the first. `mean`, (values,): mean embedding.
    `lags`, (3,): result of `lag_cosines`. `worst_pair`, (1,): smallest cosine of any two frames. The last two use at
    most `PATH` embeddings at even distances.
    """

    def start(self, clip: ClipStream) -> None:
        super().start(clip)
        self._edges: tuple[Vectors, Vectors] | None = None
        """The first and the latest embedding."""
        self._sum, self._count = np.zeros(0), 0
        self._likeness: list[Vectors] = []
        self._path: list[NDArray[np.float32]] = []

    def _take(self, prepared: Tensor) -> None:
        found = unit_rows(self._network.embed_images(prepared))
        if self._edges is None:
            self._edges, self._sum = (found[0], found[0]), np.zeros(found.shape[1])
            pairs = likeness(found[1:], found[:-1], found[0])
        else:
            first, last = self._edges
            pairs = likeness(found, np.vstack([last, found[:-1]]), first)
        self._likeness.append(pairs)
        self._edges = (self._edges[0], found[-1])
        self._sum, self._count = self._sum + found.sum(0), self._count + len(found)
        self._path.append(found.astype(np.float32))

    def finish(self) -> Arrays:
        self._flush()
        path = np.concatenate(self._path)
        path = path[np.linspace(0, len(path) - 1, min(PATH, len(path))).round().astype(int)]
        return {
            "likeness": np.concatenate(self._likeness), "mean": self._sum / self._count, "lags": lag_cosines(path),
            "worst_pair": (path @ path.T).min(keepdims=True)[0].astype(np.float64),
        }


PATH = 256
"""Highest number of embeddings of one clip whose pairs are compared."""
LAGS = (0.25, 0.5, 1.0)
"""Distances in time of the compared frames, as fractions of the clip's length."""


def lag_cosines(path: NDArray[np.floating]) -> Vectors:
    """Mean cosine of all pairs of frames at a distance of a quarter, of half, and of the whole clip.

    Args:
        path: Embeddings, (frames, values), rows of unit length.

    Returns:
        (3,), -1 to 1.

    >>> lag_cosines(np.array([[1.0, 0], [1, 0], [1, 0], [1, 0], [0, 1]])).round(2).tolist()
    [0.75, 0.67, 0.0]
    """
    last = len(path) - 1
    steps = [max(1, round(lag * last)) if last else 0 for lag in LAGS]
    return np.array([float((path[step:] * path[: len(path) - step]).sum(1).mean()) for step in steps])


class ImageText(FrameEmbeddings):
    """The arrays of `FrameEmbeddings`, by the set's image-and-text network."""

    name, version = "image_text", "2"
    backbone: ClassVar[Backbone] = "image"


class ImageTextFrames(FrameBatches):
    """Array `frames`, (frames, values): unit embeddings of all frames, for metrics that compare each with an image.

    It is separate from `ImageText`, because only prompts with images need it and it keeps one vector per frame.
    """

    name, version = "image_text_frames", "1"
    backbone: ClassVar[Backbone] = "image"

    def start(self, clip: ClipStream) -> None:
        super().start(clip)
        self._found: list[Vectors] = []

    def _take(self, prepared: Tensor) -> None:
        self._found.append(unit_rows(self._network.embed_images(prepared)))

    def finish(self) -> Arrays:
        self._flush()
        return {"frames": np.concatenate(self._found).astype(np.float32)}


def likeness(frames: Vectors, before: Vectors, first: Vectors) -> Vectors:
    """Similarity of each frame to the previous and to the first frame: the mean of both cosines, each at least 0.

    Args:
        frames: (frames, values), rows of unit length.
        before: (frames, values); row i is the frame before row i of `frames`.
        first: (values,), unit length.

    Returns:
        (frames,), 0 to 1.
    """
    return (np.maximum((frames * before).sum(1), 0) + np.maximum(frames @ first, 0)) / 2


def unit_rows(vectors: NDArray[np.floating]) -> Vectors:
    """Scale rows to length 1, as float64. Rows of zeros stay zeros.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    vectors = np.asarray(vectors, np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
