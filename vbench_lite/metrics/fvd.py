"""Fréchet video distance (FVD) as published. It is biased for small numbers of clips."""

from __future__ import annotations

from vbench_lite.distances.frechet import frechet_distance
from vbench_lite.features.video import Video
from vbench_lite.metrics.base import SetContext, SetMetric, SetScore
from vbench_lite.metrics.functional import Clips, Networks, distance_between
from vbench_lite.records import Estimate, ReasonCode

NO_INTERVAL = "no known interval of FVD is valid at these numbers of clips; see fvd_corrected"


class Fvd(SetMetric):
    """Squared Fréchet distance between the video features of generated and real clips."""

    name = "fvd"
    title = "Fréchet video distance"
    unit = "squared distance"
    higher_is_better = False
    range = (0.0, float("inf"))
    version = "1"
    description = (
        "Squared Fréchet distance between the video features of the generated clips and of the reference clips. Lower "
        "is closer; 0 means equal means and covariances."
    )
    pitfalls = "With few clips it is mostly bias: compare only values of the same number of clips and the same network."
    question, rank = "set", 2
    source = "Unterthiner et al., arXiv:1812.01717"
    extractors = (Video,)
    sets = ("builtin",)
    rises_with = ("shuffle", "freeze", "jitter", "colour drift", "reversal", "duplicate", "bars", "hole", "aspect")
    unmoved_by = ("caption swap",)

    def score(self, context: SetContext) -> SetScore:
        generated, reference = context.stacked("video", "features")
        value = frechet_distance(generated, reference)
        return SetScore(Estimate(value, n=len(generated), reason=NO_INTERVAL, reason_code=ReasonCode.NO_INTERVAL))


def fvd(generated: Clips, reference: Clips, backbones: Networks = "builtin") -> float:
    """Squared Fréchet distance between the video features of generated and real clips.

    With few clips, most of the value is upward bias: use the same number of clips on both sides, and also read
    `fvd_corrected`.

    Args:
        generated: uint8, (clips, frames, height, width, 3), array or tensor; at least two clips.
        reference: Real clips, in the same form.
        backbones: Name or file of a set of networks, or a loaded set; its video network is used.

    Returns:
        0 or more, a squared distance; lower is closer.

    Raises:
        ValueError: Fewer than two clips on a side, or a wrong shape or type.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> clips = np.random.default_rng(0).integers(0, 256, (2, 4, 32, 32, 3), dtype=np.uint8)
        >>> fvd(clips, clips)
        0.0
    """
    return distance_between(Fvd(), generated, reference, backbones)
