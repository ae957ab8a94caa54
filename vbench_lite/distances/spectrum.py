"""How singular values beyond the number of clips must go on: what an overlap of few clips falls short by.

Let x normal clips of a set have covariance S1 and y S2, and let s be the singular values of
S1^(1/2) S2^(1/2), whose sum is wanted. Where 1 / t^2 is the root of sum (s t)^2 / (1 + (s t)^2) = u, call
t(u)^-1 = a(u), the singular value at rank u, 0 < u < D. Then sum s is 2/pi times the integral of a. Free
probability (the S-transform of a product of Wishart matrices) says that n clips a side show

    O(n) = 2/pi * integral over 0 < u < n of a(u) (1 - u/n),    and so fall short by
    b(n) = 2/pi * integral over 0 < u < D of a(u) min(u/n, 1).

The same holds for two parts of one set, where the sum is a trace and known. So what parts fall short by
is known for each set, and for x with y it is the same integral with a = c sqrt(a1 a2), where c(u) = 1 where
covariances differ by a factor only. The mean log of singular values of n clips x with y, less those
within sets, is the mean of log c over 0 < u < n; and it is 0 for n = D, because determinants multiply.
Between the number of clips and D, log c is taken as a straight line in log u.

Source of the transform: Voiculescu, "Multiplication of certain non-commuting random variables" (1987).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import NamedTuple

import numpy as np

from vbench_lite.distances.intervals import Features

POWERS = np.linspace(-0.5, 8, 86)
"""Exponents of spectra that are tried; steeper ones make no difference."""

Pair = tuple[float, float]


class Shortfall(NamedTuple):
    """By how much overlaps of x with y fall short of the true one."""

    large: float
    """Of large parts."""
    small: float
    """Of small ones."""
    aligned: float
    """Of large ones, if covariances were aligned."""


@dataclass(frozen=True)
class Alignment:
    """log c as a line: `level` at `rank`, rising by `slope` for each unit of log u."""

    rank: float
    level: float
    slope: float


def prior_level(half_log: float, rank: float, width: float) -> float:
    """log c at 3/4 of `rank`, where it is a line through all of log u with this mean up to `rank`."""
    return half_log / log(rank / width) * (log(0.75 * rank / width) + 1)


def alignment(half_log: float, level: float, rank: float, width: float) -> Alignment:
    """The line with this level at 3/4 of `rank`, whose integral up to `width` comes to 0 with what lies below.

    Args:
        half_log: Mean of log c up to `rank`.
        level: log c at 3/4 of `rank`.
        rank: Of the parts, below `width`.
        width: Directions in all (D).
    """
    start = 0.75 * rank
    rise = width * (log(width) - 1) - rank * (log(rank) - 1) - (width - rank) * log(start)
    return Alignment(start, level, (-rank * half_log - (width - rank) * level) / rise)


class Spectrum:
    """Integrals over ranks for parts of two sizes, with a power law fitted to each set."""

    def __init__(self, large: float, small: float, width: float) -> None:
        self.ranks = np.concatenate([np.linspace(0.01, 1, 40)[:-1], np.geomspace(1, 0.999 * width, 160)])
        steps = np.diff(self.ranks)
        weights = np.concatenate([[steps[0]], steps[1:] + steps[:-1], [steps[-1]]]) / 2
        self.missed, self.missed_more = (np.minimum(self.ranks / size, 1) * weights for size in (large, small))
        self.end = np.sqrt(1 - self.ranks / width)
        powers = np.exp(-np.outer(POWERS, np.log(self.ranks))) * self.end
        self.ratios = np.maximum.accumulate((powers @ self.missed_more) / (powers @ self.missed))

    def short(self, x_short: Pair, y_short: Pair, line: Alignment) -> Shortfall:
        """What parts of x with y fall short by.

        Args:
            x_short, y_short: By what large and small parts of a set fall short of its trace.
            line: How well directions agree.
        """
        x, y = self._profile(*x_short), self._profile(*y_short)
        aligned = np.sqrt(x * y)
        factor = np.exp(np.clip(line.level + line.slope * np.log(self.ranks / line.rank), -3, 1))
        both = factor * aligned
        return Shortfall(float(self.missed @ both), float(self.missed_more @ both), float(self.missed @ aligned))

    def _profile(self, large: float, small: float) -> Features:
        """2/pi a(u), a power of u up to the width, that falls short by `large` and, as near as can be, by `small`."""
        power = np.interp(small / large, self.ratios, POWERS)
        profile: Features = self.ranks**-power * self.end
        profile *= large / (self.missed @ profile)
        return profile
