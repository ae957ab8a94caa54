"""Fréchet video distance, as published: biased at small numbers of clips."""

from __future__ import annotations

from vbench_lite.distances.frechet import frechet_distance
from vbench_lite.features.video import Video
from vbench_lite.metrics.base import SetContext, SetMetric, SetScore
from vbench_lite.metrics.functional import Clips, Networks, distance_between
from vbench_lite.records import Estimate, ReasonCode

NO_INTERVAL = "no interval of a plain FVD holds at these numbers of clips; see fvd_corrected"


class Fvd(SetMetric):
    """Squared Fréchet distance between the video features of generated and of real clips."""

    name = "fvd"
    title = "Fréchet video distance"
    unit = "distance"
    higher_is_better = False
    range = (0.0, float("inf"))
    version = "1"
    description = (
        "Distance between the generated clips and the reference clips as two clouds of video features. Lower is "
        "closer; 0 is the same cloud."
    )
    pitfalls = "At few clips it is mostly bias: compare only at the same number of clips, with the same network."
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
    """Squared Fréchet distance between the video features of generated and of real clips.

    At small numbers of clips most of it is bias, upwards: use the same number of clips on both sides, and read
    `fvd_corrected` beside it.

    Args:
        generated: uint8, (clips, frames, height, width, 3), array or tensor; two clips or more.
        reference: Real clips, likewise.
        backbones: A set by name or file, or one that is loaded; its video network is used.

    Returns:
        0 or more; lower is closer.

    Raises:
        ValueError: Fewer than two clips on a side, or another shape or type.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> clips = np.random.default_rng(0).integers(0, 256, (2, 4, 32, 32, 3), dtype=np.uint8)
        >>> fvd(clips, clips)
        0.0
    """
    return distance_between(Fvd(), generated, reference, backbones)
