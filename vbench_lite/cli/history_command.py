"""`vbench history`: how each generator has moved over its releases."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import click

from vbench_lite.analysis.releases import Line, Release, release_history
from vbench_lite.files import to_json
from vbench_lite.gate.shown.formatting import number
from vbench_lite.records import Estimate

HEADING = "figure, and its\n95 % interval"


@click.command()
@click.argument("results", type=click.Path(path_type=Path), default=Path("results"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(results: Path, as_json: bool) -> None:
    """Show quality, usability and cost of every release in RESULTS (results), oldest first.

    The figures of one generator in one suite are computed over the prompts that all its runs were asked with the same
    text, with 95 % intervals over prompts. Promotions, and changes of weights, revision, code, settings, price, device,
    suite and scorer since the release before, stand beside each release.

    \b
    Examples:
      vbench history
      vbench history results --json
    """
    lines = release_history(results)
    if as_json:
        click.echo(to_json({"format": 1, "lines": [dataclasses.asdict(line) for line in lines]}), nl=False)
        return
    for line in lines:
        _show(line)


def _show(line: Line) -> None:
    from rich.table import Table
    from rich.text import Text

    from vbench_lite.cli.terminal.console import stdout_console

    console = stdout_console()
    console.print(Text(f"{line.generator}, suite {line.suite}: {_over(line)}", style="bold"))
    names = [name for name in line.releases[-1].figures if any(_known(r.figures.get(name)) for r in line.releases)]
    for releases in _fitting(line.releases, names, console.width):
        table = Table(box=None, pad_edge=False)
        table.add_column(HEADING, no_wrap=True)
        for release in releases:
            table.add_column(_title(release), justify="right", no_wrap=True)
        for name in names:
            table.add_row(name, *(_cell(release.figures.get(name)) for release in releases))
        console.print(table)
    for release in line.releases:
        for mark in release.marks:
            console.print(Text(f"{release.created[:10]} {Path(release.run).name}: {mark.sentence}"))
    if line.left_out:
        console.print(Text(f"Left out, because they share too few prompts: {', '.join(line.left_out)}"))
    console.print()


def _fitting(releases: Sequence[Release], names: Sequence[str], width: int) -> list[list[Release]]:
    """The releases in groups whose columns fit side by side in a terminal, so that no number is cut."""
    left = max(map(len, [*HEADING.split("\n"), *names]))
    groups: list[list[Release]] = [[]]
    used = left
    for release in releases:
        texts = [_title(release), *(_cell(release.figures.get(name)) for name in names)]
        column = 2 + max(len(part) for text in texts for part in text.split("\n"))
        if groups[-1] and used + column > width:
            groups.append([])
            used = left
        groups[-1].append(release)
        used += column
    return groups


def _title(release: Release) -> str:
    return f"{release.created[:10]}\n{Path(release.run).name}"


def _over(line: Line) -> str:
    releases = f"{len(line.releases)} release{'s' * (len(line.releases) != 1)}"
    return f"{releases} over the {len(line.prompts)} prompts that all share (the newest run has {line.asked})"


def _known(estimate: Estimate | None) -> bool:
    return estimate is not None and estimate.value is not None


def _cell(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return number(estimate.value)
    return f"{number(estimate.value)}\n{number(estimate.low)} to {number(estimate.high)}"
