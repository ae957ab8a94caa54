"""What the figures say: who is ahead on what, whether it is real, and what it costs. In words with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Literal

import numpy as np

from vbench_lite.analysis.comparable import align
from vbench_lite.analysis.paired import NoPairs, Paired, scored_pairs
from vbench_lite.analysis.quantities import RATIOS, SHARES, Quantity, find_quantity
from vbench_lite.report import glossary as words
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.stats import Interval, holm, mean_interval, mean_test

LEVEL = 0.05
Verdict = Literal["real", "noise", "few", "few-batches", "alone"]


@dataclass(frozen=True)
class Lead:
    """Who comes first on one figure, against the next."""

    name: str
    """Of the metric or cost."""
    first: GeneratorResult
    second: GeneratorResult | None
    gain: Interval | None
    """By how much the first is better, over paired prompts; for a ratio, of its logarithm."""
    p: float | None
    """Two-sided, adjusted for every comparison made here (Holm)."""
    verdict: Verdict

    @property
    def real(self) -> bool:
        return self.verdict == "real"


def leads(scenario: SuiteResult) -> dict[str, Lead]:
    """The lead on every per-clip metric with a direction, on the usable share, and on cost.

    The first by value is held against each of the others, pair by pair of clips that both have; all these
    comparisons share one error budget. A lead counts as real against the generator that comes second.
    """
    found: list[tuple[Lead, float]] = []
    for quantity in _asked(scenario):
        found += _comparisons(quantity, scenario)
    adjusted = holm([p for _, p in found])
    result: dict[str, Lead] = {}
    for (lead, _), p in zip(found, adjusted, strict=True):
        if lead.name not in result:
            verdict = _verdict(lead, p)
            result[lead.name] = Lead(lead.name, lead.first, lead.second, lead.gain, p, verdict)
    return result


def _asked(scenario: SuiteResult) -> list[Quantity]:
    scores = [find_quantity(metric, scenario.metrics) for metric in scenario.per_clip]
    money = [q for q in RATIOS if q.name == "usd_per_usable_clip"]
    costs = [find_quantity(name, scenario.metrics) for name in ("usd_per_clip", "device_s_per_clip")]
    return [*scores, SHARES[0], *money, *costs]


def _value(entry: GeneratorResult, quantity: Quantity) -> float | None:
    if quantity.name == "usable":
        return entry.usable_share
    return (entry.score(quantity.name) if quantity.kind == "score" else entry.cost(quantity.name)).value


def ranked(entries: Sequence[GeneratorResult], quantity: Quantity) -> list[GeneratorResult]:
    """Those with a value, the best first."""
    sign = -1.0 if quantity.higher_is_better else 1.0
    known = [(sign * value, entry) for entry in entries if (value := _value(entry, quantity)) is not None]
    return [entry for _, entry in sorted(known, key=lambda item: item[0])]


def _comparisons(quantity: Quantity, scenario: SuiteResult) -> list[tuple[Lead, float]]:
    entries = ranked(scenario.entries, quantity)
    if not entries:
        return []
    first, *others = entries
    if not others:
        return [(Lead(quantity.name, first, None, None, None, "alone"), 1.0)]
    return [_against(quantity, first, other) for other in others]


def _against(quantity: Quantity, first: GeneratorResult, second: GeneratorResult) -> tuple[Lead, float]:
    pairs = paired(quantity, second, first)
    if pairs is None or pairs.too_few or len(pairs.gains) < 2:
        few: Verdict = "few-batches" if pairs is not None and pairs.too_few == "batches" else "few"
        return Lead(quantity.name, first, second, None, None, few), 1.0
    gain = mean_interval(pairs.gains, freedom=pairs.freedom)
    p = float(mean_test(pairs.gains, pairs.freedom).either)
    return Lead(quantity.name, first, second, gain, None, "noise"), p


def paired(quantity: Quantity, baseline: GeneratorResult, candidate: GeneratorResult) -> Paired | None:
    """Two entries' clips, pair by pair, over the prompts that both were asked; None where there is no pair."""
    shared = set(baseline.grid.prompts) & set(candidate.grid.prompts)
    if not shared or baseline.grid.made.shape[1] != candidate.grid.made.shape[1]:
        return None
    grids = [e.grid.only(np.array([p in shared for p in e.grid.prompts])) for e in (baseline, candidate)]
    pairs = scored_pairs(quantity, grids[0], align(grids[0], grids[1]))
    return None if isinstance(pairs, NoPairs) else pairs


def _verdict(lead: Lead, p: float) -> Verdict:
    if lead.second is None:
        return "alone"
    if lead.verdict != "noise":
        return lead.verdict
    return "real" if p < LEVEL else "noise"


def verdict_words(lead: Lead) -> str:
    """ "real", "no difference shown", "too few prompts to tell" (or batches), or "" with nothing to compare."""
    few = {"few": "too few prompts to tell", "few-batches": "too few batches to tell"}
    return {"real": "real", "noise": "no difference shown", "alone": "", **few}[lead.verdict]


def times_cheaper(lead: Lead) -> str:
    """ "2.1 times [1.4 – 3.0]" for a lead on a ratio, whose gain is a logarithm; "" where it is not known."""
    gain = lead.gain
    if gain is None or gain.low is None or gain.high is None:
        return ""
    times = [exp(end) for end in (gain.value, gain.low, gain.high)]
    return f"{words.number(times[0], 1)} times [{words.number(times[1], 1)} {words.DASH} {words.number(times[2], 1)}]"


def p_text(p: float | None) -> str:
    if p is None:
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
