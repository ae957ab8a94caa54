"""Similarity of the two least similar frames of a clip."""

from __future__ import annotations

from vbench_lite.features.image_text import ImageText
from vbench_lite.metrics.base import SINGLE_FRAME, ClipContext, ClipMetric
from vbench_lite.metrics.functional import Clips, Networks, Values, score_each
from vbench_lite.records import Score


class ShapeStability(ClipMetric):
    """The smallest cosine of any two frames of the clip."""

    name = "shape_stability"
    title = "Shape stability"
    unit = "cosine"
    higher_is_better = True
    range = (0.0, 1.0)
    version = "1"
    description = (
        "The smallest similarity of any two frames in an image network, clipped at 0. A subject that loses its shape "
        "anywhere in the clip lowers it, because it is not a mean over frames."
    )
    pitfalls = (
        "A requested zoom or rotation lowers it, and so does a cut. Slight warps that smooth the picture raise it. "
        "Ghosting or a second subject in the whole clip is not detected."
    )
    question, rank = "coherence", 6
    source = "The cosine of VBench background_consistency (arXiv:2311.17982), of the worst pair of frames"
    extractors = (ImageText,)
    sets = ("scenario",)
    falls_with = ("local warp", "colour drift")
    unmoved_by = ("caption swap",)

    def score(self, context: ClipContext) -> Score:
        if context.clip.frames < 2:
            return SINGLE_FRAME
        return Score(min(1.0, max(0.0, float(context["image_text"]["worst_pair"][0]))))


def shape_stability(clips: Clips, backbones: Networks = "builtin") -> Values:
    """The smallest cosine of any two frames of the clip, clipped at 0.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        backbones: Name or file of a set of networks, or a loaded set; its image-and-text network is used.

    Returns:
        (clips,) values from 0 to 1, higher is steadier; a float for one clip.

    Raises:
        ValueError: Fewer than two frames, or a wrong shape or type.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> round(shape_stability(np.zeros((3, 32, 32, 3), np.uint8)), 6)
        1.0
    """
    return score_each(ShapeStability(), clips, backbones=backbones)
