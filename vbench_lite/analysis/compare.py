"""Two runs, or two generators of one run: what is better, what is worse, and what cannot be decided yet."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vbench_lite.analysis.comparable import GeneratorPair, match, require_comparable, unlike_for
from vbench_lite.analysis.paired import NoPairs, scored_pairs
from vbench_lite.analysis.quantities import Quantity, quantities
from vbench_lite.records import Estimate
from vbench_lite.run.view import Run
from vbench_lite.stats import MIN_PROMPTS, OneSided, holm, mean_interval, mean_test, normal_test

Words = Literal[
    "better", "worse", "no difference shown", "too few prompts to tell", "too few batches to tell", "not judged",
    "not compared",
]  # fmt: skip
CONFIDENCE = 0.95
_Z = 1.959964
_SCORES = ("score", "set")
_TWINS = ("wall_s_per_clip", "gpu_busy_s_per_clip", "peak_reserved_mb")
"""Second readings of a cost that is compared anyway: each would only make the rest harder to show."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One quantity of a candidate beside its baseline's. Differences are candidate minus baseline, in its unit."""

    metric: str
    unit: str
    higher_is_better: bool | None
    baseline: float | None = None
    candidate: float | None = None
    difference: float | None = None
    low: float | None = None
    """Of the 95 % interval, not adjusted for the number of comparisons."""
    high: float | None = None
    p: float | None = None
    p_holm: float | None = None
    """Adjusted for all comparisons of this pair of generators: what `words` rests on."""
    prompts: int = 0
    clips: int = 0
    """Pairs of clips in which both have a value."""
    unscored_baseline: int = 0
    unscored_candidate: int = 0
    words: Words
    reason: str | None = None
    """Why it was not compared, or what to know about the interval."""
    batches: int | None = None
    """What the interval counts instead of prompts, where clips of several were measured as one."""


@dataclass(frozen=True)
class PairComparison:
    """Everything that can be said about one generator beside another."""

    baseline: str
    candidate: str
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...]

    def headline(self) -> str:
        """One sentence on quality and cost."""
        groups = {word: [c.metric for c in self.comparisons if c.words == word] for word in ("better", "worse")}
        told = [f"{word} on {', '.join(names)}" for word, names in groups.items() if names]
        judged = [c for c in self.comparisons if c.p is not None and c.higher_is_better is not None]
        if judged and all(c.words.startswith("too few") for c in judged):
            return f"{self.candidate}: too few prompts to tell"
        rest = sum(c.words == "no difference shown" for c in judged)
        if rest:
            told.append(f"no difference shown on {'the rest' if told else 'anything'} ({rest})")
        return f"{self.candidate} compared with {self.baseline}: {'; '.join(told) or 'nothing could be compared'}"


def compare_runs(baseline: Run, candidate: Run) -> list[PairComparison]:
    """Compares the generators that two run arguments name, prompt by prompt.

    Raises:
        NotComparable: The runs differ in suite, prompts, clips, backbones, versions, protocols or clip form.
    """
    return [compare_generators(pair) for pair in match(baseline, candidate)]


def compare_generators(pair: GeneratorPair) -> PairComparison:
    """Compares two generators on every quantity that both runs hold.

    Pairs of clips in which one has no value are left out here, and counted: the fractions of failed and usable
    clips show those. (The gate does not leave them out.)

    Raises:
        NotComparable: As `compare_runs`.
    """
    require_comparable(pair)
    known = quantities(pair.baseline.run.metrics)
    names = [n for n in known if n not in _TWINS and (known[n].kind not in _SCORES or n in pair.candidate.run.metrics)]
    rows = [_compare(known[name], pair) for name in names]
    rows = [row for row in rows if row.words != "not compared" or row.prompts or known[row.metric].kind in _SCORES]
    family = [n for n, row in enumerate(rows) if row.p is not None and row.higher_is_better is not None]
    adjusted = dict(zip(family, holm([rows[n].p or 0.0 for n in family]), strict=True))
    judged = [_with_words(row, adjusted.get(n)) for n, row in enumerate(rows)]
    return PairComparison(pair.baseline.name, pair.candidate.name, tuple(judged), tuple(_notes(pair)))


def _compare(quantity: Quantity, pair: GeneratorPair) -> Comparison:
    why = unlike_for(quantity, pair)
    if why:
        return _none(quantity, why, prompts=len(pair.old.prompts))
    if quantity.kind == "set":
        return _compare_sets(quantity, pair)
    pairs = scored_pairs(quantity, pair.old, pair.new)
    if isinstance(pairs, NoPairs):
        return _none(quantity, pairs.reason)
    sign = -1.0 if quantity.higher_is_better is False else 1.0
    few_batches = pairs.too_few == "batches"
    gain = mean_interval(pairs.gains, CONFIDENCE, pairs.freedom)
    if few_batches:
        gain = gain._replace(low=None, high=None)
    ends = [gain.low, gain.high] if sign > 0 else [gain.high, gain.low]
    low, high = (None if end is None else sign * end + 0.0 for end in ends)
    if quantity.kind == "ratio":
        low, high = (None if end is None else pairs.baseline * (float(np.exp(end)) - 1) for end in (low, high))
    test = mean_test(pairs.gains, pairs.freedom) if len(pairs.gains) >= 2 and not few_batches else None
    return Comparison(
        metric=quantity.name, unit=quantity.unit, higher_is_better=quantity.higher_is_better,
        baseline=pairs.baseline, candidate=pairs.candidate, difference=pairs.candidate - pairs.baseline, low=low,
        high=high, p=_p(test), prompts=len(pairs.gains), clips=pairs.clips, unscored_baseline=pairs.filled[0],
        unscored_candidate=pairs.filled[1], words="too few batches to tell" if few_batches else "not judged",
        batches=pairs.batches,
    )  # fmt: skip


def set_error(score: Estimate) -> float | None:
    """The standard error that a stored 95 % interval stands for: that of its longer side, where it is skewed."""
    if score.value is None or score.low is None or score.high is None:
        return None
    return max(score.value - score.low, score.high - score.value) / _Z


def _compare_sets(quantity: Quantity, pair: GeneratorPair) -> Comparison:
    """Two set scores by their own intervals. That they share prompts and reference is not used: it is cautious."""
    old, new = (side.score(quantity.name) for _, side in pair.sides)
    if old.value is None or new.value is None:
        who, score = ("baseline", old) if old.value is None else ("candidate", new)
        return _none(quantity, f"the {who} has none: {score.reason or 'not computed'}")
    difference = new.value - old.value
    known = Comparison(
        metric=quantity.name, unit=quantity.unit, higher_is_better=quantity.higher_is_better, baseline=old.value,
        candidate=new.value, difference=difference, prompts=len(pair.old.prompts), clips=min(old.n, new.n),
        unscored_baseline=old.unscored, unscored_candidate=new.unscored, words="not judged",
        reason="a score without an interval can be read, not judged",
    )  # fmt: skip
    errors = [set_error(score) for score in (old, new)]
    if errors[0] is None or errors[1] is None:
        return known
    error = math.hypot(errors[0], errors[1])
    return dataclasses.replace(
        known, low=difference - _Z * error, high=difference + _Z * error, p=_p(normal_test(difference, error)),
        reason="from the two intervals, as if the sets were independent",
    )  # fmt: skip


def _p(test: OneSided | None) -> float | None:
    return None if test is None else float(test.either)


def _none(quantity: Quantity, reason: str, prompts: int = 0) -> Comparison:
    return Comparison(
        metric=quantity.name, unit=quantity.unit, higher_is_better=quantity.higher_is_better, prompts=prompts,
        words="not compared", reason=reason,
    )  # fmt: skip


def _with_words(row: Comparison, p_holm: float | None) -> Comparison:
    if row.words in ("not compared", "too few batches to tell") or row.higher_is_better is None:
        return row
    if row.prompts < MIN_PROMPTS:
        return dataclasses.replace(row, words="too few prompts to tell", p_holm=p_holm)
    if p_holm is None or row.difference is None:
        return row
    if p_holm > 1 - CONFIDENCE:
        return dataclasses.replace(row, words="no difference shown", p_holm=p_holm)
    better = (row.difference > 0) == row.higher_is_better
    return dataclasses.replace(row, words="better" if better else "worse", p_holm=p_holm)


def _notes(pair: GeneratorPair) -> list[str]:
    notes = [pair.seeds_differ] if pair.seeds_differ else []
    for who, side in pair.sides:
        missing = int(side.grid.missing.sum())
        if missing:
            notes.append(f"the {who} is incomplete: {missing} of {side.grid.clips} clips were never made")
    old, new = (side.run.metrics for _, side in pair.sides)
    only = [f'"{name}"' for name in (*(m for m in old if m not in new), *(m for m in new if m not in old))]
    if only:
        notes.append(f"only one of the runs has {', '.join(only)}")
    return notes
