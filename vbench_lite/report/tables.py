"""The main table of a report as plain data. The page and the Markdown report render it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vbench_lite import formatting as words
from vbench_lite.analysis.cost.economics import share_of
from vbench_lite.analysis.summary import NOT_EVALUATED
from vbench_lite.records import Estimate, ReasonCode
from vbench_lite.report import glossary
from vbench_lite.report.answers.leads import Lead, leads
from vbench_lite.report.data import GeneratorResult, SuiteResult, device_name
from vbench_lite.report.method import counted


@dataclass(frozen=True)
class TableCell:
    """One figure of one generator."""

    written: words.Written
    lead: bool
    """Whether this generator is significantly better than all others."""
    unscored: str
    """Number of generated clips without this value, in words; "" for none."""


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    unit: str
    """Unit of the values; "" if each value is written with its own unit."""
    arrow: str
    direction: str
    cells: Sequence[TableCell]


@dataclass(frozen=True)
class Group:
    title: str
    rows: Sequence[Row]


def standfirst(scenario: SuiteResult) -> str:
    """One sentence on the size of the run, its device, its date and its intervals."""
    manifest = scenario.newest.manifest
    total = sum(e.grid.clips for e in scenario.entries)
    return (
        f"{words.several(len(scenario.prompts), 'prompt')} {words.TIMES} "
        f"{words.several(manifest.plan.clips_per_prompt, 'clip')} {words.TIMES} "
        f"{words.several(len(scenario.entries), 'generator')}: {words.several(total, 'clip')}, made on "
        f"{device_name(manifest.device)}, {scenario.newest.created[:10]}. Intervals are 95 %, over prompts"
        f"{f', of time and money over {batches}' if (batches := counted(scenario)) else ''}."
    )


def confidence(scenario: SuiteResult) -> str:
    """The family of comparisons behind "ahead" and "significant"; "" for one generator."""
    return f"{scenario.family.statement()}." if len(scenario.entries) > 1 else ""


def groups(scenario: SuiteResult) -> list[Group]:
    """The groups of the table: scores by the question that they answer, then usability and cost."""
    found = leads(scenario)
    made = [
        Group(_heading(scenario, question), [_score_row(scenario, m, found.get(m)) for m in names])
        for question, names in glossary.by_question(scenario.metrics).items()
    ]
    shown = glossary.costs_shown([entry.figures.cost for entry in scenario.entries])
    costs = [_cost_row(scenario, cost, found.get(cost)) for cost in shown]
    return [*made, Group("Use and cost", [_usable_row(scenario, found.get("usable")), *costs])]


def _heading(scenario: SuiteResult, question: str) -> str:
    """The title of a question. The title of the set metrics also names the reference clips."""
    used = set(scenario.summary.notes.reference.values())
    title = glossary.HEADINGS[question]
    return f"{title}, against {used.pop()}" if question == "set" and len(used) == 1 else title


def usable_estimate(entry: GeneratorResult, category: str | None = None) -> Estimate:
    """The share of usable clips among the attempts, with its interval; of one category, or of all."""
    if entry.figures.usable is None:
        return NOT_EVALUATED
    rows = np.array([category in (None, name) for name in entry.grid.categories], bool)
    usable = entry.usable[rows]
    tried = np.isfinite(usable)
    if not tried.any():
        return Estimate(None, unscored=tried.size, reason="no clip was tried", reason_code=ReasonCode.MISSING)
    prompts = np.repeat(np.arange(len(usable)), usable.shape[1]).reshape(usable.shape)
    share = share_of((usable[tried] == 1).tolist(), prompts[tried].astype(str).tolist())
    return Estimate(share.value, share.low, share.high, int(tried.sum()), int((~tried).sum()))


def _score_row(scenario: SuiteResult, metric: str, lead: Lead | None) -> Row:
    values = [(e, words.write(e.score(metric)), _unscored(e, e.score(metric), "scored")) for e in scenario.entries]
    info = scenario.metrics[metric]
    return _row(metric, scenario.title_of(metric), info.higher_is_better, values, lead, info.unit)


def _cost_row(scenario: SuiteResult, cost: str, lead: Lead | None) -> Row:
    values = [
        (e, words.cost_text(cost, e.cost(cost), scenario.money_scale), _unscored(e, e.cost(cost), "measured"))
        for e in scenario.entries
    ]
    return _row(cost, glossary.cost_title(cost, scenario.money_scale), False, values, lead)


def _usable_row(scenario: SuiteResult, lead: Lead | None) -> Row:
    values = []
    for e in scenario.entries:
        share, figures = usable_estimate(e), e.figures
        failed = f"{figures.failed} failed" if figures.failed else ""
        if share.value is None:
            values.append((e, words.write(share), failed))
            continue
        ends = [words.percent(end) for end in (share.low, share.high) if end is not None]
        value = f"{words.percent(share.value)}, {figures.usable} of {figures.tried}"
        values.append((e, words.Written(value, f" {words.DASH} ".join(ends)), failed))
    return _row("usable", scenario.title_of("usable"), True, values, lead)


def _unscored(entry: GeneratorResult, estimate: Estimate, done: str) -> str:
    """The number of generated clips without this value, in words; "" for none."""
    count = entry.unscored(estimate)
    return f"{words.several(count, 'clip')} not {done}" if count and estimate.value is not None else ""


def _row(
    name: str, title: str, higher: bool | None, values: Sequence[tuple[GeneratorResult, words.Written, str]],
    lead: Lead | None, unit: str = "",
) -> Row:  # fmt: skip
    arrow, direction = {True: ("↑", "higher is better"), False: ("↓", "lower is better"), None: ("", "")}[higher]
    first = lead.first if lead is not None and lead.real else None
    cells = [TableCell(written, entry is first, text) for entry, written, text in values]
    return Row(name, title, unit, arrow, direction, cells)
