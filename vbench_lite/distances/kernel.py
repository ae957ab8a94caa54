"""The kernel distance (KVD): squared maximum mean discrepancy, unbiased for any number of clips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vbench_lite.distances.intervals import (
    DistanceInterval,
    Features,
    InfluenceFunctions,
    checked,
    joined,
    label,
    no_interval,
    of_same_clips,
    resampling_strata,
    skew_corrected_bounds,
    t_quantile,
)

MIN_GROUPS = 4
"""Lowest number of groups per side (prompts, or single clips) for an interval. Without one group, pairs must remain."""
LEAST_OF_PAIRS = 0.3
"""The variance is at least this fraction of the variance that comes from pairs of groups."""


def kernel(x: Features, y: Features) -> Features:
    """The cubic kernel (x . y / values + 1)^3 of each pair of rows, (rows of x, rows of y)."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def kernel_distance(generated: Features, reference: Features) -> float:
    """Squared maximum mean discrepancy with the cubic kernel `kernel`.

    It is unbiased, so it can be negative for sets of one distribution. It grows with the sixth power of the features'
    scale: compare values of one network only.

    Args:
        generated: Features of the generated clips, (clips, values), at least two clips.
        reference: Features of the real clips, (clips, values), at least two clips. The number of clips may differ.

    Returns:
        The squared distance: about 0 for sets of one distribution, larger for more different sets.

    Raises:
        ValueError: See `intervals.checked`.

    Source:
        Binkowski et al., "Demystifying MMD GANs" (ICLR 2018, arXiv:1801.01401), on whole sets.

    >>> x = np.array([[0.0], [1.0]])
    >>> kernel_distance(x, x + 1)
    9.5
    """
    x, y = checked(generated, reference)
    return _Blocks(x, y, np.arange(len(x)), len(x) + np.arange(len(y))).value()


def kernel_interval(
    generated: Features, reference: Features, generated_prompts: Sequence[str], reference_prompts: Sequence[str],
    confidence: float = 0.95,
) -> DistanceInterval:
    """The kernel distance and its interval, from the influence of each prompt and each pair of prompts.

    Args:
        generated, reference: As for `kernel_distance`.
        generated_prompts, reference_prompts: The prompt of each clip; "" for none. The distance leaves out pairs of
            clips of one prompt.
        confidence: Confidence level of the two-sided interval.

    Returns:
        The distance and its interval. The ends are None with a reason if a side has fewer than `MIN_GROUPS` prompts, or
        if a clip is on both sides.

    Raises:
        ValueError: See `intervals.checked`; or all clips have one prompt.
    """
    x, y = checked(generated, reference)
    if same := of_same_clips(x, y):
        return same
    blocks = _Blocks(x, y, *label(*joined(x, y, generated_prompts, reference_prompts)))
    if why := no_interval(x, y, blocks.fewest, MIN_GROUPS):
        return DistanceInterval(blocks.value(), None, None, *why)
    value, chance = blocks.value(), blocks.chance()
    pairs = chance.pairs_variance()
    variance = max(chance.variance() - pairs, LEAST_OF_PAIRS * pairs)
    down, up = skew_corrected_bounds(chance, variance, pairs, t_quantile(blocks.fewest - 1, confidence))
    return DistanceInterval(value, value - down, value + up)


class _Blocks:
    """Sums of the kernel over pairs of groups. With them, leaving a group out needs no new kernel.

    Pairs of clips of one group are left out, because they are not independent. Otherwise, real clips with the prompts
    of the generated clips would make the distance negative.
    """

    def __init__(self, x: Features, y: Features, x_groups: NDArray[np.int64], y_groups: NDArray[np.int64]) -> None:
        count = int(max(x_groups.max(), y_groups.max())) + 1
        self.groups = count
        self.fewest = min(len(np.unique(x_groups)), len(np.unique(y_groups)))
        self.samples = resampling_strata((x_groups, y_groups))
        in_x, in_y = np.eye(count)[:, x_groups], np.eye(count)[:, y_groups]
        nx, ny = in_x.sum(1), in_y.sum(1)
        self.xx = _Pairs(in_x @ kernel(x, x) @ in_x.T, np.outer(nx, nx))
        self.yy = _Pairs(in_y @ kernel(y, y) @ in_y.T, np.outer(ny, ny))
        self.xy = _Pairs(in_x @ kernel(x, y) @ in_y.T, np.outer(nx, ny))

    def value(self) -> float:
        return self.xx.mean() + self.yy.mean() - 2 * self.xy.mean()

    def chance(self) -> InfluenceFunctions:
        """Influence functions: by leaving out one group at a time, and for pairs from the sums of the kernel."""
        left_out = self.left_out()
        by_group = np.zeros(self.groups)
        for sample in self.samples:
            by_group[sample] = (left_out[sample].mean() - left_out[sample]) * (len(sample) - 1) / len(sample)
        across = self.xy.sums / self.xy.counts.sum()
        sums = self.xx.sums / self.xx.counts.sum() + self.yy.sums / self.yy.counts.sum() - across - across.T
        pairs = np.zeros_like(sums)
        for a in self.samples:
            for b in self.samples:
                pairs[np.ix_(a, b)] = 2 * _centred(sums, a, b)
        return InfluenceFunctions(by_group, pairs, self.samples)

    def left_out(self) -> Features:
        """The distance without each group."""
        return self.xx.means_without() + self.yy.means_without() - 2 * self.xy.means_without()


def _centred(pairs: Features, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Features:
    """A block minus its row and column means, over pairs of different groups."""
    block = pairs[np.ix_(rows, columns)]
    same = rows[:, None] == columns
    counted = ~same
    by_row = (block * counted).sum(1, keepdims=True) / counted.sum(1, keepdims=True)
    by_column = (block * counted).sum(0) / counted.sum(0)
    centred: Features = np.where(same, 0, block - by_row - by_column + (block * counted).sum() / counted.sum())
    return centred


class _Pairs:
    """Sums of the kernel and numbers of pairs, (groups, groups), with 0 for pairs within a group."""

    def __init__(self, sums: Features, counts: Features) -> None:
        self.sums, self.counts = sums, counts
        np.fill_diagonal(self.sums, 0)
        np.fill_diagonal(self.counts, 0)

    def mean(self) -> float:
        if not self.counts.any():
            raise ValueError("all clips have one prompt: a distance needs two or more prompts")
        return float(self.sums.sum() / self.counts.sum())

    def means_without(self) -> Features:
        sums, counts = (m.sum() - m.sum(0) - m.sum(1) for m in (self.sums, self.counts))
        means: Features = sums / counts
        return means
