"""The first screen: the questions that people who pay for clips ask, answered in sentences with numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vbench_lite.analysis.stats import mean_interval
from vbench_lite.analysis.unevenness import best_of_curve, spread, worst_tenth
from vbench_lite.report import words
from vbench_lite.report.data import Entry, Report, Scenario
from vbench_lite.report.findings import Lead, leads, p_text, times_cheaper, verdict_words


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


def answers(report: Report) -> list[Answer]:
    """Six of them, in the order in which one would ask."""
    scenario = report.main
    found = leads(scenario)
    return [
        _quality(scenario, found),
        _cost(scenario, found),
        _unevenness(scenario),
        _human_work(scenario),
        _scenarios(report),
        _releases(report),
    ]


def headline(report: Report) -> str:
    """The report in one breath."""
    scenario = report.main
    found = leads(scenario)
    if len(scenario.entries) == 1:
        entry = scenario.entries[0]
        return f"{words.percent(entry.usable_share)} of the clips of {entry.label} are usable{_price_tail(scenario)}"
    asked = [(q, next((found[m] for m in q.metrics if m in found), None)) for q in words.QUESTIONS]
    heads = [(question, lead) for question, lead in asked if lead is not None]
    open_ = [question.title.lower() for question, lead in heads if not lead.real]
    parts = [f"{label} is ahead on {words.listed(what)}" for label, what in _won(heads).items()]
    if not parts:
        return f"No generator is shown to be ahead on quality{_price_tail(scenario)}"
    text = ", ".join(parts)
    if open_:
        text += f"; on {words.listed(open_)} no difference is shown"
    return text + _price_tail(scenario)


def _price_tail(scenario: Scenario) -> str:
    known = [e for e in scenario.entries if e.cost("usd_per_usable_clip")["value"] is not None]
    if not known:
        none = [e.label for e in scenario.entries if not e.figures["usable"]]
        return f". Nothing of {words.listed(none)} is usable." if none else "."
    known.sort(key=lambda e: e.cost("usd_per_usable_clip")["value"])
    unit = "1,000 usable clips cost" if scenario.money_scale > 1 else "A usable clip costs"
    prices = [f"{_money(scenario, e, 'usd_per_usable_clip').value} with {e.label}" for e in known[:3]]
    return f". {unit} {words.listed(prices)}."


def _money(scenario: Scenario, entry: Entry, cost: str) -> words.Written:
    return words.cost_text(cost, entry.cost(cost), scenario.money_scale)


def _strip(scenario: Scenario, name: str, lead: Lead | None, cost: bool = False) -> Strip:
    rows = []
    for entry in scenario.entries:
        estimate = entry.cost(name) if cost else entry.score(name)
        written = words.cost_text(name, estimate, scenario.money_scale) if cost else words.write(estimate)
        rows.append((entry, estimate, written))
    thousand = "per 1,000" if cost and name.startswith("usd") and scenario.money_scale > 1 else ""
    return Strip(name, thousand, rows, verdict_words(lead) if lead else "", bool(lead and lead.real))


def _quality(scenario: Scenario, found: Mapping[str, Lead]) -> Answer:
    sentences, strips, heads = [], [], []
    for question in words.QUESTIONS:
        known = [m for m in question.metrics if m in found]
        if not known:
            continue
        lead = found[known[0]]
        sentences.append(f"{question.title}: {_lead_sentence(lead)}{_others(lead, [found[m] for m in known[1:]])}")
        strips.append(_strip(scenario, known[0], lead))
        heads.append((question, lead))
    real = [f"{label} on {words.listed(what)}" for label, what in _won(heads).items()]
    line = f"Ahead: {', '.join(real)}." if real else "No lead is shown."
    if len(scenario.entries) == 1:
        line = "One generator, so nobody is ahead of anybody."
    return Answer("quality", "Which route, and which model, is ahead, and is it real?", line, sentences, strips)


def _won(heads: Sequence[tuple[words.Question, Lead]]) -> dict[str, list[str]]:
    """Who is really ahead on what."""
    won: dict[str, list[str]] = {}
    for question, lead in heads:
        if lead.real:
            won.setdefault(lead.first.label, []).append(question.title.lower())
    return won


def _lead_sentence(lead: Lead) -> str:
    first = words.write(lead.first.score(lead.name))
    name = words.title(lead.name).lower()
    if lead.second is None:
        return f"{name} {first}."
    second = words.write(lead.second.score(lead.name))
    who = f"{lead.first.label} ({words.ROUTES.get(lead.first.route, lead.first.route)})"
    gap = words.write({"value": None, "low": None, "high": None} if lead.gain is None else lead.gain._asdict())
    if lead.verdict == "real":
        return (
            f"{who} is ahead, {name} {first.value} against {second.value} of {lead.second.label}; "
            f"{gap} better, {p_text(lead.p)}: real."
        )
    told = f"{name} {first.value} ({lead.first.label}) against {second.value}"
    return f"{told}; {verdict_words(lead)}{_noise(gap, lead)}."


def _noise(gap: words.Written, lead: Lead) -> str:
    return f", the difference {gap} could be chance ({p_text(lead.p)})" if lead.verdict == "noise" else ""


def _others(head: Lead, rest: Sequence[Lead]) -> str:
    """What the question's further metrics say to that."""
    text = ""
    for lead in rest:
        if lead.verdict == "alone":
            continue
        says = f"{lead.first.label} is better" if lead.real else verdict_words(lead)
        also = " too" if lead.real and head.real and lead.first is head.first else ""
        text += f" {words.title(lead.name)}: {says}{also}."
    return text


def _cost(scenario: Scenario, found: Mapping[str, Lead]) -> Answer:
    sentences = [_cost_sentence(scenario, entry) for entry in scenario.entries]
    lead = found.get("usd_per_usable_clip")
    line = "What a usable clip costs is not known: no price, or nothing usable."
    if lead is not None:
        unit = "1,000 usable clips cost" if scenario.money_scale > 1 else "A usable clip costs"
        line = f"{unit} {_money(scenario, lead.first, lead.name).value} with {lead.first.label}"
        if lead.second is not None:
            line += f", {_money(scenario, lead.second, lead.name).value} with {lead.second.label}"
            times = times_cheaper(lead)
            if lead.real and times:
                sentences.append(f"A usable clip of {lead.first.label} is {times} cheaper: real ({p_text(lead.p)}).")
            elif lead.verdict == "noise":
                sentences.append(f"On cost per usable clip no difference is shown ({p_text(lead.p)}).")
        line += "."
    strips = [_strip(scenario, name, found.get(name), cost=True) for name in ("usd_per_clip", "usd_per_usable_clip")]
    if all(e.cost("usd_per_clip")["value"] is None for e in scenario.entries):
        strips = [_strip(scenario, "device_s_per_clip", found.get("device_s_per_clip"), cost=True)]
    return Answer("cost", "What does a clip cost, and what a usable one?", line, sentences, strips)


def _cost_sentence(scenario: Scenario, entry: Entry) -> str:
    per = "1,000 clips" if scenario.money_scale > 1 else "a clip"
    parts = []
    if entry.cost("usd_per_clip")["value"] is not None:
        usable = _money(scenario, entry, "usd_per_usable_clip")
        tail = f"{usable} for as many usable ones" if entry.figures["usable"] else f"usable: {usable.value}"
        parts.append(f"{_money(scenario, entry, 'usd_per_clip')} for {per}, {tail}")
    else:
        parts.append(f"no price ({entry.cost('usd_per_clip').get('reason', 'not known')})")
    for name, unit in (("device_s_per_clip", "of device time"), ("energy_wh_per_clip", "of energy")):
        if entry.cost(name)["value"] is not None:
            parts.append(f"{words.cost_text(name, entry.cost(name)).value} {unit} a clip")
    memory = next((n for n in ("peak_memory_mb", "peak_rss_mb") if entry.cost(n)["value"] is not None), None)
    if memory:
        kind = "device memory" if memory == "peak_memory_mb" else "process memory"
        parts.append(f"{words.cost_text(memory, entry.cost(memory)).value} of {kind} at the peak")
    return f"{entry.label}: {'; '.join(parts)}."


def _unevenness(scenario: Scenario) -> Answer:
    sentences = []
    for entry in scenario.entries:
        others = [e.scores(m) for m in scenario.heads[-1:] for e in scenario.entries if e is not entry]
        sentences += [f"{entry.label}: {text}" for text in _uneven_sentence(scenario, entry, others)]
    line = _best_of_line(scenario)
    metric = scenario.heads[-1] if scenario.heads else ""
    rows = []
    for entry in scenario.entries if metric else []:
        worst = _as_figures(worst_tenth(entry.scores(metric), bool(scenario.metrics[metric]["higher_is_better"])))
        rows.append((entry, worst, words.write(worst)))
    strips = [Strip(metric, "mean of the worst tenth", rows)] if rows else []
    return Answer("unevenness", "How uneven is the quality, and what does retrying buy?", line, sentences, strips)


def _as_figures(estimate: Any) -> dict[str, Any]:
    return {name: getattr(estimate, name) for name in ("value", "low", "high", "n", "unscored", "reason")}


def _uneven_sentence(scenario: Scenario, entry: Entry, others: Sequence[Any]) -> Iterable[str]:
    for metric in scenario.heads[-1:]:
        worst = worst_tenth(entry.scores(metric), bool(scenario.metrics[metric]["higher_is_better"]))
        if worst.value is None:
            continue
        text = (
            f"its worst tenth averages {words.write(_as_figures(worst)).value} on {words.title(metric).lower()}, "
            f"all its clips {words.write(entry.score(metric)).value}"
        )
        parts = spread(entry.scores(metric), others)
        if parts and parts.total:
            text += f"; {words.percent(parts.shares()[2])} of the spread is luck between clips of one prompt"
        yield text + "."


def _best_of_line(scenario: Scenario) -> str:
    parts = []
    for entry in scenario.entries:
        curve = best_of_curve(entry.usable)
        if len(curve) > 1 and curve[0].value is not None:
            parts.append(f"{words.percent(curve[0].value)} to {words.percent(curve[-1].value)} for {entry.label}")
    if not parts:
        return "With one clip a prompt, what retrying buys cannot be told."
    clips = scenario.entries[0].usable.shape[1]
    told = words.listed(parts)
    return f"The best of {clips} lifts the chance of a usable clip from {told}, at {clips} times the cost."


def _human_work(scenario: Scenario) -> Answer:
    sentences = []
    for entry in scenario.entries:
        attempts = words.cost_text("attempts_per_usable_clip", entry.cost("attempts_per_usable_clip"))
        close, rejected, failed = triage(entry)
        said = f"{attempts} attempts" if entry.figures["usable"] else f"usable clips: {attempts.value}"
        sentences.append(
            f"{entry.label}: {said}; of {words.several(entry.grid.clips, 'clip')}, {entry.figures['usable']} usable, "
            f"{close} close calls that a person should look at (one threshold missed, or a score is lacking), "
            f"{rejected} rejected on several counts, {failed} failed."
        )
    ranked = [e for e in scenario.entries if e.figures["usable"]]
    ranked.sort(key=lambda e: -e.usable_share)
    line = "No generator made a usable clip."
    if ranked:
        least = words.cost_text("attempts_per_usable_clip", ranked[0].cost("attempts_per_usable_clip")).value
        line = f"{ranked[0].label} needs {least} attempts for a usable clip"
        if len(ranked) > 1:
            most = words.cost_text("attempts_per_usable_clip", ranked[-1].cost("attempts_per_usable_clip")).value
            line += f", {ranked[-1].label} {most}"
        line += "."
    rows = [
        (e, e.cost("attempts_per_usable_clip"), words.cost_text("attempts", e.cost("attempts_per_usable_clip")))
        for e in scenario.entries
    ]
    strip = Strip("attempts_per_usable_clip", "", rows)
    return Answer("human-work", "How much human work is left?", line, sentences, [strip])


def triage(entry: Entry) -> tuple[int, int, int]:
    """Clips that are (close calls, rejected on several counts, failed or missing); the rest are usable.

    A close call was made and conforms, but misses a single threshold or lacks a single score.
    """
    grid = entry.grid
    because = grid.text("unusable_because")
    counts = np.where(because == "", 0, np.char.count(because, "; ") + 1)
    broken = np.char.find(because, "conformance: ") >= 0
    unusable = grid.made & (entry.usable == 0)
    close = unusable & (counts == 1) & ~broken
    return int(close.sum()), int((unusable & ~close).sum()), int((~grid.made).sum())


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


def _scenarios(report: Report) -> Answer:
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


def _releases(report: Report) -> Answer:
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
