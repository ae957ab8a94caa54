"""The last two answers: the results by category and suite, and the changes since the last release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from vbench_lite import formatting as words
from vbench_lite.analysis.commands import baseline_folder, promote_command
from vbench_lite.analysis.family import Outcome
from vbench_lite.escaping import vbench_command
from vbench_lite.report import glossary
from vbench_lite.report.answers.strips import Answer
from vbench_lite.report.data import GeneratorResult, Report, SuiteResult
from vbench_lite.report.tables import usable_estimate
from vbench_lite.run.shareable import short_path

QUESTION = "Is this release better than the last one?"


def by_category(scenario: SuiteResult) -> dict[str, list[float | None]]:
    """Share of usable clips by category, one value per entry; None if no clip of the category was tried or judged."""
    categories = dict.fromkeys(c for e in scenario.entries for c in e.grid.categories if c)
    return {category: [usable_estimate(e, category).value for e in scenario.entries] for category in categories}


def scenarios(report: Report) -> Answer:
    """The answer by category and for further suites."""
    scenario = report.main
    table = by_category(scenario)
    sentences = []
    line = f"This scenario is {scenario.title.lower()} ({scenario.suite.name}); other suites cover other scenarios."
    if len(scenario.entries) > 1 and table and scenario.evaluated:
        line = _most_usable(scenario, table)
    if len(table) > 1 and scenario.evaluated:
        sentences += [
            f"{entry.label}: {_extremes({category: shares[nth] for category, shares in table.items()})}."
            for nth, entry in enumerate(scenario.entries)
        ]
    for other in report.scenarios[1:]:
        shares = [f"{e.label} {words.percent(e.usable_share)}" for e in other.entries]
        sentences.append(f"{other.title} ({other.suite.name}): usable {words.listed(shares)}.")
    return Answer("scenario", f"What are the results for {scenario.title.lower()}?", line, sentences)


def _most_usable(scenario: SuiteResult, table: Mapping[str, Sequence[float | None]]) -> str:
    """Which generator has the largest share of usable clips, whether the lead is shown, and in how many categories."""
    shares = [e.usable_share or 0.0 for e in scenario.entries]
    first = [nth for nth, share in enumerate(shares) if share == max(shares)]
    if len(first) > 1:
        return f"{words.listed(scenario.entries[nth].label for nth in first)} have equal shares of usable clips."
    known = [[share or 0.0 for share in row] for row in table.values()]
    alone = sum(row[first[0]] == max(row) and row.count(max(row)) == 1 for row in known)
    tied = sum(row[first[0]] == max(row) and row.count(max(row)) > 1 for row in known)
    lead = scenario.leads.get("usable")
    shown = "" if lead is not None and lead.verdict == "ahead" else ", a difference that is not shown"
    where = f"in {alone} of {words.several(len(known), 'category', 'categories')}"
    where += f", tied in {tied}" if tied else ""
    return (
        f"{scenario.entries[first[0]].label} has the largest share of usable clips{shown}: {where}. "
        "Categories are counted, not tested."
    )


def _extremes(shares: Mapping[str, float | None]) -> str:
    """The categories with the highest and the lowest share of usable clips."""
    known = {category: share for category, share in shares.items() if share is not None}
    if not known:
        return "no clip of a category was tried"
    highest, lowest = max(known.values()), min(known.values())
    if highest == lowest:
        return f"{words.percent(highest)} of the clips are usable in every category"
    named = [words.listed(c for c, share in known.items() if share == end) for end in (highest, lowest)]
    ends = [words.percent(end) for end in (highest, lowest)]
    return f"most clips are usable in {named[0]} ({ends[0]}), fewest in {named[1]} ({ends[1]})"


def releases(report: Report) -> Answer:
    """The answer that compares each generator with its previous run."""
    scenario = report.main
    sentences, moved = [], []
    for entry in scenario.entries:
        before = [e for e in scenario.past if e.name == entry.name]
        if before:
            shares = (words.percent(e.usable_share) for e in (before[-1], entry))
            moved.append(f"{entry.label} {' to '.join(shares)}")
            then, now = (f"{words.percent(e.usable_share)} on {e.run.created[:10]}" for e in (before[-1], entry))
            scores = _scores_since(scenario, before[-1], entry)
            sentences.append(f"{entry.label}: {scores}; usable {then}, {now}{_change(scenario, before[-1], entry)}.")
    line = "There is no earlier run to compare with."
    if moved:
        line = f"Usable clips since the previous run: {', '.join(moved)}."
    elif scenario.history:
        return _untested(scenario)
    if not sentences:
        folder, to = short_path(str(scenario.newest.folder.path)), baseline_folder(scenario.suite.name)
        sentences = [
            f"Compare later runs with this one: {promote_command(folder, to, 'first release')}",
            f"Decide whether a run may be released: {vbench_command('gate', folder, '--baseline', to)}",
        ]
    return Answer("release", QUESTION, line, sentences)


def _untested(scenario: SuiteResult) -> Answer:
    """The figures of an earlier run that is not in the report, and the command that tests the differences."""
    moved, sentences = [], []
    for entry, line in scenario.history.items():
        *_, before, now = line.releases
        same = line.comparable("usable")[-1:]
        shares = [release.figures["usable"].value for release in same[0] if release in (before, now)] if same else []
        if len(shares) == 2:
            moved.append(f"{entry.label} {' to '.join(map(words.percent, shares))}")
        changes = "; ".join(mark.sentence for mark in now.marks) or "no change of the generator is known"
        sentences.append(f"{entry.label}, since {Path(before.run).name} of {before.created[:10]}: {changes}.")
    runs = {short_path(line.releases[-2].run): line.releases[-1].run for line in scenario.history.values()}
    sentences += [f"Test it: {vbench_command('compare', old, short_path(new))}" for old, new in runs.items()]
    found = f": {', '.join(moved)}. The change is not tested here." if moved else " are not comparable."
    return Answer("release", QUESTION, f"Usable clips since the previous run{found}", sentences)


def _scores_since(scenario: SuiteResult, before: GeneratorResult, after: GeneratorResult) -> str:
    """Which scores got better or worse since an earlier run, by the comparisons of the suite's family."""
    found = {m: scenario.family.between(before.side, after.side, m) for m in scenario.per_clip}
    known = {m: c for m, c in found.items() if c is not None and c.p_adjusted is not None}
    if not known:
        return "too few prompts in both runs to compare scores"
    differences = [
        f"{word} on {words.listed(names)}"
        for word in (Outcome.BETTER, Outcome.WORSE)
        if (names := [glossary.inline(scenario.title_of(m)) for m, c in known.items() if c.words is word])
    ]  # fmt: skip
    return "; ".join(differences) or "no difference shown on scores"


def _change(scenario: SuiteResult, before: GeneratorResult, after: GeneratorResult) -> str:
    found = scenario.family.between(before.side, after.side, "usable")
    if found is None or found.difference is None or found.low is None or found.high is None:
        return ""
    shown = "significant" if found.words in (Outcome.BETTER, Outcome.WORSE) else "no change shown"
    ends = f"{words.number(100 * found.low, 0)} {words.DASH} {words.number(100 * found.high, 0)}"
    return f", a change of {words.number(100 * found.difference, 0)} [{ends}] points: {shown}"
