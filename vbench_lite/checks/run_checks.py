"""All checks of one run, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator

from vbench_lite.analysis.commands import finish_command, score_command
from vbench_lite.checks.clips import copied_clips, seeds_without_effect
from vbench_lite.checks.findings import CheckReport, Finding
from vbench_lite.checks.prompts import at_the_ends, best_prompts
from vbench_lite.checks.reproducible import compare_again
from vbench_lite.checks.times import time_drift
from vbench_lite.escaping import vbench_command
from vbench_lite.gate.looks.record import continue_command, read_looks
from vbench_lite.run.view import Run


def check_run(run: Run, again: Run | None = None) -> CheckReport:
    """Checks a run for signs that its numbers are unreliable.

    Args:
        run: A scored run, or one generator of it.
        again: Some of its clips, generated again with the same seeds; None does not check reproducibility.

    Raises:
        StoreError: The run is not scored.
    """
    return CheckReport(run=run.label, findings=tuple(_findings(run, again)))


def _findings(run: Run, again: Run | None) -> Iterator[Finding]:
    yield from _incomplete(run)
    seedless = {name: list(seeds_without_effect(run, name)) for name in run.generators}
    for found in seedless.values():
        yield from found
    yield from copied_clips(run)
    for generator, found in seedless.items():
        known = {finding.code for finding in found}
        repeated = compare_again(run, again, generator) if again is not None else ()
        yield from (each for each in repeated if each.code not in known)
    if again is None and run.folder.keeps_clips():
        command = vbench_command("check", run.label, "--again", "2")
        sentence = "No clip was generated again with its seed, so it is not known whether the run can be reproduced."
        yield Finding(code="reproducibility-unknown", severity="note", sentence=sentence, command=command)
    for generator in run.generators:
        yield from time_drift(run, generator)
    yield from _scorer(run)
    yield from at_the_ends(run)
    yield from best_prompts(run)


def _incomplete(run: Run) -> Iterator[Finding]:
    planned = read_looks(run.path)
    if planned and not planned.decided:
        look = f"look {len(planned.looks) + 1} of {len(planned.fractions)}"
        sentence = f"The run ended before {look}, and the gate is undecided."
        yield Finding(code="incomplete", sentence=sentence, command=continue_command(run, planned))
        return
    for generator in run.generators:
        grid = run.grids[generator]
        missing = int(grid.missing.sum())
        if missing:
            sentence = f"{missing} of {grid.clips} clips were never generated."
            yield Finding(code="incomplete", generator=generator, sentence=sentence, command=finish_command(run))


def _scorer(run: Run) -> Iterator[Finding]:
    anchors = run.summary.notes.anchors
    if anchors is None:
        return
    command = score_command(run)
    known = {name: value for name, value in (anchors.drift or {}).items() if value is not None}
    worst = max(known, key=lambda name: known[name], default="")
    if worst and known[worst] > (anchors.tolerance or 0.0):
        sentence = (
            f"The pinned anchor clips do not get their known scores: {worst} is off by {known[worst]:.2%} "
            f"(tolerance {anchors.tolerance or 0.0:.1%}). Scores of this run are not comparable with other runs."
        )
        yield Finding(code="scorer-drift", sentence=sentence, command=command)
    elif anchors.drift is None:
        sentence = f"A drift of the scorer cannot be detected: {anchors.reason or 'no anchor clip was scored'}."
        yield Finding(code="scorer-not-pinned", severity="note", sentence=sentence, command="vbench selftest")
