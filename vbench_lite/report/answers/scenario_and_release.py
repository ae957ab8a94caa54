"""The last two answers: whether it holds for the scenario, and since the last release."""

from __future__ import annotations

import shlex

import numpy as np

from vbench_lite.analysis.commands import BASELINE, promote_command
from vbench_lite.analysis.family import Outcome
from vbench_lite.report import glossary as words
from vbench_lite.report.answers.strips import Answer
from vbench_lite.report.data import GeneratorResult, Report, SuiteResult
from vbench_lite.report.tables import usable_estimate


def by_category(scenario: SuiteResult) -> dict[str, list[float | None]]:
    """Share of usable clips by category, one figure an entry; None where no clip of it was tried or judged."""
    categories = dict.fromkeys(c for e in scenario.entries for c in e.grid.categories if c)
    return {category: [usable_estimate(e, category).value for e in scenario.entries] for category in categories}


def scenarios(report: Report) -> Answer:
    """By category, and over further suites."""
    scenario = report.main
    table = by_category(scenario)
    sentences = []
    line = f"This is {scenario.title.lower()} ({scenario.suite.name}); other scenarios are other suites."
    known = {category: [s or 0.0 for s in shares] for category, shares in table.items() if scenario.evaluated}
    if len(scenario.entries) > 1 and known:
        best = int(np.argmax([e.usable_share or 0.0 for e in scenario.entries]))
        holds = sum(shares[best] == max(shares) for shares in known.values())
        line = (
            f"{scenario.entries[best].label} has the largest share of usable clips, and so in {holds} of "
            f"{words.several(len(known), 'category', 'categories')}."
        )
    if known:
        hard = min(known, key=lambda c: sum(known[c]))
        easy = max(known, key=lambda c: sum(known[c]))
        for category, kind in ((easy, "Easiest"), (hard, "Hardest")):
            told = [f"{words.percent(s)} ({e.label})" for s, e in zip(table[category], scenario.entries, strict=True)]
            sentences.append(f"{kind} category: {category}, {words.listed(told)} usable.")
    for other in report.scenarios[1:]:
        told = [f"{e.label} {words.percent(e.usable_share)}" for e in other.entries]
        sentences.append(f"{other.title} ({other.suite.name}): usable {words.listed(told)}.")
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
            then, now = (f"{words.percent(e.usable_share)} on {e.run.created[:10]}" for e in (before[-1], entry))
            told = _scores_since(scenario, before[-1], entry)
            sentences.append(f"{entry.label}: {told}; usable {then}, {now}{_change(scenario, before[-1], entry)}.")
    line = "One run: there is no earlier one to compare it with."
    if moved:
        line = f"Usable clips since the run before: {', '.join(moved)}."
    if not sentences:
        folder = scenario.newest.folder.path
        sentences = [
            f"Compare later runs with this one: {promote_command(str(folder), BASELINE, 'first release')}",
            f"Decide whether a run may ship: {shlex.join(['vbench', 'gate', str(folder), '--baseline', BASELINE])}",
        ]
    return Answer("release", "Is this release better than the last one?", line, sentences)


def _scores_since(scenario: SuiteResult, before: GeneratorResult, after: GeneratorResult) -> str:
    """Which scores got better or worse since an earlier run, as the family of the scenario has it."""
    found = {m: scenario.family.between(before.side, after.side, m) for m in scenario.per_clip}
    known = {m: c for m, c in found.items() if c is not None and c.p_adjusted is not None}
    if not known:
        return "too few prompts in both runs to compare scores"
    told = [
        f"{word} on {words.listed(names)}"
        for word in (Outcome.BETTER, Outcome.WORSE)
        if (names := [words.inline(scenario.title_of(m)) for m, c in known.items() if c.words is word])
    ]  # fmt: skip
    return "; ".join(told) or "no difference shown on scores"


def _change(scenario: SuiteResult, before: GeneratorResult, after: GeneratorResult) -> str:
    found = scenario.family.between(before.side, after.side, "usable")
    if found is None or found.difference is None or found.low is None or found.high is None:
        return ""
    shown = "significant" if found.words in (Outcome.BETTER, Outcome.WORSE) else "no change shown"
    ends = f"{words.number(100 * found.low, 0)} {words.DASH} {words.number(100 * found.high, 0)}"
    return f", a change of {words.number(100 * found.difference, 0)} [{ends}] points: {shown}"
