"""`vbench list`: the names that other commands accept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from vbench_lite.cli.terminal.wrapping import COLUMNS, command_lines, sentence_lines
from vbench_lite.errors import VbenchError

Row = dict[str, Any]
READY = "yes"
LONGEST_CELL = 44
"""Longest cell of the table. --json has the whole text."""
WIDE = 140
"""Width of a terminal, in characters, from which all columns of a list are shown."""
GAP = 2
"""Spaces between two columns."""
ONLY_WIDE = ("adapter", "licence", "range", "version", "sets")
"""Columns that are not shown in a narrower terminal."""


def _suites() -> list[Row]:
    from vbench_lite.inputs.suites import read_suite, suite_paths

    rows = []
    for name, path in suite_paths().items():
        try:
            suite = read_suite(path)
        except VbenchError as error:
            rows.append({"name": name, "title": str(error), "prompts": 0, "clips_per_prompt": 0, "categories": 0})
            continue
        rows.append({
            "name": name, "title": suite.title, "prompts": len(suite.prompts),
            "clips_per_prompt": suite.clips_per_prompt, "categories": len({p.category for p in suite.prompts}),
        })
    return rows


def _generators() -> list[Row]:
    from vbench_lite.inputs.accepted import describe_inputs
    from vbench_lite.inputs.catalogue import definition_paths, read_definition
    from vbench_lite.inputs.readiness import what_is_missing

    rows = []
    for name, path in definition_paths().items():
        try:
            definition = read_definition(path)
            missing = what_is_missing(definition)  # this also reads the parts of a hybrid
        except VbenchError as error:
            rows.append({"name": name, **dict.fromkeys(("route", "adapter", "inputs", "clip", "price", "licence"), ""),
                         "ready": f"correct {error}"})  # fmt: skip
            continue
        spec = definition.clip
        rows.append({
            "name": name, "route": definition.route, "adapter": definition.adapter,
            "inputs": describe_inputs(definition.inputs),
            "clip": f"{spec.frames}f {spec.height}x{spec.width}", "price": describe_price(definition),
            "licence": definition.licence, "ready": missing or READY,
        })
    return rows


def describe_price(definition: Any) -> str:
    """The unit by which a clip is billed, in words."""
    price = definition.price
    if price is None:
        return "not known" if definition.adapter == "http" else "per device hour"
    from vbench_lite.measuring.rates import describe

    return describe(price)


def _metrics() -> list[Row]:
    from vbench_lite.metrics.registry import known_metrics, known_programs

    words = {True: "higher", False: "lower", None: "report only"}
    return [
        {
            "name": m.name, "per": m.per, "better": words[m.higher_is_better], "unit": m.unit,
            "range": f"{m.range[0]:g} to {m.range[1]:g}", "version": m.version, "licence": m.licence, "title": m.title,
            "sets": chosen_by,
        }
        for m, chosen_by in (
            *((metric, ", ".join(metric.sets)) for metric in known_metrics().values()),
            *((metric, f"--metrics {metric.judge.name}") for metric in known_programs()),
        )
    ]


def _runs() -> list[Row]:
    from vbench_lite.run.folder import RunFolder

    rows = []
    for manifest in sorted(Path("results").glob("*/run.json")):
        folder = RunFolder(manifest.parent)
        try:
            run = folder.manifest()
        except VbenchError as error:
            rows.append({"name": str(folder.path), "suite": "", "generators": "", "created": "", "scored": str(error)})
            continue
        rows.append({
            "name": str(folder.path), "suite": run.suite.name, "generators": ", ".join(run.generators),
            "created": run.created, "scored": "yes" if folder.summary_path.exists() else "no",
        })
    return rows


LISTS: dict[str, Callable[[], list[Row]]] = {
    "suites": _suites, "generators": _generators, "metrics": _metrics, "runs": _runs,
}


@click.command(name="list")
@click.argument("what", type=click.Choice(list(LISTS)))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(what: str, as_json: bool) -> None:
    """List suites, generators, metrics or runs.

    Files in prompts/, generators/ and metrics/ of the working folder are listed too.

    \b
    Example:  vbench list generators
    """
    rows = LISTS[what]()
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not rows:
        click.echo(f"no {what} yet." + (" Make one with: vbench run --suite ads" if what == "runs" else ""))
    else:
        short = [{**row, "ready": "yes" if row["ready"] == READY else "no"} if "ready" in row else row for row in rows]
        _print_table(short)
        _print_needs(rows)


def _print_needs(rows: list[Row]) -> None:
    """For generators that are not ready: commands that can be copied, or a sentence."""
    needs = {row["name"]: row["ready"] for row in rows if row.get("ready", READY) != READY}
    if needs:
        click.echo("To run one that is not ready:")
        for name, need in needs.items():
            command = need.removeprefix("needs: ")
            wrapped = sentence_lines if command == need else command_lines
            click.echo(f"  {name}:")
            for line in wrapped(command, COLUMNS - 4):
                click.echo(f"    {line}")


def _print_table(rows: list[Row]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    width = console.width if console.is_terminal else COLUMNS
    cells = {name: [name.replace("_", " "), *(shortened(str(row[name])) for row in rows)] for name in rows[0]}
    cells["name"] = ["name", *(str(row["name"]) for row in rows)]
    if width < WIDE:
        cells = {name: column for name, column in cells.items() if name not in ONLY_WIDE}
    widths = _column_widths(cells, width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for name, columns in widths.items():
        number = isinstance(rows[0][name], int)
        table.add_column(cells[name][0], justify="right" if number else "left", width=columns)
    for nth in range(1, len(rows) + 1):
        table.add_row(*(Text(cells[name][nth]) for name in widths))
    Console(width=max(width, sum(widths.values()) + GAP * len(widths))).print(table)
    if len(widths) < len(rows[0]):
        click.echo(f"Not shown: {', '.join(name for name in rows[0] if name not in widths)}. --json has them.")


def _column_widths(cells: Mapping[str, Sequence[str]], width: int) -> dict[str, int]:
    """Widths at which no word is broken. Columns with more text are wider.

    If the words do not fit, the columns with the longest words are left out, except the first column.
    """
    from rich.cells import cell_len

    least = {name: max(cell_len(word) for cell in column for word in cell.split()) for name, column in cells.items()}
    first = next(iter(cells))
    least[first] = max(map(cell_len, cells[first]))
    while len(least) > 1 and sum(least.values()) + GAP * (len(least) - 1) > width:
        del least[max((name for name in least if name != first), key=least.__getitem__)]

    def lines(name: str) -> int:
        return sum(len(sentence_lines(cell, least[name])) for cell in cells[name])

    found = {name: lines(name) for name in least}
    for _ in range(width - sum(least.values()) - GAP * (len(least) - 1)):
        longest = max(found, key=found.__getitem__)
        least[longest] += 1
        found[longest] = lines(longest)
    return least


def shortened(text: str) -> str:
    """As many words of a text as fit in a cell."""
    if len(text) <= LONGEST_CELL:
        return text
    cut = text[: LONGEST_CELL - 1]
    return f"{cut.rpartition(' ')[0].rstrip()} …" if " " in cut else f"{cut}…"
