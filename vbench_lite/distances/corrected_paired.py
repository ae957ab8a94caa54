"""The corrected distance where both sides show the same prompts, as a run and its real clips do.

What one side owes to the choice of prompts, the other owes to it too, and the simpler way is then the
surer one: what halves fall short by across the sets is taken as the geometric mean of what they fall
short by within each, and the step from quarters to halves is gone on by `STEPS` of it, for covariances
that differ in direction. `fvd_general` finds out how well directions agree; with shared prompts the
chance in that can be several times that of the distance itself, and only its doubt is taken from there.
"""

from __future__ import annotations

from vbench_lite.distances.corrected_unpaired import differing_part
from vbench_lite.distances.intervals import Estimated, Features
from vbench_lite.distances.mean_term import MeanTerm
from vbench_lite.distances.overlaps import Overlaps, PairOfSets

STEPS = 1.5
"""How many times the step from quarters to halves is gone on: right for a bias that falls as n to the power -0.74."""


def shared_estimate(pair: PairOfSets, mean: MeanTerm) -> Estimated:
    """Squared Fréchet distance, corrected."""
    (half, half_by), (quarter, quarter_by) = (_of_parts(pair, pair.overlaps(share)) for share in (0.5, 0.25))
    step = half - quarter
    step_by = pair.by_group(half_by - quarter_by)
    chance = mean.chance._replace(by_group=mean.chance.by_group + pair.by_group(half_by) + STEPS * step_by)
    variance, pairs = chance.variance(), chance.pairs_variance()
    variance = max(variance - pairs, variance / 2)
    doubt = max(step**2 - chance._replace(by_group=step_by).variance(), 0.0) / 4
    value = mean.value + half + STEPS * step
    return Estimated(value, variance + doubt, pairs + doubt, chance, doubt, differing_part(pair))


def _of_parts(pair: PairOfSets, part: Overlaps) -> tuple[float, Features]:
    """t1 + t2 - 2 (O12 + sqrt(b1 b2)) with b = t - O, from parts of one size, and its derivatives by clips."""
    by_clip = part.by_clip.mean(0)
    t1, t2 = pair.traces_by.sum(1)
    o1, o2, o12 = part.values
    b1, b2 = max(t1 - o1, 1e-12 * t1, 1e-300), max(t2 - o2, 1e-12 * t2, 1e-300)
    ratio = (b2 / b1) ** 0.5
    short_by = ratio * (pair.traces_by[0] - by_clip[0]) + (pair.traces_by[1] - by_clip[1]) / ratio
    return float(t1 + t2 - 2 * (o12 + (b1 * b2) ** 0.5)), pair.traces_by.sum(0) - 2 * by_clip[2] - short_by
