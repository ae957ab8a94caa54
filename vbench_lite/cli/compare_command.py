"""`vbench compare`: two runs, or two generators of one run, pair by pair."""

from __future__ import annotations

import dataclasses

import click

from vbench_lite.analysis.compare import PairComparison, compare_runs
from vbench_lite.analysis.family import Comparison
from vbench_lite.files import to_json
from vbench_lite.run.view import open_run

_STYLE = {"better": "green", "worse": "red", "not compared": "dim", "not judged": "dim"}
_DIRECTION = {True: "higher", False: "lower", None: ""}


@click.command()
@click.argument("baseline")
@click.argument("candidate")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(baseline: str, candidate: str, as_json: bool) -> None:
    """Compare CANDIDATE with BASELINE, paired by prompt and seed.

    Each is a run folder, or one generator of it as RUN:GENERATOR. The differences are CANDIDATE minus BASELINE
    with their interval over prompts, or over measured batches. All intervals hold together with 95 % (Bonferroni),
    and the words say what they show: "better" or "worse" where an interval leaves 0 out. Two generators of one run
    are judged together with all pairs of that run, as on its page.

    \b
    Examples:
      vbench compare results/ads:tiny-transformer results/ads:tiny-diffusion
      vbench compare results/ads-monday results/ads-today
    """
    old, new = open_run(baseline), open_run(candidate)
    pairs = compare_runs(old, new)
    if as_json:
        rows = [dataclasses.asdict(pair) | {"headline": pair.headline()} for pair in pairs]
        click.echo(to_json({"format": 1, "baseline": baseline, "candidate": candidate, "pairs": rows}), nl=False)
        return
    for pair in pairs:
        _show(pair)


def _show(pair: PairComparison) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("better is", style="dim")
    for heading in ("baseline", "candidate", "difference", "interval", "counted"):
        table.add_column(heading, justify="right")
    table.add_column("candidate is")
    reasons = []
    for row in pair.comparisons:
        words = "report only" if row.words == "not judged" and row.higher_is_better is None else row.words
        table.add_row(
            Text(f"{row.metric}{f', {row.unit}' if row.unit else ''}"), _DIRECTION[row.higher_is_better],
            number(row.baseline), number(row.candidate), number(row.difference, sign=True), _interval(row),
            _counted(row), Text(words, style=_STYLE.get(words, "")),
        )  # fmt: skip
        if row.words == "not compared":
            reasons.append(f"{row.metric}: {row.reason}")
    console = Console(width=None if Console().is_terminal else 120)
    console.print(Text(pair.headline()), Text(""), table, sep="\n")
    console.print(Text(f"{pair.family}."))
    for note in (*pair.notes, *reasons):
        console.print(Text(f"Note: {note}"))
    console.print()


def _counted(row: Comparison) -> str:
    if row.batches:
        return f"{row.batches} batch{'es' if row.batches > 1 else ''}"
    return f"{row.prompts} prompt{'s' if row.prompts > 1 else ''}" if row.prompts else ""


def number(value: float | None, sign: bool = False) -> str:
    """Four significant digits, or a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:+.4g}" if sign else f"{value:.4g}"


def _interval(row: Comparison) -> str:
    return "" if row.low is None else f"{number(row.low, True)} to {number(row.high, True)}"
