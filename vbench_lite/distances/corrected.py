"""FVD with the bias of small numbers of clips taken out, and an interval.

The plain distance of two sets of n clips is too large because sample covariances overlap less than true ones do.
`spectrum` tells how much less: what halves of one set fall short by is seen, since there the true overlap is a trace,
and what a half of one set and a half of the other fall short by follows from it and from how well the two sets' leading
directions agree (`fvd_general`). Where both sides show the same prompts, there is a surer way (`fvd_shared`).

The interval is asymmetric: the error grows with the distance, and the distance is skewed
(`intervals.skew_corrected_bounds`).
benchmarks/coverage.py simulates how often it holds the truth; docs/metrics.md has the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import hypot

import numpy as np

from vbench_lite.distances import intervals as set_intervals
from vbench_lite.distances.corrected_paired import shared_estimate
from vbench_lite.distances.corrected_unpaired import DOUBT, DOUBT_OF_MISFIT, general_estimate
from vbench_lite.distances.intervals import Estimated, Features, Labels
from vbench_lite.distances.mean_term import mean_term
from vbench_lite.distances.overlaps import PairOfSets
from vbench_lite.distances.paired import DistanceInfluence

FEWEST_GROUPS = 8
"""Of clips that are not independent (prompts, or single clips): a quarter must hold two."""
FEWEST_FOR_INTERVAL = 16
"""Below that none was simulated, and a quarter holds fewer than four groups."""
STILL = 1e-24
"""Of the other side's trace: less is rounding."""
DOUBT_UPWARDS = 0.7
"""As `DOUBT` of directions, for the upper end: where the line was wrong, the distance was mostly too small."""
DOUBTFUL = 1.25
"""Standard errors: where differing directions make more of the value than that, the interval comes with a warning."""
EXTRAPOLATED = (
    "the covariances differ in direction or shape, and more than the interval's standard error is extrapolated for "
    "that: in simulations such intervals held the truth in 87 to 100 of 100 cases, not in 95"
)


@dataclass(frozen=True)
class Corrected:
    """A distance without the bias of small sets. Ends are None, with the reason, where no interval is known to hold."""

    value: float
    low: float | None
    high: float | None
    reason: str | None = None
    """Why there are no ends, or why they are less sure than they look."""
    parts: DistanceInfluence | None = field(default=None, repr=False)
    """What another such distance can be subtracted from."""


def corrected_interval(
    generated: Features, reference: Features, generated_prompts: Sequence[str] = (),
    reference_prompts: Sequence[str] = (), confidence: float = 0.95,
) -> Corrected:
    """Squared Fréchet distance without the bias of small sets, and its interval.

    Near 0 where the sets are alike, and then sometimes below it, as an unbiased estimate must be.

    Args:
        generated: (clips, values).
        reference: (clips, values), any other number of clips.
        generated_prompts: The prompt of each clip; "" or none given where clips are independent.
        reference_prompts: Likewise. Where the sides share prompts, halves of unlike prompts are compared.
        confidence: Of the two-sided interval.

    Raises:
        ValueError: As `set_intervals.checked`, or fewer than `FEWEST_GROUPS` prompts a side.
    """
    x, x_prompts = _in_fixed_order(generated, generated_prompts)
    y, y_prompts = _in_fixed_order(reference, reference_prompts)
    x, y = set_intervals.checked(x, y)
    labels = set_intervals.label(x_prompts, y_prompts)
    fewest = min(len(np.unique(side)) for side in labels)
    if fewest < FEWEST_GROUPS:
        raise ValueError(f"clips of {fewest} prompts: a corrected distance needs {FEWEST_GROUPS} or more")
    centre = (x.mean(0) + y.mean(0)) / 2
    size = float(max(np.abs(x - centre).max(), np.abs(y - centre).max()))
    if size == 0:
        return Corrected(0.0, None, None, "every clip of both sides has the same features")
    found = _estimate((x - centre) / size, (y - centre) / size, labels)
    value = float(found.value) * size**2
    names = set_intervals.group_names(x_prompts, y_prompts)
    parts = DistanceInfluence(value, tuple(names), found.chance.by_group * size**2, float(found.rest) * size**4)
    if fewest < FEWEST_FOR_INTERVAL:
        few = f"clips of {fewest} prompts: an interval needs {FEWEST_FOR_INTERVAL}"
        return Corrected(value, None, None, few, parts)
    quantile = set_intervals.t_quantile(fewest - 1, confidence)
    down, up = set_intervals.skew_corrected_bounds(found.chance, found.variance, found.least, quantile)
    misfit, error = DOUBT_OF_MISFIT * found.misfit, found.variance**0.5
    low = value - hypot(down, quantile * DOUBT * found.turned, quantile * misfit) * size**2
    high = value + hypot(up, quantile * DOUBT_UPWARDS * found.turned, quantile * misfit) * size**2
    doubtful = abs(found.turned) > DOUBTFUL * hypot(error, DOUBT * found.turned) or abs(misfit) > error
    return Corrected(value, low, high, EXTRAPOLATED if doubtful else None, parts)


def _estimate(x: Features, y: Features, labels: tuple[Labels, Labels]) -> Estimated:
    mean, pair = mean_term(x, y, labels), PairOfSets(x, y, labels)
    traces = pair.traces_by.sum(1)
    if traces.min() <= STILL * traces.max():  # one side does not vary, so nothing overlaps
        chance = mean.chance._replace(by_group=mean.chance.by_group + pair.by_group(pair.traces_by.sum(0)))
        return Estimated(mean.value + traces.sum(), chance.variance(), 0.0, chance, 0.0, 0.0)
    return shared_estimate(pair, mean) if set_intervals.shared(labels) else general_estimate(pair, mean)


def _in_fixed_order(features: Features, prompts: Sequence[str]) -> tuple[Features, list[str]]:
    """Clips sorted by their features, so that the random splits do not depend on the order of clips."""
    features = np.asarray(features, np.float64)
    if features.ndim != 2:
        return features, []
    order = np.lexsort(features.T[::-1])
    return features[order], [prompts[i] if prompts else "" for i in order]
