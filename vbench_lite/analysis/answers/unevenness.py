"""Unevenness of a generator: its worst tenth, the sources of the variance, and the best of k clips.

The input is a grid with one row per prompt and one column per clip, NaN for a clip without a score. Prompts are the
sampling units of intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vbench_lite.analysis.cost.economics import best_of, share_of_prompts
from vbench_lite.records import Estimate, ReasonCode
from vbench_lite.stats import Array, mean_interval

WORST = 0.1


def worst_tenth(values: Array, higher_is_better: bool) -> Estimate:
    """Mean score of the worst tenth of the clips.

    A clip without a score counts as the worst observed clip, so failures on hard prompts are no advantage. With q the
    10 % quantile, the value is q - E[max(q - x, 0)] / 0.1. It has no interval: the tested methods have a coverage of
    .56 to .75 with 10 prompts, .75 to .87 with 40, and .81 to .91 with 100, instead of .95.

    Args:
        values: Shape (prompts, clips).
        higher_is_better: Whether the lowest values are the worst.
    """
    unscored = int(np.isnan(values).sum())
    n = int(values.size) - unscored
    if not n:
        return Estimate(None, unscored=unscored, reason="no clip has this score", reason_code=ReasonCode.NOT_SCORED)
    sign = 1.0 if higher_is_better else -1.0
    signed = np.where(np.isnan(values), np.nanmin(sign * values), sign * values)
    quantile = np.quantile(signed, WORST)
    terms = quantile - np.maximum(quantile - signed, 0) / WORST
    return Estimate(
        sign * float(terms.mean()), n=n, unscored=unscored, reason_code=ReasonCode.NO_INTERVAL,
        reason="no known interval of a worst tenth has its nominal coverage",
    )  # fmt: skip


@dataclass(frozen=True)
class Spread:
    """The components of the variance of a generator's scores. Their sum is `total`."""

    total: float
    """Variance, in the metric's unit squared."""
    prompts: float
    """Variance between prompts that all generators share."""
    own: float
    """Variance between prompts of this generator alone: the rest without the shared part."""
    clips: float
    """Variance between clips of one prompt, which differ only by seed."""
    shared_known: bool
    """Whether the shared part is known. Without another generator, `own` is the whole variance between prompts."""

    def shares(self) -> tuple[float, float, float]:
        """(prompts, own, clips) as fractions of the total."""
        whole = self.total or 1.0  # nothing varies: every part is 0
        return self.prompts / whole, self.own / whole, self.clips / whole


def spread(values: Array, others: Sequence[Array] = ()) -> Spread | None:
    """Split the variance of one generator's scores.

    A one-way analysis of variance separates the variance between prompts from that within prompts. The covariance with
    the prompt means of other generators is the shared part of the variance between prompts. Negative components are set
    to 0.

    Args:
        values: Shape (prompts, clips).
        others: Grids of other generators for the same prompts.

    Returns:
        None with fewer than two clips per prompt, or fewer than three prompts: these cannot separate the variance
        of seeds from the variance of prompts.
    """
    counts = (~np.isnan(values)).sum(1)
    many = counts >= 2
    if values.shape[1] < 2 or many.sum() < 3:
        return None
    means = np.nanmean(values[many], axis=1)
    within = float(np.nansum((values[many] - means[:, None]) ** 2) / (counts[many] - 1).sum())
    between = max(0.0, float(means.var(ddof=1)) - within * float((1 / counts[many]).mean()))
    shared = [cov for cov in (_covariance(values, other) for other in others) if cov is not None]
    common = min(between, max(0.0, float(np.mean(shared)))) if shared else 0.0
    return Spread(between + within, common, between - common, within, bool(shared))


def _covariance(mine: Array, other: Array) -> float | None:
    """Covariance of the prompt means of two generators, over the prompts for which both have scores."""
    both = (~np.isnan(mine)).any(1) & (~np.isnan(other)).any(1)
    if both.sum() < 3:
        return None
    return float(np.cov(np.nanmean(mine[both], axis=1), np.nanmean(other[both], axis=1))[0, 1])


def best_of_curve(values: Array, higher_is_better: bool = True) -> list[Estimate]:
    """Expected best of k clips of a prompt, one estimate for each k from 1 to the number of clips.

    Clips without a score are never chosen. A prompt with fewer than k scored clips contributes its best clip. A prompt
    without scored clips is left out, and its clips are counted as unscored.

    Args:
        values: Shape (prompts, clips). For flags (0 and 1), the result is the probability that at least one of k is 1,
            with the interval of a fraction.
    """
    scored = [row[~np.isnan(row)].tolist() for row in values]
    rows = [row for row in scored if row]
    unscored, flags = int(np.isnan(values).sum()), bool(np.isin(values[np.isfinite(values)], (0, 1)).all())
    curve = []
    for k in range(1, values.shape[1] + 1) if rows else []:
        best = np.array([best_of(row, min(k, len(row)), higher_is_better) for row in rows])
        interval = share_of_prompts(best) if flags else mean_interval(best)
        curve.append(Estimate(interval.value, low=interval.low, high=interval.high, n=len(rows), unscored=unscored))
    return curve


def only_here(usable: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Prompts, shape (prompts,), for which this generator has no usable clip and the other has one."""
    return np.logical_and(np.logical_not(usable.any(axis=1)), other.any(axis=1))
