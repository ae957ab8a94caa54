"""Clips that were measured together, which tell of time, energy and money only once.

Elsewhere prompts are what is counted. But the clips of a batch share one measured time, each its part of it: a run of
80 clips in 4 batches has measured four times, not eighty. So what a clock, a meter or an allocator measured is counted
by group: prompts that share a measurement, directly or over others, are one. Where every clip was made alone the
groups are the prompts, as everywhere.

A measurement is recognised by its value: wall times are taken in nanoseconds, so two clips with the same one were
timed as one. Energy is settled over a second of work, perhaps of several batches, whose clips then share their power.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from vbench_lite.stats import Array

MIN_BATCHES = 4
"""Below this nothing is said of chance. From here on t over batches covers what it claims (docs/report.md)."""

Groups = NDArray[np.int64]


def measurement_ids(values: Array, wall_s: Array, power: bool = False) -> list[float | tuple[float, float] | None]:
    """What two clips must share to have been measured as one; None where a clip stands alone.

    Args:
        values: One figure a clip, NaN where it is not known.
        wall_s: Of the same clips.
        power: Whether the figure is energy, settled by wall time.
    """
    flat, walls = values.ravel(), wall_s.ravel()
    if len(np.unique(flat[np.isfinite(flat)])) < 2 <= len(np.unique(walls[np.isfinite(walls)])):
        return [None] * len(flat)  # one value whatever the time, such as a price a clip: nothing was measured
    if power:
        watts = (float(f"{v / w:.9g}") if np.isfinite(v) and w > 0 else None for v, w in zip(flat, walls, strict=True))
        return list(watts)
    known = (np.isfinite(walls) & np.isfinite(flat)).tolist()
    pairs = zip(walls.tolist(), flat.tolist(), strict=True)
    return [pair if measured else None for pair, measured in zip(pairs, known, strict=True)]


def together(prompts: Sequence[int], *marked: Iterable[float | tuple[float, float] | None]) -> Groups:
    """The group of every prompt, numbered from 0 without gaps.

    Args:
        prompts: The prompt of each clip, numbered from 0.
        marked: The marks of the same clips, of one run or of each of several.
    """
    parent = list(range(max(prompts) + 1))

    def root(prompt: int) -> int:
        while parent[prompt] != prompt:
            parent[prompt] = prompt = parent[parent[prompt]]
        return prompt

    for run in marked:
        first: dict[object, int] = {}
        for prompt, mark in zip(prompts, run, strict=True):
            if mark is not None:
                parent[root(prompt)] = root(first.setdefault(mark, prompt))
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
