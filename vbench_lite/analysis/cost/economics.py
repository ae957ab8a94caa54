"""The cost of clips and of usable clips, computed from plain arrays.

Every interval is over prompts, because clips of one prompt are dependent. Times, energy and money are counted by
measured batch (`batches`), whose clips share one measurement. An unknown figure is None with a reason. In sums of
money, a clip of unknown cost (such as a crash before the measurement) counts as the most expensive known clip, so a
missing record never makes a generator cheaper.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from math import comb

import numpy as np
from scipy import special

from vbench_lite.analysis.cost.batches import (
    MIN_BATCHES,
    inflate_to_batch_variance,
    joint_freedom,
    measurement_ids,
    together,
)
from vbench_lite.records import Estimate, ReasonCode
from vbench_lite.stats import Array, Interval, clustered_mean, mean_interval

Known = Sequence[float | None]


def mean(values: Known, prompts: Sequence[str], reason: str) -> Estimate:
    """Mean over prompts of the known values. Unknown values are counted as unscored.

    If all values are 0 or 1, the mean is a share and has the interval of a share.

    Args:
        values: One figure per clip, None if unknown.
        prompts: The prompt of each clip.
        reason: The reason of the estimate if no value is known.
    """
    known = [(v, p) for v, p in zip(values, prompts, strict=True) if v is not None]
    unscored = len(values) - len(known)
    if not known:
        return Estimate(None, unscored=unscored, reason=reason)
    figures, of = [v for v, _ in known], [p for _, p in known]
    flags = all(v in (0, 1) for v in figures)
    interval = share_of([bool(v) for v in figures], of) if flags else clustered_mean(figures, of)
    return _estimate(interval, len(known), unscored)


def within(estimate: Estimate, limits: tuple[float | None, float | None]) -> Estimate:
    """The estimate with its interval clipped to the possible range. None means no limit.

    >>> within(Estimate(0.97, 0.9, 1.04), (0.0, 1.0)).high
    1.0
    """
    lowest, highest = (side if side is not None else sign * np.inf for side, sign in zip(limits, (-1, 1), strict=True))
    ends = [None if end is None else float(min(max(end, lowest), highest)) for end in (estimate.low, estimate.high)]
    return dataclasses.replace(estimate, low=ends[0], high=ends[1])


def _estimate(interval: Interval, n: int, unscored: int) -> Estimate:
    reason = "one prompt gives no interval" if interval.low is None else None
    return Estimate(interval.value, interval.low, interval.high, n, unscored, reason)


def measured_mean(values: Known, prompts: Sequence[str], wall_s: Known, reason: str, power: bool = False) -> Estimate:
    """Mean over prompts of a measured cost, 0 or more. Clips of one batch count once in the interval.

    Args:
        values: One figure per clip, None if unknown.
        prompts: The prompt of each clip.
        wall_s: The wall time of each clip, which identifies its batch.
        reason: The reason of the estimate if no value is known.
        power: Whether the figure is energy, which is measured over seconds.
    """
    known = [n for n, value in enumerate(values) if value is not None]
    if not known:
        return mean(values, prompts, reason)
    figures, walls = (_array(each, known) for each in (values, wall_s))
    names, places = np.unique([prompts[n] for n in known], return_inverse=True)
    groups = together(places, measurement_ids(figures, walls, power))
    batches = int(groups.max()) + 1
    if batches == len(names):
        return within(mean(values, prompts, reason), (0.0, None))
    means = np.bincount(places, figures) / np.bincount(places)
    unscored = len(values) - len(known)
    if batches < MIN_BATCHES:
        few = f"{batches} measured batch{'es give' if batches > 1 else ' gives'} no interval"
        return Estimate(float(means.mean()), n=len(known), unscored=unscored, reason=few)
    interval = mean_interval(inflate_to_batch_variance(means, groups), freedom=batches - 1)
    return within(_estimate(interval, len(known), unscored), (0.0, None))


def _array(values: Known, chosen: Sequence[int]) -> Array:
    return np.array([np.nan if values[n] is None else values[n] for n in chosen])


def highest(values: Known, reason: str) -> Estimate:
    """The highest known value, such as peak memory. A maximum has no interval."""
    known = [v for v in values if v is not None]
    unscored = len(values) - len(known)
    if not known:
        return Estimate(None, unscored=unscored, reason=reason)
    return Estimate(max(known), n=len(known), unscored=unscored)


def share_of(flags: Sequence[bool], prompts: Sequence[str], confidence: float = 0.95) -> Interval:
    """The share of clips whose flag is true, 0 to 1.

    The interval is an exact binomial interval for the effective number of independent clips (Korn and Graubard 1998).
    It has a width above 0 also if all flags are equal; a t interval has none.

    Args:
        flags: One flag per clip. For usable clips, failed clips are False.
        prompts: The prompt of each clip.
        confidence: Confidence level of the two-sided interval.
    """
    _, places = np.unique(prompts, return_inverse=True)
    values = np.asarray(flags)
    clips, clusters, share = len(values), int(places.max()) + 1, float(values.mean())
    if clusters < 2:
        return Interval(share, None, None)
    residual = np.bincount(places, values - share)
    variance = clusters / (clusters - 1) * float((residual**2).sum()) / clips**2
    worth = min(share * (1 - share) / variance, clips) if variance > 0 else float(clusters)
    t_clips, t_clusters = (float(special.stdtrit(n - 1, 0.5 + confidence / 2)) for n in (clips, clusters))
    worth = max(worth * (t_clips / t_clusters) ** 2, 1.0)
    hits, tail = share * worth, (1 - confidence) / 2
    low = float(special.betaincinv(hits, worth - hits + 1, tail)) if hits > 0 else 0.0
    high = float(special.betaincinv(hits + 1, worth - hits, 1 - tail)) if hits < worth else 1.0
    return Interval(share, low, high)


def share_of_prompts(shares: Array, confidence: float = 0.95) -> Interval:
    """The mean of one share per prompt, 0 to 1, with the interval of a fraction. Prompts are the sampling units.

    Args:
        shares: One share per prompt, shape (prompts,).
        confidence: Confidence level of the two-sided interval.

    >>> share_of_prompts(np.ones(10)).low > 0.6
    True
    """
    prompts, share = len(shares), float(shares.mean())
    if prompts < 2:
        return Interval(share, None, None)
    variance = float(shares.var(ddof=1)) / prompts
    worth = min(share * (1 - share) / variance, prompts) if variance > 0 else float(prompts)
    hits, tail = share * max(worth, 1.0), (1 - confidence) / 2
    misses = max(worth, 1.0) - hits
    low = float(special.betaincinv(hits, misses + 1, tail)) if hits > 0 else 0.0
    high = float(special.betaincinv(hits + 1, misses, 1 - tail)) if misses > 0 else 1.0
    return Interval(share, low, high)


def attempts_per_usable(usable: Sequence[bool], prompts: Sequence[str]) -> Estimate:
    """Expected number of clips to generate for one usable clip; 1 or more.

    Without a usable clip there is no value, but `low` is still a lower bound.
    """
    share = share_of(usable, prompts)
    n = len(usable)
    low = 1 / share.high if share.high else None
    if not share.value:
        return Estimate(None, low, None, n, reason=f"none in {n}", reason_code=ReasonCode.NONE_USABLE)
    high = 1 / share.low if share.low else None
    return Estimate(1 / share.value, low, high, n, reason=None if high else "one prompt gives no interval")


def cost_per_usable(
    costs: Known, usable: Sequence[bool], prompts: Sequence[str], reason: str, wall_s: Known | None = None
) -> Estimate:
    """The total cost, failures included, divided by the number of usable clips.

    The interval is that of the logarithm, linearised by prompt (delta method). Cost and usability of a prompt are
    combined, so the interval includes their covariance. Money is counted by measured batch, usable clips by prompt.

    Args:
        costs: US dollars per clip, None if unknown.
        usable: One flag per clip.
        prompts: The prompt of each clip.
        reason: The reason of the estimate if no cost is known.
        wall_s: The wall time of each clip, which identifies its batch; None if each clip was measured alone.
    """
    unknown = sum(c is None for c in costs)
    if unknown == len(costs):
        return Estimate(None, unscored=unknown, reason=reason)
    highest = max(c for c in costs if c is not None)
    filled = [highest if c is None else c for c in costs]
    share, n = share_of(usable, prompts), len(usable)
    if not share.value:
        cost = measured_mean(filled, prompts, wall_s or [None] * len(costs), reason)
        low = cost.low / share.high if cost.low is not None and share.high else None
        least = max(low, 0.0) if low is not None else None
        return Estimate(None, least, None, n, unknown, f"none in {n}", ReasonCode.NONE_USABLE)
    value = sum(filled) / sum(usable)
    low, high, why = _ratio_ends(filled, usable, prompts, wall_s or [None] * len(costs))
    return Estimate(value, low, high, n, unknown, why or None, ReasonCode.TOO_FEW if why else None)


def _ratio_ends(
    costs: Sequence[float], usable: Sequence[bool], prompts: Sequence[str], wall_s: Known
) -> tuple[float | None, float | None, str]:
    """Both ends of the interval of a cost per usable clip, or why there is no interval."""
    names, places = np.unique(prompts, return_inverse=True)
    spent, got = np.bincount(places, costs), np.bincount(places, usable)
    if len(names) < 2:
        return None, None, "one prompt gives no interval"
    if (got > 0).sum() < MIN_USABLE_PROMPTS:
        return None, None, f"usable clips of {int((got > 0).sum())} prompts are too few to bound it"
    if not spent.sum():
        return 0.0, 0.0, ""
    groups = together(places, measurement_ids(np.asarray(costs), _array(wall_s, range(len(costs)))))
    batches = int(groups.max()) + 1
    more, cheaper = got / got.mean() - 1, spent / spent.mean() - 1
    df: float = len(names) - 1
    if batches < len(names):
        if batches < MIN_BATCHES:
            return None, None, f"{batches} measured batch{'es give' if batches > 1 else ' gives'} no interval"
        cheaper = inflate_to_batch_variance(cheaper, groups)
        df = joint_freedom(cheaper, batches - 1, more, len(names) - 1)
    interval = mean_interval(np.log(spent.sum() / got.sum()) + cheaper - more, freedom=df)
    assert interval.low is not None
    assert interval.high is not None
    return float(np.exp(interval.low)), float(np.exp(interval.high)), ""


MIN_USABLE_PROMPTS = 5
"""Minimum number of prompts with a usable clip for an interval of the cost per usable clip."""


def best_of(values: Sequence[float], k: int, higher_is_better: bool = True) -> float:
    """Expected best of k clips, drawn from n without replacement. It is unbiased for k <= n.

    This is the estimator of pass@k (Chen et al. 2021, arXiv:2107.03374) for any score: the i-th worst of n clips is the
    best of k in C(i-1, k-1) of C(n, k) draws. For flags (0 and 1), it is the probability that one of k is usable.

    >>> best_of([0.0, 1.0, 0.0, 0.0], 2)
    0.5
    """
    n = len(values)
    if not 1 <= k <= n:
        raise ValueError(f"k is {k}: expected 1 to {n}, the clips of a prompt.")
    ordered = sorted(values, reverse=not higher_is_better)
    return sum(value * comb(i, k - 1) for i, value in enumerate(ordered)) / comb(n, k)
