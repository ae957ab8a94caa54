"""The third and fourth answers: how uneven the quality is, and how much work is left for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from vbench_lite import formatting as words
from vbench_lite.analysis.answers.unevenness import best_of_curve, spread, worst_tenth
from vbench_lite.records import ReasonCode
from vbench_lite.report import glossary
from vbench_lite.report.answers.leads import Lead, verdict_words
from vbench_lite.report.answers.strips import Answer, IntervalStrip, writer
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.stats import Array


def unevenness(scenario: SuiteResult) -> Answer:
    """The answer on the worst tenth, chance between clips of a prompt, and the gain of retrying."""
    sentences = []
    for entry in scenario.entries:
        others = [e.scores(m) for m in scenario.headline_metrics[-1:] for e in scenario.entries if e is not entry]
        sentences += [f"{entry.label}: {text}" for text in _uneven_sentence(scenario, entry, others)]
    line = _best_of_line(scenario)
    metric = scenario.headline_metrics[-1] if scenario.headline_metrics else ""
    rows = []
    for entry in scenario.entries if metric else []:
        worst = worst_tenth(entry.scores(metric), scenario.higher_is_better(metric))
        rows.append((entry, worst, words.write(worst)))
    title = scenario.title_of(metric)
    strips = [IntervalStrip(metric, title, "mean of the worst tenth", rows, writer(scenario, metric))] if rows else []
    return Answer("unevenness", "How uneven is the quality, and what does retrying gain?", line, sentences, strips)


def _uneven_sentence(scenario: SuiteResult, entry: GeneratorResult, others: Sequence[Array]) -> Iterable[str]:
    for metric in scenario.headline_metrics[-1:]:
        worst = worst_tenth(entry.scores(metric), scenario.higher_is_better(metric))
        if worst.value is None:
            continue
        text = (
            f"its worst tenth averages {words.write(worst).value} on {glossary.inline(scenario.title_of(metric))}, "
            f"all its clips {words.write(entry.score(metric)).value}"
        )
        parts = spread(entry.scores(metric), others)
        if parts and parts.total:
            text += f"; {words.percent(parts.shares()[2])} of the variance is chance between clips of one prompt"
        yield text + "."


def _best_of_line(scenario: SuiteResult) -> str:
    found = []
    for entry in scenario.entries:
        curve = best_of_curve(entry.usable)
        if len(curve) > 1 and curve[0].value is not None and curve[-1].value is not None:
            found.append((entry.label, curve[0].value, curve[-1].value))
    if not scenario.evaluated:
        return "Usability is not evaluated, so what retrying gains is shown by score only."
    if not found:
        return "With one clip per prompt, what retrying gains is not known."
    clips = scenario.entries[0].usable.shape[1]
    found.sort(key=lambda item: item[1] - item[2])
    helped = [(label, one, best) for label, one, best in found if words.percent(one) != words.percent(best)]
    if not helped:
        same = f"The best of {clips} is no more often usable than one, and costs as much as {clips} clips."
        return same + _retrying(scenario)
    parts = [f"{words.percent(one)} to {words.percent(best)} for {label}" for label, one, best in helped[:2]]
    less = len(found) - len(parts)
    rest = f"; less for the other{'s' if less > 1 else ''}" if less else ""
    changes = f"from {words.listed(parts)}"
    return (
        f"The best of {clips} lifts the chance of a usable clip {changes}{rest}, and costs as much as {clips} clips."
        f"{_retrying(scenario)}"
    )


def _retrying(scenario: SuiteResult) -> str:
    """The number of attempts until the first usable clip, as a sentence."""
    attempts = [(e.label, e.cost(ATTEMPTS)) for e in scenario.entries]
    costs = sorted((each.value, label, each) for label, each in attempts if each.value)
    known = [f"{words.cost_text(ATTEMPTS, each).value} clips with {label}" for _, label, each in costs]
    rest = len(known) - NAMED
    more = f", and more with the other{f' {rest}' if rest > 1 else ''}" if rest > 0 else ""
    written = words.listed(known[:NAMED])
    return f" Retrying only until a clip is usable takes {written} on average{more}." if known else ""


NAMED = 3
"""Highest number of generators that a sentence names."""
ATTEMPTS = "attempts_per_usable_clip"


def human_work(scenario: SuiteResult, found: Mapping[str, Lead]) -> Answer:
    """The answer on attempts per usable clip, and on clips that a person must look at."""
    sentences = []
    for entry in scenario.entries:
        attempts = words.cost_text("attempts_per_usable_clip", entry.cost("attempts_per_usable_clip"))
        if entry.figures.usable is None:
            reason = attempts.reason if entry.figures.tried else "no clip was tried"
            sentences.append(f"{entry.label}: {reason}.")
            continue
        kinds = triage(entry)
        effort = f"{attempts} attempts" if entry.figures.usable else f"usable clips: {attempts.value}"
        sentences.append(
            f"{entry.label}: {effort}; of {words.several(entry.grid.clips, 'clip')}, {entry.figures.usable} usable, "
            f"{words.several(kinds.close, 'close call')} that a person should look at (one threshold missed, or one "
            "score missing), "
            f"{kinds.rejected} rejected for several reasons, {kinds.failed} failed"
            + (f", {kinds.missing} missing." if kinds.missing else ".")
        )
    ranked = [e for e in scenario.entries if e.figures.usable]
    ranked.sort(key=lambda e: -(e.usable_share or 0.0))
    line = "No generator made a usable clip." if scenario.evaluated else "Usability is not evaluated: no thresholds."
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
    name = "attempts_per_usable_clip"
    strip = IntervalStrip(
        name, scenario.title_of(name), "", rows, writer(scenario, name, cost=True), verdict, bool(lead and lead.real))
    return Answer("human-work", "How much human work is left?", line, sentences, [strip])


CLOSE = {ReasonCode.BELOW_THRESHOLD, ReasonCode.ABOVE_THRESHOLD, ReasonCode.NOT_SCORED}
"""A generated clip whose only reason is one of these is a close call."""


class Triage(NamedTuple):
    """Numbers of clips that are not usable, by the action that they need."""

    close: int
    """Generated, but one threshold missed or one score missing: a person should look at the clip."""
    rejected: int
    failed: int
    missing: int


def is_close(codes: Sequence[str]) -> bool:
    """Whether a clip with these tokens of `unusable_codes` is a close call."""
    return len(codes) == 1 and codes[0].partition(":")[0] in CLOSE


def triage(entry: GeneratorResult) -> Triage:
    """Count the clips that are not usable. The other clips are usable, or usability is not evaluated."""
    grid = entry.grid
    codes = grid.text("unusable_codes")
    unusable = grid.made & (entry.usable == 0)
    close = sum(is_close(str(tokens).split(";")) for tokens in codes[unusable])
    missing = int(grid.missing.sum())
    return Triage(close, int(unusable.sum()) - close, int(grid.tried.sum() - grid.made.sum()), missing)
