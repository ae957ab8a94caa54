"""Kernel video distance (KVD), unbiased."""

from __future__ import annotations

from vbench_lite.distances.kernel import kernel_interval
from vbench_lite.features.video import Video
from vbench_lite.metrics.base import SetContext, SetMetric, SetScore
from vbench_lite.metrics.functional import Clips, Networks, distance_between
from vbench_lite.records import Estimate


class Kvd(SetMetric):
    """Squared maximum mean discrepancy of video features with a cubic kernel."""

    name = "kvd"
    title = "Kernel video distance"
    unit = "squared distance"
    higher_is_better = False
    range = (float("-inf"), float("inf"))
    version = "2"
    description = (
        "Squared maximum mean discrepancy of the video features, with a cubic polynomial kernel, unbiased. Lower is "
        "closer; values slightly below 0 are possible."
    )
    pitfalls = "It is noisier than the Fréchet distance. Values of different networks are not comparable."
    question, rank = "set", 3
    source = "KID of Binkowski et al. (ICLR 2018, arXiv:1801.01401) on video features"
    extractors = (Video,)
    sets = ("builtin",)
    rises_with = ("freeze", "colour drift")
    unmoved_by = ("caption swap",)

    def score(self, context: SetContext) -> SetScore:
        sides = context.stacked("video", "features")
        found = kernel_interval(*sides, context.generated_prompts, context.reference_prompts)
        ends = (found.low, found.high, len(sides[0]))
        return SetScore(Estimate(found.value, *ends, reason=found.reason, reason_code=found.code))


def kvd(generated: Clips, reference: Clips, backbones: Networks = "builtin") -> float:
    """Squared maximum mean discrepancy of video features with the kernel (x.y / values + 1)^3, unbiased.

    Args:
        generated: uint8, (clips, frames, height, width, 3), array or tensor; at least two clips.
        reference: Real clips, in the same form.
        backbones: Name or file of a set of networks, or a loaded set; its video network is used.

    Returns:
        A squared distance; lower is closer. Values below 0 are sampling error.

    Raises:
        ValueError: Fewer than two clips on a side, or a wrong shape or type.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> clips = np.random.default_rng(0).integers(0, 256, (4, 4, 32, 32, 3), dtype=np.uint8)
        >>> isinstance(kvd(clips[:2], clips[2:]), float)
        True
    """
    return distance_between(Kvd(), generated, reference, backbones)
