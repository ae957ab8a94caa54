"""Similarity of frames that are far apart in a clip."""

from __future__ import annotations

import numpy as np

from vbench_lite.features.image_text import ImageText
from vbench_lite.metrics.base import NO_FPS, SINGLE_FRAME, ClipContext, ClipMetric
from vbench_lite.metrics.functional import Clips, Networks, Values, score_each
from vbench_lite.records import ReasonCode, Score

SECONDS = 2.0
"""Shorter clips have no score."""


class LongRangeConsistency(ClipMetric):
    """Mean cosine of frames that are a quarter, a half and the whole of the clip apart."""

    name = "long_range_consistency"
    title = "Long-range consistency"
    unit = "cosine"
    higher_is_better = True
    range = (0.0, 1.0)
    version = "1"
    description = (
        "Mean similarity, in an image network, of frames that are a quarter, a half and the whole clip apart. It finds "
        "slow changes that neighbouring frames do not show. Only for clips of two seconds or more."
    )
    pitfalls = "A requested zoom or rotation lowers it, and stillness raises it: read it together with motion."
    question, rank = "coherence", 5
    source = "The cosine of VBench background_consistency (arXiv:2311.17982) at other distances of frames"
    extractors = (ImageText,)
    sets = ("scenario",)
    falls_with = ("colour drift", "local warp")
    unmoved_by = ("caption swap",)

    def score(self, context: ClipContext) -> Score:
        if context.clip.frames < 2:
            return SINGLE_FRAME
        if not context.clip.fps:
            return NO_FPS
        seconds = context.clip.frames / context.clip.fps
        if seconds < SECONDS:
            why = f"the clip has {seconds:.3g} s: {SECONDS:g} s are needed"
            return Score(None, why, ReasonCode.NOT_APPLICABLE)
        return Score(float(np.maximum(context["image_text"]["lags"], 0).mean()))


def long_range_consistency(clips: Clips, fps: float, backbones: Networks = "builtin") -> Values:
    """Mean cosine of frames that are a quarter, a half and the whole of the clip apart, each clipped at 0.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        fps: Frames per second.
        backbones: Name or file of a set of networks, or a loaded set; its image-and-text network is used.

    Returns:
        (clips,) values from 0 to 1, higher is more consistent; a float for one clip.

    Raises:
        ValueError: The clips are shorter than two seconds, the frame rate is missing, or shape or type is wrong.
        WeightsError: Weights are missing.

    Example:
        >>> round(long_range_consistency(np.zeros((4, 32, 32, 3), np.uint8), fps=2), 6)
        1.0
    """
    return score_each(LongRangeConsistency(), clips, fps=fps, backbones=backbones)
