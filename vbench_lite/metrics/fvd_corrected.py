"""Fréchet video distance without the bias of small numbers of clips, with an interval."""

from __future__ import annotations

from vbench_lite.distances.corrected import corrected_interval
from vbench_lite.features.video import Video
from vbench_lite.metrics.base import SetContext, SetMetric, SetScore
from vbench_lite.metrics.functional import Clips, Networks, distance_between
from vbench_lite.records import Estimate


class FvdCorrected(SetMetric):
    """The Fréchet video distance with the bias of small numbers of clips removed."""

    name = "fvd_corrected"
    title = "Fréchet video distance, unbiased"
    unit = "distance"
    higher_is_better = False
    range = (float("-inf"), float("inf"))
    version = "4"
    description = (
        "The Fréchet video distance with the bias of small numbers removed, and an interval. Lower is closer; "
        "around 0 the two sets cannot be distinguished."
    )
    pitfalls = "Papers report `fvd`, not this value. The interval is wide at few clips. Values below 0 are noise."
    question, rank = "set", 1
    extractors = (Video,)
    sets = ("builtin",)

    def score(self, context: SetContext) -> SetScore:
        sides = context.stacked("video", "features")
        found = corrected_interval(*sides, context.generated_prompts, context.reference_prompts)
        ends = (found.low, found.high, len(sides[0]))
        return SetScore(Estimate(found.value, *ends, reason=found.reason, reason_code=found.code), found.parts)


def fvd_corrected(generated: Clips, reference: Clips, backbones: Networks = "builtin") -> float:
    """The Fréchet video distance with the bias of small numbers of clips removed.

    Args:
        generated: uint8, (clips, frames, height, width, 3), array or tensor; eight clips or more.
        reference: Real clips, likewise.
        backbones: A set by name or file, or one that is loaded; its video network is used.

    Returns:
        Around 0 or more; lower is closer, and values below 0 are chance. `distances.corrected_interval` has the
        interval.

    Raises:
        ValueError: Fewer than eight clips on a side, or another shape or type.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> clips = np.random.default_rng(0).integers(0, 256, (16, 4, 16, 16, 3), dtype=np.uint8)
        >>> isinstance(fvd_corrected(clips[:8], clips[8:]), float)
        True
    """
    return distance_between(FvdCorrected(), generated, reference, backbones)
