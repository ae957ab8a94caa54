"""vbench selftest: damage reference clips and check that the metrics react."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from vbench_lite import formatting as words
from vbench_lite.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from vbench_lite.scoring.selftest import SelftestResult
    from vbench_lite.video import Frames


@click.command("selftest")
@click.option("--backbones", default="builtin", show_default=True, metavar="builtin|standard|vbench|FILE")
@click.option(
    "--metrics", metavar="NAME|SET|FILE|pkg.mod:Class,...",
    help="Default: the built-in, scenario and your own metrics; with VBench's networks also those of VBench.",
)
@click.option("--clips", default=16, show_default=True, type=click.IntRange(min=8), metavar="N")
@click.option(
    "--folder", type=click.Path(path_type=Path), metavar="DIR",
    help="Use these clips instead, such as natural ones: of 2N clips, half are damaged and half are the real clips.",
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Parallel readers. Default: one per core.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    backbones: str, metrics: str | None, clips: int, folder: Path | None, workers: int | None, as_json: bool
) -> None:
    """Damage clips of the built-in world in steps, and print how each metric reacts.

    The reaction is the rank correlation of damage and value: 1 if the value rises with every step, -1 if it falls with
    every step, 0 if it does not change. The exit code is 1 if a metric does not react as it claims.

    \b
    Example:  vbench selftest
    """
    from vbench_lite.metrics.registry import default_sets, load_networks, select, user_metrics
    from vbench_lite.progress import progress
    from vbench_lite.scoring import selftest
    from vbench_lite.scoring.scorer import device_for

    chosen = select(metrics or [*sorted(default_sets(backbones)), "scenario", *user_metrics().values()], images=True)
    if programs := [metric.name for metric in chosen if metric.origin == "program"]:
        names = ", ".join(programs)
        raise UsageError(f"selftest cannot check {names}: their values come from a program. Leave them out.")
    nets = load_networks(chosen, backbones, device_for(chosen))
    given = _clips_of(folder, clips) if folder else []
    total = selftest.observations_on(len(given)) if given else selftest.observations(clips)
    with progress("damaged clips", total) as tick:
        if given:
            cells = selftest.run_on(nets, chosen, given, workers, tick)
        else:
            cells = selftest.run(nets, chosen, clips, workers, tick)
    unavailable = {metric.name: why for metric in chosen if (why := metric.unavailable(nets))}
    broken = [cell for cell in cells if cell.holds is False]
    if as_json:
        found = {
            "backbones": backbones, "networks": nets.names(), "unavailable": unavailable, "clips": clips,
            "failed": len(broken), "cells": [dataclasses.asdict(cell) for cell in cells],
        }
        click.echo(json.dumps(found, indent=2))
    else:
        _print(cells, broken)
        click.echo(f"Networks: {', '.join(nets.names()) or 'none'}.")
        for why in dict.fromkeys(unavailable.values()):
            names = ", ".join(name for name, each in unavailable.items() if each == why)
            click.echo(f"No value of {names}: {why}.")
    if broken:
        raise SystemExit(1)


FRAMES = 32
"""Maximum number of frames of a given clip."""


def _clips_of(folder: Path, clips: int) -> list[Frames]:
    """Up to 2 x `clips` clips of a folder.

    Raises:
        UsageError: The folder has fewer than 16 clips.
    """
    from vbench_lite.features.flow import flow_size
    from vbench_lite.scoring.reference import clip_files
    from vbench_lite.video import read_clip

    paths = clip_files(folder)[: 2 * clips]
    if len(paths) < 16:
        raise UsageError(f"{folder} has {len(paths)} clips: 16 or more are needed.")
    return [np.stack([flow_size(frame) for frame in read_clip(path)[0][:FRAMES]]) for path in paths]


def _print(cells: list[SelftestResult], broken: list[SelftestResult]) -> None:
    from vbench_lite.cli.terminal.console import stdout_console

    console = stdout_console()
    click.echo("Rank correlation of damage and value")
    for table in _tables(cells, console.width):
        console.print(table)
    claims = sum(cell.holds is not None for cell in cells)
    click.echo("Marked with !: must follow every step (0.95 or more). =: must not change. x: the claim does not hold.")
    for cell in broken:
        steps = " ".join("-" if value is None else words.plain(value) for value in cell.values)
        click.echo(f"FAILED: {cell.metric} under {cell.damage} must go {cell.claim}: {steps}")
    click.echo(f"{claims - len(broken)} of {claims} claims hold.")


def _tables(cells: list[SelftestResult], width: int) -> Iterator[Table]:
    """Tables with a row per metric and a column per damage, split to fit the width; no name is broken."""
    from rich.table import Table

    texts = {(cell.metric, cell.damage): _text(cell) for cell in cells}
    metrics, damages = (list(dict.fromkeys(names)) for names in zip(*texts, strict=True))
    widths = {name: 2 + max(len(name), *(len(texts[metric, name]) for metric in metrics)) for name in damages}
    left = max(map(len, metrics))
    while damages:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("metric", no_wrap=True)
        shown = damages[:1]
        while len(shown) < len(damages) and left + sum(widths[name] for name in damages[: len(shown) + 1]) <= width:
            shown = damages[: len(shown) + 1]
        for name in shown:
            table.add_column(name, justify="right", no_wrap=True)
        for metric in metrics:
            table.add_row(metric, *(texts[metric, name] for name in shown))
        yield table
        damages = damages[len(shown) :]


def _text(cell: SelftestResult) -> str:
    if cell.correlation is None:
        return "-"
    mark = "" if cell.claim is None else "x" if cell.holds is False else "=" if cell.claim == "unmoved" else "!"
    return f"{cell.correlation:.2f}{mark}"
