"""Whether a clip has motion, by VBench's rule."""

from __future__ import annotations

from vbench_lite.features.raft import RaftMotion, unfit_size
from vbench_lite.metrics.base import NO_FPS, SINGLE_FRAME, ClipContext, ClipMetric
from vbench_lite.metrics.functional import Clips, Networks, Values, score_each
from vbench_lite.records import ReasonCode, Score


class DynamicDegree(ClipMetric):
    """1 for a clip in which enough pairs of frames have motion, else 0."""

    name = "dynamic_degree"
    title = "Dynamic degree"
    unit = "fraction"
    higher_is_better = None
    range = (0.0, 1.0)
    version = "1"
    description = (
        "Fraction of the clips with motion: at about 8 frames per second, in a quarter of the pairs of frames, the "
        "fastest 5 % of the picture move by more than 6 pixels of 256, by RAFT. Reported, not ranked."
    )
    pitfalls = (
        "A higher value is not better: noise and cuts count as motion. By VBench's rule, every clip of two sampled "
        "frames is dynamic, and every clip of one sampled frame is not."
    )
    source = "VBench dynamic_degree (Huang et al., arXiv:2311.17982; Vchitect/VBench at 45e79ec)"
    licence = "RAFT-things: BSD-3-Clause"
    extractors = (RaftMotion,)
    default_backbones = "vbench"
    sets = ("vbench",)
    unmoved_by = ("caption swap",)

    def score(self, context: ClipContext) -> Score:
        clip = context.clip
        if clip.frames < 2:
            return SINGLE_FRAME
        if why := unfit_size(clip.height, clip.width):
            return Score(None, why, ReasonCode.NOT_MEASURED)
        dynamic = context["raft"]["dynamic"]
        return Score(float(dynamic[0])) if dynamic.size else NO_FPS


def dynamic_degree(clips: Clips, fps: float, backbones: Networks = "vbench") -> Values:
    """1 for each clip with motion, else 0, by VBench's rule.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor. At least
            121 pixels per side, and at most about 1920x1088.
        fps: Frames per second, above 0. Every `max(1, round(fps / 8))`-th frame is compared.
        backbones: Name or file of a set of networks, or a loaded set; its RAFT network is used.

    Returns:
        (clips,) values, 0 or 1; a float for one clip. Equals VBench's decision.

    Raises:
        ValueError: Fewer than two frames, no frame rate, another size, shape or type, or no RAFT network.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> try:
        ...     dynamic_degree(np.zeros((3, 128, 128, 3), np.uint8), fps=8, backbones="builtin")
        ... except ValueError as error:
        ...     print(str(error).partition(": ")[2])
        this set of backbones has no RAFT network; score with --backbones vbench
    """
    return score_each(DynamicDegree(), clips, fps=fps, backbones=backbones)
