"""Memory and CPU time of reading and summarising a run, by its number of rows; without clips, networks or processes.

    python benchmarks/rows.py 30000 300000

Each step runs in a process of its own: `summarise` reads all records and writes clips.csv and summary.json, with ten
scores for each clip; `compare` reads a run twice and compares it with itself, as `vbench compare` and the gate do;
`table` prints the terminal's table. Flushing to the disk is left out while the records are written.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from steps import main

CLIPS_PER_PROMPT = 5
METRICS = 10


def write(folder: Path, clips: int) -> None:
    """A run of two generators without clips. One clip in a hundred failed."""
    from vbench_lite.measuring.devices import find_device
    from vbench_lite.records import (
        ClipRecord,
        ClipSpec,
        Definition,
        DeviceFacts,
        Measurement,
        Price,
        Prompt,
        ReasonCode,
        Suite,
    )
    from vbench_lite.run.folder import RunFolder
    from vbench_lite.run.manifest import build_manifest
    from vbench_lite.run.plan import make_plan

    if (folder / "run.json").exists():
        return
    # This process only writes the folder that the measured ones read. Waiting for the disk would take hours.
    os.fsync = lambda _: None  # type: ignore[assignment]
    prompts = tuple(
        Prompt(f"p{n:06d}", f"a square crosses picture {n}", f"kind-{n % 5}")
        for n in range(clips // CLIPS_PER_PROMPT // 2)
    )
    suite = Suite("rows", "Rows", prompts, f"rows-{clips}")
    plan = make_plan(
        suite, [Definition(name, "diffusion", "simulated", clip=ClipSpec()) for name in ("a", "b")],
        CLIPS_PER_PROMPT, None, 0, "builtin",
    )
    store, price = RunFolder(folder), Price(usd_per_device_hour=2.0, date="2026-11-01", source="a price list")
    store.write_manifest(build_manifest(plan, find_device("cpu"), {"a": price, "b": price}, "rows"))
    device = DeviceFacts("cpu", "a processor", 1, 8, 32000.0)
    for definition in plan.definitions:
        for nth, request in enumerate(plan.requests(definition)):
            failed, seconds = nth % 100 == 99, 1 + (nth * 7919 % 1000) / 1000
            store.write_record(ClipRecord(
                definition.name, "diffusion", request.prompt_id, request.index, request.seed,
                "failed" if failed else "ok", "the generator gave no frames" if failed else None,
                ReasonCode.BAD_OUTPUT if failed else None, None if failed else f"clips/{definition.name}/{nth}.mp4",
                f"{nth:064x}", 17, 64, 64, 8.0,
                Measurement(
                    seconds, seconds, peak_rss_mb=900.0 + nth % 50, counts={"denoising_steps": 20},
                    stages_s={"denoise": 0.8 * seconds, "vae_decode": 0.2 * seconds},
                ),
                None, device, price, 0.001 * seconds,
            ))  # fmt: skip


def summarise(folder: Path, clips: int) -> None:
    """Scores that a formula gives, then clips.csv and summary.json."""
    from vbench_lite.analysis import summary
    from vbench_lite.records import MetricInfo, Score, Scored
    from vbench_lite.run.folder import RunFolder

    run = RunFolder(folder)
    manifest = run.manifest()
    names = [f"metric_{n}" for n in range(METRICS)]
    infos = {name: MetricInfo(name, "fraction", True, "1", None, "clip", name, (0.0, 1.0)) for name in names}
    scores = {
        key: {name: Score(((nth * 7919 + at * 104729) % 99991) / 99991) for at, name in enumerate(names)}
        for generator in manifest.generators for nth, key in enumerate(manifest.keys(generator))
    }
    summary.summarise(run, Scored(infos, scores, {name: {} for name in manifest.generators}))


def compare(folder: Path, clips: int) -> None:
    """Both generators, in every quantity."""
    from vbench_lite.analysis.compare import compare_runs
    from vbench_lite.run.view import open_run

    compare_runs(open_run(f"{folder}:a"), open_run(f"{folder}:b"))


def table(folder: Path, clips: int) -> None:
    """The terminal's table."""
    from rich.console import Console

    from vbench_lite.report.formats.terminal import terminal_table
    from vbench_lite.run.view import open_run

    Console(file=sys.stderr).print(terminal_table(open_run(folder)))


if __name__ == "__main__":
    main(__doc__, {"write": write, "summarise": summarise, "compare": compare, "table": table})
