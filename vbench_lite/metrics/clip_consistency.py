"""How well frames follow the prompt, and how alike they look, by an image-and-text encoder."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vbench_lite.metrics.base import ONE_FRAME, ClipContext, ClipMetric, mean_or_none
from vbench_lite.records import Score

Frames = NDArray[np.uint8]
Vectors = NDArray[np.float64]
Encode = Callable[[Frames], NDArray[np.floating]]


def frames_consistency(embeddings: NDArray[np.floating]) -> float:
    """Mean over frames but the first of their similarity to the frame before and to the first one.

    Each cosine is cut off at 0, then the two are averaged. It rewards stillness: a frozen clip
    scores a perfect 1. What CLIP does not see (small texture, identity of faces) does not count.

    Args:
        embeddings: (frames, values), any float; need not be of unit length. At least two frames.

    Returns:
        0 to 1, no unit, higher is more consistent.

    Raises:
        ValueError: Fewer than two frames.

    Source:
        VBench "background consistency" (arXiv:2311.17982), per clip.

    >>> import numpy as np
    >>> frames_consistency(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]]))
    0.5
    """
    if len(embeddings) < 2:
        raise ValueError(f"{len(embeddings)} frames: at least two are needed to tell what changes")
    unit = unit_rows(embeddings)
    return float(likeness(unit[1:], unit[:-1], unit[0]).mean())


def likeness(frames: Vectors, before: Vectors, first: Vectors) -> Vectors:
    """How alike each frame is to the one before it and to the clip's first: the mean of both cosines, cut off at 0.

    Args:
        frames, before: (frames, values), rows of unit length; row i of `before` is the frame before row i of `frames`.
        first: (values,), unit length.

    Returns:
        (frames,), 0 to 1.
    """
    return (np.maximum((frames * before).sum(1), 0) + np.maximum(frames @ first, 0)) / 2


def clip_frames(frames: Frames, encode: Encode) -> float:
    """`frames_consistency` of a clip.

    Args:
        frames: uint8, (frames, height, width, 3).
        encode: Gives (frames, values) for such frames, e.g. `backbones.image_text.OpenClipEncoder`.
    """
    return frames_consistency(encode(frames))


def text_similarity(embeddings: NDArray[np.floating], text: NDArray[np.floating]) -> float:
    """Mean over all frames of the cosine between frame and prompt, as it is: not scaled, not cut off.

    A high value says that the frames show what the words name, one by one; it hardly sees motion,
    order of events, counts or spelling. Values of unlike encoders do not compare.

    Args:
        embeddings: (frames, values). At least one frame.
        text: (values,).

    Returns:
        -1 to 1, higher is better.

    Source:
        CLIPScore (Hessel et al., EMNLP 2021, arXiv:2104.08718) without its factor and its clamp.
    """
    return float((unit_rows(embeddings) @ unit_rows(text)).mean())


def clip_text(frames: Frames, text: NDArray[np.floating], encode: Encode) -> float:
    """`text_similarity` of a clip and an encoded prompt."""
    return text_similarity(encode(frames), text)


def unit_rows(vectors: NDArray[np.floating]) -> Vectors:
    """Rows of length 1, float64; zeros stay zeros."""
    vectors = np.asarray(vectors, np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)


class ClipFrames(ClipMetric):
    """`clip_frames` over clips."""

    higher_is_better = True

    def score(self, case: ClipContext) -> Score:
        if not case.clip.image.size:
            return Score(None, case.image_problem)
        return mean_or_none(case.clip.likeness, ONE_FRAME)


class ClipText(ClipMetric):
    """`clip_text` over clips, on every frame."""

    higher_is_better = True

    def score(self, case: ClipContext) -> Score:
        if not case.clip.image.size:
            return Score(None, case.image_problem)
        if case.text is None:
            return Score(None, case.text_problem)
        return Score(float(case.clip.image @ unit_rows(case.text)))
