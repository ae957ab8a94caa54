"""The first two answers: which generator is ahead, and the cost of its clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vbench_lite import formatting as words
from vbench_lite.records import Estimate
from vbench_lite.report import glossary
from vbench_lite.report.answers.leads import Lead, p_text, times_cheaper, verdict_words
from vbench_lite.report.answers.strips import Answer, money, strip_of
from vbench_lite.report.data import GeneratorResult, SuiteResult


@dataclass(frozen=True)
class Standings:
    """The result of each question over all of its metrics."""

    ahead: Mapping[str, list[str]]
    """Generator -> questions on which it alone leads. If it does not lead the first metric: the metrics it leads."""
    split: Sequence[str]
    """Questions on which different generators lead different metrics."""
    undecided: Sequence[str]


def standings(scenario: SuiteResult, found: Mapping[str, Lead]) -> Standings:
    """The leading generator of each question, over all metrics of the question."""
    ahead: dict[str, list[str]] = {}
    split: list[str] = []
    undecided: list[str] = []
    for title, names in _judged(scenario, found):
        known = [found[name] for name in names]
        leaders = {lead.first.label for lead in known if lead.real}
        if len(leaders) == 1:
            led = [glossary.inline(scenario.title_of(lead.name)) for lead in known if lead.real]
            ahead.setdefault(leaders.pop(), []).extend([title.lower()] if known[0].real else led)
        else:
            (split if leaders else undecided).append(title.lower())
    return Standings(ahead, split, undecided)


def _judged(scenario: SuiteResult, found: Mapping[str, Lead]) -> list[tuple[str, list[str]]]:
    """Titles of the questions on which generators are ranked, each with its compared metrics."""
    known = glossary.by_question({name: info for name, info in scenario.metrics.items() if name in found})
    return [(glossary.HEADINGS[question], known[question]) for question in glossary.JUDGED if question in known]


def quality(scenario: SuiteResult, found: Mapping[str, Lead]) -> Answer:
    """Which route, and which model, is ahead on coherence, detail and following the prompt."""
    sentences, strips = [], []
    for title, names in _judged(scenario, found):
        lead, *others = (found[name] for name in names)
        sentences.append(f"{title}: {_lead_sentence(scenario, lead)}{_others(scenario, lead, others)}")
        strips.append(strip_of(scenario, lead.name, lead))
    stand = standings(scenario, found)
    real = [f"{label} on {words.listed(what)}" for label, what in stand.ahead.items()]
    line = f"Ahead: {', '.join(real)}." if real else "No lead is shown." if not stand.split else ""
    if stand.split:
        line = f"{line} Metrics disagree on {words.listed(stand.split)}.".strip()
    if scenario.of_one_sweep:
        line = "A sweep shows how figures grow with a setting, not which value is ahead."
    if len(scenario.entries) == 1:
        line = "One generator: there is nothing to compare it with."
    question = "Which route, and which model, is ahead, and is the difference significant?"
    return Answer("quality", question, line, sentences, strips)


def _lead_sentence(scenario: SuiteResult, lead: Lead) -> str:
    first = words.write(lead.first.score(lead.name))
    name = glossary.inline(scenario.title_of(lead.name))
    if lead.second is None:
        return f"{name} {first}."
    second = words.write(lead.second.score(lead.name))
    who = f"{lead.first.label} ({glossary.ROUTES.get(lead.first.route, lead.first.route)})"
    gap = words.write(Estimate(*(lead.gain or (None, None, None))))
    if lead.real:
        return (
            f"{who} is ahead, {name} {first.value} against {second.value} of {lead.second.label}; "
            f"{gap} better, {p_text(lead.p)}: significant."
        )
    values = f"{name} {first.value} ({lead.first.label}) against {second.value} ({lead.second.label})"
    return f"{values}; {verdict_words(lead)}{_noise(gap, lead)}."


def _noise(gap: words.Written, lead: Lead) -> str:
    return f", the difference {gap} could be chance ({p_text(lead.p)})" if lead.verdict == "not shown" else ""


def _others(scenario: SuiteResult, head: Lead, rest: Sequence[Lead]) -> str:
    """The results of the further metrics of the question."""
    text = ""
    for lead in rest:
        if lead.verdict == "alone":
            continue
        says = f"{lead.first.label} is better" if lead.real else verdict_words(lead)
        also = " too" if lead.real and head.real and lead.first is head.first else ""
        text += f" {scenario.title_of(lead.name)}: {says}{also}."
    return text


def prices_of_usable_clips(scenario: SuiteResult) -> str:
    """The cost of usable clips with the three cheapest generators; "" if no cost is known."""
    prices = [(e.cost("usd_per_usable_clip").value, e) for e in scenario.entries]
    known = sorted(((price, e) for price, e in prices if price is not None), key=lambda item: item[0])
    if not known:
        return ""
    unit = "1,000 usable clips cost" if scenario.money_scale > 1 else "A usable clip costs"
    costs = [f"{money(scenario, e, 'usd_per_usable_clip').value} with {e.label}" for _, e in known[:3]]
    return f"{unit} {words.listed(costs)}."


def cost(scenario: SuiteResult, found: Mapping[str, Lead]) -> Answer:
    """The cost of a clip and of a usable clip, in money, time, energy and memory."""
    sentences = [_cost_sentence(scenario, entry) for entry in scenario.entries]
    lead = found.get("usd_per_usable_clip")
    why = "no price, or no usable clip" if scenario.evaluated else "usability is not evaluated"
    line = prices_of_usable_clips(scenario) or f"The cost of a usable clip is not known: {why}."
    if lead is not None:
        unit = "1,000 usable clips cost" if scenario.money_scale > 1 else "A usable clip costs"
        line = f"{unit} {money(scenario, lead.first, lead.name).value} with {lead.first.label}"
        if lead.second is not None:
            line += f", {money(scenario, lead.second, lead.name).value} with {lead.second.label}"
            times = times_cheaper(lead)
            if lead.real and times:
                text = f"A usable clip of {lead.first.label} is {times} cheaper: significant ({p_text(lead.p)})."
                sentences.append(text)
            elif lead.verdict in ("not shown", "tied"):
                pair = f"{lead.first.label} and {lead.second.label}"
                text = f"On cost per usable clip no difference is shown between {pair} ({p_text(lead.p)})."
                sentences.append(text)
            elif lead.verdict == "few-batches":
                sentences.append("Too few batches were measured to compare costs: clips of a batch share one time.")
        line += "."
    strips = [strip_of(scenario, name, found.get(name), cost=True) for name in ("usd_per_clip", "usd_per_usable_clip")]
    if all(e.cost("usd_per_clip").value is None for e in scenario.entries):
        strips = [strip_of(scenario, "device_s_per_clip", found.get("device_s_per_clip"), cost=True)]
    return Answer("cost", "What does a clip cost, and what a usable one?", line, sentences, strips)


def _cost_sentence(scenario: SuiteResult, entry: GeneratorResult) -> str:
    per = "1,000 clips" if scenario.money_scale > 1 else "a clip"
    parts = []
    if entry.cost("usd_per_clip").value is not None:
        usable = money(scenario, entry, "usd_per_usable_clip")
        tail = f"{usable} for as many usable ones" if entry.figures.usable else f"usable: {usable.reason}"
        parts.append(f"{money(scenario, entry, 'usd_per_clip')} for {per}, {tail}")
    else:
        parts.append(f"no price ({entry.cost('usd_per_clip').reason or 'not known'})")
    for name, unit in (("device_s_per_clip", "of device time"), ("energy_wh_per_clip", "of energy")):
        if entry.cost(name).value is not None:
            parts.append(f"{words.cost_text(name, entry.cost(name)).value} {unit} per clip")
    peaks = ("peak_rss_mb",) if entry.in_main_memory else ("peak_memory_mb", "peak_rss_mb")
    memory = next((n for n in peaks if entry.cost(n).value is not None), None)
    if memory:
        kind = "device memory" if memory == "peak_memory_mb" else "process memory"
        parts.append(f"{words.cost_text(memory, entry.cost(memory)).value} of {kind} at the peak")
    return f"{entry.label}: {'; '.join(parts)}."
