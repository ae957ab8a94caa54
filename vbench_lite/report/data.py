"""The data of a report: runs from disk, grouped by scenario."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from vbench_lite import __version__
from vbench_lite import formatting as words
from vbench_lite.analysis.answers.leads import Lead, find_leads
from vbench_lite.analysis.family import Family, family_of_sides
from vbench_lite.analysis.paired import measured_groups
from vbench_lite.analysis.quantities import COSTS, Quantity, clip_values
from vbench_lite.analysis.releases import Line, earlier_releases
from vbench_lite.errors import StoreError
from vbench_lite.records import ROUTES, ClipRecord, DeviceFacts, Estimate, MetricInfo, Price, Prompt, Suite
from vbench_lite.report import glossary
from vbench_lite.run.clips import ClipGrid
from vbench_lite.run.manifest import StoredDefinition
from vbench_lite.run.people import HUMAN_METRICS
from vbench_lite.run.summary import Floor, GeneratorSummary, Summary
from vbench_lite.run.view import Run, Side
from vbench_lite.stats import Array

TONES = 3
"""Shades of the colour of a route. Further generators differ by the shape of their marker."""


@dataclass(frozen=True, eq=False)
class GeneratorResult:
    """One generator of one run."""

    label: str
    name: str
    run: Run
    number: int = 0
    """Position on the page, which chooses the marker."""
    tone: int = 0
    """Shade of the route's colour."""
    scene: int = 0
    """Position of its scenario in the report."""

    @property
    def side(self) -> Side:
        """The generator as a side of comparisons."""
        return Side(self.run, self.name)

    @property
    def route(self) -> str:
        return self.figures.route

    @property
    def colour(self) -> str:
        """Name of the colour, the same in plots and in the page's style."""
        route = self.route if self.route in ROUTES else "undisclosed"
        return f"{route}-{self.tone}"

    @property
    def figures(self) -> GeneratorSummary:
        """Its part of summary.json."""
        return self.side.figures

    @property
    def grid(self) -> ClipGrid:
        return self.side.grid

    @property
    def definition(self) -> StoredDefinition:
        return self.side.definition

    @property
    def price(self) -> Price:
        """The price at the start of the run."""
        return self.run.manifest.prices.get(self.name, Price())

    @cached_property
    def usable(self) -> Array:
        """1 for a usable clip, 0 for another clip that was tried, NaN for a clip that was never tried.

        Shape (prompts, clips). All NaN if usability is not evaluated.
        """
        if self.figures.usable is None:
            return np.full(self.grid.made.shape, np.nan)
        return np.where(self.grid.tried, self.grid.made & (self.grid.values("usable") == 1), np.nan)

    @cached_property
    def records(self) -> list[ClipRecord]:
        """The stored records of its clips, with facts that are not in clips.csv, such as times by stage."""
        return self.run.records(self.name)

    def scores(self, metric: str) -> Array:
        """Per-clip values, NaN for none; shape (prompts, clips)."""
        return clip_values(Quantity(metric, "", None, "score", metric), self.grid)

    def costs(self, column: str) -> Array:
        """Per-clip cost by its column in clips.csv, in the unit of the column."""
        return clip_values(next(q for q in COSTS if q.column == column)._replace(scale=1.0), self.grid)

    def score(self, metric: str) -> Estimate:
        """The estimate of summary.json."""
        return self.side.score(metric)

    def cost(self, name: str) -> Estimate:
        return self.side.cost(name)

    @property
    def usable_share(self) -> float | None:
        """Usable clips per clip that was tried; None if usability is not evaluated, or no clip was tried."""
        figures = self.figures
        return figures.usable / figures.tried if figures.usable is not None and figures.tried else None

    def unscored(self, estimate: Estimate) -> int:
        """Number of generated clips that an estimate leaves out. Failed clips are counted separately."""
        return max(0, estimate.unscored - self.figures.failed)

    @property
    def in_main_memory(self) -> bool:
        """Whether its tensors were in the memory of the process, as on a CPU."""
        return glossary.in_main_memory(self.figures.cost)

    @property
    def sweep(self) -> Mapping[str, Any]:
        """For a variant of `--sweep`: "of", and each swept setting with its value; else empty."""
        return self.definition.sweep

    @cached_property
    def batches(self) -> int | None:
        """Number of timed batches, if clips of several prompts were timed together; else None."""
        groups = measured_groups(next(q for q in COSTS if q.column == "wall_s"), self.grid)
        return None if groups is None else int(groups.max()) + 1


@dataclass(frozen=True)
class SuiteResult:
    """The results of one suite that are measured in the same way, so that they are comparable."""

    suite: Suite
    metrics: Mapping[str, MetricInfo]
    entries: Sequence[GeneratorResult]
    past: Sequence[GeneratorResult] = field(default=())
    """Older results of the same generators, oldest first."""

    @cached_property
    def family(self) -> Family:
        """All comparisons of this scenario: every pair of generators, and the changes since the previous run."""
        return family_of_sides([entry.side for entry in self.entries], list(self.changes.values()))

    @cached_property
    def changes(self) -> Mapping[Side, tuple[Side, Side]]:
        """Generator > (its result in the previous run, itself), if there is a previous run."""
        found = {}
        for entry in self.entries:
            before = [past for past in self.past if past.name == entry.name]
            if before:
                found[entry.side] = before[-1].side, entry.side
        return found

    @cached_property
    def history(self) -> Mapping[GeneratorResult, Line]:
        """Releases up to the shown one, if there is an earlier one in this report or beside its run."""
        alone = {entry.side: entry for entry in self.entries if entry.label == entry.name}
        found = earlier_releases(list(alone), [past.run for past in self.past])
        return {alone[side]: line for side, line in found.items()}

    @cached_property
    def leads(self) -> Mapping[str, Lead]:
        """Figure > the lead on it."""
        return find_leads([entry.side for entry in self.entries], self.family)

    @property
    def of_one_sweep(self) -> bool:
        """Whether all generators are variants of one generator in a sweep."""
        return len(self.entries) > 1 and len({entry.sweep.get("of") for entry in self.entries}) == 1 and bool(
            self.entries[0].sweep
        )

    @property
    def newest(self) -> Run:
        return max((entry.run for entry in self.entries), key=lambda run: run.created)

    @property
    def summary(self) -> Summary:
        return self.newest.summary

    @property
    def thresholds(self) -> Mapping[str, Floor]:
        return self.summary.usable.thresholds

    @property
    def evaluated(self) -> bool:
        """Whether usability is evaluated for any generator."""
        return any(entry.figures.usable is not None for entry in self.entries)

    @property
    def money_scale(self) -> float:
        return words.money_scale(entry.cost("usd_per_clip") for entry in self.entries)

    @property
    def per_clip(self) -> list[str]:
        """Metrics with a value per clip and a direction; metrics that answer questions come first."""
        ordered = [name for names in glossary.by_question(self.metrics).values() for name in names]
        return [
            m for m in ordered
            if m not in ("conformance", *HUMAN_METRICS) and self.metrics[m].per == "clip"
            and self.metrics[m].higher_is_better is not None
        ]  # fmt: skip

    @property
    def headline_metrics(self) -> list[str]:
        """The first metric of each question in this scenario."""
        known = glossary.by_question({m: self.metrics[m] for m in self.per_clip})
        return [known[question][0] for question in glossary.JUDGED if question in known]

    def title_of(self, name: str) -> str:
        """The title of a metric or a cost."""
        return glossary.title(name, self.metrics)

    def higher_is_better(self, metric: str) -> bool:
        """Direction of a per-clip metric, or of the share of "usable" clips."""
        return metric == "usable" or bool(self.metrics[metric].higher_is_better)

    @property
    def prompts(self) -> list[Prompt]:
        """Prompts of every entry, in the order of the suite."""
        asked = set.intersection(*(set(entry.grid.prompts) for entry in self.entries))
        return [p for p in self.suite.prompts if p.id in asked]

    @property
    def title(self) -> str:
        return self.suite.title or self.suite.name


def device_name(device: DeviceFacts) -> str:
    return device.name or device.kind or "an unnamed device"


class MarkerStyle(NamedTuple):
    """Marker and shade of a generator, the same in every scenario of a report."""

    number: int
    route: str
    tone: int


@dataclass(frozen=True)
class Report:
    scenarios: Sequence[SuiteResult]
    runs: Sequence[Run]

    @property
    def main(self) -> SuiteResult:
        return self.scenarios[0]

    @property
    def entries(self) -> list[GeneratorResult]:
        """Every generator once, by number."""
        first: dict[int, GeneratorResult] = {}
        for scenario in self.scenarios:
            for entry in scenario.entries:
                first.setdefault(entry.number, entry)
        return [first[number] for number in sorted(first)]

    @property
    def name(self) -> str:
        """Default name of the file."""
        if len(self.runs) == 1:
            return self.runs[0].name
        return "-and-".join(dict.fromkeys(s.suite.name for s in self.scenarios))[:60] + "-history"


def digest(runs: Iterable[Run]) -> str:
    """Digest of the content of a report of these runs, and of the version that renders it."""
    total = hashlib.sha256(__version__.encode())
    for run in runs:
        for path in (run.folder.manifest_path, run.folder.summary_path, run.folder.table_path):
            total.update(hashlib.sha256(path.read_bytes()).digest() if path.exists() else b"-")
    return total.hexdigest()


class _Chosen(NamedTuple):
    run: Run
    generator: str
    by_name: bool
    """Whether the user named this generator of the run."""


def gather(runs: Iterable[Run]) -> Report:
    """Groups runs by scenario: suite, its digest, and the way of measuring.

    If several whole runs have a generator, its newest result is shown and the older ones are its history. Results that
    were named individually ("results/a:gen") are all shown.

    Raises:
        StoreError: A run is missing, unreadable or not scored yet, or there is no run.
    """
    opened: dict[str, Run] = {}
    groups: dict[tuple[object, ...], list[_Chosen]] = {}
    for selection in runs:
        run = opened.setdefault(str(selection.path.resolve()), selection)
        for name in [selection.selected] if selection.selected else run.summary.generators:
            groups.setdefault(_kind(run), []).append(_Chosen(run, name, selection.selected is not None))
    if not groups:
        raise StoreError("there is no run to report on. Make one with: vbench run --suite ads")
    styles: dict[str, MarkerStyle] = {}
    return Report([_scenario(n, group, styles) for n, group in enumerate(groups.values())], list(opened.values()))


def _kind(run: Run) -> tuple[object, ...]:
    """Runs with equal keys are comparable."""
    suite = run.manifest.suite
    return suite.name, suite.digest, tuple(
        sorted((m, i.version, i.backbone or "") for m, i in run.metrics.items() if m not in HUMAN_METRICS)
    )


def _scenario(place: int, group: Sequence[_Chosen], styles: dict[str, MarkerStyle]) -> SuiteResult:
    """One scenario; `styles` keeps marker and shade of each generator, so that they are the same in all scenarios."""
    group = sorted(group, key=lambda item: item.run.created)
    newest = {item.generator: item.run for item in group}
    shown = [(i.run, i.generator) for i in group if i.by_name or newest[i.generator] is i.run]
    past = [
        GeneratorResult(name, name, run) for run, name, by_name in group if (run, name) not in shown and not by_name
    ]
    entries: list[GeneratorResult] = []
    for run, name in dict.fromkeys(shown):
        twice = sum(other == name for _, other in shown) > 1
        label = f"{name} ({run.name})" if twice else name
        route = run.summary[name].route
        alike = sum(style.route == route for style in styles.values())
        style = styles.setdefault(label, MarkerStyle(len(styles), route, alike % TONES))
        entries.append(GeneratorResult(label, name, run, style.number, style.tone, place))
    last = entries[-1].run
    return SuiteResult(last.manifest.suite, last.metrics, entries, past)
