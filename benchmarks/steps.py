"""Time and memory of the steps of a benchmark, by the number of clips; each step runs in a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def main(description: str, steps: Mapping[str, Callable[[Path, int], None]]) -> None:
    """Prints a row for each number of clips and each step, in their order.

    Args:
        description: Of the benchmark, for --help.
        steps: Name > function of the folder of a run and its number of clips.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("clips", type=int, nargs="+")
    parser.add_argument("--keep", type=Path, help="where runs are kept; a temporary folder without it")
    parser.add_argument("--step", choices=steps, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        print(json.dumps(used_by(lambda: steps[arguments.step](arguments.keep, arguments.clips[0]))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        base = arguments.keep or Path(temporary)
        print(f"| clips | step | seconds | CPU seconds | CPU ms a clip | peak MiB |\n|{'---|' * 6}", flush=True)
        for clips in arguments.clips:
            for step in steps:
                print(f"| {clips} | {step} | {measured(step, base / f'run-{clips}', clips)} |", flush=True)


def used_by(step: Callable[[], None]) -> list[float]:
    """Seconds, CPU seconds of all processes (which a busy machine does not change), and peak MiB of the largest."""
    started = time.perf_counter()
    step()
    seconds = time.perf_counter() - started
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return [seconds, sum(u.ru_utime + u.ru_stime for u in used), max(u.ru_maxrss for u in used) / 1024]


def measured(step: str, folder: Path, clips: int) -> str:
    """The cells of one step in a fresh process, or why it failed."""
    command = [sys.executable, sys.argv[0], str(clips), "--step", step, "--keep", str(folder)]
    environment = os.environ | {"VBENCH_CACHE": str(folder.parent / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        return f"{done.stderr.strip().splitlines()[-1][:200]} | | |"
    seconds, cpu_s, peak_mb = json.loads(done.stdout.strip().splitlines()[-1])
    return f"{seconds:.1f} | {cpu_s:.1f} | {1000 * cpu_s / clips:.2f} | {peak_mb:.0f}"
