"""vbench review: people judge clips on a local page, without seeing which generator made them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vbench_lite.errors import UsageError
from vbench_lite.escaping import vbench_command

if TYPE_CHECKING:
    from vbench_lite.review.server import Running
    from vbench_lite.run.view import Run


@click.command("review")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--usable", "mode", flag_value="usable", default=None, help="Keep or reject each clip. The default.")
@click.option("--pairs", "mode", flag_value="pairs", help="Which of two clips of a prompt is better?")
@click.option("--prompt-adherence", is_flag=True, help="With --pairs: also ask which clip follows the prompt better.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Questions per rater at most. Default: all.")
@click.option("--seed", type=int, default=0, show_default=True, help="Random seed of the question order.")
@click.option("--warm-up", is_flag=True, help="Begin with two questions with known answers.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Default: any free port.")
@click.option(
    "--host", metavar="HOST",
    help="Address to listen on, such as 0.0.0.0 for other devices of the network. The link then contains a token.",
)
@click.option(
    "--prices", type=click.Path(path_type=Path), metavar="FILE",
    help="A price file. Its table [review] states usd_per_hour of a reviewer.",
)
@click.option(
    "--export", type=click.Path(path_type=Path), metavar="FILE",
    help="Instead, write a page without a server (.html), tasks for Label Studio (.json) or the votes (.csv).",
)
@click.option(
    "--collect", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
    help="Instead, store votes of exported pages, Label Studio (.json) or tables (.csv). May be repeated.",
)
@click.option(
    "--thresholds", type=click.Path(path_type=Path), metavar="FILE",
    help="Instead, write thresholds that are fitted to the votes, for `vbench score --thresholds FILE`.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the page in a browser.")
def command(
    runs: tuple[str, ...], mode: str | None, prompt_adherence: bool, limit: int | None, seed: int, warm_up: bool,
    port: int, host: str | None, prices: Path | None, export: Path | None, collect: tuple[Path, ...],
    thresholds: Path | None, no_browser: bool,
) -> None:  # fmt: skip
    """Let people judge the clips of RUN on a local page, without seeing which generator made them.

    Votes are stored in RUN/votes, one small file each. The page can be closed and opened again at any time. Ctrl-C
    ends the server and writes the results into summary.json and clips.csv. With several runs, clips of different runs
    are paired and the votes are stored in the first run.

    \b
    Examples:
      vbench review results/ads
      vbench review results/ads --pairs
      vbench review results/ads --pairs --export for-anna.html
      vbench review results/ads --collect votes-anna.json
      vbench review results/ads-today results/ads-monday --pairs --host 0.0.0.0
    """
    from vbench_lite.jobs import reviewing
    from vbench_lite.review.opening import ReviewOrder
    from vbench_lite.run.view import open_run

    if sum(map(bool, (export, collect, thresholds))) > 1:
        raise UsageError("--export, --collect and --thresholds exclude each other: use one at a time.")
    order = ReviewOrder(
        mode="pairs" if mode == "pairs" else "usable", prompt_adherence=prompt_adherence, limit=limit, seed=seed,
        warm_up=warm_up, port=port, host=host,
    )
    opened = [open_run(name) for name in runs]
    if prices:
        reviewing.state_rate(opened[0], prices)
    if export:
        click.echo(f"{export}: {reviewing.export_review(opened, order, export)}")
    elif thresholds:
        people = reviewing.write_thresholds(opened[0], thresholds)
        assert people.fitted is not None
        click.echo(f"{thresholds}: wrong on {people.fitted.error.value:.1%} of the clips of held-out prompts")
    elif collect:
        for path, count in reviewing.collect_votes(opened[0], collect).items():
            click.echo(f"{path}: {count} vote{'s' if count != 1 else ''}")
        _count(opened[0])
    else:
        running = reviewing.start_review(opened, order)
        click.echo(running.link)
        click.echo("Each vote is stored at once. End with Ctrl-C.", err=True)
        if not no_browser:
            click.launch(running.link)
        _wait(running)
        _count(opened[0])


def _count(run: Run) -> None:
    """Counts the votes and prints the next command."""
    from vbench_lite.jobs import reviewing

    people = reviewing.count_votes(run)
    if not run.folder.summary_path.exists():
        score = vbench_command("score", run.path)
        click.echo(f"The votes are stored. To count them, score the run: {score}")
    elif people is None:
        click.echo("There are no votes yet.")
    else:
        dropped = "".join(f" {count} not counted: {why}." for why, count in people.dropped.items())
        who = " of simulated raters" if people.simulated else ""
        click.echo(f"Counted: {people.votes} votes{who}.{dropped} See them with: {vbench_command('report', run.path)}")
        for rater in people.raters:
            if rater.careless:
                click.echo(f"Answers of {rater.name} look careless ({', '.join(rater.careless)}): they do not count.")
            elif rater.prefers_side:
                share = f"{rater.left:.0%} of the decided votes are for the left clip"
                click.echo(f"{rater.name} prefers the {rater.prefers_side} side ({share}). These votes count.")


def _wait(running: Running) -> None:
    """Waits until Ctrl-C or a request to end."""
    with contextlib.suppress(KeyboardInterrupt):
        running.wait(None)
    running.stop()
