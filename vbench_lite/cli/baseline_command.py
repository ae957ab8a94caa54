"""`vbench baseline`: store the run that releases are compared with, and show its history."""

from __future__ import annotations

from pathlib import Path

import click

from vbench_lite.analysis.promotions import read_history
from vbench_lite.escaping import vbench_command
from vbench_lite.files import to_json
from vbench_lite.gate.baselines.baseline import Promotion, promote

FOLDER = Path("results/baseline")


@click.group()
def command() -> None:
    """Keep the runs that releases are compared with.

    A baseline is a run without its clips: small enough to commit, with its history and its policy.

    \b
    Examples:
      vbench baseline promote results/ads --reason "release 1.4, gate passed" --by "Ana Lopez"
      vbench baseline history
    """


@command.command("promote")
@click.argument("run")
@click.option("--reason", required=True, help="Why this run becomes the baseline. Stored in the history.")
@click.option("--by", required=True, help="Who made the decision.")
@click.option("--to", type=click.Path(path_type=Path), default=FOLDER, show_default=True, help="Its folder.")
@click.option("--policy", type=click.Path(path_type=Path), help="Gate policy, which is stored with the baseline.")
@click.option(
    "--new-anchor", metavar="REASON", default="",
    help="Also make RUN the new anchor: the first baseline, with which all later releases are compared too. State why.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the new entry of the history as JSON.")
def promote_command(run: str, reason: str, by: str, to: Path, policy: Path | None, new_anchor: str,
                    as_json: bool) -> None:  # fmt: skip
    """Make RUN the baseline.

    \b
    Example:
      vbench baseline promote results/ads --reason "release 1.4, gate passed" --by "Ana Lopez"
    """
    if not reason.strip() or not by.strip():
        raise click.UsageError("--reason and --by must not be empty: the history shows both for each promotion.")
    entry = promote(Promotion(run, reason.strip(), by.strip(), to, policy, new_anchor.strip()))
    if as_json:
        click.echo(to_json(entry), nl=False)
        return
    size = sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
    click.echo(f"{to} is the baseline now: run {entry.run!r}, {size / 1e6:.2f} MB, to be committed.")
    click.echo(f"Gate this run, or a later one, with: {vbench_command('gate', run, '--baseline', to)}")


@command.command("history")
@click.argument("folder", type=click.Path(path_type=Path), default=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the history as JSON.")
def history_command(folder: Path, as_json: bool) -> None:
    """Show every promotion into FOLDER (results/baseline), oldest first."""
    entries = read_history(folder)
    if as_json:
        click.echo(to_json({"promotions": entries}), nl=False)
    elif not entries:
        click.echo(f"{folder} has no history yet. See how to begin it: vbench baseline promote --help")
    else:
        for entry in entries:
            click.echo(f"{entry.date}  {entry.run}  by {entry.by}: {entry.reason}")
