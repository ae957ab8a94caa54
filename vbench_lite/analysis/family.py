"""The rule for comparisons: every pair of generators and every figure, in one family with adjusted intervals.

The intervals of a family have a joint coverage of 95 % (Bonferroni: with m comparisons, each end is wrong
with a probability of at most 0.025 / m). A generator is better or worse if 0 lies outside of this interval. So outcomes
and intervals always agree. The terminal's table, the page, `vbench compare` and the gate show these results.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from vbench_lite.analysis.comparable import GeneratorPair, is_only_reported, unlike_for
from vbench_lite.analysis.paired import NoPairs, Paired, scored_pairs
from vbench_lite.analysis.quantities import Quantity, quantities, shown_in
from vbench_lite.analysis.sets import SetDifference, set_difference
from vbench_lite.formatting import AS_STORED, Change, Shown, write_change
from vbench_lite.run.view import Run, Side
from vbench_lite.stats import MIN_PROMPTS, Interval, interval_of_test, mean_test

LEVEL = 0.05
"""Probability of any error in a family."""
_SCORES = ("score", "set")
_TWINS = ("wall_s_per_clip", "gpu_busy_s_per_clip", "peak_reserved_mb")
"""Costs that nearly repeat another cost. They would only increase the adjustment of the others."""


class Outcome(StrEnum):
    """The result of one comparison, for the candidate."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference shown"
    TOO_FEW_PROMPTS = "too few prompts to tell"
    TOO_FEW_BATCHES = "too few batches to tell"
    NOT_JUDGED = "not judged"
    """The figure has no direction, or no interval."""
    NOT_COMPARED = "not compared"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One quantity of candidate and baseline. Differences are candidate minus baseline, in the unit of the quantity."""

    metric: str
    unit: str
    higher_is_better: bool | None
    baseline: float | None = None
    candidate: float | None = None
    difference: float | None = None
    low: float | None = None
    """Lower end of the simultaneous interval of the family; None without a test."""
    high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    """p times the number of comparisons in the family, at most 1. `words` is decided by this value."""
    gain: Interval | None = None
    """The gain: the difference with the sign of "better is positive"; for a ratio, of its logarithm."""
    prompts: int = 0
    clips: int = 0
    """Number of pairs of clips in which both have a value."""
    unscored_baseline: int = 0
    unscored_candidate: int = 0
    words: Outcome
    reason: str | None = None
    """Why there is no comparison, or how the interval was computed."""
    batches: int | None = None
    """Number of measured batches, if the interval counts these instead of prompts."""
    shown: Shown = AS_STORED
    """How text shows the figures: as the reports of both runs do."""

    def written(self) -> Change:
        """The figures as text, in the unit `shown.unit`."""
        return write_change(
            self.baseline, self.candidate, self.difference, low=self.low, high=self.high, shown=self.shown
        )

    @property
    def tied(self) -> bool:
        """Whether both figures are equal."""
        return self.difference == 0

    def reversed(self) -> Comparison:
        """The same comparison with baseline and candidate exchanged."""
        swap = {Outcome.BETTER: Outcome.WORSE, Outcome.WORSE: Outcome.BETTER}
        gain = self.gain
        return dataclasses.replace(
            self, baseline=self.candidate, candidate=self.baseline, difference=_minus(self.difference),
            low=_minus(self.high), high=_minus(self.low),
            gain=gain and Interval(-gain.value, _minus(gain.high), _minus(gain.low)),
            unscored_baseline=self.unscored_candidate, unscored_candidate=self.unscored_baseline,
            words=swap.get(self.words, self.words),
            shown=dataclasses.replace(self.shown, decimals=(self.shown.decimals[1], self.shown.decimals[0])),
        )  # fmt: skip


def _minus(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


@dataclass(frozen=True, eq=False)
class Family:
    """Pairs of generators, compared on every figure, with a joint adjustment.

    Example:
        >>> from vbench_lite.run.view import open_run
        >>> run = open_run("results/baseline")
        >>> family = family_of_run(run)
        >>> family.between(*family.pairs[0].members, "detail").words.value
        'better'
    """

    pairs: tuple[GeneratorPair, ...]

    @cached_property
    def _raw(self) -> list[dict[str, _Raw]]:
        return [{raw.quantity.name: raw for raw in _all_raw(pair)} for pair in self.pairs]

    @cached_property
    def size(self) -> int:
        """Number of comparisons with a test and a direction."""
        return sum(raw.counts for table in self._raw for raw in table.values())

    @cached_property
    def tables(self) -> list[dict[str, Comparison]]:
        """Quantity > comparison, one table per pair."""
        tail = LEVEL / 2 / max(self.size, 1)
        return [{name: raw.judged(tail) for name, raw in table.items()} for table in self._raw]

    def between(self, baseline: Side, candidate: Side, metric: str) -> Comparison | None:
        """The comparison of two generators on one figure; None if the family does not contain it."""
        for pair, table in zip(self.pairs, self.tables, strict=True):
            if metric in table and pair.members == (baseline, candidate):
                return table[metric]
            if metric in table and pair.members == (candidate, baseline):
                return table[metric].reversed()
        return None

    def statement(self) -> str:
        """A sentence on the comparisons and their adjustment."""
        if not self.size:
            return "Nothing is compared: no figure has an interval, because too few prompts are in both"
        pairs = f"{len(self.pairs)} pair{'s' if len(self.pairs) != 1 else ''} of generators"
        return (
            f"All {self.size} comparisons ({pairs}) are one family: their intervals have a joint coverage of 95 % "
            f"(Bonferroni), and a difference is significant if its interval does not contain 0"
        )


@dataclass(frozen=True)
class _Raw:
    """A comparison before its adjustment for the size of the family."""

    quantity: Quantity
    found: Comparison
    pairs: Paired | None = None
    sets: SetDifference | None = None

    @property
    def counts(self) -> bool:
        return self.found.p is not None and self.quantity.higher_is_better is not None

    def judged(self, tail: float) -> Comparison:
        gain = self._gain(tail)
        if gain is None:
            return self.found
        adjusted = None if self.found.p is None else min(1.0, self.found.p * LEVEL / 2 / tail)
        low, high = _as_difference(gain, self.quantity, self.pairs)
        found = dataclasses.replace(self.found, gain=gain, low=low, high=high, p_adjusted=adjusted)
        if self.quantity.higher_is_better is None or found.words is not Outcome.NO_DIFFERENCE or adjusted is None:
            return dataclasses.replace(found, p_adjusted=None) if self.quantity.higher_is_better is None else found
        if adjusted > LEVEL:
            return found
        return dataclasses.replace(found, words=Outcome.BETTER if gain.value > 0 else Outcome.WORSE)

    def _gain(self, tail: float) -> Interval | None:
        if self.pairs is not None and self.found.p is not None:
            return interval_of_test(self.pairs.gains, tail, self.pairs.freedom)
        if self.sets is not None and self.found.p is not None and (error := self.sets.error()) is not None:
            centre = self.sets.difference * (1.0 if self.quantity.higher_is_better else -1.0)
            half = float(error.half_width(tail))
            return Interval(centre, centre - half, centre + half)
        return None


def _as_difference(gain: Interval, quantity: Quantity, pairs: Paired | None) -> tuple[float | None, float | None]:
    """The ends of a gain's interval as candidate minus baseline, clipped to the possible range."""
    ends = [gain.low, gain.high] if quantity.higher_is_better is not False else [_minus(gain.high), _minus(gain.low)]
    if quantity.kind == "ratio" and pairs is not None:
        ends = [None if end is None else pairs.baseline * math.expm1(end) for end in ends]
    low, high = (0.0, 1.0) if quantity.kind == "share" else quantity.range
    if low is not None and high is not None:
        ends = [None if end is None else max(low - high, min(high - low, end)) for end in ends]
    return ends[0], ends[1]


def _all_raw(pair: GeneratorPair) -> list[_Raw]:
    known = quantities(pair.baseline.run.metrics)
    names = [n for n in known if n not in _TWINS and (known[n].kind not in _SCORES or n in pair.candidate.run.metrics)]
    rows = [_shown(_raw(known[name], pair), pair) for name in names]
    return [r for r in rows if r.found.words != Outcome.NOT_COMPARED or r.found.prompts or r.quantity.kind in _SCORES]


def _shown(raw: _Raw, pair: GeneratorPair) -> _Raw:
    shown = shown_in(raw.quantity, *pair.members, raw.found.baseline, raw.found.candidate)
    return dataclasses.replace(raw, found=dataclasses.replace(raw.found, shown=shown))


def _raw(quantity: Quantity, pair: GeneratorPair) -> _Raw:
    if is_only_reported(quantity, pair):
        quantity = quantity._replace(higher_is_better=None)
    why = unlike_for(quantity, pair)
    if why:
        found = _comparison(quantity, words=Outcome.NOT_COMPARED, reason=why, prompts=len(pair.old.prompts))
        return _Raw(quantity, found)
    if quantity.kind == "set":
        return _raw_sets(quantity, pair)
    human = quantity.kind == "human"
    pairs = pair.pairs(quantity) if human else scored_pairs(quantity, pair.old, pair.new)
    if isinstance(pairs, NoPairs):
        return _Raw(quantity, _comparison(quantity, words=Outcome.NOT_COMPARED, reason=pairs.reason))
    few = pairs.too_few
    test = mean_test(pairs.gains, pairs.freedom) if not few else None
    words = {"prompts": Outcome.TOO_FEW_PROMPTS, "batches": Outcome.TOO_FEW_BATCHES, "": Outcome.NO_DIFFERENCE}[few]
    found = _comparison(
        quantity, baseline=pairs.baseline, candidate=pairs.candidate, difference=pairs.candidate - pairs.baseline,
        p=None if test is None else float(test.either), prompts=len(pairs.gains), clips=pairs.clips,
        unscored_baseline=pairs.filled[0], unscored_candidate=pairs.filled[1], batches=pairs.batches,
        words=Outcome.NOT_JUDGED if quantity.higher_is_better is None else words,
    )  # fmt: skip
    return _Raw(quantity, found, pairs=pairs)


def _raw_sets(quantity: Quantity, pair: GeneratorPair) -> _Raw:
    sets = set_difference(quantity.name, pair)
    if isinstance(sets, str):
        return _Raw(quantity, _comparison(quantity, words=Outcome.NOT_COMPARED, reason=sets))
    scores = [side.score(quantity.name) for _, side in pair.sides]
    error, few = sets.error(), len(pair.old.prompts) < MIN_PROMPTS
    p = None if error is None or few else float(error.test(np.asarray(sets.difference)).either)
    found = _comparison(
        quantity, baseline=sets.baseline, candidate=sets.candidate, difference=sets.difference, p=p,
        prompts=len(pair.old.prompts), clips=min(score.n for score in scores), unscored_baseline=scores[0].unscored,
        unscored_candidate=scores[1].unscored,
        words=_set_words(quantity, few=few, tested=p is not None),
        reason=sets.how or "a score without an interval is reported, but not judged",
    )  # fmt: skip
    return _Raw(quantity, found, sets=sets)


def _set_words(quantity: Quantity, *, few: bool, tested: bool) -> Outcome:
    if quantity.higher_is_better is None or not (few or tested):
        return Outcome.NOT_JUDGED
    return Outcome.TOO_FEW_PROMPTS if few else Outcome.NO_DIFFERENCE


def _comparison(quantity: Quantity, **figures: Any) -> Comparison:
    return Comparison(
        metric=quantity.name, unit=quantity.unit, higher_is_better=quantity.higher_is_better, **figures
    )


def family_of_sides(sides: Sequence[Side], changes: Sequence[tuple[Side, Side]] = ()) -> Family:
    """The family of every pair of these generators, and of changes over time as (before, after).

    Variants of one generator in a sweep are not compared with each other: a sweep shows how cost and quality depend on
    a setting. Generators are also not compared at different values of a swept setting.
    """
    pairs = [GeneratorPair(a, b) for a, b in itertools.combinations(sides, 2) if not _of_one_sweep(a, b)]
    return Family((*pairs, *(GeneratorPair(before, after) for before, after in changes)))


def _of_one_sweep(a: Side, b: Side) -> bool:
    one, two = ({k: v for k, v in side.definition.sweep.items() if k != "of"} for side in (a, b))
    return one != two


def family_of_run(run: Run) -> Family:
    """The family of every pair of generators of a run, for its page, its terminal table and `vbench compare`."""
    return family_of_sides([Side(run, name) for name in run.manifest.generators])
