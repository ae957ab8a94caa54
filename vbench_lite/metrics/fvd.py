"""Fréchet video distance, as published: biased at small numbers of clips."""

from __future__ import annotations

from vbench_lite.distances.frechet import frechet_distance
from vbench_lite.metrics.set_metric import SetMetric


class Fvd(SetMetric):
    """`frechet_distance` of all clips seen."""

    distance = staticmethod(frechet_distance)
