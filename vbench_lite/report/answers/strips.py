"""The parts of an answer on the first screen: a headline, more sentences, and figures with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vbench_lite.records import Estimate
from vbench_lite.report import glossary as words
from vbench_lite.report.answers.leads import Lead, verdict_words
from vbench_lite.report.data import GeneratorResult, SuiteResult


@dataclass(frozen=True)
class IntervalStrip:
    """One figure of every generator, drawn as a dot with its interval on a line each."""

    name: str
    title: str
    qualifier: str
    """What stands behind the title, e.g. "mean of the worst tenth"."""
    rows: Sequence[tuple[GeneratorResult, Estimate, words.Written]]
    write: Callable[[float], str]
    """A place on its scale as text."""
    note: str = ""
    """The verdict, or what else stands beside the title."""
    real: bool = False


@dataclass(frozen=True)
class Answer:
    key: str
    question: str
    headline: str
    sentences: Sequence[str]
    strips: Sequence[IntervalStrip] = field(default=())


def money(scenario: SuiteResult, entry: GeneratorResult, cost: str) -> words.Written:
    """A sum of one generator, per clip or per 1,000."""
    return words.cost_text(cost, entry.cost(cost), scenario.money_scale)


def writer(scenario: SuiteResult, name: str, *, cost: bool = False) -> Callable[[float], str]:
    """How a place on the scale of a figure is written."""

    def write(value: float) -> str:
        estimate = Estimate(value)
        return (words.cost_text(name, estimate, scenario.money_scale) if cost else words.write(estimate)).value

    return write


def strip_of(scenario: SuiteResult, name: str, lead: Lead | None, cost: bool = False) -> IntervalStrip:
    """One score or cost of every generator, with the verdict on it."""
    rows = []
    for entry in scenario.entries:
        estimate = entry.cost(name) if cost else entry.score(name)
        written = words.cost_text(name, estimate, scenario.money_scale) if cost else words.write(estimate)
        rows.append((entry, estimate, written))
    title = words.cost_title(name, scenario.money_scale) if cost else scenario.title_of(name)
    verdict = verdict_words(lead) if lead else ""
    return IntervalStrip(name, title, "", rows, writer(scenario, name, cost=cost), verdict, bool(lead and lead.real))
