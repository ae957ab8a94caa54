"""Difference of neighbouring frames after motion compensation."""

from __future__ import annotations

from vbench_lite.features.flow import Flow
from vbench_lite.metrics.base import SINGLE_FRAME, ClipContext, ClipMetric, mean_score
from vbench_lite.metrics.functional import Clips, Values, score_each
from vbench_lite.records import ReasonCode, Score

ALL_OCCLUDED = Score(None, "motion is so fast that every pixel is occluded", ReasonCode.OTHER)


class WarpError(ClipMetric):
    """Mean squared difference between each frame and the next frame, warped onto it."""

    name = "warp_error"
    title = "Warping error"
    unit = "mse"
    higher_is_better = False
    range = (0.0, 1.0)
    version = "2"
    description = (
        "Mean squared difference of neighbouring frames after motion compensation, on pixel values from 0 to 1. Lower "
        "is more coherent."
    )
    pitfalls = "A frozen clip has the best value, 0. Flat or empty pictures also have good values."
    question, rank = "coherence", 2
    source = (
        "Warping error of Lai et al. (ECCV 2018, arXiv:1808.00449) with the occlusion test of EvalCrafter "
        "(arXiv:2310.11440); the flow is DIS instead of RAFT, so the numbers differ"
    )
    extractors = (Flow,)
    sets = ("builtin",)
    rises_with = ("noise", "flicker", "ghosting")
    unmoved_by = ("caption swap",)

    def score(self, context: ClipContext) -> Score:
        if context.clip.frames < 2:
            return SINGLE_FRAME
        errors = context["flow"]["warp_errors"]
        return mean_score(errors[errors >= 0], ALL_OCCLUDED)


def warp_error(clips: Clips) -> Values:
    """Mean squared difference between each frame and the next frame, warped onto it, over pixels that are not occluded.

    Motion does not count; flickering, popping and deformation do. In fast motion, most pixels are occluded.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.

    Returns:
        (clips,) values from 0 to 1, lower is better, for pixel values in [0, 1]; a float for one clip.

    Raises:
        ValueError: Fewer than two frames, every pixel of a clip is occluded, or a wrong shape or type.

    Example:
        >>> import numpy as np
        >>> warp_error(np.zeros((2, 3, 32, 32, 3), np.uint8)).tolist()
        [0.0, 0.0]
    """
    return score_each(WarpError(), clips)
