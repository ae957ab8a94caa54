"""Baselines: the runs with which releases are compared. They are small enough to commit, and have a history.

    <baseline>/run.json, clips.csv, summary.json     files of the promoted run, without its clips
               features/<generator>.npz              features from which FVD was computed
               policy.toml                           the policy of this baseline; without it, the default applies
               margins.json                          the margins of the policy as numbers, fixed at promotion
               anchor/                               the same files of the first promoted baseline
               history.json                          every promotion, oldest first, with the figures of that time
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PureWindowsPath

import numpy as np

from vbench_lite.analysis.commands import finish_command
from vbench_lite.analysis.promotions import HistoryEntry, SuiteName, read_history, require_whole, write_history
from vbench_lite.analysis.quantities import COSTS, SHARES, clip_values, quantities
from vbench_lite.distances.stored import read_features
from vbench_lite.errors import StoreError
from vbench_lite.files import only_one, to_json, write_whole
from vbench_lite.gate.baselines.margins import Margins, fix_margins, read_margins, write_margins
from vbench_lite.gate.decide import Reference
from vbench_lite.gate.looks.record import read_looks
from vbench_lite.gate.policy import Policy, choose_policy, read_policy
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import Manifest
from vbench_lite.run.view import Run, Side, open_run
from vbench_lite.run.votes import copy_votes
from vbench_lite.stats import Array


@dataclass(frozen=True)
class Promotion:
    """A request to make a run the baseline: which run, by whom, and why."""

    run: str
    reason: str
    by: str
    to: Path = Path("results/baseline")
    policy: Path | None = None
    """Copied to policy.toml. None: the existing one stays."""
    new_anchor: str = ""
    """Why the run replaces the first promoted baseline; "": that one stays."""


def promote(promotion: Promotion, now: datetime | None = None) -> HistoryEntry:
    """Make a run the baseline and return the new entry of the history.

    Raises:
        StoreError: The run is not complete or not scored, or the folder contains a baseline of another suite.
        BadFile: The policy is not valid.
    """
    _refuse_incomplete(open_run(promotion.run))  # before anything is written, the lock included
    with only_one(promotion.to):
        return _promote(promotion, now or datetime.now(UTC))


def _promote(promotion: Promotion, now: datetime) -> HistoryEntry:
    run, to = open_run(promotion.run), promotion.to
    if run.selected:
        raise StoreError(f'"{promotion.run}" is one generator of a run; promote the whole run: {run.path}')
    _refuse_incomplete(run)
    history, suite = read_history(to), run.manifest.suite
    if history and history[-1].suite.name != suite.name:
        was = history[-1].suite.name
        raise StoreError(
            f'{to} is the baseline of the suite "{was}", not "{suite.name}". '
            f"Keep this one apart: --to {to}-{suite.name}"
        )
    if promotion.policy:
        policy = read_policy(promotion.policy)
        write_whole(to / "policy.toml", policy.path.read_text("utf-8"))
    margins = fix_margins(run, choose_policy(None, to))
    entry = _entry(promotion, run, now)
    if history and not promotion.new_anchor and not anchor_path(to).exists():
        _copy(open_run(to), anchor_path(to), read_margins(to, choose_policy(None, to)))
    if run.path.resolve() != to.resolve():
        _copy(run, to, margins)
    write_margins(to, margins)
    if promotion.new_anchor or not history:
        _copy(run, anchor_path(to), margins)
    write_history(to, (*history, entry))
    return entry


def anchor_path(folder: Path) -> Path:
    """The folder of the first promoted baseline in a baseline's folder."""
    return folder / "anchor"


def read_reference(folder: Path, policy: Policy) -> Reference:
    """Read the history, the fixed margins and the first promoted baseline of a baseline's folder.

    Raises:
        StoreError: One of these files exists and is not valid.
    """
    require_whole(folder)
    history, first = read_history(folder), RunFolder(anchor_path(folder))
    later = first.exists() and first.table_path.read_bytes() != RunFolder(folder).table_path.read_bytes()
    return Reference(
        history=history, margins=read_margins(folder, policy), anchor=Run(first) if later else None,
        anchor_margins=read_margins(first.path, policy) if later else None,
    )  # fmt: skip


def _copy(run: Run, to: Path, margins: Margins | None) -> None:
    """Copy a run without its clips."""
    features = _features(run)
    tables = [(path.name, path.read_bytes()) for path in (run.folder.table_path, run.folder.summary_path)]
    write_whole(to / "run.json", to_json(_portable(run.manifest)))
    for name, content in tables:
        write_whole(to / name, content)
    for old in (to / "features").glob("*.npz"):
        old.unlink()
    for name, content in features.items():
        write_whole(RunFolder(to).features_path(name), content)
    if margins is not None:
        write_margins(to, margins)
    copy_votes(run.path, to)


def _refuse_incomplete(run: Run) -> None:
    for name, grid in run.grids.items():
        missing = int(grid.missing.sum())
        if missing:
            raise StoreError(
                f'{run.path} is incomplete: {missing} of {grid.clips} clips of "{name}" were never generated. '
                f"Finish it with: {finish_command(run)}"
            )
    planned = read_looks(run.path)
    if planned and len(run.manifest.plan.prompts) < len(planned.order):
        have = f"{len(run.manifest.plan.prompts)} of {len(planned.order)} prompts"
        rest = finish_command(run, prompts=planned.limit or len(run.manifest.suite.prompts))
        raise StoreError(
            f"{run.path} stopped at look {len(planned.looks)} with {have}. Later releases could use only these. "
            f"Generate the others first: {rest}"
        )


def _features(run: Run) -> dict[str, bytes]:
    """Generator > its file of features, if scoring wrote one.

    Raises:
        StoreError: A file is missing, or is not the file that was scored.
    """
    noted = run.summary.notes.features
    paths = {name: run.folder.features_path(name) for name in run.generators if name in noted}
    for name, path in paths.items():
        read_features(path, noted[name])
    return {name: path.read_bytes() for name, path in paths.items()}


def _portable(manifest: Manifest) -> Manifest:
    """The manifest without paths of the local machine. Weights are identified by their digest."""
    generators = {}
    for name, definition in manifest.generators.items():
        model = definition.model
        local = model.startswith(("/", "~")) or ":\\" in model
        last = PureWindowsPath(model).name  # for paths of any system
        generators[name] = dataclasses.replace(definition, folder="", model=last if local else model)
    return dataclasses.replace(manifest, generators=generators)


def _entry(promotion: Promotion, run: Run, now: datetime) -> HistoryEntry:
    manifest = run.manifest
    return HistoryEntry(
        date=now.isoformat(timespec="seconds"), by=promotion.by, reason=promotion.reason, run=run.name,
        created=manifest.created, new_anchor=promotion.new_anchor, git=manifest.git, device=manifest.device,
        suite=SuiteName(name=manifest.suite.name, digest=manifest.suite.digest),
        means={name: _figures(Side(run, name), np.nanmean) for name in run.generators},
        medians={name: _figures(Side(run, name), np.nanmedian) for name in run.generators},
    )  # fmt: skip


def _figures(side: Side, statistic: Callable[[Array], float]) -> dict[str, float]:
    """One figure per quantity: the statistic over clips, or the value of a set metric."""
    found: dict[str, float | None] = {}
    for quantity in quantities(side.run.metrics).values():
        if quantity.kind == "set":
            found[quantity.name] = side.score(quantity.name).value
        elif quantity in COSTS or quantity in SHARES or quantity.kind == "score":
            values = clip_values(quantity, side.grid)
            found[quantity.name] = float(statistic(values)) if np.isfinite(values).any() else None
    return {name: value for name, value in found.items() if value is not None}
