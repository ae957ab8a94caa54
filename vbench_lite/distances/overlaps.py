"""Overlaps tr (S1 S2)^(1/2) of random parts of two sets of clips: their mean, derivatives and logarithms.

Everything is worked out from one matrix of inner products of clips, so that the number of features
costs nothing, and singular values of equally large parts are taken in one call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vbench_lite.distances.intervals import Features, Labels, shared

WITH_DERIVATIVES = 640
"""Over the number of groups a side, and for halves within a range: as many splits also give derivatives."""
DERIVATIVES_RANGE = (4, 32)
NOWHERE = np.zeros(0, np.int64)
SPLITS = 1920
"""Over the number of groups a side, and within a range: as many random splits into halves are averaged."""
SPLITS_RANGE = (12, 80)
LARGEST_PART = 384
"""Clips of a part: more would cost much and teach little."""
PORTION = 2_000_000
"""Numbers in the blocks that are decomposed at once."""
RANK_LIMIT = 1e-9
"""Singular values below this share of the largest are not counted as any."""


@dataclass(frozen=True)
class Overlaps:
    """Means over splits into parts of one size. The first place is x with x, then y with y, x with y."""

    clips: int
    """Of a part."""
    values: NDArray[np.float64]
    """(3,): mean sums of singular values."""
    by_clip: NDArray[np.float64]
    """(some splits, 3, clips of x and y): derivatives by the weight of each clip; their mean is that of `values`."""
    log_ratio: float
    """Mean log of a singular value of x with y, less the mean of the two within sets."""
    log_spread: float
    """Standard deviation of the same between splits."""
    value_error: NDArray[np.float64]
    """(3,): standard error of `values` for want of more splits."""
    splits: int


class PairOfSets:
    """Inner products of the clips of two sets, and random parts of them."""

    def __init__(self, x: Features, y: Features, labels: tuple[Labels, Labels]) -> None:
        pooled = np.concatenate([x, y])
        self.products = pooled @ pooled.T
        self.labels = labels
        self.clips = len(x), len(y)
        self.width = x.shape[1]
        self.members = [_members(labels[0], 0), _members(labels[1], len(x))]
        self.groups = min(map(len, self.members))
        alone = [np.square(side - side.mean(0)).sum(1) / (len(side) - 1) for side in (x, y)]
        self.traces_by = np.stack([np.append(alone[0], 0 * alone[1]), np.append(0 * alone[0], alone[1])])
        """(2, clips): derivatives of the two traces; they add up to the traces."""
        content = hashlib.sha256(pooled.tobytes()).digest()
        self.rng = np.random.default_rng(list(content[:8]))  # a fixed choice of places would favour some clips always

    def by_group(self, by_clip: Features) -> Features:
        """Sums over each group's clips of both sides."""
        count = int(max(side.max() for side in self.labels)) + 1
        found: Features = np.bincount(np.concatenate(self.labels), by_clip, count).astype(np.float64)
        return found

    def overlaps(self, share: float) -> Overlaps:
        """Of parts that hold this share of the groups, at most a half."""
        total = int(np.clip(SPLITS // self.groups / (2 * share), *SPLITS_RANGE))
        derived = int(np.clip(WITH_DERIVATIVES // self.groups / (2 * share), *DERIVATIVES_RANGE))
        splits = [pairs for pairs, _ in zip(self._splits(share), range(total), strict=False)]
        size = min(len(part) for pairs in splits for pair in pairs for part in pair)
        rows = np.array([[[part[:size] for part in pair] for pair in pairs] for pairs in splits])
        by_clip = np.zeros((derived, 3, len(self.products)))
        values: list[Features] = [self._derived(pairs, found) for pairs, found in _portions(rows[:derived], by_clip)]
        rest = (self._blocks(pairs) for pairs, _ in _portions(rows[derived:], rows))
        values += [np.asarray(np.linalg.svd(blocks, compute_uv=False), np.float64) for blocks in rest]
        logs = _mean_log(np.concatenate(values))
        sums = self._steadied(np.concatenate(values).sum(2), rows, by_clip)
        across = slice(2, None)
        by_clip[:, 2] /= rows.shape[1] - 2
        ratio = logs[:, across].mean(1) - logs[:, :2].mean(1)
        kinds = np.stack([sums[:, 0], sums[:, 1], sums[:, across].mean(1)])
        return Overlaps(size, kinds.mean(1), by_clip, float(ratio.mean()), float(ratio.std(ddof=1)),
                        kinds.std(1, ddof=1) / total**0.5, total)  # fmt: skip

    def _steadied(self, sums: Features, rows: NDArray[np.int64], by_clip: Features) -> Features:
        """Sums and derivatives without what they owe to parts whose traces happen to be large or small.

        A trace of a part is that of the set on average, so what is taken off is nothing on average.
        """
        splits = np.arange(len(by_clip))[:, None]
        for place in range(rows.shape[1]):
            kind = min(place, 2)
            mean = sums[:, place].mean()
            for side, owner in ((0, (0, 1, 0)[kind]), (1, (0, 1, 1)[kind])):
                trace = self.traces_by[owner].sum()
                by_part = self._part_traces(rows[:, place, side])
                share = 0.5 * mean / trace if trace > 0 else 0.0
                sums[:, place] -= share * (by_part.sum(1) - trace)
                by_clip[splits, kind, rows[: len(by_clip), place, side]] -= share * by_part[: len(by_clip)]
                by_clip[:, kind] += share * self.traces_by[owner]
        return sums

    def _part_traces(self, rows: NDArray[np.int64]) -> Features:
        """(splits, clips): what each clip of a part adds to the part's trace."""
        blocks = self.products[rows[:, :, None], rows[:, None, :]]
        means = blocks.mean(2)
        found: Features = self.products[rows, rows] - 2 * means + means.mean(1, keepdims=True)
        return found / (rows.shape[1] - 1)

    def _blocks(self, rows: NDArray[np.int64]) -> Features:
        """(splits, pairs, clips, clips): inner products of the two parts of each pair, centred and scaled."""
        blocks = self.products[rows[:, :, 0, :, None], rows[:, :, 1, None, :]]
        blocks = blocks - blocks.mean(2, keepdims=True)
        centred: Features = (blocks - blocks.mean(3, keepdims=True)) / (rows.shape[-1] - 1)
        return centred

    def _derived(self, rows: NDArray[np.int64], by_clip: Features) -> Features:
        """Singular values; adds half of diag (U s U^T), the derivative by a row's weight, to the clips of each pair."""
        left, values, right = np.linalg.svd(self._blocks(rows))
        weights = np.stack([np.square(left), np.square(right.swapaxes(2, 3))])
        rises = 0.5 * weights @ values[..., None]
        splits = np.arange(len(rows))[:, None]
        for place in range(rows.shape[1]):
            for side in (0, 1):
                by_clip[splits, min(place, 2), rows[:, place, side]] += rises[side, :, place, :, 0]
        found: Features = values
        return found

    def _splits(self, share: float) -> Iterator[list[tuple[Labels, Labels]]]:
        """Endless: places of two disjoint parts of x, of y, and of x and y that may be compared."""
        both = shared(self.labels)
        while True:
            ax, bx = self._parts(0, share)
            ay, by = (ax, bx) if both else self._parts(1, share)
            xa, xb, ya, yb = self._clips(0, ax), self._clips(0, bx), self._clips(1, ay), self._clips(1, by)
            if min(map(len, (xa, xb, ya, yb))) < 2:  # the sides share few of their groups
                continue
            across = [(xa, yb), (xb, ya)] + ([] if both else [(xa, ya), (xb, yb)])
            yield [(xa, xb), (ya, yb), *across]

    def _parts(self, side: int, share: float) -> tuple[Labels, Labels]:
        """Two disjoint lots of groups, at random; of both sides' groups, where some are shared."""
        members = self.members[0] | self.members[1] if shared(self.labels) else self.members[side]
        groups = self.rng.permutation(list(members))
        size = max(2, int(len(groups) * share))
        return groups[:size], groups[size : 2 * size]

    def _clips(self, side: int, groups: Labels) -> Labels:
        """Places of the groups' clips, in random order, as parts are cut to one size."""
        members = self.members[side]
        places = [NOWHERE, *(members[group] for group in groups.tolist() if group in members)]
        return self.rng.permutation(np.concatenate(places))[:LARGEST_PART]


def _members(labels: Labels, start: int) -> dict[int, Labels]:
    """Places of each group's clips, counted from `start`."""
    order = np.argsort(labels, kind="stable")
    groups, first = np.unique(labels[order], return_index=True)
    return dict(zip(groups.tolist(), np.split(start + order, first[1:]), strict=True))


def _portions(rows: NDArray[np.int64], beside: Features) -> Iterator[tuple[NDArray[np.int64], Features]]:
    """As many splits at a time as keep the blocks small, and what stands beside them."""
    size = max(1, PORTION // (rows.shape[1] * rows.shape[3] ** 2))
    for start in range(0, len(rows), size):
        yield rows[start : start + size], beside[start : start + size]


def _mean_log(values: Features) -> Features:
    """(..., singular values), falling: mean log of as many as all matrices have above rounding."""
    rank = int((values > RANK_LIMIT * values[..., :1]).sum(-1).min())
    logs: Features = np.log(values[..., : max(rank, 1)].clip(1e-300)).mean(-1)
    return logs
