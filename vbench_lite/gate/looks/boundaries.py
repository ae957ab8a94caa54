"""Planned looks at a growing run: p values that are valid for repeated looks at the data.

A test at several looks exceeds its level, because each look adds a probability of error. The method of Lan and DeMets
spends the level over the looks: at a fraction t of all prompts, a test of level alpha has spent 2 - 2 Phi(z / sqrt(t)),
where z is the 1 - alpha / 2 quantile of the normal distribution (the function that resembles O'Brien and Fleming's
boundary). It spends little at early looks, so the last look has almost the whole level.

The boundary of a look follows from the joint distribution of the statistics of all looks so far: sums over prompts in
random order have independent increments. `Look.repeated` inverts it: the repeated p value of a look is the smallest
level whose boundary the statistic crosses. On the boundary of the hypothesis, it is at most alpha with a probability of
at most alpha, for any number of earlier looks. So it replaces the p value in every rule of the gate: in the
intersection-union test of a pass and in Holm's adjustment of a fail.

Sources: Lan and DeMets, Biometrika 70 (1983); the recursion of Armitage, McPherson and Rowe, JRSS A 132 (1969);
repeated p values and the use of t statistics by their p values: Jennison and Turnbull, Group Sequential Methods with
Applications to Clinical Trials (2000), chapters 3, 7 and 9.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from vbench_lite.stats import Array

FRACTIONS = (0.4, 0.55, 0.7, 0.85, 1.0)
"""Fractions of the prompts at the planned looks."""
EARLY_GUARD = 0.1
"""Before the last look, a guard passes only if it is inside its limit with a p value of at most this."""
EARLY_SHARE = 0.85
"""Fraction of collapsed clips that `statistic = "collapsed"` recognises, in the worlds of benchmarks/gate_worlds.py."""
_POINTS = 301
_REACH = 8.0
"""Number of standard deviations of a sum beyond which the distribution is negligible."""
_LEVELS = special.ndtr(-np.linspace(0.0, 7.0, 36))
"""Levels whose boundaries are computed, 0.5 to 1e-12. Others are interpolated on the normal scale."""


def spent(level: float, fraction: float) -> float:
    """The part of a level that may be spent up to a fraction of the data.

    >>> round(spent(0.05, 1.0), 6), spent(0.05, 0.5) < 0.006
    (0.05, True)
    """
    return float(2 * special.ndtr(special.ndtri(level / 2) / fraction**0.5))


@lru_cache(maxsize=512)
def boundaries(level: float, fractions: tuple[float, ...]) -> tuple[float, ...]:
    """The z that a one-sided test must reach at each look.

    Args:
        level: Level of the whole procedure, below 1.
        fractions: Increasing fractions of the data, one per look.

    >>> [round(z, 2) for z in boundaries(0.025, (0.25, 0.5, 0.75, 1.0))]
    [4.33, 2.96, 2.36, 2.01]
    """
    found: list[float] = []
    points, density = np.zeros(1), np.ones(1)  # of the sum before the first look: a point mass at 0
    before, used = 0.0, 0.0
    for fraction in fractions:
        step, target = (fraction - before) ** 0.5, spent(level, fraction) - used

        low = -_REACH * fraction**0.5
        below, edge = low, -2 * low
        while edge - below > 1e-10:  # bisection, because importing scipy.optimize would double the start time
            middle = (below + edge) / 2
            crosses = float(density @ special.ndtr((points - middle) / step))
            below, edge = (middle, edge) if crosses > target else (below, middle)
        found.append(edge / fraction**0.5)
        grid = np.linspace(low, edge, _POINTS)
        weights = np.full(_POINTS, grid[1] - grid[0])
        weights[[0, -1]] /= 2
        kernel = np.exp(-0.5 * ((grid[:, None] - points) / step) ** 2) / (step * (2 * np.pi) ** 0.5)
        points, density = grid, weights * (kernel @ density)
        before, used = fraction, spent(level, fraction)
    return tuple(found)


@lru_cache(maxsize=64)
def _table(fractions: tuple[float, ...]) -> Array:
    """The boundary z of the last of these looks, for each level of `_LEVELS`."""
    return np.array([boundaries(float(level), fractions)[-1] for level in _LEVELS])


@dataclass(frozen=True)
class Look:
    """One of several planned looks at a run.

    Attributes:
        number: Number of the look, from 1.
        fractions: Fractions of the prompts at the planned looks; the last is 1.

    >>> first, last = Look(1, (0.5, 1.0)), Look(2, (0.5, 1.0))
    >>> float(first.repeated(0.04)) > 0.1, round(float(last.repeated(0.04)), 3)
    (True, 0.041)
    """

    number: int
    fractions: tuple[float, ...] = FRACTIONS

    @property
    def is_last(self) -> bool:
        """Whether the whole suite was generated."""
        return self.number == len(self.fractions)

    def repeated(self, p: Array | float) -> Array:
        """The repeated p value of a one-sided p value at this look. 0 and 1 do not change."""
        if len(self.fractions) == 1:
            return np.asarray(p, float)
        table = _table(self.fractions[: self.number])
        z = -special.ndtri(np.asarray(p, float))
        level = np.where(z < table[0], 1.0, special.ndtr(-np.interp(z, table, -special.ndtri(_LEVELS))))
        return np.where(np.asarray(p) <= 0, 0.0, level)

    def rare(self, excess: Array | int, clips: Array | int, share: float) -> Array:
        """The repeated p value of the hypothesis that a share of the clips is bad and was not bad in the baseline.

        Args:
            excess: Number of bad clips minus that of the baseline.
            clips: Number of clips.
            share: Share of the clips. EARLY_SHARE of it is tested, because not every bad clip is recognised.

        >>> bool(Look(3).rare(0, 56, 0.1) < 0.04 < Look(3).rare(1, 56, 0.1))
        True
        """
        return self.repeated(special.bdtr(np.maximum(excess, 0), clips, EARLY_SHARE * share))


ONCE = Look(1, (1.0,))
"""The only look of a run of fixed size: p values do not change."""


def prompts_at(fractions: tuple[float, ...], prompts: int) -> list[int]:
    """The number of prompts at each look.

    >>> prompts_at((0.4, 0.7, 1.0), 12)
    [5, 9, 12]
    """
    return [math.ceil(fraction * prompts - 1e-9) for fraction in fractions]
