"""The third and the fourth answer: how uneven the quality is, and how much work it leaves to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from vbench_lite.analysis.unevenness import best_of_curve, spread, worst_tenth
from vbench_lite.report import glossary as words
from vbench_lite.report.answers.leads import Lead, verdict_words
from vbench_lite.report.answers.strips import Answer, IntervalStrip
from vbench_lite.report.data import GeneratorResult, SuiteResult


def unevenness(scenario: SuiteResult) -> Answer:
    """The worst tenth, luck, and what retrying buys."""
    sentences = []
    for entry in scenario.entries:
        others = [e.scores(m) for m in scenario.headline_metrics[-1:] for e in scenario.entries if e is not entry]
        sentences += [f"{entry.label}: {text}" for text in _uneven_sentence(scenario, entry, others)]
    line = _best_of_line(scenario)
    metric = scenario.headline_metrics[-1] if scenario.headline_metrics else ""
    rows = []
    for entry in scenario.entries if metric else []:
        worst = _as_figures(worst_tenth(entry.scores(metric), bool(scenario.metrics[metric]["higher_is_better"])))
        rows.append((entry, worst, words.write(worst)))
    strips = [IntervalStrip(metric, "mean of the worst tenth", rows)] if rows else []
    return Answer("unevenness", "How uneven is the quality, and what does retrying buy?", line, sentences, strips)


def _as_figures(estimate: Any) -> dict[str, Any]:
    return {name: getattr(estimate, name) for name in ("value", "low", "high", "n", "unscored", "reason")}


def _uneven_sentence(scenario: SuiteResult, entry: GeneratorResult, others: Sequence[Any]) -> Iterable[str]:
    for metric in scenario.headline_metrics[-1:]:
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


def _best_of_line(scenario: SuiteResult) -> str:
    found = []
    for entry in scenario.entries:
        curve = best_of_curve(entry.usable)
        if len(curve) > 1 and curve[0].value is not None and curve[-1].value is not None:
            found.append((entry.label, curve[0].value, curve[-1].value))
    if not found:
        return "With one clip a prompt, what retrying buys cannot be told."
    clips = scenario.entries[0].usable.shape[1]
    found.sort(key=lambda item: item[1] - item[2])
    helped = [(label, one, best) for label, one, best in found if words.percent(one) != words.percent(best)]
    if not helped:
        return f"The best of {clips} is no more often usable than one, at {clips} times the cost."
    parts = [f"{words.percent(one)} to {words.percent(best)} for {label}" for label, one, best in helped[:2]]
    less = len(found) - len(parts)
    rest = f"; less for the other{'s' if less > 1 else ''}" if less else ""
    told = f"from {words.listed(parts)}"
    return f"The best of {clips} lifts the chance of a usable clip {told}, at {clips} times the cost{rest}."


def human_work(scenario: SuiteResult, found: Mapping[str, Lead]) -> Answer:
    """Attempts, and clips that a person must look at."""
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
    lead = found.get("usable")
    verdict = verdict_words(lead) if lead else ""
    strip = IntervalStrip("attempts_per_usable_clip", "", rows, verdict, bool(lead and lead.real))
    return Answer("human-work", "How much human work is left?", line, sentences, [strip])


def triage(entry: GeneratorResult) -> tuple[int, int, int]:
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
