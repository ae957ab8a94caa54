"""The figures of each generator over its releases, on the prompts that all of them share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vbench_lite.analysis.comparable import rate_of, shared_prompts
from vbench_lite.analysis.cost import economics
from vbench_lite.analysis.promotions import HistoryEntry, history_path, read_history
from vbench_lite.errors import StoreError
from vbench_lite.records import Estimate, MetricInfo, ReasonCode
from vbench_lite.run.clips import ClipGrid
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.view import Run, Side

MIN_SHARED = 2
"""Minimum number of prompts that a run must share with the newest run. Fewer give no interval."""
MIN_SHARE = 0.5
"""Minimum as a fraction of the newest run's prompts. A short run would reduce the common prompts of all others."""
OF_USABLE = ("usable", "usd_per_usable_clip")
"""Figures that depend on thresholds."""
NOT_EVALUATED = Estimate(None, reason="not evaluated: no thresholds", reason_code=ReasonCode.NOT_EVALUATED)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A change since the previous release, or a decision about this one."""

    code: str
    """promotion, first-baseline, weights, revision, code, settings, thresholds, form, price, device, scorer, suite."""
    sentence: str
    breaks: tuple[str, ...] = ()
    """Figures whose values before and after the change are not comparable."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One run of a generator."""

    run: str
    created: str
    clips: int
    """Number of generated or failed clips of the shared prompts."""
    figures: Mapping[str, Estimate]
    """Score or cost > its estimate on the shared prompts."""
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Line:
    """All releases of one generator in one suite, oldest first."""

    suite: str
    generator: str
    prompts: tuple[str, ...]
    """Ids of the shared prompts."""
    asked: int
    """Number of prompts of the newest release."""
    releases: tuple[Release, ...]
    left_out: tuple[str, ...] = ()
    """Runs that share too few prompts with the newest run."""

    def comparable(self, figure: str) -> list[list[Release]]:
        """Groups of releases in which a figure is comparable. Releases without a value are left out."""
        groups: list[list[Release]] = [[]]
        for release in self.releases:
            if any(figure in mark.breaks for mark in release.marks):
                groups.append([])
            if (estimate := release.figures.get(figure)) is not None and estimate.value is not None:
                groups[-1].append(release)
        return [group for group in groups if group]


def release_history(folder: Path) -> list[Line]:
    """The releases in a folder of runs, by suite and generator.

    Args:
        folder: A folder of run folders. Promoted baselines in it provide the promotions.

    Raises:
        StoreError: The folder does not exist or contains no scored run.
    """
    found, promotions = _runs_in(folder, ())
    runs = [run for run in found if run.folder.table_path.exists() and run.folder.summary_path.exists()]
    if not runs:
        raise StoreError(f"{folder} contains no scored run. Create one with: vbench run --suite ads")
    sides = defaultdict[tuple[str, str], list[Side]](list)
    for run in runs:
        for generator in run.generators:
            sides[run.manifest.suite.name, generator].append(Side(run, generator))
    return [_line(each, promotions) for _, each in sorted(sides.items())]


def earlier_releases(shown: Sequence[Side], runs: Sequence[Run]) -> dict[Side, Line]:
    """The releases up to each shown generator, from given runs and from runs in the same folder.

    Args:
        shown: The last release of each line.
        runs: More runs, such as the others of a report.

    Returns:
        Only generators that have an earlier release. Unreadable runs are ignored.
    """
    known = list(dict.fromkeys([*(side.run for side in shown), *runs]))
    found, promotions = known, list[HistoryEntry]()
    for folder in {run.path.resolve().parent for run in known}:
        try:
            found, decided = _runs_in(folder, found)
        except StoreError:  # of a damaged baseline; `vbench baseline history` reports it
            continue
        promotions += decided
    lines = {}
    for side in shown:
        earlier = [
            Side(run, side.generator) for run in found
            if _readable(run) and run.created < side.run.created and side.generator in run.generators
            and run.manifest.suite.name == side.run.manifest.suite.name
        ]  # fmt: skip
        line = _line([*earlier, side], promotions)
        if len(line.releases) > 1:
            lines[side] = line
    return lines


def _runs_in(folder: Path, known: Sequence[Run]) -> tuple[list[Run], list[HistoryEntry]]:
    """Known runs and those in a folder, with all promotions. A baseline is left out if its run is in the folder."""
    promotions, runs, baselines = list[HistoryEntry](), list(known), list[Run]()
    paths = {run.path.resolve() for run in known}
    for path in sorted(folder.glob("*/run.json")):
        run = Run(RunFolder(path.parent))
        if history_path(run.path).exists():
            promotions += read_history(run.path)
            baselines.append(run)
        elif path.parent.resolve() not in paths:
            runs.append(run)
    if baselines:
        created = {run.created for run in runs if _readable(run)}
        runs += [run for run in baselines if run.created not in created]
    return runs, promotions


def _readable(run: Run) -> bool:
    """Whether a run is scored and its files are valid."""
    try:
        return bool(run.summary.generators) and bool(run.grids)
    except StoreError:
        return False


def _line(sides: list[Side], promotions: Sequence[HistoryEntry]) -> Line:
    """The releases of one generator in one suite."""
    sides = sorted(sides, key=lambda side: (side.run.created, side.run.name))
    newest = sides[-1].run.manifest
    least = max(MIN_SHARED, MIN_SHARE * len(newest.prompts))
    enough = [s for s in sides if s is sides[-1] or len(shared_prompts(newest, s.run.manifest)) >= least]
    shared = [p.id for p in newest.prompts]
    for side in enough:
        common = set(shared_prompts(newest, side.run.manifest))
        shared = [id_ for id_ in shared if id_ in common]
    releases, before = [], None
    for side in enough:
        marks = (*_decisions(side, promotions), *(_changes(before, side) if before else ()))
        grid = side.grid.only(np.isin(side.grid.prompts, shared))
        figures = {name: estimate for name, estimate in _figures(side, grid)}
        releases.append(
            Release(run=str(side.run.path), created=side.run.created, clips=int(grid.tried.sum()), figures=figures,
                    marks=marks)
        )  # fmt: skip
        before = side
    left_out = tuple(str(side.run.path) for side in sides if side not in enough)
    return Line(
        suite=newest.suite.name, generator=sides[-1].generator, prompts=tuple(shared), asked=len(newest.prompts),
        releases=tuple(releases), left_out=left_out,
    )  # fmt: skip


def _figures(side: Side, grid: ClipGrid) -> Iterator[tuple[str, Estimate]]:
    """Quality, usability and cost on some prompts of a run, with the estimators of summary.json."""
    tried = grid.tried
    prompts = [p for p, row in zip(grid.prompts, tried, strict=True) for _ in range(int(row.sum()))]

    def column(name: str) -> list[float | None]:
        return [float(v) if np.isfinite(v) else None for v in grid.values(name)[tried]]

    for name, info in side.run.metrics.items():
        if info.per == "clip" and info.higher_is_better is not None and name != "conformance":
            yield name, economics.within(economics.mean(column(name), prompts, "no clip has a score"), info.range)
    walls, money = column("wall_s"), column("cost_usd")
    flags = [bool(value) for value in column("usable")]
    evaluated = side.figures.usable is not None
    yield "usable", economics.mean([float(f) for f in flags], prompts, "no clip") if evaluated else NOT_EVALUATED
    yield "usd_per_clip", economics.measured_mean(money, prompts, walls, "no clip's cost is known")
    cost = economics.cost_per_usable(money, flags, prompts, "no clip's cost is known", walls) if evaluated and flags \
        else NOT_EVALUATED  # fmt: skip
    yield "usd_per_usable_clip", cost
    yield "device_s_per_clip", economics.measured_mean(column("device_s"), prompts, walls, "no clip was timed")


def _decisions(side: Side, promotions: Sequence[HistoryEntry]) -> Iterator[Mark]:
    for entry in promotions:
        if entry.created == side.run.created if entry.created else entry.run == side.run.name:
            said = f"promoted on {entry.date[:10]} by {entry.by}: {entry.reason}"
            yield Mark(code="promotion", sentence=said)
            if entry.new_anchor:
                yield Mark(code="first-baseline", sentence=f"became the first baseline: {entry.new_anchor}")


def _changes(before: Side, after: Side) -> Iterator[Mark]:
    """Changes since the previous release, other than scores."""
    old, new = before.definition, after.definition
    pairs = {
        "weights": (_short(old.weights_digest), _short(new.weights_digest)),
        "revision": (old.revision, new.revision), "code": (_short(old.code_digest), _short(new.code_digest)),
        "form": (str(old.clip), str(new.clip)),
        "price": (rate_of(before), rate_of(after)),
        "device": (str(before.run.manifest.device), str(after.run.manifest.device)),
    }  # fmt: skip
    for code, (then, now) in pairs.items():
        if then != now:
            yield Mark(code=code, sentence=f"{code}: {then or 'none'} became {now or 'none'}")
    if said := after.run.manifest.suite.changes_since(before.run.manifest.suite):
        yield Mark(code="suite", sentence=f"suite: {said}")
    names = sorted(n for n in {*old.settings, *new.settings} if old.settings.get(n) != new.settings.get(n))
    if names:
        said = ", ".join(f"{n} {old.settings.get(n, 'unset')} became {new.settings.get(n, 'unset')}" for n in names)
        yield Mark(code="settings", sentence=f"settings: {said}")
    limits = [side.run.summary.usable.thresholds for side in (before, after)]
    if limits[0] != limits[1]:
        differ = [name for name in {**limits[0], **limits[1]} if limits[0].get(name) != limits[1].get(name)]
        said = f"thresholds: {', '.join(differ)} changed. Usable clips before and after are not comparable"
        yield Mark(code="thresholds", sentence=said, breaks=OF_USABLE)
    moved = _scorer(before.run.metrics, after.run.metrics)
    backbones = [side.run.manifest.plan.backbones for side in (before, after)]
    networks = [f"the backbones {backbones[0]} became {backbones[1]}"] if backbones[0] != backbones[1] else []
    if networks or moved:
        breaks = (*moved, *(OF_USABLE if moved.keys() & limits[1].keys() else ()))
        said = f"scorer: {'; '.join([*networks, *moved.values()])}. Scores before and after are not comparable"
        yield Mark(code="scorer", sentence=said, breaks=breaks)


def _scorer(old: Mapping[str, MetricInfo], new: Mapping[str, MetricInfo]) -> dict[str, str]:
    """Metrics whose values are not comparable with those before > the change."""
    return {
        name: f"{name} {old[name].version} became {new[name].version}"
        if old[name].version != new[name].version else f"{name} is computed by another network"
        for name in old
        if name in new and (old[name].version, old[name].backbone) != (new[name].version, new[name].backbone)
    }  # fmt: skip


def _short(digest: str | None) -> str:
    return (digest or "")[:8]
