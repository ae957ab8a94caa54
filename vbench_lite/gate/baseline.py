"""Baselines: runs that releases are held against, small enough to commit, with who chose them and why.

    <baseline>/run.json, clips.csv, summary.json     of the promoted run; its clips stay where they are
               features/<generator>.npz              for FVD: what it was computed from
               policy.toml                           what releases must prove against it; the default rules without one
               history.json                          every promotion, oldest first, with the figures of that time
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from vbench_lite.analysis.comparable import RunView, Side, open_run
from vbench_lite.analysis.quantities import COSTS, SHARES, clip_values, quantities
from vbench_lite.distances.stored import read_features
from vbench_lite.errors import StoreError
from vbench_lite.files import to_json, write_whole
from vbench_lite.gate.policy import read_policy
from vbench_lite.records import FORMAT
from vbench_lite.run.folder import RunFolder


@dataclass(frozen=True)
class Promotion:
    """Which run becomes a baseline, by whom, and why."""

    run: str
    reason: str
    by: str
    to: Path = Path("results/baseline")
    policy: Path | None = None
    """Written beside it as policy.toml; None leaves the one that is there."""


def read_history(folder: Path) -> list[dict[str, Any]]:
    """Every promotion into a folder, oldest first; [] where there was none.

    Raises:
        StoreError: The history is there and cannot be read.
    """
    path = folder / "history.json"
    if not path.exists():
        return []
    try:
        value = json.loads(path.read_text("utf-8"))
        entries: list[dict[str, Any]] = value["promotions"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} cannot be read: {error}. Restore it from version control.") from None
    return entries


def promote(promotion: Promotion, now: datetime | None = None) -> dict[str, Any]:
    """Makes a run the baseline and returns the new entry of the history.

    Raises:
        StoreError: The run is not complete or not scored, or the folder holds a baseline of another suite.
        BadFile: The policy is not one.
    """
    run = open_run(promotion.run)
    if run.selected:
        raise StoreError(f'"{promotion.run}" is one generator of a run; promote the whole run: {run.folder.path}')
    _refuse_incomplete(run)
    history = read_history(promotion.to)
    suite = run.manifest["suite"]
    if history and history[-1]["suite"]["name"] != suite["name"]:
        was = history[-1]["suite"]["name"]
        raise StoreError(
            f'{promotion.to} is the baseline of the suite "{was}", not "{suite["name"]}". '
            f"Keep this one apart: --to {promotion.to}-{suite['name']}"
        )
    if promotion.policy:
        policy = read_policy(promotion.policy)
        write_whole(promotion.to / "policy.toml", policy.path.read_text("utf-8"))
    entry = _entry(promotion, run, now or datetime.now(UTC))
    source = run.folder.path
    if source.resolve() != promotion.to.resolve():
        features = _features(run)
        write_whole(promotion.to / "run.json", to_json(_portable(run.manifest)))
        for name in ("clips.csv", "summary.json"):
            write_whole(promotion.to / name, (source / name).read_bytes())
        for old in (promotion.to / "features").glob("*.npz"):
            old.unlink()
        for name, content in features.items():
            write_whole(RunFolder(promotion.to).features_path(name), content)
    write_whole(promotion.to / "history.json", to_json({"format": FORMAT, "promotions": [*history, entry]}))
    return entry


def _refuse_incomplete(run: RunView) -> None:
    for name, grid in run.grids.items():
        missing = int(grid.missing.sum())
        if missing:
            raise StoreError(
                f'{run.folder.path} is incomplete: {missing} of {grid.clips} clips of "{name}" were never made. '
                f"Run the same command again, then promote it."
            )


def _features(run: RunView) -> dict[str, bytes]:
    """Each generator's file of features, where scoring made one.

    Raises:
        StoreError: A file is not there, or another one than was scored.
    """
    noted: Mapping[str, str] = (run.summary.get("notes") or {}).get("features") or {}
    paths = {name: run.folder.features_path(name) for name in run.generators if name in noted}
    for name, path in paths.items():
        read_features(path, noted[name])
    return {name: path.read_bytes() for name, path in paths.items()}


def _portable(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest without paths of the machine that made it; weights are known by their digest."""
    generators = {}
    for name, definition in manifest["generators"].items():
        model = str(definition.get("model", ""))
        local = model.startswith(("/", "~")) or ":\\" in model
        generators[name] = {**definition, "folder": "", "model": Path(model).name if local else model}
    return {**manifest, "generators": generators}


def _entry(promotion: Promotion, run: RunView, now: datetime) -> dict[str, Any]:
    suite = run.manifest["suite"]
    return {
        "date": now.isoformat(timespec="seconds"), "by": promotion.by, "reason": promotion.reason,
        "run": run.folder.name, "created": run.manifest.get("created"), "git": run.manifest.get("git"),
        "suite": {"name": suite["name"], "digest": suite["digest"]}, "device": run.manifest.get("device"),
        "means": {name: _figures(Side(run, name), np.nanmean) for name in run.generators},
        "medians": {name: _figures(Side(run, name), np.nanmedian) for name in run.generators},
    }  # fmt: skip


def _figures(side: Side, statistic: Any) -> dict[str, float]:
    """One figure for each quantity that clips have; a set metric has none here but its value."""
    found = {}
    for quantity in quantities(side.run.metrics).values():
        if quantity.kind == "set":
            value = side.set_score(quantity.name)["value"]
        elif quantity in COSTS or quantity in SHARES or quantity.kind == "score":
            values = clip_values(quantity, side.grid)
            value = float(statistic(values)) if np.isfinite(values).any() else None
        else:
            continue
        if value is not None:
            found[quantity.name] = value
    return found
