"""Similarity of the frames of a clip in an image network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vbench_lite.features.image_text import ImageText, likeness, unit_rows
from vbench_lite.metrics.base import SINGLE_FRAME, ClipContext, ClipMetric, mean_score
from vbench_lite.metrics.functional import Clips, Networks, Values, score_each
from vbench_lite.records import Score


class ClipFrames(ClipMetric):
    """Mean cosine of each frame with the previous frame and with the first."""

    name = "clip_frames"
    title = "CLIP frame consistency"
    unit = "cosine"
    higher_is_better = True
    range = (0.0, 1.0)
    version = "1"
    description = (
        "Similarity of the frames in an image network: each frame is compared with the previous frame and with the "
        "first. 1 is a still picture."
    )
    pitfalls = (
        "It rewards stillness: read it together with motion. Small texture and the identity of faces have little "
        "influence."
    )
    question, rank = "coherence", 1
    source = "VBench background_consistency (arXiv:2311.17982), per clip, if the network is OpenAI's CLIP ViT-B/32"
    extractors = (ImageText,)
    sets = ("builtin",)
    falls_with = ("colour drift", "object swap")
    unmoved_by = ("caption swap",)

    def score(self, context: ClipContext) -> Score:
        return mean_score(context["image_text"]["likeness"], SINGLE_FRAME)


def clip_frames(clips: Clips, backbones: Networks = "builtin") -> Values:
    """Mean cosine of each frame with the previous frame and with the first, each clipped at 0.

    It rewards stillness: a frozen clip has the best value, 1.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        backbones: Name or file of a set of networks, or a loaded set; its image-and-text network is used.

    Returns:
        (clips,) values from 0 to 1, higher is more consistent; a float for one clip.

    Raises:
        ValueError: Fewer than two frames, or a wrong shape or type.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> round(clip_frames(np.zeros((3, 32, 32, 3), np.uint8)), 6)
        1.0
    """
    return score_each(ClipFrames(), clips, backbones=backbones)


def frames_consistency(embeddings: NDArray[np.floating]) -> float:
    """The formula of `clip_frames` on embeddings of any network.

    Args:
        embeddings: (frames, values), of any length. At least two frames.

    Returns:
        0 to 1, higher is more consistent.

    Raises:
        ValueError: Fewer than two frames.

    Example:
        >>> import numpy as np
        >>> frames_consistency(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]]))
        0.5
    """
    if len(embeddings) < 2:
        raise ValueError(f"{len(embeddings)} frames: at least two are needed")
    unit = unit_rows(embeddings)
    return float(likeness(unit[1:], unit[:-1], unit[0]).mean())
