"""FVD with the bias of small numbers of clips taken out, and an interval.

The plain distance of two sets of n clips is too large because sample covariances agree less than
true ones do. How much less can be seen inside each set: the overlap O11 of a set's own two halves
falls short of tr S1, though both halves are of one distribution. Three steps use that:

1.  Halves. tr (S1 S2)^(1/2) is estimated as O12 + sqrt(b1 b2): the overlap of a half of one set with a
    half of the other, and what such overlaps fall short by, b1 = tr S1 - O11 and b2 = tr S2 - O22. The
    product is exact where the covariances differ by a factor only, and where they are equal.
2.  Extrapolation. Where covariances differ in direction, step 1 is still too low, the less so the
    more clips there are. The same is done on quarters, and the step from quarters to halves is
    gone on by `STEPS` of it.
3.  Interval. The derivative of a sum of singular values with respect to the weight of a clip is
    known from the decomposition itself, so each prompt's influence on the result costs nothing;
    their squares add up to the variance (infinitesimal jackknife), less what they count twice. A
    quarter of the square of the step from quarters to halves, as far as it is more than chance, is
    added for what extrapolation may have missed.

benchmarks/coverage.py simulates how often the interval holds the truth; docs/metrics.md has the table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vbench_lite.analysis.stats import Interval
from vbench_lite.metrics.set_intervals import Features, Labels, checked, label, t_interval

STEPS = 1.5
"""How many times the step from quarters to halves is gone on: right for a bias that falls as n to the power -0.74."""
FEWEST_GROUPS = 8
"""Of clips that are not independent (prompts, or single clips): a quarter must hold two."""
SPLITS = 640
"""Times the number of groups a side, at least 3 and at most 16 random splits are averaged."""


@dataclass(frozen=True)
class Overlap:
    """A sum of singular values, and its derivatives with respect to the weight of each clip."""

    value: float
    by_x: Features
    by_y: Features


def overlap(x: Features, y: Features) -> Overlap:
    """tr (Sx Sy)^(1/2) of the sample covariances of two sets of features.

    For M = X Y^T = U s V^T of scaled, centred features, weights w scale the rows of M by their
    roots, so the derivative of the sum of s by the i-th weight is half of (U s U^T)_ii.
    """
    left, values, right = np.linalg.svd(_scaled(x) @ _scaled(y).T, full_matrices=False)
    return Overlap(float(values.sum()), 0.5 * np.square(left) @ values, 0.5 * np.square(right.T) @ values)


def _scaled(features: Features) -> Features:
    scaled: Features = (features - features.mean(0)) / (len(features) - 1) ** 0.5
    return scaled


def corrected_interval(
    generated: Features, reference: Features, generated_prompts: Sequence[str] = (),
    reference_prompts: Sequence[str] = (), confidence: float = 0.95,
) -> Interval:
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
    half, quarter = (_Estimator(x, y, labels, parts).estimate() for parts in (2, 4))
    step = half.value - quarter.value
    variance = _variance((1 + STEPS) * half.influence - STEPS * quarter.influence, labels)
    variance = max(variance - half.counted_twice, variance / 2)
    doubt = max(step**2 - _variance(half.influence - quarter.influence, labels), 0.0) / 4
    return t_interval(half.value + STEPS * step, variance + doubt, fewest - 1, confidence)


def _in_fixed_order(features: Features, prompts: Sequence[str]) -> tuple[Features, list[str]]:
    """Clips sorted by their features, so that the random splits do not depend on the order of clips."""
    features = np.asarray(features, np.float64)
    if features.ndim != 2:
        return features, []
    order = np.lexsort(features.T[::-1])
    return features[order], [prompts[i] if prompts else "" for i in order]


def _variance(influence: Features, labels: tuple[Labels, Labels]) -> float:
    """Sum over groups of squared influences, centred over each side's own groups, or over all where they are shared."""
    sides = [np.unique(np.concatenate(labels))] if shared(labels) else [np.unique(side) for side in labels]
    return float(sum(len(s) * np.var(influence[s], ddof=1) for s in sides))


def shared(labels: tuple[Labels, Labels]) -> bool:
    """Whether some group has clips on both sides."""
    return bool(np.intersect1d(*labels).size)


@dataclass(frozen=True)
class _Estimate:
    value: float
    influence: Features
    """(groups,): the derivative by the weight of each group's clips."""
    counted_twice: float
    """Variance of pairs of groups in the mean's term: the squares of influences hold it two times."""


class _Estimator:
    """Step 1 on parts of one size: two halves, or two of four quarters, over many random splits."""

    def __init__(self, x: Features, y: Features, labels: tuple[Labels, Labels], parts: int) -> None:
        self.x, self.y, self.labels, self.parts = x, y, labels, parts
        self.within_x, self.within_y, self.across = (_MeanOverlap(len(x), len(y)) for _ in range(3))

    def estimate(self) -> _Estimate:
        for (xa, ya), (xb, yb) in self._splits():
            self.within_x.add(self.x, self.x, xa, xb, "xx")
            self.within_y.add(self.y, self.y, ya, yb, "yy")
            self.across.add(self.x, self.y, xa, yb, "xy")
            self.across.add(self.x, self.y, xb, ya, "xy")
            if not shared(self.labels):
                self.across.add(self.x, self.y, xa, ya, "xy")
                self.across.add(self.x, self.y, xb, yb, "xy")
        return self._combine()

    def _combine(self) -> _Estimate:
        """d^2 = |m1 - m2|^2 + t1 + t2 - 2 (O12 + sqrt(b1 b2)), b = t - O, and its derivatives."""
        (t1, t1_by), (t2, t2_by) = _trace(self.x), _trace(self.y)
        o1, o2, o12 = (part.mean() for part in (self.within_x, self.within_y, self.across))
        b1, b2 = max(t1 - o1.value, 1e-12 * t1, 1e-300), max(t2 - o2.value, 1e-12 * t2, 1e-300)
        ratio = (b2 / b1) ** 0.5
        by_x = t1_by - 2 * o12.by_x - ratio * (t1_by - o1.by_x)
        by_y = t2_by - 2 * o12.by_y - (t2_by - o2.by_y) / ratio
        mean, mean_by, pairs = self._mean_term()
        groups = len(mean_by)
        influence = mean_by + np.bincount(self.labels[0], by_x, groups) + np.bincount(self.labels[1], by_y, groups)
        return _Estimate(mean + t1 + t2 - 2 * (o12.value + (b1 * b2) ** 0.5), influence, pairs)

    def _mean_term(self) -> tuple[float, Features, float]:
        """|m1 - m2|^2 without what it owes to the number of clips, each group's influence, and the pairs' variance."""
        groups = int(max(side.max() for side in self.labels)) + 1
        parts = np.zeros((groups, self.x.shape[1]))
        centre = self.y.mean(0)
        np.add.at(parts, self.labels[0], (self.x - centre) / len(self.x))
        np.add.at(parts, self.labels[1], -(self.y - centre) / len(self.y))
        difference = parts.sum(0)
        sides = [np.arange(groups)] if shared(self.labels) else [np.unique(side) for side in self.labels]
        value, influence, centred = float(difference @ difference), np.zeros(groups), np.zeros_like(parts)
        for side in sides:
            off = parts[side] - parts[side].mean(0)
            noise = np.square(off).sum(1) * len(side) / (len(side) - 1)
            value -= float(noise.sum())
            influence[side] = 2 * off @ difference - noise
            centred[side] = off
        products = np.square(centred @ centred.T)
        return value, influence, 2 * float(products.sum() - np.trace(products))

    def _splits(self) -> Iterator[tuple[tuple[Labels, Labels], tuple[Labels, Labels]]]:
        """Two disjoint parts of each side, as places of clips: (x of a, y of a), (x of b, y of b)."""
        content = hashlib.sha256(self.x.tobytes() + self.y.tobytes()).digest()
        rng = np.random.default_rng(list(content[:8]))  # one fixed choice of places would favour some clips always
        fewest = min(len(np.unique(side)) for side in self.labels)
        count = int(np.clip(SPLITS // fewest, 3, 16)) * self.parts // 2
        for _ in range(count):
            x_parts = self._parts(rng, self.labels[0])
            if shared(self.labels):
                y_parts = [np.flatnonzero(np.isin(self.labels[1], self.labels[0][part])) for part in x_parts]
            else:
                y_parts = self._parts(rng, self.labels[1])
            yield (x_parts[0], y_parts[0]), (x_parts[1], y_parts[1])

    def _parts(self, rng: np.random.Generator, labels: Labels) -> list[Labels]:
        groups = rng.permutation(np.unique(labels))
        size = len(groups) // self.parts
        return [np.flatnonzero(np.isin(labels, groups[start : start + size])) for start in (0, size)]


class _MeanOverlap:
    """The mean of many overlaps of parts, with derivatives by the clips of the whole sets."""

    def __init__(self, x_clips: int, y_clips: int) -> None:
        self.total, self.times = 0.0, 0
        self.by_x, self.by_y = np.zeros(x_clips), np.zeros(y_clips)

    def add(self, first: Features, second: Features, a: Labels, b: Labels, sides: str) -> None:
        """Adds the overlap of clips `a` of the first set and `b` of the second; `sides` names the sets."""
        found = overlap(first[a], second[b])
        self.total += found.value
        self.times += 1
        for side, places, derivative in ((sides[0], a, found.by_x), (sides[1], b, found.by_y)):
            (self.by_x if side == "x" else self.by_y)[places] += derivative

    def mean(self) -> Overlap:
        return Overlap(self.total / self.times, self.by_x / self.times, self.by_y / self.times)


def _trace(features: Features) -> tuple[float, Features]:
    """tr S, and its derivative by the weight of each clip."""
    parts = np.square(features - features.mean(0)).sum(1) / (len(features) - 1)
    return float(parts.sum()), parts
