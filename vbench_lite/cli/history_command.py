"""`vbench history`: how each generator changed over its releases."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.cells import cell_len

from vbench_lite.analysis.releases import Line, Release, release_history
from vbench_lite.files import to_json
from vbench_lite.report.formats.layout import shortened
from vbench_lite.run.view import ABSENT

HEADING = "figure, and its\n95 % interval"


@click.command()
@click.argument("results", type=click.Path(path_type=Path), default=Path("results"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(results: Path, as_json: bool) -> None:
    """Show quality, usability and cost of every release in RESULTS (default: results), oldest first.

    The figures of a generator in a suite are computed over the prompts that all its runs share, with 95 % intervals
    over prompts. Each release is shown with its promotions, and with the changes since the previous release: weights,
    revision, code, settings, price, device, suite and scorer.

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

    console, rows = stdout_console(), _rows(line)
    console.print(Text(f"{line.generator}, suite {line.suite}: {_over(line)}", style="bold"))
    for releases in _fitting(line.releases, rows, console.width):
        table = Table(box=None, pad_edge=False)
        table.add_column(HEADING, no_wrap=True)
        for nth in releases:
            table.add_column(_title(line.releases[nth]), justify="right", no_wrap=True)
        for name, cells in rows.items():
            table.add_row(name, *(cells[nth] for nth in releases))
        console.print(table)
    for release in line.releases:
        for mark in release.marks:
            console.print(Text(f"{release.created[:10]} {Path(release.run).name}: {mark.sentence}"))
    if line.left_out:
        console.print(Text(f"Left out, because they share too few prompts: {', '.join(line.left_out)}"))
    console.print()


def _rows(line: Line) -> dict[str, list[str]]:
    """Label of a figure > its text for each release. Figures without any value are left out."""
    from vbench_lite import formatting as words
    from vbench_lite.report import glossary

    figures = [release.figures for release in line.releases]
    scale = words.money_scale(each["usd_per_clip"] for each in figures)
    rows = {}
    for name in figures[-1]:
        found = [each.get(name, ABSENT) for each in figures]
        title = glossary.inline(glossary.cost_title(name, scale)) if name in glossary.COSTS else name
        if name == "usable":
            written = [words.write(estimate, 100, after=" %") for estimate in found]
        else:
            is_cost = name in glossary.COSTS
            written = [words.cost_text(name, e, scale) if is_cost else words.write(e) for e in found]
        if any(estimate.value is not None for estimate in found):
            rows[title] = ["\n".join(filter(None, (each.value, each.interval))) for each in written]
    return rows


def _fitting(releases: Sequence[Release], rows: Mapping[str, Sequence[str]], width: int) -> list[list[int]]:
    """Indices of the releases, in groups whose columns fit into the width of the terminal, so that no number is cut."""
    left = max(map(len, [*HEADING.split("\n"), *rows]))
    groups: list[list[int]] = [[]]
    used = left
    for nth, release in enumerate(releases):
        texts = [_title(release), *(cells[nth] for cells in rows.values())]
        column = 2 + max(cell_len(part) for text in texts for part in text.split("\n"))
        if groups[-1] and used + column > width:
            groups.append([])
            used = left
        groups[-1].append(nth)
        used += column
    return groups


def _title(release: Release) -> str:
    return f"{release.created[:10]}\n{shortened(Path(release.run).name)}"


def _over(line: Line) -> str:
    releases = f"{len(line.releases)} release{'s' * (len(line.releases) != 1)}"
    return f"{releases} over the {len(line.prompts)} prompts that all share (the newest run has {line.asked})"
