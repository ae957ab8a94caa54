"""What an answer of the first screen is made of: a sentence with numbers, more sentences, figures on lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vbench_lite.report import words
from vbench_lite.report.data import Entry, Scenario
from vbench_lite.report.findings import Lead, verdict_words


@dataclass(frozen=True)
class Strip:
    """One figure of every generator, drawn as a dot with its interval on a line each."""

    name: str
    qualifier: str
    """What stands behind the figure's name, e.g. "per 1,000"."""
    rows: Sequence[tuple[Entry, Mapping[str, Any], words.Written]]
    note: str = ""
    """The verdict, or what else stands beside the title."""
    real: bool = False


@dataclass(frozen=True)
class Answer:
    key: str
    question: str
    headline: str
    sentences: Sequence[str]
    strips: Sequence[Strip] = field(default=())


def money(scenario: Scenario, entry: Entry, cost: str) -> words.Written:
    """A sum of one generator, per clip or per 1,000."""
    return words.cost_text(cost, entry.cost(cost), scenario.money_scale)


def strip_of(scenario: Scenario, name: str, lead: Lead | None, cost: bool = False) -> Strip:
    """One score or cost of every generator, with the verdict on it."""
    rows = []
    for entry in scenario.entries:
        estimate = entry.cost(name) if cost else entry.score(name)
        written = words.cost_text(name, estimate, scenario.money_scale) if cost else words.write(estimate)
        rows.append((entry, estimate, written))
    thousand = "per 1,000" if cost and name.startswith("usd") and scenario.money_scale > 1 else ""
    return Strip(name, thousand, rows, verdict_words(lead) if lead else "", bool(lead and lead.real))
