"""The kernel distance (KVD): a squared maximum mean discrepancy, unbiased at any number of clips."""

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
"""Prompts, or single clips, a side that an interval needs: one is left out at a time, and pairs must remain."""
LEAST_OF_PAIRS = 0.3
"""The variance is never taken for less than this share of what pairs of groups make of it."""


def kernel(x: Features, y: Features) -> Features:
    """(x . y / values + 1)^3 for each pair of rows."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def kernel_distance(generated: Features, reference: Features) -> float:
    """Squared maximum mean discrepancy with the cubic kernel of `kernel`.

    Unbiased, so it may fall below 0 where the sets are alike. Its scale is that of the features to
    the sixth power: it compares within one network only.

    Args:
        generated: (clips, values). At least two clips.
        reference: (clips, values), any other number of clips, at least two.

    Returns:
        Around 0 for sets of one distribution, more the further they are apart.

    Raises:
        ValueError: As `intervals.checked`.

    Source:
        Binkowski et al., "Demystifying MMD GANs" (ICLR 2018, arXiv:1801.01401), on whole sets.
    """
    x, y = checked(generated, reference)
    return _Blocks(x, y, np.arange(len(x)), len(x) + np.arange(len(y))).value()


def kernel_interval(
    generated: Features, reference: Features, generated_prompts: Sequence[str], reference_prompts: Sequence[str],
    confidence: float = 0.95,
) -> DistanceInterval:
    """The distance and its interval, from what each prompt and each pair of prompts does to it.

    Args:
        generated, reference: As `kernel_distance`.
        generated_prompts, reference_prompts: The prompt of each clip, "" where it has none. Pairs of
            clips of one prompt are left out of the distance too.
        confidence: Of the two-sided interval.

    Returns:
        The interval; without ends, and with the reason, where there are fewer than `MIN_GROUPS` prompts a side, or
        clips that are on both sides.

    Raises:
        ValueError: As `intervals.checked`, or all clips are of one prompt.
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
    """Sums of the kernel over pairs of groups, so that leaving a group out costs no new kernel.

    Pairs of clips of one group are in no sum: they are not independent, as a clip and itself are
    not. Without that, real clips that share the generated ones' prompts would pull the distance
    far below 0.
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
        """Influences by leaving out one group at a time, and pairs, of which the distance is a sum."""
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
    """A block without its row and column means, over pairs of unlike groups."""
    block = pairs[np.ix_(rows, columns)]
    same = rows[:, None] == columns
    counted = ~same
    by_row = (block * counted).sum(1, keepdims=True) / counted.sum(1, keepdims=True)
    by_column = (block * counted).sum(0) / counted.sum(0)
    centred: Features = np.where(same, 0, block - by_row - by_column + (block * counted).sum() / counted.sum())
    return centred


class _Pairs:
    """Sums and numbers of pairs, (groups, groups), those within a group struck out."""

    def __init__(self, sums: Features, counts: Features) -> None:
        self.sums, self.counts = sums, counts
        np.fill_diagonal(self.sums, 0)
        np.fill_diagonal(self.counts, 0)

    def mean(self) -> float:
        if not self.counts.any():
            raise ValueError("clips of a single prompt: a distance needs two prompts or more")
        return float(self.sums.sum() / self.counts.sum())

    def means_without(self) -> Features:
        sums, counts = (m.sum() - m.sum(0) - m.sum(1) for m in (self.sums, self.counts))
        means: Features = sums / counts
        return means
