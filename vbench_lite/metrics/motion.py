"""Speed of the fastest part of the picture."""

from __future__ import annotations

from vbench_lite.features.flow import Flow
from vbench_lite.metrics.base import NO_FPS, SINGLE_FRAME, ClipContext, ClipMetric
from vbench_lite.metrics.functional import Clips, Values, score_each
from vbench_lite.records import Score


class Motion(ClipMetric):
    """Speed of the fastest 5 % of the picture, in short sides of the frame per second."""

    name = "motion"
    title = "Motion"
    unit = "frame sides/s"
    higher_is_better = None
    range = (0.0, float("inf"))
    version = "2"
    description = (
        "Mean speed of the fastest 5 % of the picture, in short sides of the frame per second. Reported, not ranked."
    )
    pitfalls = (
        "A higher value is not better: it shows whether a steady clip is frozen. Noise and flickering count as motion."
    )
    source = "The top-5 % flow magnitude of VBench dynamic_degree (arXiv:2311.17982), without its threshold"
    extractors = (Flow,)
    sets = ("builtin",)
    rises_with = ("shuffle", "jitter")
    falls_with = ("freeze", "slow motion")
    unmoved_by = ("caption swap",)

    def score(self, context: ClipContext) -> Score:
        if context.clip.frames < 2:
            return SINGLE_FRAME
        if not context.clip.fps:
            return NO_FPS
        return Score(float(context["flow"]["motions"].mean()) * context.clip.fps)


def motion(clips: Clips, fps: float) -> Values:
    """Mean speed of the fastest 5 % of the picture, in short sides of the frame per second.

    A higher value is not better. 0 is a frozen clip.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        fps: Frames per second, above 0.

    Returns:
        (clips,) values, 0 or more; a float for one clip.

    Raises:
        ValueError: The clips have fewer than two frames, the frame rate is missing, or shape or type is wrong.

    Example:
        >>> import numpy as np
        >>> motion(np.zeros((3, 32, 32, 3), np.uint8), fps=8)
        0.0
    """
    return score_each(Motion(), clips, fps=fps)
