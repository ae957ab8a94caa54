"""Words for the decisions of `analysis` on which generator is ahead."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from vbench_lite import formatting as words
from vbench_lite.analysis.answers.leads import Verdict
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.stats import Interval

_WORDS: dict[Verdict, str] = {
    "ahead": "significant", "not shown": "no lead shown", "tied": "tied", "few": "too few prompts to tell",
    "few-batches": "too few batches to tell", "alone": "",
}  # fmt: skip


@dataclass(frozen=True)
class Lead:
    """The first generator on one score or cost, compared with the second."""

    name: str
    """Name of the metric or cost."""
    first: GeneratorResult
    second: GeneratorResult | None
    gain: Interval | None
    """Advantage of the first generator, with the interval of the family; for a ratio, its logarithm."""
    p: float | None
    """Two-sided p-value, adjusted for the family of comparisons."""
    verdict: Verdict
    compared: int
    """Generators."""

    @property
    def real(self) -> bool:
        """Whether the first generator is significantly better than every other one."""
        return self.verdict == "ahead"


def leads(scenario: SuiteResult) -> dict[str, Lead]:
    """The lead on every figure with a direction, as decided by `analysis.answers.leads`."""
    entries = {entry.side: entry for entry in scenario.entries}
    found = {}
    for name, lead in scenario.leads.items():
        gain = lead.comparison.gain if lead.comparison else None
        p = lead.comparison.p_adjusted if lead.comparison else None
        second = entries[lead.second] if lead.second else None
        found[name] = Lead(name, entries[lead.first], second, gain, p, lead.verdict, len(entries))
    return found


def verdict_words(lead: Lead) -> str:
    """The verdict on a lead in words, or "" for a single generator.

    For two generators without a lead, no difference is shown. Of more generators, the first and the last may differ.
    """
    return "no difference shown" if lead.verdict == "not shown" and lead.compared == 2 else _WORDS[lead.verdict]


def times_cheaper(lead: Lead) -> str:
    """ "2.1 times [1.4 – 3.0]" for a lead on a ratio, whose gain is a logarithm; "" if it is not known."""
    gain = lead.gain
    if gain is None or gain.low is None or gain.high is None:
        return ""
    times = [exp(end) for end in (gain.value, gain.low, gain.high)]
    return f"{words.number(times[0], 1)} times [{words.number(times[1], 1)} {words.DASH} {words.number(times[2], 1)}]"


def p_text(p: float | None) -> str:
    if p is None:
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
