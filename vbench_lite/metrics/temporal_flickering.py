"""Similarity of the pixels of neighbouring frames."""

from __future__ import annotations

from vbench_lite.features.pixels import Pixels
from vbench_lite.metrics.base import SINGLE_FRAME, ClipContext, ClipMetric, mean_score
from vbench_lite.metrics.functional import Clips, Values, score_each
from vbench_lite.records import Score


class TemporalFlickering(ClipMetric):
    """1 minus the mean absolute difference between neighbouring frames, in [0, 1]."""

    name = "temporal_flickering"
    title = "Temporal flickering"
    unit = "fraction"
    higher_is_better = True
    range = (0.0, 1.0)
    version = "1"
    description = "1 minus the mean absolute difference of neighbouring frames. Higher is steadier."
    pitfalls = (
        "A frozen clip has the best value, 1. Fast motion lowers the value as flickering does. Changes by the video "
        "encoder count too."
    )
    question, rank = "coherence", 3
    source = "VBench temporal_flickering (Huang et al., arXiv:2311.17982), without its selection of static clips"
    extractors = (Pixels,)
    sets = ("builtin", "vbench")
    falls_with = ("noise", "flicker", "shuffle", "jitter")
    unmoved_by = ("reversal", "caption swap")

    def score(self, context: ClipContext) -> Score:
        return mean_score(1 - context["pixels"]["differences"], SINGLE_FRAME)


def temporal_flickering(clips: Clips) -> Values:
    """1 minus the mean absolute difference between neighbouring frames.

    It rewards stillness: a frozen clip has the best value, 1. Read it together with `motion` and `warp_error`.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.

    Returns:
        (clips,) values from 0 to 1, higher is steadier; a float for one clip. Equals VBench's per-clip value.

    Raises:
        ValueError: Fewer than two frames, or a wrong shape or type.

    Example:
        >>> import numpy as np
        >>> temporal_flickering(np.stack([np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 51, np.uint8)]))
        0.8
    """
    return score_each(TemporalFlickering(), clips)
