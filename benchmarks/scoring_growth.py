"""How time and memory of scoring grow with the number of clips and with their length.

    python benchmarks/scoring_growth.py [--clips 40] [--frames 17] [--side 96]

Each line is a process of its own that scores a run of clips which no other line has seen, with an empty
cache, on the built-in networks and one worker; CPU time and peak memory of that process.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from vbench_lite.records import FORMAT, ClipRecord, ClipSpec, Prompt, Suite
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import Manifest, PlanRecord, StoredDefinition
from vbench_lite.video import encode_mp4
from vbench_lite.world import held_out_compositions, render


class Line(NamedTuple):
    clips: int
    frames: int
    cpu_s: float
    peak_mb: float


def make_run(path: Path, clips: int, frames: int, side: int) -> RunFolder:
    """A finished run of world clips, each with its own grain, so that none is like another."""
    compositions = held_out_compositions()[:40]
    folder, spec = RunFolder(path), ClipSpec(frames, 8.0, side, side)
    prompts = tuple(Prompt(f"p{n:02}", c.caption) for n, c in enumerate(compositions))
    each = -(-clips // len(prompts))
    folder.write_manifest(
        Manifest(
            format=FORMAT, name=path.name, suite=Suite("growth", "", prompts, "0"),
            plan=PlanRecord(tuple(p.id for p in prompts), each),
            generators={"g": StoredDefinition("g", "diffusion", "x", clip=spec)},
        )
    )
    for place in range(each * len(prompts)):
        n, index = place % len(prompts), place // len(prompts)
        grain = np.random.default_rng(place).integers(0, 4, (frames, side, side, 3), dtype=np.uint8)
        content = encode_mp4(np.minimum(render(compositions[n], index, frames, side, side), 251) + grain, 8)
        folder.write_clip(ClipRecord("g", "diffusion", f"p{n:02}", index, 0, "ok"), content)
    return folder


def measure(path: Path, clips: int, frames: int) -> Line:
    """Scores a run in this process."""
    from vbench_lite.scoring.scorer import score_run

    folder = RunFolder(path)
    start = time.process_time()
    score_run(folder, workers=1)
    return Line(clips, frames, time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def apart(clips: int, frames: int, side: int) -> Line:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        make_run(path, clips, frames, side)
        command = [sys.executable, __file__, "--child", json.dumps([str(path), clips, frames])]
        environment = {**os.environ, "VBENCH_CACHE": str(Path(folder) / "cache")}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return Line(*json.loads(done.stdout.splitlines()[-1]))


@click.command(help=__doc__)
@click.option("--clips", default=40, show_default=True, help="A multiple of 40; the other line has ten times as many.")
@click.option("--frames", default=17, show_default=True)
@click.option("--side", default=96, show_default=True)
@click.option("--child", hidden=True)
def main(clips: int, frames: int, side: int, child: str | None) -> None:
    if child:
        path, *shape = json.loads(child)
        click.echo(json.dumps(measure(Path(path), *shape)))
        return
    first = apart(clips, frames, side)
    click.echo("| clips | frames each | CPU s | times | peak MiB | times |")
    click.echo("|---|---|---|---|---|---|")
    for line in (first, apart(10 * clips, frames, side), apart(clips, 10 * frames, side)):
        click.echo(f"| {line.clips} | {line.frames} | {line.cpu_s:.1f} | {line.cpu_s / first.cpu_s:.2f} | "
                   f"{line.peak_mb:.0f} | {line.peak_mb / first.peak_mb:.3f} |")


if __name__ == "__main__":
    main()
