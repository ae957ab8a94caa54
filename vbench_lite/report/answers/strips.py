"""The parts of an answer on the first screen: a headline, more sentences, and figures with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vbench_lite import formatting as words
from vbench_lite.records import Estimate
from vbench_lite.report import glossary
from vbench_lite.report.answers.leads import Lead, verdict_words
from vbench_lite.report.data import GeneratorResult, SuiteResult


@dataclass(frozen=True)
class IntervalStrip:
    """One score or cost of all generators, drawn with one line per generator: a dot with its interval."""

    name: str
    title: str
    qualifier: str
    """Text behind the title, e.g. "mean of the worst tenth"."""
    rows: Sequence[tuple[GeneratorResult, Estimate, words.Written]]
    write: Callable[[float], str]
    """Formats a value of the scale."""
    note: str = ""
    """The verdict or another text next to the title."""
    real: bool = False


@dataclass(frozen=True)
class Answer:
    key: str
    question: str
    headline: str
    sentences: Sequence[str]
    strips: Sequence[IntervalStrip] = field(default=())


def money(scenario: SuiteResult, entry: GeneratorResult, cost: str) -> words.Written:
    """A cost of one generator in money, per clip or per 1,000 clips."""
    return words.cost_text(cost, entry.cost(cost), scenario.money_scale)


def writer(scenario: SuiteResult, name: str, *, cost: bool = False) -> Callable[[float], str]:
    """A function that formats values of a score or cost."""

    def write(value: float) -> str:
        estimate = Estimate(value)
        return (words.cost_text(name, estimate, scenario.money_scale) if cost else words.write(estimate)).value

    return write


def strip_of(scenario: SuiteResult, name: str, lead: Lead | None, cost: bool = False) -> IntervalStrip:
    """One score or cost of every generator, with its verdict."""
    rows = []
    for entry in scenario.entries:
        estimate = entry.cost(name) if cost else entry.score(name)
        written = words.cost_text(name, estimate, scenario.money_scale) if cost else words.write(estimate)
        rows.append((entry, estimate, written))
    title = glossary.cost_title(name, scenario.money_scale) if cost else scenario.title_of(name)
    verdict = verdict_words(lead) if lead else ""
    return IntervalStrip(name, title, "", rows, writer(scenario, name, cost=cost), verdict, bool(lead and lead.real))
