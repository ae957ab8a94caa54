"""Intervals of distances between sets. Prompts are what is drawn, never single clips: clips of a prompt are alike.

A distance of few clips is skewed, and its standard error grows with it, so that symmetric intervals miss the truth
mostly on one side. `skew_corrected_bounds` corrects both to second order in the weights of prompts:
value + sum of I + half the sum over pairs of h.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from vbench_lite.distances.paired import REAL, DistanceInfluence
from vbench_lite.records import ReasonCode

Features = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class DistanceInterval:
    """A distance between two sets and its interval. Ends are None, with the reason, where no interval is known to hold.

    The interval may reach below 0 where the sets are alike: the estimate is unbiased, not the nearest possible value.
    """

    value: float
    low: float | None
    high: float | None
    reason: str | None = None
    """Why there are no ends, or what the interval assumes."""
    code: ReasonCode | None = None
    parts: DistanceInfluence | None = field(default=None, repr=False)
    """What another such distance can be subtracted from, where it is a corrected Fréchet distance."""


def checked(generated: Features, reference: Features) -> tuple[Features, Features]:
    """Both sides as float64.

    Raises:
        ValueError: They are not two sets of finite features of one width, two clips or more each.
    """
    x, y = np.asarray(generated, np.float64), np.asarray(reference, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"features of shape {x.shape} and {y.shape}: expected (clips, values) of one width")
    if min(len(x), len(y)) < 2:
        raise ValueError(f"{len(x)} generated and {len(y)} real clips: a distance needs at least two of each")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("features hold values that are not finite")
    return x, y


def no_interval(x: Features, y: Features, groups: int, least: int) -> tuple[str, ReasonCode] | None:
    """Why no interval holds, if so: the sets share clips, or a side has fewer than `least` groups of clips."""
    clips = {row.tobytes() for row in x}
    if both := sum(row.tobytes() in clips for row in y):
        return f"{both} clips are in both sets, so the sets are not independent samples", ReasonCode.SHARED_CLIPS
    return (f"clips of {groups} prompts: an interval needs {least}", ReasonCode.TOO_FEW) if groups < least else None


def of_same_clips(x: Features, y: Features) -> DistanceInterval | None:
    """The distance of a set to itself, 0; None for other sets."""
    if sorted(row.tobytes() for row in x) != sorted(row.tobytes() for row in y):
        return None
    return DistanceInterval(0.0, None, None, f"both sets are the same {len(x)} clips", ReasonCode.SHARED_CLIPS)


def joined(
    x: Features, y: Features, x_prompts: Sequence[str], y_prompts: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The prompts of both sides, where a clip that is in both sets has one prompt.

    Distances pair no clips of one prompt. So a clip is never compared with itself, which would make a distance of sets
    that share clips too small, and that of a set to itself negative.
    """
    names = list(x_prompts), list(y_prompts)
    places: dict[bytes, list[int]] = {}
    for place, row in enumerate(x):
        places.setdefault(row.tobytes(), []).append(place)
    for place, row in enumerate(y):
        if same := places.get(row.tobytes()):
            other = same.pop(0)
            name = names[0][other] or names[1][place] or f"\nshared {place}"
            names[0][other], names[1][place] = name, names[1][place] or name
    return names


def label(generated: Sequence[str], reference: Sequence[str]) -> tuple[Labels, Labels]:
    """A number for each clip's group of clips that are not independent.

    Clips of one prompt share a group, on both sides; clips without a prompt are groups of their own.
    """
    number = {name: place for place, name in enumerate(group_names(generated, reference))}
    of_generated, of_reference = _named(generated, "\ngenerated"), _named(reference, REAL)
    return np.array([number[n] for n in of_generated], np.int64), np.array([number[n] for n in of_reference], np.int64)


def group_names(generated: Sequence[str], reference: Sequence[str]) -> list[str]:
    """What `label` numbers, in its order: prompts, or single clips."""
    return list(dict.fromkeys([*_named(generated, "\ngenerated"), *_named(reference, REAL)]))


def _named(prompts: Sequence[str], side: str) -> list[str]:
    return [prompt or f"{side}{place}" for place, prompt in enumerate(prompts)]


def shared(labels: tuple[Labels, Labels]) -> bool:
    """Whether some group has clips on both sides."""
    return bool(np.intersect1d(*labels).size)


def resampling_strata(labels: tuple[Labels, Labels]) -> list[Labels]:
    """Groups that are one sample: each side's own, or all of them where the sides share some."""
    both = [np.unique(side) for side in labels]
    return [np.unique(np.concatenate(both))] if shared(labels) else both


class InfluenceFunctions(NamedTuple):
    """How a distance moves with the weights of groups."""

    by_group: Features
    """I: each group's influence; from sample to sample the distance varies as their sum."""
    pairs: Features
    """h, (groups, groups), 0 on the diagonal: what two groups do together beyond what each does alone."""
    samples: list[Labels]
    """Groups that are drawn together, as `resampling_strata` gives them."""

    def variance(self) -> float:
        """The sum of squared influences, in which the chance of pairs is counted two times."""
        return sum(len(sample) * float(np.var(self.by_group[sample], ddof=1)) for sample in self.samples)

    def skewed(self) -> tuple[float, float]:
        """How the variance moves with the distance, times the variance; and the distance's third moment."""
        by_group = np.zeros_like(self.by_group)
        for sample in self.samples:
            by_group[sample] = self.by_group[sample] - self.by_group[sample].mean()
        cubes, across = float((by_group**3).sum()), float(by_group @ self.pairs @ by_group)
        loops = float(np.sum((self.pairs @ self.pairs) * self.pairs))
        return cubes + 2 * across, cubes + 3 * across + loops

    def pairs_variance(self) -> float:
        return float(np.square(self.pairs).sum()) / 2


def skew_corrected_bounds(
    chance: InfluenceFunctions, variance: float, least: float, quantile: float
) -> tuple[float, float]:
    """How far an interval reaches down and up from a distance.

    The interval holds every distance that is within `quantile` standard errors of the value. The standard error is the
    one at that distance, as in Wilson's interval of a proportion. The variance is linear in the distance with slope
    (sum I^3 + 2 I h I) / variance, where I has its mean removed. The quantiles are corrected for skewness to first
    order (Cornish and Fisher, 1938), with skewness (sum I^3 + 3 I h I + tr h^3) / variance^1.5. The upper end uses half
    of the skewness, because an overestimate would make it too short.

    Args:
        chance: Influences and pairs.
        variance: Of the distance, as estimated at its value.
        least: The part of it that is there at any distance.
        quantile: Of a symmetric interval, as t.

    Returns:
        Both 0 or more.
    """
    if variance <= 0:
        return 0.0, 0.0
    slope, third = chance.skewed()
    lean = float(np.clip(slope / (2 * variance**1.5), 0, 1))
    skewness = float(np.clip(third / variance**1.5, 0, 2))
    bend, error = (quantile**2 - 1) * skewness / 6, variance**0.5
    near, far = quantile + bend, quantile - bend / 2
    down = error * near * ((1 + (near * lean) ** 2) ** 0.5 - near * lean)
    up = error * far * ((1 + (far * lean) ** 2) ** 0.5 + far * lean)
    return max(down, near * least**0.5), up


def t_quantile(freedom: int, confidence: float) -> float:
    return float(special.stdtrit(max(freedom, 1), 0.5 + confidence / 2))
