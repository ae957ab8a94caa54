"""Two runs, or two generators of one run: what is better, what is worse, and what nobody can tell yet."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from vbench_lite.analysis.comparable import RunView, Side, match, require_comparable, unlike_for
from vbench_lite.analysis.paired import align, scored_pairs
from vbench_lite.analysis.quantities import Quantity, quantities
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


@dataclass(frozen=True)
class Comparison:
    """One quantity of a candidate beside its baseline's. Differences are candidate minus baseline, in its unit."""

    metric: str
    unit: str
    higher_is_better: bool | None
    baseline: float | None
    candidate: float | None
    difference: float | None
    low: float | None
    """Of the 95 % interval, not adjusted for the number of comparisons."""
    high: float | None
    p: float | None
    p_holm: float | None
    """Adjusted for all comparisons of this pair of generators: what `words` rests on."""
    prompts: int
    clips: int
    """Pairs of clips in which both have a value."""
    unscored_baseline: int
    unscored_candidate: int
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
        return f"{self.candidate}, held against {self.baseline}: {'; '.join(told) or 'nothing could be compared'}"


def compare_runs(baseline: RunView, candidate: RunView) -> list[PairComparison]:
    """Compares the generators that two run arguments name, prompt by prompt.

    Raises:
        NotComparable: The runs differ in suite, prompts, clips, backbones, versions, protocols or clip form.
    """
    return [compare_generators(*sides) for sides in match(baseline, candidate)]


def compare_generators(baseline: Side, candidate: Side) -> PairComparison:
    """Compares two generators on every quantity that both runs hold.

    Pairs of clips in which one has no value are left out here, and counted: the shares of failed and usable
    clips tell about those. (The gate does not leave them out.)

    Raises:
        NotComparable: As `compare_runs`.
    """
    require_comparable(baseline, candidate)
    known = quantities(baseline.run.metrics)
    names = [n for n in known if n not in _TWINS and (known[n].kind not in _SCORES or n in candidate.run.metrics)]
    rows = [_compare(known[name], baseline, candidate) for name in names]
    rows = [row for row in rows if row.words != "not compared" or row.prompts or known[row.metric].kind in _SCORES]
    family = [n for n, row in enumerate(rows) if row.p is not None and row.higher_is_better is not None]
    adjusted = dict(zip(family, holm([rows[n].p or 0.0 for n in family]), strict=True))
    judged = [_with_words(row, adjusted.get(n)) for n, row in enumerate(rows)]
    return PairComparison(baseline.name, candidate.name, tuple(judged), tuple(_notes(baseline, candidate)))


def _compare(quantity: Quantity, baseline: Side, candidate: Side) -> Comparison:
    why = unlike_for(quantity, baseline, candidate)
    if why:
        return _none(quantity, why, prompts=len(baseline.grid.prompts))
    if quantity.kind == "set":
        return _compare_sets(quantity, baseline, candidate)
    pairs = scored_pairs(quantity, baseline.grid, align(baseline.grid, candidate.grid))
    if isinstance(pairs, str):
        return _none(quantity, pairs)
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
        quantity.name, quantity.unit, quantity.higher_is_better, pairs.baseline, pairs.candidate,
        pairs.candidate - pairs.baseline, low, high, _p(test), None, len(pairs.gains), pairs.clips, *pairs.filled,
        "too few batches to tell" if few_batches else "not judged", None, pairs.batches,
    )  # fmt: skip


def set_error(score: Mapping[str, Any]) -> float | None:
    """The standard error that a stored 95 % interval stands for: that of its longer side, where it leans."""
    value, low, high = score["value"], score.get("low"), score.get("high")
    return None if value is None or low is None or high is None else max(value - low, high - value) / _Z


def _compare_sets(quantity: Quantity, baseline: Side, candidate: Side) -> Comparison:
    """Two set scores by their own intervals; that they share prompts and reference is not used, so it is cautious."""
    old, new = (side.set_score(quantity.name) for side in (baseline, candidate))
    for who, score in (("baseline", old), ("candidate", new)):
        if score["value"] is None:
            return _none(quantity, f"the {who} has none: {score.get('reason') or 'not computed'}")
    difference = new["value"] - old["value"]
    errors = [set_error(score) for score in (old, new)]
    clips = min(score.get("n", 0) for score in (old, new))
    counts = (len(baseline.grid.prompts), clips, old.get("unscored", 0), new.get("unscored", 0))
    if None in errors:
        return Comparison(
            quantity.name, quantity.unit, quantity.higher_is_better, old["value"], new["value"], difference,
            None, None, None, None, *counts, "not judged", "a score without an interval can be read, not judged",
        )  # fmt: skip
    error = math.hypot(*[e or 0.0 for e in errors])
    test = normal_test(difference, error)
    return Comparison(
        quantity.name, quantity.unit, quantity.higher_is_better, old["value"], new["value"], difference,
        difference - _Z * error, difference + _Z * error, _p(test), None, *counts, "not judged",
        "from the two intervals, as if the sets were independent",
    )  # fmt: skip


def _p(test: OneSided | None) -> float | None:
    return None if test is None else float(test.either)


def _none(quantity: Quantity, reason: str, prompts: int = 0) -> Comparison:
    return Comparison(
        quantity.name, quantity.unit, quantity.higher_is_better, None, None, None, None, None, None, None, prompts,
        0, 0, 0, "not compared", reason,
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


def _notes(baseline: Side, candidate: Side) -> list[str]:
    notes = []
    seeds = [side.run.manifest["plan"].get("seed") for side in (baseline, candidate)]
    if seeds[0] != seeds[1]:
        notes.append(f"the runs have other seeds ({seeds[0]} and {seeds[1]}): pairs share their prompt only")
    for who, side in (("baseline", baseline), ("candidate", candidate)):
        missing = int(side.grid.missing.sum())
        if missing:
            notes.append(f"the {who} is incomplete: {missing} of {side.grid.clips} clips were never made")
    only = [f'"{m}"' for m in baseline.run.metrics if m not in candidate.run.metrics]
    only += [f'"{m}"' for m in candidate.run.metrics if m not in baseline.run.metrics]
    if only:
        notes.append(f"only one of the runs has {', '.join(only)}")
    return notes
