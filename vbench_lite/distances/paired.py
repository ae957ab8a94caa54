"""The error of a difference of two distances to the same real clips, from the influence of each prompt.

A release and its baseline have the same prompts and the same real clips. So much of the error of either distance is
common to both and cancels. `metrics.fvd_corrected` stores the influences. Reading them needs numpy only, so the gate
needs neither clips nor torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
REAL = "\nreference"
"""Prefix of the names of groups that are single real clips. All other groups are prompts."""


@dataclass(frozen=True)
class DistanceInfluence:
    """A distance, and the influence of each group of clips on it."""

    value: float
    groups: tuple[str, ...]
    """Names of the groups of dependent clips: prompts, or single real clips."""
    by_group: Values
    """(groups,): derivative of the value with respect to each group's weight. The sum of squares is the variance."""
    rest: float
    """Variance that belongs to no group, from the extrapolation."""


def error_of_difference(candidate: DistanceInfluence, baseline: DistanceInfluence, weight: float = 1.0) -> float:
    """Standard error of the candidate's distance minus `weight` times the baseline's distance.

    The influences are subtracted group by group. The variances of the extrapolations are added as if independent, which
    overestimates the error. Equal distances have the error 0.
    """
    groups = list(dict.fromkeys((*candidate.groups, *baseline.groups)))
    old, new = (_laid_out(parts, groups) for parts in (baseline, candidate))
    if weight == 1 and candidate.value == baseline.value and np.array_equal(old, new):
        return 0.0
    moved = new - weight * old
    sides = [np.array([name.startswith(REAL) is real for name in groups]) for real in (False, True)]
    variance = sum(side.sum() * np.var(moved[side], ddof=1) for side in sides if side.sum() > 1)
    return float((variance + candidate.rest + weight**2 * baseline.rest) ** 0.5)


def _laid_out(parts: DistanceInfluence, groups: list[str]) -> Values:
    shares = dict(zip(parts.groups, parts.by_group.tolist(), strict=True))
    return np.array([shares.get(name, 0.0) for name in groups])
