"""How uneven a generator is: its worst tenth, where the spread comes from, and what choosing among k buys.

Grids in, figures out. A grid holds one row a prompt and one column a clip of it, NaN where a clip has no
score. Intervals resample prompts.
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
    """Mean score of the worst tenth of the clips: what one clip in ten is like.

    A clip without a score counts as the worst one seen, so failing on the hard prompts does not help. With q
    the 10 % quantile it is q - E[max(q - x, 0)] / 0.1. It has no interval: those that were tried hold the truth in
    .56 to .75 of cases with 10 prompts, .75 to .87 with 40, and .81 to .91 with 100, instead of .95.

    Args:
        values: Shape (prompts, clips).
        higher_is_better: Which end is the bad one.
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
        sign * float(terms.mean()), n=n, unscored=unscored, reason="no interval of a worst tenth holds what it says",
        reason_code=ReasonCode.NO_INTERVAL,
    )  # fmt: skip


@dataclass(frozen=True)
class Spread:
    """Where the variance of a generator's scores comes from; the parts add up to `total`."""

    total: float
    """Variance, in the metric's unit squared."""
    prompts: float
    """Prompts that are harder for every generator alike."""
    own: float
    """Prompts that are harder for this generator: the rest, when the shared part is taken out."""
    clips: float
    """Chance: clips of one prompt that differ by their seed alone."""
    shared_known: bool
    """False where there is no other generator to tell shared from own; then `own` is all of the prompts' part."""

    def shares(self) -> tuple[float, float, float]:
        """(prompts, own, clips) as parts of 1."""
        whole = self.total or 1.0  # nothing varies: every part is 0
        return self.prompts / whole, self.own / whole, self.clips / whole


def spread(values: Array, others: Sequence[Array] = ()) -> Spread | None:
    """Splits the variance of one generator's scores.

    Between prompts and within them by one-way analysis of variance; the part between prompts that goes with
    the prompt means of other generators counts as the prompts' own difficulty. Components that come out
    below zero by chance are put at zero.

    Args:
        values: Shape (prompts, clips).
        others: Grids of other generators on the same prompts.

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
    """Of two generators' prompt means, over the prompts that both have scores for."""
    both = (~np.isnan(mine)).any(1) & (~np.isnan(other)).any(1)
    if both.sum() < 3:
        return None
    return float(np.cov(np.nanmean(mine[both], axis=1), np.nanmean(other[both], axis=1))[0, 1])


def best_of_curve(values: Array, higher_is_better: bool = True) -> list[Estimate]:
    """Expected best of k clips of a prompt, k = 1, 2, ... up to all of them; one estimate a k.

    Clips without a score are never chosen; a prompt with fewer than k scored clips offers its best of those.
    A prompt with none has no part, and its clips are counted as unscored.

    Args:
        values: Shape (prompts, clips). Flags as 0 and 1 give the chance that at least one of k holds, with the
            interval of a fraction, which stays open where all prompts hold.
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
    """Prompts, shape (prompts,), of which this generator has no usable clip and the other has."""
    return np.logical_and(np.logical_not(usable.any(axis=1)), other.any(axis=1))
