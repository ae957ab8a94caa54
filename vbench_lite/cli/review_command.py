"""vbench review: people judge clips on a local page, without seeing which generator made them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vbench_lite.review.server import Running


@click.command("review")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--usable", "mode", flag_value="usable", default=None, help="Keep or reject each clip. The default.")
@click.option("--pairs", "mode", flag_value="pairs", help="Which of two clips of a prompt is better?")
@click.option("--prompt-adherence", is_flag=True, help="With --pairs: also ask which clip follows the prompt better.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Questions of each rater. Default: all.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the order of questions.")
@click.option("--warm-up", is_flag=True, help="Begin with two questions whose answers are known.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Default: a free one.")
@click.option(
    "--host", metavar="HOST",
    help="Listen here, such as 0.0.0.0 for other devices of the network. The link then holds a token.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
def command(
    runs: tuple[str, ...], mode: str | None, prompt_adherence: bool, limit: int | None, seed: int, warm_up: bool,
    port: int, host: str | None, no_browser: bool,
) -> None:  # fmt: skip
    """Let people judge the clips of RUN on a local page, without seeing which generator made them.

    Votes are stored in RUN/votes, one small file each. The page can be closed and opened again at any time. Ctrl-C
    ends the server and writes the results into summary.json and clips.csv. With several runs, clips of different runs
    are paired and the votes are stored in the first run.

    \b
    Examples:
      vbench review results/ads
      vbench review results/ads --pairs
      vbench review results/ads-today results/ads-monday --pairs --host 0.0.0.0
    """
    from vbench_lite.analysis.people.results import refresh
    from vbench_lite.review.opening import ReviewOrder, open_review, serve
    from vbench_lite.run.view import open_run

    order = ReviewOrder(
        mode="pairs" if mode == "pairs" else "usable", prompt_adherence=prompt_adherence, limit=limit, seed=seed,
        warm_up=warm_up, port=port, host=host,
    )
    opened = [open_run(name) for name in runs]
    running = serve(open_review(opened, order), order)
    click.echo(running.link)
    click.echo("Votes are stored as they come. End with Ctrl-C.", err=True)
    if not no_browser:
        click.launch(running.link)
    _wait(running)
    folder = opened[0].folder
    if not folder.summary_path.exists():
        click.echo(f"The run is not scored, so the votes are stored and not counted yet: vbench score {folder.path}")
        return
    people = refresh(folder).people
    click.echo(f"{people.votes if people else 0} votes are counted. See them with: vbench report {folder.path}")


def _wait(running: Running) -> None:
    """Until Ctrl-C or a request to end."""
    with contextlib.suppress(KeyboardInterrupt):
        running.wait(None)
    running.stop()
