"""What a report is about: runs read from disk, gathered by scenario. Reads, arranges, computes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from vbench_lite.analysis.paired import measured_groups
from vbench_lite.analysis.quantities import COSTS, SHARES, Quantity, clip_values
from vbench_lite.errors import StoreError
from vbench_lite.records import ROUTES, ClipKey, ClipRecord
from vbench_lite.report import glossary as words
from vbench_lite.run.clips import ClipGrid, read_grids
from vbench_lite.run.folder import RunFolder, RunSelection
from vbench_lite.stats import Array

TONES = 3
"""Shades of a route's colour; the marker's shape tells further generators apart."""


@dataclass(frozen=True, eq=False)
class Run:
    """One scored run."""

    folder: RunFolder
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]
    grids: Mapping[str, ClipGrid]

    @property
    def created(self) -> str:
        return str(self.manifest.get("created", ""))

    def timings(self, generator: str) -> dict[str, float]:
        """Seconds by phase (import_s, load_s, ...), summed over a generator's processes; empty where not kept."""
        folder = self.folder.path / "timings"
        total: dict[str, float] = {}
        for path in (folder / f"{generator}.json", *sorted(folder.glob(f"{generator}.*of*.json"))):
            for process in _processes(path):
                for name, seconds in process.items():
                    if name.endswith("_s") and isinstance(seconds, int | float):
                        total[name] = total.get(name, 0.0) + seconds
        return total


def _processes(path: Path) -> list[dict[str, Any]]:
    """What the processes of a timings file say; [] where it is missing or broken, for nothing depends on it."""
    try:
        found = json.loads(path.read_text("utf-8"))["processes"]
        return [process for process in found if isinstance(process, dict)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


@dataclass(frozen=True, eq=False)
class GeneratorResult:
    """One generator of one run, as the report shows it."""

    label: str
    name: str
    run: Run
    number: int = 0
    """Place on the page, which chooses the marker."""
    tone: int = 0
    """Shade of the route's colour."""
    scene: int = 0
    """Place of its scenario in the report."""

    @property
    def route(self) -> str:
        return str(self.figures["route"])

    @property
    def colour(self) -> str:
        """Name of the colour, the same in plots and in the page's style."""
        route = self.route if self.route in ROUTES else "undisclosed"
        return f"{route}-{self.tone}"

    @property
    def figures(self) -> Mapping[str, Any]:
        """Its part of summary.json."""
        found: Mapping[str, Any] = self.run.summary["generators"][self.name]
        return found

    @property
    def grid(self) -> ClipGrid:
        return self.run.grids[self.name]

    @property
    def definition(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.run.manifest["generators"][self.name]
        return found

    @property
    def price(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.run.manifest.get("prices", {}).get(self.name, {})
        return found

    @cached_property
    def usable(self) -> Array:
        """1 where a requested clip is usable, else 0; shape (prompts, clips)."""
        return clip_values(SHARES[0], self.grid)

    @cached_property
    def records(self) -> list[ClipRecord]:
        """The stored records of its clips, for what clips.csv does not hold, such as times by stage."""
        folder = self.run.folder
        keys = (ClipKey(self.name, p, k) for p in self.grid.prompts for k in range(self.usable.shape[1]))
        return [folder.read_record(path) for path in map(folder.record_path, keys) if path.exists()]

    def scores(self, metric: str) -> Array:
        """Per-clip values, NaN where there is none; shape (prompts, clips)."""
        return clip_values(Quantity(metric, "", None, "score", metric), self.grid)

    def costs(self, column: str) -> Array:
        """Per-clip cost by its column in clips.csv, in that column's unit."""
        return clip_values(next(q for q in COSTS if q.column == column)._replace(scale=1.0), self.grid)

    def score(self, metric: str) -> Mapping[str, Any]:
        """The estimate of summary.json."""
        found: Mapping[str, Any] = self.figures["scores"].get(metric) or NOTHING
        return found

    def cost(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.figures["cost"].get(name) or NOTHING
        return found

    @property
    def usable_share(self) -> float:
        return float(self.figures["usable"] / self.figures["clips"])

    @property
    def in_main_memory(self) -> bool:
        """Whether its tensors lived in the process's own memory, as on a CPU."""
        return words.in_main_memory(self.figures["cost"])

    @property
    def sweep(self) -> Mapping[str, Any]:
        """Of a variant that `--sweep` made: "of", and each swept setting with its value; else empty."""
        found: Mapping[str, Any] = (self.definition.get("about") or {}).get("sweep") or {}
        return found

    @cached_property
    def batches(self) -> int | None:
        """How many batches were timed, where clips of several prompts were timed as one; else None."""
        groups = measured_groups(next(q for q in COSTS if q.column == "wall_s"), self.grid)
        return None if groups is None else int(groups.max()) + 1


NOTHING: Mapping[str, Any] = {"value": None, "low": None, "high": None, "n": 0, "unscored": 0, "reason": "not measured"}


@dataclass(frozen=True)
class SuiteResult:
    """Everything about one suite, measured in one way: numbers that may stand side by side."""

    suite: Mapping[str, Any]
    """As in run.json."""
    metrics: Mapping[str, Mapping[str, Any]]
    entries: Sequence[GeneratorResult]
    past: Sequence[GeneratorResult] = field(default=())
    """Older results of the same generators, oldest first."""

    @property
    def newest(self) -> Run:
        return max((entry.run for entry in self.entries), key=lambda run: run.created)

    @property
    def summary(self) -> Mapping[str, Any]:
        return self.newest.summary

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.summary.get("usable", {}).get("thresholds", {})
        return found

    @property
    def money_scale(self) -> float:
        return words.money_scale(entry.cost("usd_per_clip") for entry in self.entries)

    @property
    def per_clip(self) -> list[str]:
        """Metrics with a value a clip and a direction, those that answer questions first."""
        asked = [m for q in words.QUESTIONS for m in q.metrics if m in self.metrics]
        rest = [m for m in self.metrics if m not in asked and m != "conformance"]
        return [
            m for m in (*asked, *rest)
            if self.metrics[m]["per"] == "clip" and self.metrics[m]["higher_is_better"] is not None
        ]  # fmt: skip

    @property
    def headline_metrics(self) -> list[str]:
        """The telling metric of each question, as far as this scenario has it."""
        found = (next((m for m in q.metrics if m in self.metrics), None) for q in words.QUESTIONS)
        return [m for m in found if m is not None]

    @property
    def prompts(self) -> list[Mapping[str, Any]]:
        """Prompts that were asked of every entry, in the suite's order."""
        asked = set.intersection(*(set(entry.grid.prompts) for entry in self.entries))
        return [p for p in self.suite["prompts"] if p["id"] in asked]

    @property
    def title(self) -> str:
        return str(self.suite.get("title") or self.suite["name"])


class MarkerStyle(NamedTuple):
    """What a generator is known by throughout a report, in every scenario."""

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
        """Every generator once, in the order of their numbers."""
        first: dict[int, GeneratorResult] = {}
        for scenario in self.scenarios:
            for entry in scenario.entries:
                first.setdefault(entry.number, entry)
        return [first[number] for number in sorted(first)]

    @property
    def name(self) -> str:
        """What the file is called where the user names none."""
        if len(self.runs) == 1:
            return self.runs[0].folder.name
        return "-and-".join(dict.fromkeys(str(s.suite["name"]) for s in self.scenarios))[:60] + "-history"


def gather(selections: Iterable[RunSelection]) -> Report:
    """Reads runs and arranges them by scenario: suite, its digest, and how it was measured.

    Of a generator that several whole runs hold, the newest result is shown and the older ones are its
    history; results that were named one by one ("results/a:gen") are all shown.

    Raises:
        StoreError: A run is missing, unreadable or not scored yet, or holds nothing.
    """
    runs: dict[str, Run] = {}
    groups: dict[str, list[tuple[Run, str, bool]]] = {}
    for selection in selections:
        key = str(selection.folder.path.resolve())
        run = runs[key] if key in runs else _read(selection)
        runs[key] = run
        chosen = [selection.generator] if selection.generator else list(run.summary["generators"])
        for name in chosen:
            groups.setdefault(_kind(run), []).append((run, name, selection.generator is not None))
    if not groups:
        raise StoreError("there is no run to report on. Make one with: vbench run --suite ads")
    seats: dict[str, MarkerStyle] = {}
    return Report([_scenario(n, group, seats) for n, group in enumerate(groups.values())], list(runs.values()))


def _read(selection: RunSelection) -> Run:
    folder = selection.folder
    manifest, summary = folder.manifest(), folder.summary()
    return Run(folder, manifest, summary, read_grids(folder.table_path, manifest, str(folder.path)))


def _kind(run: Run) -> str:
    """Two runs with the same kind may stand side by side."""
    measured = {m: (i["version"], i["backbone"]) for m, i in run.summary["metrics"].items()}
    suite = run.manifest["suite"]
    return json.dumps([suite["name"], suite.get("digest"), sorted(measured.items())])


def _scenario(place: int, group: Sequence[tuple[Run, str, bool]], seats: dict[str, MarkerStyle]) -> SuiteResult:
    """One scenario; `seats` keeps marker and shade of each generator, so that it looks alike in all of them."""
    group = sorted(group, key=lambda item: item[0].created)
    newest = {name: run for run, name, _ in group}
    shown = [(run, name) for run, name, single in group if single or newest[name] is run]
    past = [GeneratorResult(name, name, run) for run, name, single in group if (run, name) not in shown and not single]
    entries: list[GeneratorResult] = []
    for run, name in dict.fromkeys(shown):
        twice = sum(other == name for _, other in shown) > 1
        label = f"{name} ({run.folder.name})" if twice else name
        route = run.summary["generators"][name]["route"]
        alike = sum(seat.route == route for seat in seats.values())
        seat = seats.setdefault(label, MarkerStyle(len(seats), route, alike % TONES))
        entries.append(GeneratorResult(label, name, run, seat.number, seat.tone, place))
    last = entries[-1].run
    return SuiteResult(last.manifest["suite"], last.summary["metrics"], entries, past)
