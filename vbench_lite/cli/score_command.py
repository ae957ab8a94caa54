"""vbench score: score a run again, or clips that were made elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vbench_lite import escaping
from vbench_lite.errors import UsageError
from vbench_lite.escaping import vbench_command
from vbench_lite.files import to_json

if TYPE_CHECKING:
    from vbench_lite.run.folder import RunFolder
    from vbench_lite.run.view import Run

SHOWN = 10
"""Number of files that are named for each reason of leaving files out."""


@click.command("score")
@click.argument("target", metavar="RUN|FOLDER", type=click.Path(path_type=Path))
@click.option("--suite", metavar="NAME|FILE", help="With FOLDER: the suite of prompts of its clips.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="With FOLDER. Default: results/<folder>.")
@click.option(
    "--backbones", metavar="builtin|standard|vbench|FILE",
    help="Networks that metrics use. Default: those of the run, or builtin.",
)
@click.option(
    "--metrics", metavar="NAME|SET|FILE|pkg.mod:Class,...",
    help="Names of metrics; the sets builtin, scenario, vbench, all; or a judge.toml. Default: builtin and your own.",
)
@click.option(
    "--thresholds", metavar="FILE|SUITE",
    help="Thresholds of a usable clip: a TOML with a table [usable]. Stored in the run.",
)
@click.option("--reference", metavar="FOLDER|world|none", help="Real clips to compare with. Stored in the run.")
@click.option(
    "--clips-per-prompt", type=click.IntRange(min=1), metavar="N",
    help="With FOLDER: clips that each prompt must have; absent clips count as failed. Default: the clips present.",
)
@click.option(
    "--import", "tables", multiple=True, metavar="TABLE", type=click.Path(path_type=Path),
    help="Scores of other tools, to store: a CSV (generator, prompt_id, index, metric, value) or VBench's JSON.",
)
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda[:i]", help="cuda: all devices.")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True)
@click.option("--shard", metavar="I/N", help="Read only part I of N. To merge, copy the folders into one and score it.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Parallel readers. Default: one per core.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON document.")
def command(
    target: Path, suite: str | None, out: Path | None, backbones: str | None, metrics: str | None,
    thresholds: str | None, reference: str | None, clips_per_prompt: int | None,
    tables: tuple[Path, ...], device: str, engine: str, shard: str | None, workers: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Score the stored clips of RUN again, or the clips of a FOLDER with {prompt}-{k}.mp4.

    Scoring changes no clip. The same networks give the same numbers.

    \b
    Examples:  vbench score results/ads
               vbench score my-clips --suite ads --out results/mine
    """
    from vbench_lite.jobs.judging import read_judging
    from vbench_lite.jobs.rescoring import Scale, score_folder, score_shard
    from vbench_lite.run.view import open_run
    from vbench_lite.running.batches import Shard

    judging = read_judging(thresholds, reference)
    if suite:
        generator = None
        folder = _collected(target, suite, out, backbones, clips_per_prompt)
    else:
        if clips_per_prompt is not None:
            raise UsageError("--clips-per-prompt goes with a FOLDER of clips and --suite.")
        if out is not None:
            raise UsageError("--out goes with a FOLDER of clips and --suite; a run is scored in its own folder.")
        if target.is_dir() and not (target / "run.json").exists():
            raise UsageError(_no_run(target))
        run = open_run(target)
        folder, generator = run.folder, run.selected
    scale = Scale(engine, device)
    if shard:
        if tables or thresholds or reference:
            raise UsageError("--import, --thresholds and --reference apply to the whole run: leave --shard out.")
        part = Shard.parse(shard)
        clips = score_shard(folder, part, backbones, workers, metrics, scale)
        whole = vbench_command("score", folder.path, *_chosen(backbones, metrics))
        click.echo(f"Shard {shard} is read: {clips} clips. When all are in one folder: {whole}", err=True)
        return
    _import(folder, tables, generator)
    summary = score_folder(folder, backbones, workers, metrics, judging, scale)
    if as_json:
        click.echo(to_json(summary.as_json()), nl=False)
    else:
        _show(open_run(folder.path))


def _chosen(backbones: str | None, metrics: str | None) -> list[str]:
    chosen = (("--backbones", backbones), ("--metrics", metrics))
    return [word for name, value in chosen if value for word in (name, value)]


def _import(folder: RunFolder, tables: Sequence[Path], generator: str | None) -> None:
    """Imports tables; prints on stderr which metrics are shown only or renamed, and rows without a value."""
    from vbench_lite.inputs.score_table import RENAMED
    from vbench_lite.inputs.vbench_results import read_vbench_results
    from vbench_lite.report.formats import vbench_totals
    from vbench_lite.scoring.importing import import_table

    for path in tables:
        found = import_table(folder, path, generator)
        notes = [f"imported {len(found.values)} scores of {', '.join(found.metrics)}"]
        if found.without_value:
            notes.append(f"{found.without_value} rows have no number: these clips get a reason instead of a score")
        if found.without_direction:
            names = ", ".join(found.without_direction)
            notes.append(f"these have no higher_is_better, so they are shown but never ranked or gated: {names}")
        if renamed := [name for name in found.metrics if name.endswith(RENAMED)]:
            notes.append(f"renamed, because vbench-lite has metrics of these names: {', '.join(renamed)}")
        if path.suffix.lower() == ".json":
            notes.append(vbench_totals.of_file(read_vbench_results(path)))
        for note in notes:
            click.echo(escaping.one_line(f"{path}: {note}."), err=True)


def _no_run(target: Path) -> str:
    from vbench_lite.inputs.clip_files import model_folders

    folders = model_folders(target)
    first = f"{target} is not a run" + (", but contains folders of clips. Score each folder alone" if folders else "")
    return f"{first}. Name the prompts of its clips with --suite: a file, or a suite of: vbench list suites"


def _collected(
    clips: Path, suite: str, out: Path | None, backbones: str | None, clips_per_prompt: int | None
) -> RunFolder:
    """The clips of the folder as a run; prints on stderr what is not scored."""
    from vbench_lite.jobs.collecting import collect

    found = collect(clips, suite, out, backbones, clips_per_prompt=clips_per_prompt)
    for note in found.matched.notes:
        click.echo(escaping.one_line(f"Note: {note}"), err=True)
    for line in _left_out(found.matched.unmatched):
        click.echo(escaping.one_line(f"Not scored: {line}"), err=True)
    if found.absent:
        click.echo(f"{found.absent} of {found.outcome.asked} clips are not in {clips}: they count as failed.", err=True)
    if broken := [r for r in found.outcome.failed if (r.prompt_id, r.index) in found.matched.clips]:
        first = broken[0]
        click.echo(
            f"Not readable, and counted as failed: {len(broken)}, e.g. {first.prompt_id} #{first.index}: "
            f"{first.reason}", err=True,
        )
    return found.folder


def _left_out(unmatched: Sequence[tuple[Path, str]]) -> Iterator[str]:
    """File names by reason; only the first ones of a reason with many files."""
    by_reason: dict[str, list[Path]] = {}
    for path, why in unmatched:
        by_reason.setdefault(why, []).append(path)
    for why, paths in by_reason.items():
        for path in paths[:SHOWN]:
            yield f"{path}: {why}"
        if len(paths) > SHOWN:
            yield f"{len(paths) - SHOWN} more files: {why}"


def _show(run: Run) -> None:
    from rich.console import Console

    from vbench_lite.report.formats.terminal import terminal_table

    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 100).print(terminal_table(run))
