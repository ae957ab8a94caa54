"""FVD with the bias of small numbers of clips taken out, and an interval.

The plain distance of two sets of n clips is too large because sample covariances overlap less than
true ones do. `spectrum` tells how much less: what halves of one set fall short by is seen, since
there the true overlap is a trace, and what a half of one set and a half of the other fall short by
follows from it and from how well the two sets' leading directions agree.

The derivative of a sum of singular values with respect to the weight of a clip is known from the
decomposition itself, so each prompt's influence on the result costs next to nothing; their squares add
up to the variance (infinitesimal jackknife), less what they count twice. Added to it are the chance
in how well directions agree, which no clip's weight changes, and a share of what the line of `spectrum`
adds, for the line may be wrong. Where both sides show the same prompts, `fvd_shared` has a surer way.

benchmarks/coverage.py simulates how often the interval holds the truth; docs/metrics.md has the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log

import numpy as np

from vbench_lite.analysis.paired_distance import Parts
from vbench_lite.metrics.fvd_shared import MeanTerm, shared_estimate
from vbench_lite.metrics.overlaps import Overlaps, PairOfSets
from vbench_lite.metrics.set_intervals import Features, Labels, checked, group_names, label, shared, t_quantile
from vbench_lite.metrics.spectrum import Spectrum, alignment, prior_level

FEWEST_GROUPS = 8
"""Of clips that are not independent (prompts, or single clips): a quarter must hold two."""
FEWEST_FOR_INTERVAL = 16
"""Below that none was simulated, and a quarter holds fewer than four groups."""
LEAST_PART = 3
"""Clips of the smallest parts that tell about directions."""
LEAST_WIDTH = 8
"""Features: with fewer, clips always outnumber directions and there is no line to draw."""
STILL = 1e-24
"""Of the other side's trace: less is rounding."""
STEEPEST = 8.0
"""Derivatives are cut off here: larger ones are of what is near 0, where a root is no straight line."""
LEAST_SHORT = 0.02
"""Of a trace: what halves fall short by less than this is told from chance only in part."""
CHANCE = (0.07, 0.015)
"""Variance of the mean log ratio of halves and of quarters over all clips, in units of that of one split."""
TIED = 1.5
"""Times the variance of the mean log ratio of halves counts: it falls together with the overlaps."""
FEW = 20.0
"""Groups: the variance grows by the square of this over their number, for what influences do not see."""
DOUBT = 0.15
"""Standard error of what differing directions make, as a share of it: the line is only a line."""
DOUBTFUL = 1.25
"""Standard errors: where differing directions make more of the value than that, the interval comes with a warning."""
EXTRAPOLATED = (
    "the covariances differ in direction, and more than the interval's standard error is extrapolated for that: "
    "in simulations such intervals held the truth in 61 to 100 of 100 cases, not in 95"
)


@dataclass(frozen=True)
class Corrected:
    """A distance without the bias of small sets. Ends are None, with the reason, where no interval is known to hold."""

    value: float
    low: float | None
    high: float | None
    reason: str | None = None
    """Why there are no ends, or why they are less sure than they look."""
    parts: Parts | None = field(default=None, repr=False)
    """What another such distance can be subtracted from."""


def corrected_interval(
    generated: Features, reference: Features, generated_prompts: Sequence[str] = (),
    reference_prompts: Sequence[str] = (), confidence: float = 0.95,
) -> Corrected:
    """Squared Fréchet distance without the bias of small sets, and its interval.

    Near 0 where the sets are alike, and then sometimes below it, as an unbiased estimate must be.

    Args:
        generated: (clips, values).
        reference: (clips, values), any other number of clips.
        generated_prompts: The prompt of each clip; "" or none given where clips are independent.
        reference_prompts: Likewise. Where the sides share prompts, halves of unlike prompts are compared.
        confidence: Of the two-sided interval.

    Raises:
        ValueError: As `set_intervals.checked`, or fewer than `FEWEST_GROUPS` prompts a side.
    """
    x, x_prompts = _in_fixed_order(generated, generated_prompts)
    y, y_prompts = _in_fixed_order(reference, reference_prompts)
    x, y = checked(x, y)
    labels = label(x_prompts, y_prompts)
    fewest = min(len(np.unique(side)) for side in labels)
    if fewest < FEWEST_GROUPS:
        raise ValueError(f"clips of {fewest} prompts: a corrected distance needs {FEWEST_GROUPS} or more")
    centre = (x.mean(0) + y.mean(0)) / 2
    size = float(max(np.abs(x - centre).max(), np.abs(y - centre).max()))
    if size == 0:
        return Corrected(0.0, None, None, "every clip of both sides has the same features")
    found = _Estimator((x - centre) / size, (y - centre) / size, labels).estimate()
    value, error = float(found.value) * size**2, float(found.variance) ** 0.5 * size**2
    names = group_names(x_prompts, y_prompts)
    parts = Parts(value, tuple(names), found.by_group * size**2, float(found.chance) * size**4)
    if fewest < FEWEST_FOR_INTERVAL:
        few = f"clips of {fewest} prompts: an interval needs {FEWEST_FOR_INTERVAL}"
        return Corrected(value, None, None, few, parts)
    half = t_quantile(fewest - 1, confidence) * error
    doubtful = abs(found.turned) * size**2 > DOUBTFUL * error
    return Corrected(value, value - half, value + half, EXTRAPOLATED if doubtful else None, parts)


def _in_fixed_order(features: Features, prompts: Sequence[str]) -> tuple[Features, list[str]]:
    """Clips sorted by their features, so that the random splits do not depend on the order of clips."""
    features = np.asarray(features, np.float64)
    if features.ndim != 2:
        return features, []
    order = np.lexsort(features.T[::-1])
    return features[order], [prompts[i] if prompts else "" for i in order]


@dataclass(frozen=True)
class _Estimate:
    value: float
    variance: float
    by_group: Features
    """Each group's influence."""
    chance: float
    """The part of the variance that is no group's."""
    turned: float
    """How much of the value stands for directions that differ, beyond the clips' number."""


@dataclass(frozen=True)
class _Directions:
    """How well leading directions agree, as `spectrum` wants it, with variances."""

    rank: float
    half_log: float = 0.0
    excess: float = 0.0
    """Of log c at the number of clips, over what `half_log` alone would say."""
    half_log_variance: float = 0.0
    excess_variance: float = 0.0


class _Estimator:
    """|m1 - m2|^2 + t1 + t2 - 2 (O12 + what O12 falls short by), and its variance."""

    def __init__(self, x: Features, y: Features, labels: tuple[Labels, Labels]) -> None:
        self.x, self.y, self.labels = x, y, labels
        self.width = x.shape[1]
        self.pair = PairOfSets(x, y, labels)
        self.few = 1 + (FEW / self.pair.groups) ** 2

    def estimate(self) -> _Estimate:
        mean, mean_by, pairs = self._mean_term()
        by_clip = self.pair.traces_by
        traces = by_clip.sum(1)
        if traces.min() <= STILL * traces.max():  # one side does not vary, so nothing overlaps
            influence = mean_by + self._by_group(by_clip.sum(0))
            return _Estimate(mean + traces.sum(), self._variance(influence, pairs) * self.few, influence, 0.0, 0.0)
        if shared(self.labels):
            same = shared_estimate(self.pair, MeanTerm(mean, mean_by, pairs), self._by_group)
            return _Estimate(same.value, same.variance, same.by_group, same.doubt, 0.0)
        large = self.pair.overlaps(0.5)
        small = self.pair.overlaps(min(0.25, 0.5 * self.width / min(len(self.x), len(self.y))))
        directions = self._directions(large, small)
        spectrum = Spectrum(large.clips - 1.0, small.clips - 1.0, self.width)
        seen = np.concatenate([traces, large.values, small.values[:2], [directions.half_log, directions.excess]])
        lift, slopes, turned = self._lift(seen, spectrum, directions.rank)
        influence = mean_by + self._by_group((slopes[:2] + 1) @ by_clip)
        counted_twice = pairs
        for slope, part in ((slopes[2:5], large), (np.append(slopes[5:7], 0), small)):
            by_split = np.array([self._by_group(slope @ by) for by in part.by_clip])
            influence += by_split.mean(0)
            counted_twice += float(by_split.var(0, ddof=1).sum()) / len(by_split)
        errors = np.concatenate([large.value_error, small.value_error[:2]]) ** 2
        chances = np.concatenate([errors, [directions.half_log_variance, directions.excess_variance]])
        chance = float(np.square(slopes[2:]) @ chances) + (DOUBT * turned) ** 2
        variance = (self._variance(influence, counted_twice) + chance) * self.few
        return _Estimate(mean + traces.sum() + lift, variance, influence, chance, turned)

    def _lift(self, seen: Features, spectrum: Spectrum, rank: float) -> tuple[float, Features, float]:
        """-2 times the true overlap of x with y, its derivatives, and what differing directions make."""
        value, turned = self._overlap_term(seen, spectrum, rank)
        steps = np.append(np.full(7, 1e-3 * seen[:2].min()), [1e-3, 1e-3])
        slopes = [(self._overlap_term(seen + step, spectrum, rank)[0] - value) for step in np.diag(steps)]
        return value, np.clip(np.array(slopes) / steps, -STEEPEST, STEEPEST), turned

    def _overlap_term(self, seen: Features, spectrum: Spectrum, rank: float) -> tuple[float, float]:
        """-2 times the true overlap of x with y; and how much of it stands for directions that differ."""
        t1, t2, o11, o22, o12, q11, q22, half_log, excess = seen.tolist()
        b1, b2 = t1 - o11, t2 - o22
        shares = b1 / t1, b2 / t2
        told = float(np.clip(min(shares) / LEAST_SHORT, 0, 1))  # where it is less, shares are averaged: roots need more
        plain = (1 - told) * (t1 * t2) ** 0.5 * sum(shares) / 2
        if told == 0:
            return -2 * (o12 + plain), 0.0
        if rank <= 0:
            return -2 * (o12 + plain + told * (b1 * b2) ** 0.5), 0.0
        line = alignment(half_log, prior_level(half_log, rank, self.width) + excess, rank, self.width)
        short, aligned = spectrum.short((b1, max(t1 - q11, b1)), (b2, max(t2 - q22, b2)), line)
        return -2 * (o12 + plain + told * short), 2 * told * (aligned - short)

    def _directions(self, large: Overlaps, small: Overlaps) -> _Directions:
        """From parts of at most half as many clips as there are features, and parts half as large."""
        if self.width < LEAST_WIDTH or small.clips < LEAST_PART:
            return _Directions(0.0)
        if large.clips > self.width / 2 + 1:
            large, small = small, self.pair.overlaps(0.25 * self.width / min(len(self.x), len(self.y)))
            if small.clips < LEAST_PART:
                return _Directions(0.0)
        rank = large.clips - 1.0
        variances = [
            part.log_spread**2 * (1 / part.splits + chance) for part, chance in zip((large, small), CHANCE, strict=True)
        ]
        excess = 2 * large.log_ratio - small.log_ratio - prior_level(large.log_ratio, rank, self.width)
        variance = (1 + 1 / log(self.width / rank)) ** 2 * variances[0] + variances[1]
        trusted = max(0.0, 1 - variance / max(excess**2, 1e-300))  # as James and Stein shrink towards the simpler line
        return _Directions(rank, large.log_ratio, trusted * excess, TIED * variances[0], max(trusted, 0.15) * variance)

    def _mean_term(self) -> tuple[float, Features, float]:
        """|m1 - m2|^2 without what it owes to the number of clips, each group's influence, and the pairs' variance."""
        groups = int(max(side.max() for side in self.labels)) + 1
        parts = np.zeros((groups, self.width))
        centre = self.y.mean(0)
        np.add.at(parts, self.labels[0], (self.x - centre) / len(self.x))
        np.add.at(parts, self.labels[1], -(self.y - centre) / len(self.y))
        difference = parts.sum(0)
        value, influence, centred = float(difference @ difference), np.zeros(groups), np.zeros_like(parts)
        for side in self._sides():
            off = parts[side] - parts[side].mean(0)
            noise = np.square(off).sum(1) * len(side) / (len(side) - 1)
            value -= float(noise.sum())
            influence[side] = 2 * off @ difference - noise
            centred[side] = off
        products = np.square(centred @ centred.T)
        return value, influence, 2 * float(products.sum() - np.trace(products))

    def _sides(self) -> list[Labels]:
        """Groups that are drawn together: each side's own, or all where the sides share some."""
        both = [np.unique(side) for side in self.labels]
        return [np.unique(np.concatenate(both))] if shared(self.labels) else both

    def _by_group(self, by_clip: Features) -> Features:
        count = int(max(side.max() for side in self.labels)) + 1
        found: Features = np.bincount(np.concatenate(self.labels), by_clip, count).astype(np.float64)
        return found

    def _variance(self, influence: Features, counted_twice: float) -> float:
        """Sum over groups of squared influences, less chance of the splits and pairs counted twice."""
        variance = sum(len(side) * float(np.var(influence[side], ddof=1)) for side in self._sides())
        return max(variance - counted_twice, variance / 4)
