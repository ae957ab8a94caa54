"""Time and memory by the number of clips: run, run again, score with summary, report.

    python benchmarks/scale.py 1000 10000 [--keep DIR]

A simulated generator claims its durations instead of waiting, and returns one of 16 finished files, so that
what is measured is the harness: processes, store, checks on resuming, scores from cached features, summary
and report. Each step runs in a process of its own, whose peak memory is its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from steps import main

if TYPE_CHECKING:
    from vbench_lite.run.plan import Plan

CLIPS_PER_PROMPT = 4


def plan_of(clips: int) -> Plan:
    """One generator, and as many prompts as it takes."""
    from vbench_lite.records import ClipSpec, Definition, Prompt, Suite
    from vbench_lite.run.plan import make_plan

    prompts = tuple(
        Prompt(f"p{n:06d}", f"a square crosses picture {n % 50}", f"kind-{n % 5}")
        for n in range(clips // CLIPS_PER_PROMPT)
    )
    suite = Suite("scale", "Scale", prompts, f"scale-{clips}", reference="")
    settings = {"seconds": 2.0, "spread": 0.2, "wait": "claim", "variety": 16, "batch_size": 8, "fail_share": 0.01}
    definition = Definition("many", "diffusion", "simulated", clip=ClipSpec(4, 8.0, 32, 32), settings=settings)
    return make_plan(suite, [definition], CLIPS_PER_PROMPT, None, 0, "builtin")


def run(folder: Path, clips: int) -> None:
    """Everything that is missing: all of it the first time, nothing the second."""
    from vbench_lite.measuring import prices
    from vbench_lite.measuring.devices import find_device
    from vbench_lite.run.folder import RunFolder
    from vbench_lite.running import runner

    plan, device = plan_of(clips), find_device("cpu")
    rates = {d.name: prices.price_of(d, device) for d in plan.definitions}
    runner.run(plan, RunFolder(folder), device, runner.Options(prices=rates))


def score(folder: Path, clips: int) -> None:
    """Scores and summary."""
    from vbench_lite.analysis import summary
    from vbench_lite.run.folder import RunFolder
    from vbench_lite.scoring import scorer

    run_folder = RunFolder(folder)
    summary.summarise(run_folder, scorer.score_run(run_folder))


def report(folder: Path, clips: int) -> None:
    """The HTML report."""
    from vbench_lite.report import write_report
    from vbench_lite.run.view import open_run

    write_report([open_run(folder)], folder / "report.html")


if __name__ == "__main__":
    main(__doc__, {"run": run, "again": run, "score": score, "report": report})
