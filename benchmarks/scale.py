"""Time and memory by the number of clips: run, run again, score with summary, report.

    python benchmarks/scale.py 1000 10000 [--keep DIR]

A simulated generator claims its durations instead of waiting, and returns one of 16 finished files, so that
what is measured is the harness: processes, store, checks on resuming, scores from cached features, summary
and report. Each step runs in a process of its own, whose peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vbench_lite.run.plan import Plan

CLIPS_PER_PROMPT = 4
STEPS = ("run", "again", "score", "report")


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


FUNCTIONS: dict[str, Callable[[Path, int], None]] = {"run": run, "again": run, "score": score, "report": report}


class Figures(NamedTuple):
    seconds: float
    cpu_s: float
    """Of all processes of the step: what a busy machine does not change."""
    peak_mb: float
    """Of the largest of them."""


def measured(step: str, folder: Path, clips: int) -> Figures | str:
    """One step in a fresh process, or why it failed."""
    command = [sys.executable, __file__, str(clips), "--step", step, "--keep", str(folder)]
    environment = os.environ | {"VBENCH_CACHE": str(folder.parent / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1][:100]
    return Figures(*json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=int, nargs="+")
    parser.add_argument("--keep", type=Path, help="where runs are kept; a temporary folder without it")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        started = time.perf_counter()
        FUNCTIONS[arguments.step](arguments.keep, arguments.clips[0])
        seconds = time.perf_counter() - started
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        cpu_s = sum(u.ru_utime + u.ru_stime for u in used)
        print(json.dumps([seconds, cpu_s, max(u.ru_maxrss for u in used) / 1024]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        base = arguments.keep or Path(temporary)
        print("| clips | step | seconds | CPU seconds | CPU ms a clip | peak MiB |\n|---|---|---|---|---|---|")
        for clips in arguments.clips:
            for step in STEPS:
                found = measured(step, base / f"run-{clips}", clips)
                if isinstance(found, str):
                    print(f"| {clips} | {step} | {found} | | | |", flush=True)
                    continue
                each_ms = 1000 * found.cpu_s / clips
                figures = f"{found.seconds:.1f} | {found.cpu_s:.1f} | {each_ms:.2f} | {found.peak_mb:.0f}"
                print(f"| {clips} | {step} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
