"""vbench score: score a run again, or clips that were made elsewhere."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vbench_lite.errors import UsageError

if TYPE_CHECKING:
    from vbench_lite.run.folder import RunFolder

SHOWN = 10
"""Files that are named one by one, when they belong to no prompt."""


@click.command("score")
@click.argument("target", metavar="RUN|FOLDER", type=click.Path(path_type=Path))
@click.option("--suite", metavar="NAME|FILE", help="With FOLDER: the prompts that its clips were made for.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="With FOLDER. Default: results/<folder>.")
@click.option(
    "--backbones", metavar="builtin|standard|FILE", help="Networks that metrics use. Default: the run's, or builtin."
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Clips read side by side; one a core.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON document.")
def command(
    target: Path, suite: str | None, out: Path | None, backbones: str | None, workers: int | None, as_json: bool
) -> None:
    """Score the stored clips of RUN again, or those of a FOLDER that holds {prompt}-{k}.mp4.

    Scoring again changes no clip; with the same networks it gives the same numbers.

    \b
    Examples:  vbench score results/ads
               vbench score my-clips --suite ads --out results/mine
    """
    from vbench_lite.analysis import summary
    from vbench_lite.running.phases import timed_scoring
    from vbench_lite.scoring import scorer

    folder = _collect(target, suite, out, backbones) if suite else _run_folder(target, out)
    manifest = folder.manifest()
    asked = backbones or manifest["plan"].get("backbones") or "builtin"
    with timed_scoring(folder.path):
        scored = scorer.score_run(folder, asked, workers=workers)
        if manifest["plan"].get("backbones") != asked:
            manifest["plan"]["backbones"] = asked
            folder.write_manifest(manifest)
        found = summary.summarise(folder, scored)
    _show(folder, found, as_json)


def _run_folder(target: Path, out: Path | None) -> RunFolder:
    from vbench_lite.run.folder import select_run

    if out is not None:
        raise UsageError("--out goes with a FOLDER of clips and --suite; a run is scored where it lies.")
    if target.is_dir() and not (target / "run.json").exists():
        raise UsageError(
            f"{target} holds no run. If it holds clips, name their prompts: vbench score {target} --suite NAME|FILE"
        )
    return select_run(str(target)).folder


def _collect(clips: Path, suite_name: str, out: Path | None, backbones: str | None) -> RunFolder:
    """A run that holds the folder's clips as if a generator had made them."""
    from vbench_lite.inputs import suites
    from vbench_lite.inputs.clipnames import match_folder
    from vbench_lite.measuring import devices, prices
    from vbench_lite.records import Definition
    from vbench_lite.run import folder as store
    from vbench_lite.run import plan
    from vbench_lite.running import runner

    if not clips.is_dir():
        raise UsageError(f"there is no folder of clips at {clips}.")
    suite = suites.load_suite(suite_name)
    matched = match_folder(clips, suite.prompts)
    for path, why in matched.unmatched[:SHOWN]:
        click.echo(f"Not scored: {path}: {why}", err=True)
    if len(matched.unmatched) > SHOWN:
        click.echo(f"Not scored: {len(matched.unmatched) - SHOWN} more files", err=True)
    if not matched.clips:
        raise UsageError(f"no clip in {clips} belongs to a prompt of {suite.name}. Name them {{prompt}}-{{k}}.mp4.")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", clips.resolve().name).strip("-._") or "clips"
    definition = Definition(name, "undisclosed", "recorded", model=str(clips.resolve()), folder=clips.resolve().parent)
    each = 1 + max(index for _, index in matched.clips)
    device = devices.find_device("cpu")
    folder = store.RunFolder(out or Path("results") / name)
    wanted = plan.make_plan(suite, [definition], each, None, 0, backbones or "builtin")
    price = {name: prices.price_of(definition, device, None)}
    with _without_a_line_each():
        outcome = runner.run(wanted, folder, device, runner.Options(retry_failed=True, prices=price))
    absent = len(wanted.keys(definition)) - len(matched.clips)
    if absent:
        click.echo(
            f"{absent} of {outcome.asked} clips are not in {clips}, {each} for each of {len(suite.prompts)} prompts: "
            "they count as failed.", err=True,
        )
    if broken := [r for r in outcome.failed if (r.prompt_id, r.index) in matched.clips]:
        first = broken[0]
        click.echo(
            f"Not readable, and counted as failed: {len(broken)}, e.g. {first.prompt_id} #{first.index}: "
            f"{first.reason}", err=True,
        )
    return folder


@contextlib.contextmanager
def _without_a_line_each() -> Iterator[None]:
    """Failed clips are counted in one line afterwards, not told one by one."""
    log = logging.getLogger("vbench_lite.running.runner")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _show(folder: RunFolder, summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(summary, indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    from vbench_lite.report import terminal_table

    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 100).print(terminal_table(summary))
    click.echo(f"Run: {folder.path}   Report: vbench report {folder.path}")
