"""Two distances from the same real clips, subtracted: what the parts of each, prompt by prompt, say about the error.

The clips of a release and of its baseline answer the same prompts and are compared with the same real clips, so much of
what makes either distance uncertain is in both, and cancels. `metrics.fvd_corrected` makes the parts; numpy alone reads
them, so the gate needs neither clips nor torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
REAL = "\nreference"
"""How names of groups begin that are single real clips; all others are prompts."""


@dataclass(frozen=True)
class DistanceInfluence:
    """A distance, and where its uncertainty comes from."""

    value: float
    groups: tuple[str, ...]
    """Of clips that are not independent: prompts, or single real clips."""
    by_group: Values
    """How the value moves with the weight of each group's clips; the squares add up to its variance."""
    rest: float
    """Variance that is no group's: of what was extrapolated."""


def error_of_difference(candidate: DistanceInfluence, baseline: DistanceInfluence, weight: float = 1.0) -> float:
    """Standard error of the candidate's distance less `weight` times the baseline's.

    Group by group for what groups move. What was extrapolated counts as if the two had nothing in common: cautious,
    unless they are the same in everything.
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
