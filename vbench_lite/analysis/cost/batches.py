"""Clips that were measured together. They count as one measurement of time, energy and money.

The sampling units of scores are prompts. But the clips of a batch share one measured time: a run of 80 clips in 4
batches has four measurements, not eighty. So measured costs are counted by group. Prompts that share a measurement,
directly or through other prompts, are one group. If every clip was generated alone, the groups are the prompts.

A measurement is recognised by its value: wall times are measured in nanoseconds, so two clips with the same time were
timed together. Energy is measured over a second of work, possibly of several batches. Their clips have the same power.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vbench_lite.stats import Array

MIN_BATCHES = 4
"""Minimum number of batches for an interval. From here on, t intervals have nominal coverage (docs/report.md)."""

Groups = NDArray[np.int64]


def measurement_ids(values: Array, wall_s: Array, power: bool = False) -> Groups:
    """The measurement of each clip, numbered from 0. Clips with equal numbers share a measurement; -1: no shared one.

    Args:
        values: One figure per clip, NaN if unknown.
        wall_s: Wall times of the same clips.
        power: Whether the figure is energy, which batches share in proportion to wall time.
    """
    flat, walls = values.ravel(), wall_s.ravel()
    ids = np.full(len(flat), -1)
    if _constant(flat) and not _constant(walls):
        return ids  # one value for all times, such as a price per clip, is not measured
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
        measured: The measurements of the same clips, for one or several runs.
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
    return np.unique([root(prompt) for prompt in range(len(parent))], return_inverse=True)[1]


def inflate_to_batch_variance(values: Array, groups: Groups) -> Array:
    """Values per prompt with the same mean, whose standard error over prompts equals the standard error over groups.

    So values that are counted by group can be added to values that are counted by prompt. A test has groups - 1 degrees
    of freedom.

    Args:
        values: One value per prompt.
        groups: The group of each prompt; at least two groups.

    >>> inflate_to_batch_variance(np.array([1.0, 3.0, 5.0, 7.0]), np.array([0, 0, 1, 1])).round(3).tolist()
    [0.536, 0.536, 7.464, 7.464]
    """
    sizes, sums = np.bincount(groups), np.bincount(groups, values)
    prompts, count, mean = len(values), len(sizes), float(values.mean())
    wide = np.sqrt((prompts - 1) / (count - 1) * sizes * count / prompts) * (sums / sizes - mean)
    apart = wide[groups]
    found: Array = mean + apart - apart.mean()
    return found


def joint_freedom(first: Array, freedom_first: float, second: Array, freedom_second: float) -> float:
    """Welch and Satterthwaite's degrees of freedom for the sum of two means, each with one value per prompt."""
    one, two = float(first.var(ddof=1)), float(second.var(ddof=1))
    if not one + two:
        return float(freedom_first)
    return (one + two) ** 2 / (one**2 / freedom_first + two**2 / freedom_second)
