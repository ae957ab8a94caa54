"""Checks whether the time per clip drifted during a run: heat, a memory leak, a service that slows down."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats as tests

from vbench_lite.analysis.commands import again_command
from vbench_lite.analysis.cost.batches import measurement_ids
from vbench_lite.checks.findings import Finding
from vbench_lite.gate.looks.record import read_looks
from vbench_lite.run.view import Run
from vbench_lite.stats import Array

CHANGE = 0.1
"""Smallest relative change from the first to the last third that is reported."""
LEVEL = 0.001
"""Significance level of the test: one false finding in a hundred runs of ten generators."""
MIN_READINGS = 12
"""Minimum number of measurements for a finding."""


def time_drift(run: Run, generator: str) -> Iterator[Finding]:
    """Tests the trend with Kendall's tau: time per clip over the order of the plan, one reading per measured batch.

    The size of the change is measured between the medians of the first and the last third, so that single slow clips
    are not reported as drift.
    """
    seconds = _readings(run, generator)
    if len(seconds) < MIN_READINGS or not (seconds > 0).all():
        return
    third = len(seconds) // 3
    change = float(np.median(seconds[-third:]) / np.median(seconds[:third])) - 1
    if abs(change) < CHANGE or tests.kendalltau(np.arange(len(seconds)), seconds).pvalue > LEVEL:
        return
    sentence = (
        f"The time per clip {'rose' if change > 0 else 'fell'} by {abs(change):.0%} from the first third of the run to "
        f"the last ({len(seconds)} measurements, in the order of the plan). Its times and costs therefore depend on "
        "the length of the run. If they drift in a second run as well, the cause is the generator, not the machine:"
    )
    yield Finding(
        code="time-drift", generator=generator, sentence=sentence, command=again_command(run, generator)
    )


def _readings(run: Run, generator: str) -> Array:
    """Wall seconds per clip: one reading of each measured batch, in the order of the plan or of the looks."""
    grid, planned = run.grids[generator], read_looks(run.path)
    places = {prompt: place for place, prompt in enumerate(planned.order if planned else grid.prompts)}
    rows = sorted(range(len(grid.prompts)), key=lambda row: places.get(grid.prompts[row], len(places)))
    walls = grid.values("wall_s")[rows][grid.made[rows]]
    walls = walls[np.isfinite(walls)]
    return walls[np.sort(np.unique(measurement_ids(walls, walls), return_index=True)[1])]
