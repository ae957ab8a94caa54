"""The last two answers: whether it holds for the scenario, and since the last release."""

from __future__ import annotations

import numpy as np

from vbench_lite.analysis.stats import mean_interval
from vbench_lite.report import words
from vbench_lite.report.data import Entry, Report, Scenario
from vbench_lite.report.strips import Answer


def by_category(scenario: Scenario) -> dict[str, list[float]]:
    """Share of usable clips by category, one figure an entry."""
    categories = dict.fromkeys(c for e in scenario.entries for c in e.grid.categories if c)
    table = {}
    for category in categories:
        rows = [np.array([c == category for c in e.grid.categories]) for e in scenario.entries]
        table[category] = [
            float(e.usable[row].mean()) if row.any() else 0.0 for e, row in zip(scenario.entries, rows, strict=True)
        ]
    return table


def scenarios(report: Report) -> Answer:
    """By category, and over further suites."""
    scenario = report.main
    table = by_category(scenario)
    sentences = []
    line = f"This is {scenario.title.lower()} ({scenario.suite['name']}); other scenarios are other suites."
    if len(scenario.entries) > 1 and table:
        best = int(np.argmax([e.usable_share for e in scenario.entries]))
        holds = sum(shares[best] == max(shares) for shares in table.values())
        line = (
            f"{scenario.entries[best].label} has the largest share of usable clips, and so in {holds} of "
            f"{words.several(len(table), 'category', 'categories')}."
        )
    if table:
        hard = min(table, key=lambda c: sum(table[c]))
        easy = max(table, key=lambda c: sum(table[c]))
        for category, kind in ((easy, "Easiest"), (hard, "Hardest")):
            told = [f"{words.percent(s)} ({e.label})" for s, e in zip(table[category], scenario.entries, strict=True)]
            sentences.append(f"{kind} category: {category}, {words.listed(told)} usable.")
    for other in report.scenarios[1:]:
        told = [f"{e.label} {words.percent(e.usable_share)}" for e in other.entries]
        sentences.append(f"{other.title} ({other.suite['name']}): usable {words.listed(told)}.")
    return Answer("scenario", f"Does it hold for {scenario.title.lower()}?", line, sentences)


def releases(report: Report) -> Answer:
    """Against the run before."""
    scenario = report.main
    sentences, moved = [], []
    for entry in scenario.entries:
        before = [e for e in scenario.past if e.name == entry.name]
        if before:
            shares = (words.percent(e.usable_share) for e in (before[-1], entry))
            moved.append(f"{entry.label} {' to '.join(shares)}")
            change = _change(before[-1], entry)
            sentences.append(
                f"{entry.label}: usable {words.percent(before[-1].usable_share)} on {before[-1].run.created[:10]}, "
                f"{words.percent(entry.usable_share)} on {entry.run.created[:10]}{change}."
            )
    line = "One run, so nothing to hold it against yet."
    if moved:
        line = f"Usable clips since the run before: {', '.join(moved)}."
    if not sentences:
        folder = scenario.newest.folder.path
        sentences = [
            "Give several runs to see how it has moved: vbench report results/*.",
            f"Whether it may ship: vbench gate {folder} --baseline <run>.",
        ]
    return Answer("release", "Is this release better than the last one?", line, sentences)


def _change(before: Entry, after: Entry) -> str:
    shared = [p for p in after.grid.prompts if p in set(before.grid.prompts)]
    if len(shared) < 2:
        return ""
    old, new = ({p: row.mean() for p, row in zip(e.grid.prompts, e.usable, strict=True)} for e in (before, after))
    gap = mean_interval(np.array([100 * (new[p] - old[p]) for p in shared]))
    if gap.low is None or gap.high is None:
        return ""
    shown = "no change shown" if gap.low <= 0 <= gap.high else "real"
    ends = f"{words.number(gap.low, 0)} {words.DASH} {words.number(gap.high, 0)}"
    return f", a change of {words.number(gap.value, 0)} [{ends}] points: {shown}"
