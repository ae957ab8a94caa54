"""The difference of two values of a set metric, such as FVD, with its error."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.distances.paired import DistanceInfluence, error_of_difference
from vbench_lite.distances.stored import read_features
from vbench_lite.records import Estimate
from vbench_lite.run.view import Side
from vbench_lite.stats import Array, OneSided

_Z = 1.959964
_MANY = 10_000
"""Degrees of freedom of an error that is assumed to be known."""
BY_FEATURES = "by the stored features, prompt by prompt"
BY_INTERVALS = "from the two intervals, as if the sets were independent"
SAME_FEATURES = "the same features in both runs"


@dataclass(frozen=True)
class MeanError:
    """The standard error of a figure, with its degrees of freedom."""

    error: Array
    """Shape (...)."""
    df: int

    def test(self, figure: Array) -> OneSided:
        """p values of the hypotheses "0 or less" and "0 or more". With an error of 0, they are 0 or 1."""
        still = self.error <= 0
        t = np.where(still, np.copysign(np.inf, figure), figure / np.where(still, 1.0, self.error))
        nothing = still & (np.abs(figure) <= 0)
        above, below = special.stdtr(self.df, -t), special.stdtr(self.df, t)
        return OneSided(np.where(nothing, 1.0, above), np.where(nothing, 1.0, below))

    def half_width(self, tail: float) -> Array:
        """Half width of an interval, each end of which is wrong with the probability `tail`."""
        half: Array = special.stdtrit(self.df, 1 - tail) * self.error
        return half


@dataclass(frozen=True)
class SetDifference:
    """The difference candidate minus baseline."""

    baseline: float
    candidate: float
    how: str
    """How the error was computed, as text; "" if there is no error."""
    influences: tuple[DistanceInfluence, DistanceInfluence] | None
    errors: tuple[float, float] | None
    """Standard errors of baseline and candidate."""

    @property
    def difference(self) -> float:
        return self.candidate - self.baseline

    def error(self, weight: float = 1.0) -> MeanError | None:
        """Error of the candidate's figure minus `weight` times the baseline's; None if unknown."""
        if self.influences:
            old, new = self.influences
            df = min(len(old.groups), len(new.groups)) - 1
            return MeanError(np.asarray(error_of_difference(new, old, weight)), df)
        return known_error(math.hypot(self.errors[1], weight * self.errors[0])) if self.errors else None


def set_difference(metric: str, pair: GeneratorPair) -> SetDifference | str:
    """The difference of two set scores, or the reason why there is none.

    If both runs have the same features (same digest), the error is 0. If both store the influence of each prompt,
    common errors cancel. Otherwise the two stored intervals are combined as if the sets were independent. The sets
    share prompts and reference, so this is conservative.
    """
    old, new = (side.score(metric) for _, side in pair.sides)
    for who, score in (("baseline", old), ("candidate", new)):
        if score.value is None:
            return f"the {who} has none: {score.reason or 'not computed'}"
    assert old.value is not None
    assert new.value is not None
    digests = [side.run.summary.notes.features.get(side.generator) for _, side in pair.sides]
    if digests[0] and digests[0] == digests[1] and old.value == new.value:
        return SetDifference(old.value, new.value, SAME_FEATURES, None, (0.0, 0.0))
    stored = [_influence(side) if metric == "fvd_corrected" else None for _, side in pair.sides]
    if stored[0] is not None and stored[1] is not None:
        return SetDifference(old.value, new.value, BY_FEATURES, (stored[0], stored[1]), None)
    errors = [set_error(score) for score in (old, new)]
    if errors[0] is None or errors[1] is None:
        return SetDifference(old.value, new.value, "", None, None)
    return SetDifference(old.value, new.value, BY_INTERVALS, None, (errors[0], errors[1]))


def set_error(score: Estimate) -> float | None:
    """The standard error of a stored 95 % interval; that of the longer side if it is skewed."""
    if score.value is None or score.low is None or score.high is None:
        return None
    return max(score.value - score.low, score.high - score.value) / _Z


def known_error(error: float | None) -> MeanError | None:
    """An error that is assumed to be known."""
    return None if error is None else MeanError(np.asarray(error), _MANY)


def _influence(side: Side) -> DistanceInfluence | None:
    """The influence of each prompt on the run's distance, if scoring stored it."""
    digest = side.run.summary.notes.features.get(side.generator)
    return _read(side.run.folder.features_path(side.generator), digest) if digest else None


@functools.lru_cache(maxsize=64)
def _read(path: Path, digest: str) -> DistanceInfluence | None:
    return read_features(path, digest).corrected
