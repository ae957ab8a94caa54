"""`vbench report`: renders one or more runs as a page, as Markdown, or as data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vbench_lite.report.output import Clips

FORMATS = (
    "html", "pdf", "markdown", "json", "csv", "spreadsheet", "parquet", "latex", "model-card", "metrics", "vbench",
    "vbench-totals", "run-card", "plots",
)  # fmt: skip


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help='Output file; "-" is stdout.  [default: reports/<name>.html, stdout for other text formats]',
)
@click.option("--format", "format_", type=click.Choice(FORMATS), help="[default: by the ending of FILE, else html]")
@click.option(
    "--clips",
    type=click.Choice(("auto", "embed", "folder", "none")),
    default="auto",
    show_default=True,
    help="Where the page stores its clips. auto embeds as many as fit into 30 MB.",
)
def command(runs: tuple[str, ...], out: Path | None, format_: str | None, clips: Clips) -> None:  # fmt: skip
    """Render the report of one or more runs.

    RUN is a run folder, or one generator of it as RUN:GENERATOR. Of several runs of one suite, the report shows the
    newest, and the older ones as its history. Runs of other suites are shown as further scenarios.

    \b
    Examples:
      vbench report results/ads
      vbench report results/* -o reports/history.html
      vbench report results/ads -o reports/ads.pdf
      vbench report results/ads --format markdown > comment.md
    """
    from vbench_lite.report import choose_reporter, write_report
    from vbench_lite.report.output import STDOUT
    from vbench_lite.run.view import open_run

    reporter = choose_reporter(format_, out)
    if out == STDOUT and not reporter.text:
        raise click.UsageError(f'"{reporter.name}" writes files: name one with -o.')
    target = STDOUT if out is None and reporter.text else out
    chosen = [open_run(argument) for argument in _runs_among(runs)]
    path = write_report(chosen, target, reporter.name, clips)
    if path != STDOUT:
        click.echo(str(path), file=sys.stdout)


def _runs_among(arguments: tuple[str, ...]) -> list[str]:
    """The arguments that are runs. `results/*` also matches other files and folders, which are skipped."""
    if len(arguments) == 1:
        return list(arguments)
    kept = [a for a in arguments if not Path(a).exists() or (Path(a) / "run.json").exists()]
    return kept or list(arguments)
