"""The corrected distance where both sides show the same prompts, as a run and its real clips do.

What one side owes to the choice of prompts, the other owes to it too, and the simpler way is then the
surer one: what halves fall short by across the sets is taken as the geometric mean of what they fall
short by within each, and the step from quarters to halves is gone on by `STEPS` of it, for covariances
that differ in direction. `fvd_corrected` has the general way, which finds out how well directions
agree; with shared prompts the chance in that is several times that of the distance itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vbench_lite.metrics.overlaps import Overlaps, PairOfSets
from vbench_lite.metrics.set_intervals import Features

STEPS = 1.5
"""How many times the step from quarters to halves is gone on: right for a bias that falls as n to the power -0.74."""


class MeanTerm(NamedTuple):
    """|m1 - m2|^2 without what it owes to the number of clips."""

    value: float
    by_group: Features
    pairs: float
    """Variance of pairs of groups, which the squares of `by_group` hold two times."""


class SharedEstimate(NamedTuple):
    value: float
    by_group: Features
    """Each prompt's influence."""
    variance: float
    doubt: float
    """The part of the variance that is no prompt's: of what the extrapolation may have missed."""


def shared_estimate(pair: PairOfSets, mean: MeanTerm, by_group: Callable[[Features], Features]) -> SharedEstimate:
    """Squared Fréchet distance, corrected; `by_group` sums what belongs to clips over their prompts."""
    (half, half_by), (quarter, quarter_by) = (_of_parts(pair, pair.overlaps(share)) for share in (0.5, 0.25))
    step = half - quarter
    step_by = by_group(half_by - quarter_by)
    influence = mean.by_group + by_group(half_by) + STEPS * step_by
    prompts = len(influence)
    variance = prompts * float(np.var(influence, ddof=1))
    variance = max(variance - mean.pairs, variance / 2)
    doubt = max(step**2 - prompts * float(np.var(step_by, ddof=1)), 0.0) / 4
    return SharedEstimate(mean.value + half + STEPS * step, influence, variance + doubt, doubt)


def _of_parts(pair: PairOfSets, part: Overlaps) -> tuple[float, Features]:
    """t1 + t2 - 2 (O12 + sqrt(b1 b2)) with b = t - O, from parts of one size, and its derivatives by clips."""
    by_clip = part.by_clip.mean(0)
    t1, t2 = pair.traces_by.sum(1)
    o1, o2, o12 = part.values
    b1, b2 = max(t1 - o1, 1e-12 * t1, 1e-300), max(t2 - o2, 1e-12 * t2, 1e-300)
    ratio = (b2 / b1) ** 0.5
    short_by = ratio * (pair.traces_by[0] - by_clip[0]) + (pair.traces_by[1] - by_clip[1]) / ratio
    return float(t1 + t2 - 2 * (o12 + (b1 * b2) ** 0.5)), pair.traces_by.sum(0) - 2 * by_clip[2] - short_by
