"""How each generator changed over its releases, over the prompts that all of them share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vbench_lite.analysis.comparable import rate_of, shared_prompts
from vbench_lite.analysis.cost import economics
from vbench_lite.errors import StoreError
from vbench_lite.gate.baselines.history import HistoryEntry, history_path, read_history
from vbench_lite.records import Estimate, MetricInfo, ReasonCode
from vbench_lite.run.clips import ClipGrid
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.view import Run, Side

MIN_SHARED = 2
"""Prompts that a run must share with the newest one to stand in its line: fewer give no interval."""
NOT_EVALUATED = Estimate(None, reason="not evaluated: no thresholds", reason_code=ReasonCode.NOT_EVALUATED)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Something that changed since the release before, or that was decided about this one."""

    code: str
    """promotion, first-baseline, weights, revision, code, settings, form, price, device, scorer or suite."""
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Release:
    """One run of a generator."""

    run: str
    created: str
    clips: int
    """Clips that the figures rest on: of the shared prompts, generated or failed."""
    figures: Mapping[str, Estimate]
    """Score or cost > its estimate over the shared prompts."""
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Line:
    """All releases of one generator in one suite, oldest first."""

    suite: str
    generator: str
    prompts: tuple[str, ...]
    """Ids of the shared prompts."""
    asked: int
    """Prompts of the newest release."""
    releases: tuple[Release, ...]
    left_out: tuple[str, ...] = ()
    """Runs that share too few prompts with the newest one."""


def release_history(folder: Path) -> list[Line]:
    """The releases in a folder of runs, by suite and generator.

    Args:
        folder: Holds run folders; those of promoted baselines in it name the promotions.

    Raises:
        StoreError: There is no such folder, or it holds no scored run.
    """
    promotions, runs, baselines = list[HistoryEntry](), list[Run](), list[Run]()
    for path in sorted(folder.glob("*/run.json")):
        run = Run(RunFolder(path.parent))
        if history_path(run.path).exists():
            promotions += read_history(run.path)
            baselines.append(run)
        elif run.folder.table_path.exists() and run.folder.summary_path.exists():
            runs.append(run)
    known = {run.created for run in runs}
    runs += [run for run in baselines if run.created not in known]  # the promoted run itself is not there
    if not runs:
        raise StoreError(f"{folder} holds no scored run. Make one with: vbench run --suite ads")
    sides = defaultdict[tuple[str, str], list[Side]](list)
    for run in runs:
        for generator in run.generators:
            sides[run.manifest.suite.name, generator].append(Side(run, generator))
    return [_line(suite, name, found, promotions) for (suite, name), found in sorted(sides.items())]


def _line(suite: str, generator: str, sides: list[Side], promotions: Sequence[HistoryEntry]) -> Line:
    sides = sorted(sides, key=lambda side: (side.run.created, side.run.name))
    newest = sides[-1].run.manifest
    enough = [s for s in sides if s is sides[-1] or len(shared_prompts(newest, s.run.manifest)) >= MIN_SHARED]
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
        suite=suite, generator=generator, prompts=tuple(shared), asked=len(newest.prompts), releases=tuple(releases),
        left_out=left_out,
    )  # fmt: skip


def _figures(side: Side, grid: ClipGrid) -> Iterator[tuple[str, Estimate]]:
    """Quality, usability and cost over some prompts of a run, by the estimators of summary.json."""
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
    """What differs from the release before, beside the scores."""
    old, new = before.definition, after.definition
    pairs = {
        "weights": (_short(old.weights_digest), _short(new.weights_digest)),
        "revision": (old.revision, new.revision), "code": (_short(old.code_digest), _short(new.code_digest)),
        "form": (str(old.clip), str(new.clip)),
        "price": (rate_of(before), rate_of(after)),
        "device": (str(before.run.manifest.device), str(after.run.manifest.device)),
        "suite": (before.run.manifest.suite.digest[:8], after.run.manifest.suite.digest[:8]),
    }  # fmt: skip
    for code, (then, now) in pairs.items():
        if then != now:
            yield Mark(code=code, sentence=f"{code}: {then or 'none'} became {now or 'none'}")
    names = sorted(n for n in {*old.settings, *new.settings} if old.settings.get(n) != new.settings.get(n))
    if names:
        said = ", ".join(f"{n} {old.settings.get(n, 'unset')} became {new.settings.get(n, 'unset')}" for n in names)
        yield Mark(code="settings", sentence=f"settings: {said}")
    moved = _scorer(before.run.metrics, after.run.metrics)
    backbones = [side.run.manifest.plan.backbones for side in (before, after)]
    if backbones[0] != backbones[1]:
        moved.insert(0, f"the backbones {backbones[0]} became {backbones[1]}")
    if moved:
        yield Mark(code="scorer", sentence=f"scorer: {'; '.join(moved)}. Scores before and after do not compare")


def _scorer(old: Mapping[str, MetricInfo], new: Mapping[str, MetricInfo]) -> list[str]:
    """Metrics whose numbers mean something else than before."""
    return [
        f"{name} {old[name].version} became {new[name].version}"
        if old[name].version != new[name].version else f"{name} is computed by another network"
        for name in old
        if name in new and (old[name].version, old[name].backbone) != (new[name].version, new[name].backbone)
    ]  # fmt: skip


def _short(digest: str | None) -> str:
    return (digest or "")[:8]
