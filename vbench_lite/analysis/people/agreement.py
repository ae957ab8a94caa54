"""Agreement of metrics, and of "usable", with people: accuracy on pairs, precision and recall on kept clips."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vbench_lite.analysis.people.crossed import fraction
from vbench_lite.analysis.people.tables import ClipKey, PairTable, UsableTable
from vbench_lite.records import Estimate, MetricInfo, ReasonCode
from vbench_lite.run.people import FittedLimit, MetricAgreement
from vbench_lite.stats import Array

Values = Mapping[ClipKey, float]
"""Clip > its value of one metric. Clips without a value are left out."""


def meets(value: float, limit: FittedLimit) -> bool:
    """Whether a value meets a threshold."""
    return (limit.min is None or value >= limit.min) and (limit.max is None or value <= limit.max)


def metric_agreement(
    values: Values, info: MetricInfo | None, limit: FittedLimit | None, pairs: PairTable | None, kept: UsableTable
) -> MetricAgreement:
    """The agreement of one metric with people.

    Args:
        values: Values of the metric by clip.
        info: The metric, for its direction. None: higher is better, as for "usable".
        limit: The threshold of usable clips; None if there is none.
        pairs: Votes on pairs.
        kept: Votes to keep or reject.
    """
    sign = -1.0 if info is not None and info.higher_is_better is False else 1.0
    machine = _column(values, kept.clips)[kept.clip] if len(kept.clip) else np.zeros(0)
    known = np.isfinite(machine)
    if limit is None:
        precision = recall = Estimate(None, reason="no threshold", reason_code=ReasonCode.NOT_EVALUATED)
    else:
        passed = np.array([bool(meets(value, limit)) for value in machine], bool)
        precision = _share(kept, kept.keep, known & passed)
        recall = _share(kept, passed, known & (kept.keep == 1))
    return MetricAgreement(pair_accuracy=_accuracy(values, sign, pairs), precision=precision, recall=recall)


def _column(values: Values, clips: tuple[ClipKey, ...]) -> Array:
    return np.array([values.get(clip, np.nan) for clip in clips])


def _share(table: UsableTable, values: Array, keep: NDArray[np.bool_]) -> Estimate:
    if not keep.any():
        return Estimate(None, reason="no such clip", reason_code=ReasonCode.TOO_FEW)
    return fraction(values[keep], table.clusters.only(keep))


def _accuracy(values: Values, sign: float, pairs: PairTable | None) -> Estimate:
    if pairs is None or not len(pairs.points):
        return Estimate(None, reason="no votes on pairs", reason_code=ReasonCode.TOO_FEW)
    left, right = (_column(values, tuple(both[side] for both in pairs.pair)) for side in (0, 1))
    better = sign * (left - right)
    keep = pairs.decided & np.isfinite(better)
    if not keep.any():
        return Estimate(None, reason="no decided vote on clips with a value", reason_code=ReasonCode.TOO_FEW)
    says = np.where(better == 0, 0.5, better > 0)
    right_way = np.where(pairs.points == 1, says, 1 - says)
    return fraction(right_way[keep], pairs.clusters.only(keep))
