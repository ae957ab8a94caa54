"""Scores the stored clips of a run, and stores the settings of the scoring in run.json."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vbench_lite.jobs.judging import Judging
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import Manifest
from vbench_lite.run.shareable import short_path
from vbench_lite.run.summary import Summary

if TYPE_CHECKING:
    from vbench_lite.jobs.scorers import Scorers
    from vbench_lite.running.batches import Shard


@dataclass(frozen=True)
class Scale:
    """Where clips are read and features computed. The scores do not depend on it."""

    engine: str = "local"
    device: str = "auto"
    """"auto", "cpu", "cuda" for all CUDA devices, or "cuda:1"."""


def score_folder(
    folder: RunFolder, backbones: str | None = None, workers: int | None = None, metrics: str | None = None,
    judging: Judging | None = None, scale: Scale = Scale(),
) -> Summary:  # fmt: skip
    """Scores the stored clips of a run and writes clips.csv and summary.json.

    Args:
        folder: The run.
        backbones: The set of networks; None takes that of the run.
        workers: Number of clips that are read in parallel; None takes one per core. The scores do not depend on it.
        metrics: As `--metrics`; None takes those of the run.
        judging: Thresholds and real clips to use from now on; None keeps those of the run.
        scale: Where the clips are read.
    """
    wanted = _wanted(folder, backbones, metrics, judging or Judging())
    return score_as(wanted, folder, workers, scale)


def score_shard(
    folder: RunFolder, shard: Shard, backbones: str | None, workers: int | None, metrics: str | None, scale: Scale
) -> int:
    """Computes and stores the features and judge answers of a part of the clips, for a later scoring of all.

    Returns:
        The number of clips of the part.
    """
    from vbench_lite.scoring.scorer import score_part

    wanted = _wanted(folder, backbones, metrics, Judging())
    with _scorers(wanted, scale) as scorers:
        return score_part(
            folder, wanted, (shard.place, shard.parts), workers=workers, device=scorers.device, pool=scorers.pool
        )


def _wanted(folder: RunFolder, backbones: str | None, metrics: str | None, judging: Judging) -> Manifest:
    manifest = folder.manifest()
    plan = manifest.plan
    plan = replace(plan, backbones=backbones or plan.backbones, metrics=metrics or plan.metrics)
    return judging.applied_to(replace(manifest, plan=plan))


def _scorers(wanted: Manifest, scale: Scale) -> AbstractContextManager[Scorers]:
    from vbench_lite.jobs.scorers import open_scorers
    from vbench_lite.scoring.pool import Recipe

    images = any(prompt.image for prompt in wanted.prompts)
    return open_scorers(scale.engine, scale.device, Recipe(wanted.plan.backbones, wanted.plan.metrics, images))


def score_as(wanted: Manifest, folder: RunFolder, workers: int | None, scale: Scale = Scale()) -> Summary:
    """Scores with the settings of this manifest, and stores it as run.json."""
    from vbench_lite.analysis.summary import summarise
    from vbench_lite.running.phases import timed_scoring
    from vbench_lite.scoring.importing import with_imports
    from vbench_lite.scoring.scorer import score_run

    with timed_scoring(folder.path), _scorers(wanted, scale) as scorers:
        found = score_run(folder, wanted, workers=workers, device=scorers.device, pool=scorers.pool)
        scored = with_imports(folder, found)
        stored = replace(wanted, plan=replace(wanted.plan, metrics=_typed(wanted.plan.metrics)))
        if stored != folder.manifest():
            folder.write_manifest(stored)
        return summarise(folder, scored)


def _typed(metrics: str | None) -> str | None:
    """`--metrics` for run.json, without absolute paths."""
    return None if metrics is None else ",".join(short_path(item.strip()) for item in metrics.split(","))
