"""FVD without the bias of small numbers of clips, with an interval.

    d^2 = |m1 - m2|^2 + t1 + t2 - 2 overlap

The mean term and the traces t are unbiased sums over pairs of clips. The overlap of halves of x with halves of y is
estimated by `overlaps.recovered_overlap`. It is correct for the part of the overlap that this number of clips resolves.
The same is computed for two halves of one set. Their true overlap is the trace of the set, so the unresolved parts r1
and r2 within each set are known. Between the sets, the unresolved part is at most sqrt(r1 r2) (Cauchy and Schwarz).
This bound is used: unresolved directions are assumed to be aligned. If halves have more clips than the features have
dimensions, there is no unresolved part and no assumption.

The variance is estimated by the jackknife over prompts, which counts the contribution of pairs of clips twice (Efron
and Stein, "The jackknife estimate of variance", 1981). So this contribution is subtracted once: exactly for the mean
term, and for overlaps as half of the variance between random splits. The variance is at least the contribution of
pairs. docs/explanation/distances.md has the simulated coverage. benchmarks/interval_coverage.py repeats the simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vbench_lite.distances import intervals
from vbench_lite.distances.intervals import DistanceInterval, Features, InfluenceFunctions, Labels
from vbench_lite.distances.mean_term import mean_term
from vbench_lite.distances.overlaps import SPLITS, half_overlaps
from vbench_lite.distances.paired import DistanceInfluence
from vbench_lite.records import ReasonCode

MIN_GROUPS = 8
"""Lowest number of groups per side (prompts, or single clips). A half without one group must still have three."""
MIN_GROUPS_FOR_INTERVAL = 16
"""Lowest number of groups for an interval. Its coverage was not simulated for fewer."""
CONSTANT = 1e-24
"""A trace below this fraction of the other side's trace is rounding error: the side is constant."""
LARGEST = 1e75
"""Largest supported feature value. Above it, the variance of a distance overflows."""
UNSEEN = (
    "{:.0%} of the covariances cannot be estimated from so few clips: the interval assumes that the two sets agree in "
    "this part at least as well as in the part that can be estimated"
)
COPIES = (
    "clips of one side repeat a clip of another prompt ({} times): the value may be too large, the interval too short"
)


class _Estimated(NamedTuple):
    value: float
    variance: float
    chance: InfluenceFunctions
    rest: float = 0.0
    """Part of the variance that belongs to no group: the random error of a finite number of splits."""
    unseen: float = 0.0
    """Maximum increase of the value, if the unresolved parts of the covariances were orthogonal."""
    unseen_share: float = 0.0
    """The unresolved part as a fraction of the geometric mean of both traces."""
    misaligned: float = 0.0
    """Increase of the value, if the unresolved parts were aligned as well as the resolved parts."""


def corrected_interval(
    generated: Features, reference: Features, generated_prompts: Sequence[str] = (),
    reference_prompts: Sequence[str] = (), confidence: float = 0.95,
) -> DistanceInterval:
    """Squared Fréchet distance without the bias of small sets, and its interval.

    For sets of one distribution the value is near 0 and can be negative, because it is unbiased.

    Args:
        generated: Features of the generated clips, (clips, values).
        reference: Features of the real clips, (clips, values). The number of clips may differ.
        generated_prompts: The prompt of each clip; "" or no prompts if clips are independent.
        reference_prompts: The prompt of each real clip. If the sides share prompts, halves with different prompts are
            compared.
        confidence: Confidence level of the two-sided interval.

    Returns:
        The squared distance with its interval. Its scale depends on the network. The ends are None with a reason if no
        interval is known to have its confidence.

    Raises:
        ValueError: See `intervals.checked`; or fewer than `MIN_GROUPS` prompts on a side, or features above `LARGEST`.

    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(64, 8)), rng.normal(size=(64, 8)) + 0.5
    >>> found = corrected_interval(x, y)
    >>> bool(found.low < 2.0 < found.high)  # 8 times 0.5 squared
    True
    """
    x, x_prompts = _in_fixed_order(generated, generated_prompts)
    y, y_prompts = _in_fixed_order(reference, reference_prompts)
    x, y = intervals.checked(x, y)
    prompts = intervals.joined(x, y, x_prompts, y_prompts)
    labels = intervals.label(*prompts)
    groups = min(len(np.unique(side)) for side in labels)
    if groups < MIN_GROUPS:
        raise ValueError(f"clips of {groups} prompts: a corrected distance needs {MIN_GROUPS} or more")
    centre = (x.mean(0) + y.mean(0)) / 2
    size = float(max(np.abs(x - centre).max(), np.abs(y - centre).max()))
    if size == 0:
        same = "every clip of both sides has the same features"
        return DistanceInterval(0.0, None, None, same, ReasonCode.SHARED_CLIPS)
    if itself := intervals.of_same_clips(x, y):
        return itself
    if size > LARGEST:
        raise ValueError(f"features of magnitude {size:.0e} are too large: their fourth powers overflow")
    found = _estimate((x - centre) / size, (y - centre) / size, labels)
    value = found.value * size**2
    names = tuple(intervals.group_names(*prompts))
    parts = DistanceInfluence(value, names, found.chance.by_group * size**2, found.rest * size**4)
    if why := intervals.no_interval(x, y, groups, MIN_GROUPS_FOR_INTERVAL):
        shared = why[1] == ReasonCode.SHARED_CLIPS
        return DistanceInterval(value, None, None, *why, None if shared else parts)
    quantile = intervals.t_quantile(groups - 1, confidence)
    pairs = found.chance.pairs_variance()
    down, up = intervals.skew_corrected_bounds(found.chance, found.variance, pairs, quantile)
    low, high = value - down * size**2, value + (up + found.misaligned) * size**2
    reason = UNSEEN.format(found.unseen_share) if found.unseen > found.variance**0.5 else None
    if repeated := max(intervals.copies(*side) for side in zip((x, y), labels, strict=True)):
        reason = COPIES.format(repeated)
    return DistanceInterval(value, low, high, reason, ReasonCode.OTHER if reason else None, parts)


def _estimate(x: Features, y: Features, labels: tuple[Labels, Labels]) -> _Estimated:
    mean = mean_term(x, y, labels)
    pooled = np.concatenate(labels)
    by_trace = np.zeros((2, len(pooled)))
    by_trace[0, : len(x)], by_trace[1, len(x) :] = (_trace_by_clip(*side) for side in zip((x, y), labels, strict=True))
    traces = by_trace.sum(1)
    if traces.min() <= CONSTANT * traces.max():  # one side is constant, so the overlap is 0
        chance = mean.chance._replace(by_group=mean.chance.by_group + np.bincount(pooled, by_trace.sum(0)))
        return _Estimated(mean.value + traces.sum(), chance.variance(), chance)
    overlaps = half_overlaps(x, y, labels)
    seen, noise = overlaps.values.mean(0), overlaps.values.std(0, ddof=1)
    unseen = traces - seen[:2]
    # sqrt(r1 r2) is the minimum over a of (a r1 + r2 / a) / 2, which is linear in r1 and r2 and so stays unbiased
    known = np.maximum(unseen, (noise[:2] / traces).mean() * traces)
    ratio = float((known[1] / known[0]) ** 0.5)
    slopes = np.array([ratio, 1 / ratio, -2.0])
    value = mean.value + (1 - ratio) * traces[0] + (1 - 1 / ratio) * traces[1] + seen @ slopes
    by_clip = np.array([1 - ratio, 1 - 1 / ratio]) @ by_trace + np.tensordot(overlaps.by_clip, slopes, (1, 0))
    influences = mean.chance.by_group + np.array([np.bincount(pooled, by) for by in by_clip])
    chance = mean.chance._replace(by_group=influences.mean(0))
    of_splits = sum(mean.chance._replace(by_group=one - chance.by_group).variance() for one in influences)
    jackknife = max(chance.variance() - of_splits / (SPLITS * (SPLITS - 1)), 0.0)
    between = float((overlaps.values @ slopes).var(ddof=1))
    pairs = chance.pairs_variance() + between / 2
    variance = max(jackknife - pairs, pairs)
    chance = chance._replace(by_group=chance.by_group * (variance / chance.variance()) ** 0.5)
    aligned = min(float(seen[2] / (seen[0] * seen[1]) ** 0.5), 1.0)
    most = 2 * float(np.prod(np.maximum(unseen - noise[:2], 0))) ** 0.5
    tail = max(ratio * unseen[0] + unseen[1] / ratio, 0.0)
    rest = between / SPLITS
    share = most / 2 / float(np.prod(traces)) ** 0.5
    return _Estimated(float(value), variance + rest, chance, rest, most, share, (1 - aligned) * tail)


def _trace_by_clip(side: Features, labels: Labels) -> Features:
    """The contribution of each clip to the trace of the covariance: half the mean of |x_i - x_j|^2 between groups."""
    centred = side - side.mean(0)
    _, group, clips = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(clips), side.shape[1]))
    np.add.at(sums, group, centred)
    added = np.square(centred).sum(1) * (len(side) - clips[group]) + (centred * sums[group]).sum(1)
    found: Features = added / (len(side) ** 2 - np.square(clips).sum())
    return found


def _in_fixed_order(features: Features, prompts: Sequence[str]) -> tuple[Features, list[str]]:
    """Sort clips by their features, so that the random splits do not depend on the order of the clips."""
    features = np.asarray(features)
    if features.ndim != 2:
        return features, []
    order = np.lexsort(features.T[::-1])
    return features[order], [prompts[i] if prompts else "" for i in order]
