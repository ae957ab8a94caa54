"""Scores the stored clips of a run, and notes with what they were scored."""

from __future__ import annotations

from dataclasses import replace

from vbench_lite.jobs.judging import Judging
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import Manifest, short_path
from vbench_lite.run.summary import Summary


def score_folder(
    folder: RunFolder, backbones: str | None = None, workers: int | None = None, metrics: str | None = None,
    judging: Judging | None = None,
) -> Summary:  # fmt: skip
    """Scores the stored clips of a run and writes clips.csv and summary.json.

    Args:
        folder: The run.
        backbones: The set of networks; None takes the run's own.
        workers: Clips that are read side by side; None takes one a core. No number depends on it.
        metrics: As `--metrics`; None takes the run's own choice.
        judging: Thresholds and real clips to use from now on; None keeps those of the run.
    """
    manifest = folder.manifest()
    plan = manifest.plan
    plan = replace(plan, backbones=backbones or plan.backbones, metrics=metrics or plan.metrics)
    return score_as((judging or Judging()).applied_to(replace(manifest, plan=plan)), folder, workers)


def score_as(wanted: Manifest, folder: RunFolder, workers: int | None) -> Summary:
    """Scores with the networks, metrics, thresholds and real clips of this manifest, and stores it as run.json."""
    from vbench_lite.analysis.summary import summarise
    from vbench_lite.running.phases import timed_scoring
    from vbench_lite.scoring.importing import with_imports
    from vbench_lite.scoring.scorer import score_run

    with timed_scoring(folder.path):
        scored = with_imports(folder, score_run(folder, wanted, workers=workers))
        stored = replace(wanted, plan=replace(wanted.plan, metrics=_typed(wanted.plan.metrics)))
        if stored != folder.manifest():
            folder.write_manifest(stored)
        return summarise(folder, scored)


def _typed(metrics: str | None) -> str | None:
    """`--metrics` as run.json may hold it: without paths of this machine."""
    return None if metrics is None else ",".join(short_path(item.strip()) for item in metrics.split(","))
