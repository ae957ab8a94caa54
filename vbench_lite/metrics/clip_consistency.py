"""How well frames follow the prompt, and how alike they look, by an image-and-text encoder."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vbench_lite.metrics.base import ONE_FRAME, Case, ClipMetric
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
    unit = _unit(embeddings)
    before = np.maximum((unit[1:] * unit[:-1]).sum(1), 0)
    first = np.maximum(unit[1:] @ unit[0], 0)
    return float((before + first).mean() / 2)


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
    return float((_unit(embeddings) @ _unit(text)).mean())


def clip_text(frames: Frames, text: NDArray[np.floating], encode: Encode) -> float:
    """`text_similarity` of a clip and an encoded prompt."""
    return text_similarity(encode(frames), text)


def _unit(vectors: NDArray[np.floating]) -> Vectors:
    vectors = np.asarray(vectors, np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)


class ClipFrames(ClipMetric):
    """`clip_frames` over clips."""

    higher_is_better = True

    def score(self, case: Case) -> Score:
        if not case.clip.embeddings.size:
            return Score(None, case.image_problem)
        if case.clip.frames < 2:
            return Score(None, ONE_FRAME)
        return Score(frames_consistency(case.clip.embeddings))


class ClipText(ClipMetric):
    """`clip_text` over clips, on every frame."""

    higher_is_better = True

    def score(self, case: Case) -> Score:
        if not case.clip.embeddings.size:
            return Score(None, case.image_problem)
        if case.text is None:
            return Score(None, case.text_problem)
        return Score(text_similarity(case.clip.embeddings, case.text))
