"""Intervals of distances between sets. The sampling units are prompts, not clips: clips of one prompt are dependent.

The distribution of a distance of few clips is skewed, and its standard error grows with the distance. So symmetric
intervals miss the true value mostly on one side. `skew_corrected_bounds` corrects for both, with an expansion of the
distance to second order in the weights of prompts: value + sum of I + half the sum over pairs of h.
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
    """A distance between two sets and its interval.

    The value and the interval may be below 0 for sets of one distribution, because the estimate is unbiased.
    """

    value: float
    low: float | None
    high: float | None
    reason: str | None = None
    """Why `low` and `high` are None, or what the interval assumes."""
    code: ReasonCode | None = None
    parts: DistanceInfluence | None = field(default=None, repr=False)
    """Influence of each prompt on a corrected Fréchet distance, for the error of a difference of two distances."""


def checked(generated: Features, reference: Features) -> tuple[Features, Features]:
    """Check the features of both sides, and return them as float64.

    Raises:
        ValueError: An array is not of shape (clips, values), the numbers of values differ, a side has fewer than two
            clips, or a value is not finite.
    """
    x, y = np.asarray(generated, np.float64), np.asarray(reference, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"features of shape {x.shape} and {y.shape}: expected (clips, values), with equal values")
    if min(len(x), len(y)) < 2:
        raise ValueError(f"{len(x)} generated and {len(y)} real clips: a distance needs at least two of each")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("features contain values that are not finite")
    return x, y


def no_interval(x: Features, y: Features, groups: int, least: int) -> tuple[str, ReasonCode] | None:
    """Why there is no interval: the sets share clips, or a side has fewer than `least` groups; None if there is one."""
    clips = {row.tobytes() for row in x}
    if both := sum(row.tobytes() in clips for row in y):
        return f"{both} clips are in both sets, so the sets are not independent samples", ReasonCode.SHARED_CLIPS
    return (f"clips of {groups} prompts: an interval needs {least}", ReasonCode.TOO_FEW) if groups < least else None


def of_same_clips(x: Features, y: Features) -> DistanceInterval | None:
    """The distance 0 if both sets are the same clips; None otherwise."""
    if sorted(row.tobytes() for row in x) != sorted(row.tobytes() for row in y):
        return None
    return DistanceInterval(0.0, None, None, f"both sets are the same {len(x)} clips", ReasonCode.SHARED_CLIPS)


def copies(side: Features, labels: Labels) -> int:
    """The number of clips of a set that repeat a clip of another group; 0 if all clips are the same."""
    groups: dict[bytes, set[int]] = {}
    for row, group in zip(side, labels.tolist(), strict=True):
        groups.setdefault(row.tobytes(), set()).add(group)
    return sum(len(of_clip) - 1 for of_clip in groups.values()) if len(groups) > 1 else 0


def joined(
    x: Features, y: Features, x_prompts: Sequence[str], y_prompts: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The prompts of both sides, changed so that a clip that is in both sets has the same prompt on both.

    Distances never pair clips of one prompt. So a clip is not paired with itself, which would make the distance of sets
    that share clips too small.
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
    """The number of each clip's group of dependent clips, for both sides.

    Clips of one prompt are one group, also across the sides. Each clip without a prompt is a separate group.
    """
    number = {name: place for place, name in enumerate(group_names(generated, reference))}
    of_generated, of_reference = _named(generated, "\ngenerated"), _named(reference, REAL)
    return np.array([number[n] for n in of_generated], np.int64), np.array([number[n] for n in of_reference], np.int64)


def group_names(generated: Sequence[str], reference: Sequence[str]) -> list[str]:
    """Names of the groups in the order of their numbers in `label`: prompts, or single clips."""
    return list(dict.fromkeys([*_named(generated, "\ngenerated"), *_named(reference, REAL)]))


def _named(prompts: Sequence[str], side: str) -> list[str]:
    return [prompt or f"{side}{place}" for place, prompt in enumerate(prompts)]


def shared(labels: tuple[Labels, Labels]) -> bool:
    """Whether any group has clips on both sides."""
    return bool(np.intersect1d(*labels).size)


def resampling_strata(labels: tuple[Labels, Labels]) -> list[Labels]:
    """Groups that are one sample: the groups of each side, or all groups together if the sides share any."""
    both = [np.unique(side) for side in labels]
    return [np.unique(np.concatenate(both))] if shared(labels) else both


class InfluenceFunctions(NamedTuple):
    """First and second derivatives of a distance with respect to the weights of groups."""

    by_group: Features
    """I, (groups,): influence of each group. To first order, the distance varies between samples as their sum."""
    pairs: Features
    """h, (groups, groups), 0 on the diagonal: joint influence of two groups beyond the sum of their own."""
    samples: list[Labels]
    """Result of `resampling_strata`: the groups of each sample."""

    def variance(self) -> float:
        """The sum of squared influences. It counts the variance of pairs twice."""
        return sum(len(sample) * float(np.var(self.by_group[sample], ddof=1)) for sample in self.samples)

    def skewed(self) -> tuple[float, float]:
        """The slope of the variance in the distance, times the variance; and the third moment of the distance."""
        by_group = np.zeros_like(self.by_group)
        for sample in self.samples:
            by_group[sample] = self.by_group[sample] - self.by_group[sample].mean()
        cubes, across = float((by_group**3).sum()), float(by_group @ self.pairs @ by_group)
        loops = float(np.sum((self.pairs @ self.pairs) * self.pairs))
        return cubes + 2 * across, cubes + 3 * across + loops

    def pairs_variance(self) -> float:
        """The variance that comes from pairs of groups."""
        return float(np.square(self.pairs).sum()) / 2


def skew_corrected_bounds(
    chance: InfluenceFunctions, variance: float, least: float, quantile: float
) -> tuple[float, float]:
    """Lengths of an interval below and above a distance.

    The interval holds every distance that is within `quantile` standard errors of the value. The standard error is the
    one at that distance, as in Wilson's interval of a proportion. The variance is linear in the distance with slope
    (sum I^3 + 2 I h I) / variance, where I has its mean removed. The quantiles are corrected for skewness to first
    order (Cornish and Fisher, 1938), with skewness (sum I^3 + 3 I h I + tr h^3) / variance^1.5. The upper end uses half
    of the skewness, because an overestimate would make it too short.

    Args:
        chance: Influence functions of the distance.
        variance: Estimated variance of the distance.
        least: The part of the variance that does not depend on the distance.
        quantile: The t quantile of a symmetric interval.

    Returns:
        The lengths (down, up), 0 or more.
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
