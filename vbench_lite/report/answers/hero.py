"""The large figure of the first screen: the share of usable clips, or the first score if usability is not evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from vbench_lite import formatting as words
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.tables import usable_estimate

MOST = 3
"""Highest number of generators with a large figure. The table has all generators."""


@dataclass(frozen=True)
class Hero:
    """One generator's large figure."""

    entry: GeneratorResult
    value: str
    interval: str
    says: str


def heroes(scenario: SuiteResult) -> list[Hero]:
    """The large figures, best first."""
    if scenario.evaluated:
        known = [(usable_estimate(entry), entry) for entry in scenario.entries]
        ranked = sorted((pair for pair in known if pair[0].value is not None), key=lambda pair: -(pair[0].value or 0.0))
        return [
            Hero(entry, words.percent(share.value), _percents(share.low, share.high), "of its clips are usable")
            for share, entry in ranked[:MOST]
        ]
    for metric in scenario.headline_metrics[:1]:
        sign = -1 if scenario.higher_is_better(metric) else 1
        scored = [(entry.score(metric), entry) for entry in scenario.entries if entry.score(metric).value is not None]
        ordered = sorted(scored, key=lambda pair: sign * (pair[0].value or 0.0))
        written = [(words.write(score), entry) for score, entry in ordered[:MOST]]
        return [Hero(entry, w.value, w.interval, scenario.title_of(metric)) for w, entry in written]
    return []


def _percents(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"{words.percent(low)} {words.DASH} {words.percent(high)}".replace(" %", "\N{NO-BREAK SPACE}%")
