"""The first screen: answers six questions on quality, cost and work in sentences with numbers."""

from __future__ import annotations

from vbench_lite import formatting as words
from vbench_lite.report.answers.leads import leads
from vbench_lite.report.answers.quality_and_cost import cost, prices_of_usable_clips, quality, standings
from vbench_lite.report.answers.scenario_and_release import releases, scenarios
from vbench_lite.report.answers.strips import Answer
from vbench_lite.report.answers.unevenness_and_work import human_work, unevenness
from vbench_lite.report.data import Report, SuiteResult


def answers(report: Report) -> list[Answer]:
    """The answers to the six questions, in the order of the page."""
    scenario = report.main
    found = leads(scenario)
    return [
        quality(scenario, found),
        cost(scenario, found),
        unevenness(scenario),
        human_work(scenario, found),
        scenarios(report),
        releases(report),
    ]


def headline(report: Report) -> str:
    """The report in one sentence."""
    scenario = report.main
    found = leads(scenario)
    if len(scenario.entries) == 1:
        entry = scenario.entries[0]
        if entry.usable_share is None:
            return f"Usability of the clips of {entry.label} is not evaluated{_price_tail(scenario)}"
        return f"{words.percent(entry.usable_share)} of the clips of {entry.label} are usable{_price_tail(scenario)}"
    if scenario.of_one_sweep:
        return f"{_growth(scenario)}{_price_tail(scenario)}"
    stand = standings(scenario, found)
    parts = [f"{label} is ahead on {words.listed(what)}" for label, what in stand.ahead.items()]
    if not parts and not stand.split:
        return f"No generator is shown to be ahead on quality{_price_tail(scenario)}"
    texts = [", ".join(parts)] if parts else []
    if stand.split:
        texts.append(f"on {words.listed(stand.split)} the metrics disagree")
    if stand.undecided:
        nothing = "no difference" if len(scenario.entries) == 2 else "no lead"
        texts.append(f"on {words.listed(stand.undecided)} {nothing} is shown")
    text = "; ".join(texts)
    return (text if parts else text[0].upper() + text[1:]) + _price_tail(scenario)


def _growth(scenario: SuiteResult) -> str:
    """The cost per clip of the cheapest and of the most expensive variant of a sweep."""
    name = "usd_per_clip" if any(e.cost("usd_per_clip").value for e in scenario.entries) else "device_s_per_clip"
    known = [(value, e) for e in scenario.entries if (value := e.cost(name).value) is not None]
    of = scenario.entries[0].sweep.get("of")
    if not known or min(known, key=lambda item: item[0])[0] <= 0:
        return f"A sweep of {of}, without known costs"
    (low, first), (high, last) = (pick(known, key=lambda item: item[0]) for pick in (min, max))
    ends = [words.cost_text(name, entry.cost(name), scenario.money_scale).value for entry in (first, last)]
    unit = "1,000 clips" if name == "usd_per_clip" and scenario.money_scale > 1 else "a clip"
    times = words.number(high / low, 1)
    ends = [f"{end} ({entry.label})" for end, entry in zip(ends, (first, last), strict=True)]
    return f"A sweep of {of}: {unit} costs from {ends[0]} to {ends[1]}, {times} times as much"


def _price_tail(scenario: SuiteResult) -> str:
    if prices := prices_of_usable_clips(scenario):
        return f". {prices}"
    none = [e.label for e in scenario.entries if e.figures.usable == 0]
    return f". No clip of {words.listed(none)} is usable." if none else "."
