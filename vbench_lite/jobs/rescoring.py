"""Scores the stored clips of a run, and notes with what they were scored."""

from __future__ import annotations

import dataclasses

from vbench_lite.run.folder import RunFolder
from vbench_lite.run.summary import Summary


def score_folder(
    folder: RunFolder, backbones: str | None = None, workers: int | None = None, metrics: str | None = None
) -> Summary:
    """Scores the stored clips of a run and writes clips.csv and summary.json.

    Args:
        folder: The run.
        backbones: The set of networks; None takes the run's own.
        workers: Clips that are read side by side; None takes one a core. No number depends on it.
        metrics: As `--metrics`; None takes the run's own choice.
    """
    plan = folder.manifest().plan
    return score_with(folder, backbones or plan.backbones, metrics or plan.metrics, workers)


def score_with(folder: RunFolder, backbones: str, metrics: str | None, workers: int | None) -> Summary:
    """Scores with exactly these networks and metrics, and notes them in run.json."""
    from vbench_lite.analysis.summary import summarise
    from vbench_lite.running.phases import timed_scoring
    from vbench_lite.scoring.scorer import score_run

    manifest = folder.manifest()
    plan = dataclasses.replace(manifest.plan, backbones=backbones, metrics=metrics)
    with timed_scoring(folder.path):
        scored = score_run(folder, backbones, metrics=metrics, workers=workers)
        if plan != manifest.plan:
            folder.write_manifest(dataclasses.replace(manifest, plan=plan))
        return summarise(folder, scored)
