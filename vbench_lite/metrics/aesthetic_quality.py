"""Aesthetic rating of the frames of a clip, by LAION's predictor."""

from __future__ import annotations

from vbench_lite.features.aesthetic import AestheticFrames
from vbench_lite.metrics.base import ClipContext, ClipMetric
from vbench_lite.metrics.functional import Clips, Networks, Values, score_each
from vbench_lite.records import Score


class AestheticQuality(ClipMetric):
    """Mean over frames of LAION's aesthetic score, divided by 10."""

    name = "aesthetic_quality"
    title = "Aesthetic quality"
    unit = "rating"
    higher_is_better = True
    range = (float("-inf"), float("inf"))
    version = "1"
    description = (
        "Predicted rating of the frames as pictures, by LAION's linear head on OpenAI's CLIP ViT-L/14: a rating of 1 "
        "to 10, divided by 10. The value is the mean over frames."
    )
    pitfalls = "It rates single frames by the taste of its raters. It ignores motion and the prompt."
    question, rank = "detail", 4
    source = "VBench aesthetic_quality (Huang et al., arXiv:2311.17982); LAION-AI/aesthetic-predictor"
    licence = "OpenAI CLIP: MIT; LAION's aesthetic-predictor: MIT"
    extractors = (AestheticFrames,)
    default_backbones = "vbench"
    sets = ("vbench",)
    falls_with = ("noise",)
    unmoved_by = ("caption swap",)

    def score(self, context: ClipContext) -> Score:
        return Score(float(context["aesthetic"]["scores"].mean()) / 10)


def aesthetic_quality(clips: Clips, backbones: Networks = "vbench") -> Values:
    """Mean over frames of LAION's aesthetic score, divided by 10.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        backbones: Name or file of a set of networks, or a loaded set; its network for aesthetic quality is used.

    Returns:
        (clips,) values, about 0.1 to 1, higher is better; a float for one clip. Equals VBench's per-clip value.

    Raises:
        ValueError: Another shape or type, or a set that has no such network.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> try:
        ...     aesthetic_quality(np.zeros((3, 32, 32, 3), np.uint8), backbones="builtin")
        ... except ValueError as error:
        ...     print(str(error).partition(": ")[2])
        this set of backbones has no network for aesthetic quality; score with --backbones vbench
    """
    return score_each(AestheticQuality(), clips, backbones=backbones)
