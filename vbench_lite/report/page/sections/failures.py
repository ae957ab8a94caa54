"""Why clips are not usable: a row per reason, with links from the counts to the clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from vbench_lite import formatting as words
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.links import clips_address
from vbench_lite.report.page.section import Scene, Section

MOST_COLUMNS = 5
"""Highest number of generators as columns. More generators become rows."""
SHOWN = 3
"""Highest number of quoted messages per reason, the most frequent first."""


@dataclass(frozen=True)
class Reason:
    """Clips that are not usable because of one metric or code."""

    kind: str
    title: str
    counts: tuple[int, ...]
    """Number of clips by generator, in the order of the scenario."""
    messages: tuple[tuple[str, int], ...]
    """Messages of failed clips, each with its number of clips."""

    @property
    def total(self) -> int:
        return sum(self.counts)


def reasons(scenario: SuiteResult) -> list[Reason]:
    """Every reason, the most frequent first. A clip with several reasons counts for each."""
    by_entry = [Counter(_kinds(entry)) for entry in scenario.entries]
    messages: dict[str, Counter[str]] = {}
    for entry in scenario.entries:
        for codes, text in zip(_codes(entry), entry.grid.text("reason")[entry.grid.tried].tolist(), strict=True):
            if text:
                messages.setdefault(codes, Counter())[text] += 1
    found = [
        Reason(
            kind, scenario.title_of(kind), tuple(counts[kind] for counts in by_entry),
            tuple(messages.get(kind, Counter()).most_common(SHOWN)),
        )
        for kind in dict.fromkeys(kind for counts in by_entry for kind in counts)
    ]  # fmt: skip
    return sorted(found, key=lambda reason: -reason.total)


def _codes(entry: GeneratorResult) -> list[str]:
    return [str(codes) for codes in entry.grid.text("unusable_codes")[entry.grid.tried]]


def _kinds(entry: GeneratorResult) -> Iterable[str]:
    """The reasons of each clip: the metric of a token such as "below_threshold:detail", else its code."""
    for codes in _codes(entry):
        yield from (token.partition(":")[2] or token for token in codes.split(";") if token)


def sections(scene: Scene) -> Iterable[Section]:
    """One section if any clip is not usable."""
    scenario = scene.scenario
    found = reasons(scenario)
    if not found:
        return
    rows = [
        (reason, [
            (entry, count, clips_address(generator=entry.label, state=f"because:{reason.kind}"))
            for entry, count in zip(scenario.entries, reason.counts, strict=True)
        ])
        for reason in found
    ]  # fmt: skip
    tried = [words.several(int(entry.grid.tried.sum()), "clip") for entry in scenario.entries]
    lede = "Clips by the reason why they are not usable. A clip with several reasons counts in each row."
    data = {
        "rows": rows, "entries": scenario.entries, "tried": tried, "beside": scene.beside,
        "most": max(count for reason in found for count in reason.counts),
        "turned": len(scenario.entries) > MOST_COLUMNS,
    }  # fmt: skip
    yield Section("failures", "Why clips are not usable", "failures.html", lede, "Failures", data=data)
