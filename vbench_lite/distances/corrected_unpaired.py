"""The corrected distance of sets that share no prompts: what overlaps fall short by, told from how directions agree.

`spectrum` has the formulas. The derivative of a sum of singular values with respect to the weight of a clip is known
from the decomposition itself, so each prompt's influence on the result costs next to nothing; their squares add up to
the variance (infinitesimal jackknife), less what they count twice. Added to it are the chance in how well directions
agree, which no clip's weight changes, and a share of what the line of `spectrum` adds, for the line may be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import NamedTuple

import numpy as np

from vbench_lite.distances.delta_method import secant_slopes
from vbench_lite.distances.intervals import Estimated, Features
from vbench_lite.distances.mean_term import MeanTerm
from vbench_lite.distances.overlaps import Overlaps, PairOfSets
from vbench_lite.distances.spectrum import Spectrum, alignment, prior_level

LEAST_PART = 3
"""Clips of the smallest parts that tell about directions."""
LEAST_WIDTH = 8
"""Features: with fewer, clips always outnumber directions and there is no line to draw."""
LEAST_SHORT = 0.02
"""Of a trace: what halves fall short by less than this is told from chance only in part."""
CHANCE = (0.07, 0.015)
"""Variance of the mean log ratio of halves and of quarters over all clips, in units of that of one split."""
TIED = 4.0
"""Times the variance of the mean log ratio of halves counts: overlaps of x with y rise and fall with it."""
LOOSE = 0.7
"""Times the variance of the excess counts: it is not as large as the two log ratios in it would make it apart."""
LEAST_TRUST = 0.15
"""Share of the excess's variance that counts, however little the excess itself does."""
FEW = 10.0
"""Groups: the variance grows by the square of this over their number, for what influences do not see."""
DOUBT = 0.15
"""Standard error of what differing directions make, as a share of it: the line is only a line."""
DOUBT_OF_MISFIT = 0.6
"""Standard error for want of fit, as a share of what large and small parts of the sets disagree by."""


@dataclass(frozen=True)
class _Directions:
    """How well leading directions agree, as `spectrum` wants it, with variances."""

    rank: float
    half_log: float = 0.0
    excess: float = 0.0
    """Of log c at the number of clips, over what `half_log` alone would say."""
    half_log_variance: float = 0.0
    excess_variance: float = 0.0


class OverlapCorrection(NamedTuple):
    """What overlaps add to the distance."""

    value: float
    """-2 times the true overlap of x with y."""
    turned: float = 0.0
    """How much of it stands for directions that differ, beyond the number of clips."""
    misfit: float = 0.0
    """How much smaller small parts would have it: nothing, if spectra and directions were as they are taken to be."""


def general_estimate(pair: PairOfSets, mean: MeanTerm) -> Estimated:
    """|m1 - m2|^2 + t1 + t2 - 2 (O12 + what O12 falls short by), and its chance."""
    sight = OverlapMeasurements(pair)
    lift = sight.lift(sight.seen)
    slopes = secant_slopes(lambda seen: sight.lift(seen).value, sight.seen, sight.spread())
    influence = mean.chance.by_group + pair.by_group((slopes[:2] + 1) @ pair.traces_by)
    pairs = counted_twice = mean.chance.pairs_variance()
    for slope, part in ((slopes[2:5], sight.large), (np.append(slopes[5:7], 0), sight.small)):
        by_split = np.array([pair.by_group(slope @ by) for by in part.by_clip])
        influence += by_split.mean(0)
        counted_twice += float(by_split.var(0, ddof=1).sum()) / len(by_split)
    chances = np.square(slopes[2:]) * sight.variances
    chance = mean.chance._replace(by_group=influence)
    variance = chance.variance()
    variance = max(variance - counted_twice, variance / 4) + float(chances.sum())
    few = 1 + (FEW / pair.groups) ** 2
    rest = (float(chances.sum()) + (DOUBT * lift.turned) ** 2 + (DOUBT_OF_MISFIT * lift.misfit) ** 2) * few
    value, least = mean.value + pair.traces_by.sum() + lift.value, pairs + float(chances[5:].sum())
    return Estimated(value, variance * few, least, chance, rest, lift.turned, lift.misfit)


def differing_part(pair: PairOfSets) -> float:
    """How much of a distance stands for directions that differ, beyond the clips' number."""
    sight = OverlapMeasurements(pair)
    return sight.lift(sight.seen).turned


class OverlapMeasurements:
    """What is seen of two sets: overlaps of large and small parts, and how well leading directions agree."""

    def __init__(self, pair: PairOfSets) -> None:
        self.pair, self.width = pair, pair.width
        self.large = pair.overlaps(0.5)
        self.small = pair.overlaps(min(0.25, 0.5 * self.width / min(pair.clips)))
        self.spectrum = Spectrum(self.large.clips - 1.0, self.small.clips - 1.0, self.width)
        self.directions = self._directions(self.large, self.small)
        agreeing = [self.directions.half_log, self.directions.excess]
        self.seen = np.concatenate([pair.traces_by.sum(1), self.large.values, self.small.values[:2], agreeing])

    @property
    def variances(self) -> Features:
        """Of all but the traces: chance that no clip's weight changes."""
        splits = np.concatenate([self.large.value_error, self.small.value_error[:2]]) ** 2
        return np.append(splits, [self.directions.half_log_variance, self.directions.excess_variance])

    def spread(self) -> Features:
        """What all that is seen moves by with each group's weight; directions by their standard errors."""
        moved = (*self.pair.traces_by, *self.large.by_clip.mean(0), *self.small.by_clip.mean(0)[:2])
        by_group = np.array([self.pair.by_group(by_clip) for by_clip in moved])
        found = np.zeros((9, by_group.shape[1] + 2))
        found[:7, 2:] = by_group
        found[7, 0], found[8, 1] = self.variances[5:] ** 0.5
        return found

    def lift(self, seen: Features) -> OverlapCorrection:
        t1, t2, o11, o22, o12, q11, q22, half_log, excess = seen.tolist()
        b1, b2, rank = t1 - o11, t2 - o22, self.directions.rank
        shares = b1 / t1, b2 / t2
        told = float(np.clip(min(shares) / LEAST_SHORT, 0, 1))  # where it is less, shares are averaged: roots need more
        plain = (1 - told) * (t1 * t2) ** 0.5 * sum(shares) / 2
        if told == 0:
            return OverlapCorrection(-2 * (o12 + plain))
        if rank <= 0:
            return OverlapCorrection(-2 * (o12 + plain + told * (b1 * b2) ** 0.5))
        line = alignment(half_log, prior_level(half_log, rank, self.width) + excess, rank, self.width)
        short = self.spectrum.short((b1, max(t1 - q11, b1)), (b2, max(t2 - q22, b2)), line)
        misfit = 2 * told * (self.small.values[2] + short.small - o12 - short.large)
        plain_part = -2 * (o12 + plain + told * short.large)
        return OverlapCorrection(plain_part, 2 * told * (short.aligned - short.large), misfit)

    def _directions(self, large: Overlaps, small: Overlaps) -> _Directions:
        """From parts of at most half as many clips as there are features, and parts half as large."""
        if self.width < LEAST_WIDTH or small.clips < LEAST_PART:
            return _Directions(0.0)
        if large.clips > self.width / 2 + 1:
            large, small = small, self.pair.overlaps(0.25 * self.width / min(self.pair.clips))
            if small.clips < LEAST_PART:
                return _Directions(0.0)
        rank = large.clips - 1.0
        variances = [
            part.log_spread**2 * (1 / part.splits + chance) for part, chance in zip((large, small), CHANCE, strict=True)
        ]
        excess = 2 * large.log_ratio - small.log_ratio - prior_level(large.log_ratio, rank, self.width)
        variance = (1 + 1 / log(self.width / rank)) ** 2 * variances[0] + variances[1]
        trusted = max(0.0, 1 - variance / max(excess**2, 1e-300))  # as James and Stein shrink towards the simpler line
        chances = TIED * variances[0], LOOSE * max(trusted, LEAST_TRUST) * variance
        return _Directions(rank, large.log_ratio, trusted * excess, *chances)
