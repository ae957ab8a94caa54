"""Clips that were measured together, which tell of time, energy and money only once.

Elsewhere prompts are what is counted. But the clips of a batch share one measured time, each its part of it: a run of
80 clips in 4 batches has measured four times, not eighty. So what a clock, a meter or an allocator measured is counted
by group: prompts that share a measurement, directly or over others, are one. Where every clip was made alone the
groups are the prompts, as everywhere.

A measurement is recognised by its value: wall times are taken in nanoseconds, so two clips with the same one were
timed as one. Energy is settled over a second of work, perhaps of several batches, whose clips then share their power.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vbench_lite.stats import Array

MIN_BATCHES = 4
"""Below this nothing is said of chance. From here on t over batches covers what it claims (docs/report.md)."""

Groups = NDArray[np.int64]


def measurement_ids(values: Array, wall_s: Array, power: bool = False) -> Groups:
    """The measurement of each clip, numbered from 0: clips with one number were measured as one; -1 for a clip alone.

    Args:
        values: One figure a clip, NaN where it is not known.
        wall_s: Of the same clips.
        power: Whether the figure is energy, settled by wall time.
    """
    flat, walls = values.ravel(), wall_s.ravel()
    ids = np.full(len(flat), -1)
    if _constant(flat) and not _constant(walls):
        return ids  # one value whatever the time, such as a price a clip: nothing was measured
    known = np.isfinite(walls) & np.isfinite(flat) & ((walls > 0) | (not power))
    if power:
        marks = np.array([float(f"{watts:.9g}") for watts in flat[known] / walls[known]])
    else:
        marks = walls[known] + 1j * flat[known]  # a pair as one number
    ids[known] = np.unique(marks, return_inverse=True)[1]
    return ids


def _constant(values: Array) -> bool:
    known = values[np.isfinite(values)]
    return not known.size or bool(known.min() == known.max())


def together(prompts: NDArray[np.int64], *measured: Groups) -> Groups:
    """The group of every prompt, numbered from 0 without gaps.

    Args:
        prompts: The prompt of each clip, numbered from 0.
        measured: The measurements of the same clips, of one run or of each of several.
    """
    parent = list(range(int(prompts.max()) + 1))

    def root(prompt: int) -> int:
        while parent[prompt] != prompt:
            parent[prompt] = prompt = parent[parent[prompt]]
        return prompt

    for ids in measured:
        own, ids = prompts[ids >= 0], ids[ids >= 0]
        first = np.zeros(ids.max(initial=-1) + 1, int)
        first[ids[::-1]] = own[::-1]  # the last assignment counts: that of the first clip
        apart = own != first[ids]
        for one, other in zip(own[apart].tolist(), first[ids][apart].tolist(), strict=True):
            parent[root(one)] = root(other)
    return np.unique([root(prompt) for prompt in range(len(parent))], return_inverse=True)[1].astype(np.int64)


def inflate_to_batch_variance(values: Array, groups: Groups) -> Array:
    """One number a prompt, of the same mean, whose spread over the root of the prompts is the error over groups.

    So that what is counted by group can be added to what is counted by prompt, and tested alike, with groups - 1
    degrees of freedom.

    Args:
        values: One number a prompt.
        groups: Of each prompt; at least two.

    >>> inflate_to_batch_variance(np.array([1.0, 3.0, 5.0, 7.0]), np.array([0, 0, 1, 1])).round(3).tolist()
    [0.536, 0.536, 7.464, 7.464]
    """
    sizes, sums = np.bincount(groups), np.bincount(groups, values)
    prompts, count, mean = len(values), len(sizes), float(values.mean())
    wide = np.sqrt((prompts - 1) / (count - 1) * sizes * count / prompts) * (sums / sizes - mean)
    apart = wide[groups]
    return np.asarray(mean + apart - apart.mean(), float)


def joint_freedom(first: Array, freedom_first: float, second: Array, freedom_second: float) -> float:
    """Welch and Satterthwaite's degrees of freedom for the sum of two means, each of one number a prompt."""
    one, two = float(first.var(ddof=1)), float(second.var(ddof=1))
    if not one + two:
        return float(freedom_first)
    return (one + two) ** 2 / (one**2 / freedom_first + two**2 / freedom_second)
