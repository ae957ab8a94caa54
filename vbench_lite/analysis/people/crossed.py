"""Intervals over prompts and raters, which are crossed: a rater judges many prompts, a prompt has many raters.

The variance of a mean is that over prompts, plus that over raters, minus that of their cells, which both contain
(Cameron, Gelbach and Miller 2011, "Robust inference with multiway clustering"). It is at least the larger of the first
two. Degrees of freedom follow Satterthwaite. benchmarks/review_coverage.py simulates the coverage.

With fewer than three raters, the variance between raters cannot be estimated. The interval is then over prompts, for
these raters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from vbench_lite.records import Estimate, ReasonCode
from vbench_lite.stats import Array

MIN_RATERS = 3
"""Minimum number of raters for an interval over raters."""
MIN_PROMPTS = 3
FEW_RATERS = "fewer than 3 raters: the interval is over prompts, for these raters"

Codes = NDArray[np.intp]


class Clusters(NamedTuple):
    """The prompt and the rater of every vote."""

    prompts: Codes
    raters: Codes

    @classmethod
    def of(cls, prompts: Sequence[str], raters: Sequence[str]) -> Clusters:
        return cls(*(np.unique(names, return_inverse=True)[1] for names in (prompts, raters)))

    def only(self, keep: NDArray[np.bool_]) -> Clusters:
        """The clusters of some of the votes."""
        return Clusters(*(np.unique(codes[keep], return_inverse=True)[1] for codes in self))

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of prompts and of raters."""
        return int(self.prompts.max(initial=-1)) + 1, int(self.raters.max(initial=-1)) + 1


class Spread(NamedTuple):
    """The error of a mean."""

    variance: float
    df: float
    """Degrees of freedom."""

    @property
    def half(self) -> float:
        """Half the width of the 95 % interval."""
        return float(special.stdtrit(self.df, 0.975)) * self.variance**0.5


def spread(influence: Array, clusters: Clusters) -> Spread | None:
    """The variance of a mean over votes; None with too few prompts.

    Args:
        influence: Influence of each vote on the figure, shape (votes,). Its mean is 0.
        clusters: Prompt and rater of each vote.
    """
    prompts, raters = clusters.sizes
    if prompts < MIN_PROMPTS:
        return None
    by_prompt = _variance(influence, clusters.prompts)
    if raters < MIN_RATERS:
        return Spread(by_prompt, prompts - 1)
    by_rater = _variance(influence, clusters.raters)
    cells = _variance(influence, np.unique(clusters.prompts * raters + clusters.raters, return_inverse=True)[1])
    total = max(by_prompt + by_rater - cells, by_prompt, by_rater)
    if total <= 0:
        return Spread(0.0, prompts - 1)
    return Spread(total, max(1.0, total**2 / (by_prompt**2 / (prompts - 1) + by_rater**2 / (raters - 1))))


def _variance(influence: Array, codes: Codes) -> float:
    groups = int(codes.max()) + 1
    if groups < 2:
        return 0.0
    sums = np.bincount(codes, influence)
    return float((sums**2).sum()) / len(influence) ** 2 * groups / (groups - 1)


def estimate(value: float, influence: Array, clusters: Clusters) -> Estimate:
    """A figure of votes with its 95 % interval."""
    found = spread(influence, clusters)
    if found is None:
        return _without(value, len(influence))
    return _note(Estimate(value, value - found.half, value + found.half, len(influence)), clusters)


def _without(value: float, votes: int) -> Estimate:
    few = f"fewer than {MIN_PROMPTS} prompts give no interval"
    return Estimate(value, n=votes, reason=few, reason_code=ReasonCode.TOO_FEW)


def _note(found: Estimate, clusters: Clusters) -> Estimate:
    few = clusters.sizes[1] < MIN_RATERS
    return Estimate(found.value, found.low, found.high, found.n, 0, FEW_RATERS if few else None)


def fraction(values: Array, clusters: Clusters, weights: Array | None = None) -> Estimate:
    """The weighted mean of values in 0 to 1, with an interval within 0 to 1.

    The interval is symmetric in the log odds. If all values are 0, or all are 1, it is the exact binomial interval for
    as many votes as there are prompts.

    Args:
        values: One value per vote, shape (votes,).
        clusters: Prompt and rater of each vote.
        weights: Weight of each vote; None for equal weights.
    """
    if not len(values):
        return Estimate(None, reason="no votes", reason_code=ReasonCode.TOO_FEW)
    parts = np.ones(len(values)) if weights is None else weights
    parts = parts / parts.sum()
    value = float((parts * values).sum())
    found = spread(len(values) * parts * (values - value), clusters)
    if found is None:
        return _without(value, len(values))
    low, high = _fraction_ends(value, found, clusters.sizes[0])
    return _note(Estimate(value, low, high, len(values)), clusters)


def _fraction_ends(value: float, found: Spread, prompts: int) -> tuple[float, float]:
    inside = value * (1 - value)
    if found.variance <= 0 or inside <= 0:
        hits, misses, tail = value * prompts, (1 - value) * prompts, 0.025
        low = float(special.betaincinv(hits, misses + 1, tail)) if hits > 0 else 0.0
        high = float(special.betaincinv(hits + 1, misses, 1 - tail)) if misses > 0 else 1.0
        return low, high
    centre, half = special.logit(value), found.half / inside
    return float(special.expit(centre - half)), float(special.expit(centre + half))


def by_clip_weights(prompts: Codes, clips: Codes) -> Array:
    """Weights of votes: prompts have equal weights, and so do clips of a prompt and votes on a clip.

    The weighted mean is then equal to the mean that follows from the clips' means in clips.csv.
    """
    _, first = np.unique(clips, return_index=True)
    clips_of = np.bincount(prompts[first])
    return 1.0 / (clips_of[prompts] * np.bincount(clips)[clips])
