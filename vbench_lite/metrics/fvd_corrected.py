"""Fréchet video distance, corrected for the bias of small numbers of clips, with an interval."""

from __future__ import annotations

from vbench_lite.distances.corrected import corrected_interval
from vbench_lite.features.video import Video
from vbench_lite.metrics.base import SetContext, SetMetric, SetScore
from vbench_lite.metrics.functional import Clips, Networks, distance_between
from vbench_lite.records import Estimate


class FvdCorrected(SetMetric):
    """Squared Fréchet distance of video features, corrected for the bias of small numbers of clips."""

    name = "fvd_corrected"
    title = "Fréchet video distance, unbiased"
    unit = "squared distance"
    higher_is_better = False
    range = (float("-inf"), float("inf"))
    version = "4"
    description = (
        "Fréchet video distance, corrected for the bias of small numbers of clips, with an interval. Lower is closer; "
        "near 0 the two sets cannot be distinguished."
    )
    pitfalls = (
        "Papers report `fvd`, not this value. With few clips the interval is wide. Values below 0 are sampling error."
    )
    question, rank = "set", 1
    extractors = (Video,)
    sets = ("builtin",)

    def score(self, context: SetContext) -> SetScore:
        sides = context.stacked("video", "features")
        found = corrected_interval(*sides, context.generated_prompts, context.reference_prompts)
        ends = (found.low, found.high, len(sides[0]))
        return SetScore(Estimate(found.value, *ends, reason=found.reason, reason_code=found.code), found.parts)


def fvd_corrected(generated: Clips, reference: Clips, backbones: Networks = "builtin") -> float:
    """Squared Fréchet distance of video features, corrected for the bias of small numbers of clips.

    Args:
        generated: uint8, (clips, frames, height, width, 3), array or tensor; at least eight clips.
        reference: Real clips, in the same form.
        backbones: Name or file of a set of networks, or a loaded set; its video network is used.

    Returns:
        A squared distance; lower is closer. Values below 0 are sampling error. `distances.corrected_interval` also
        returns the interval.

    Raises:
        ValueError: Fewer than eight clips on a side, or a wrong shape or type.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> clips = np.random.default_rng(0).integers(0, 256, (16, 4, 16, 16, 3), dtype=np.uint8)
        >>> isinstance(fvd_corrected(clips[:8], clips[8:]), float)
        True
    """
    return distance_between(FvdCorrected(), generated, reference, backbones)
