"""`vbench compare`: two runs, or two generators of one run, pair by pair."""

from __future__ import annotations

import dataclasses

import click

from vbench_lite import escaping
from vbench_lite.analysis.compare import PairComparison, compare_runs
from vbench_lite.analysis.family import Comparison
from vbench_lite.files import to_json
from vbench_lite.run.view import open_run

_STYLE = {"better": "green", "worse": "red", "not compared": "dim", "not judged": "dim"}
_DIRECTION = {True: " ↑", False: " ↓", None: ""}


@click.command()
@click.argument("baseline")
@click.argument("candidate")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(baseline: str, candidate: str, as_json: bool) -> None:
    """Compare CANDIDATE with BASELINE, paired by prompt and seed.

    Each is a run folder, or one generator of it as RUN:GENERATOR. The differences are CANDIDATE minus BASELINE
    with their interval over prompts, or over measured batches. All intervals have a joint coverage of 95 %
    (Bonferroni). The result is "better" or "worse" if the interval does not contain 0. Two generators of one run are
    judged in the family of all pairs of that run, as on its page.

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
    from rich.table import Table
    from rich.text import Text

    from vbench_lite.cli.terminal.console import stdout_console

    table = Table(box=None, pad_edge=False)
    table.add_column("candidate is")
    for heading in ("baseline", "candidate", "difference\nand its interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    reasons = []
    for row in pair.comparisons:
        words = "report only" if row.words == "not judged" and row.higher_is_better is None else row.words
        text, unit = row.written(), row.shown.unit
        name = Text(f"{row.metric}{_DIRECTION[row.higher_is_better]}{f', {unit}' if unit else ''}\n  ")
        name.append(words, style=_STYLE.get(words, "")).append(_counted(row), style="dim")
        table.add_row(name, text.baseline, text.candidate, Text(f"{text.difference or '-'}\n{text.interval}"))
        if row.words == "not compared":
            reasons.append(f"{row.metric}: {row.reason}")
    console = stdout_console()
    console.print(Text(pair.headline()), Text(""), table, sep="\n")
    prompts = max((row.prompts for row in pair.comparisons), default=0)
    console.print(Text(f"Paired over {prompts} prompt{'s' if prompts != 1 else ''}. {pair.family}."))
    for note in (*pair.notes, *reasons):
        console.print(Text(f"Note: {note}"))
    if pair.card:
        console.print(Text("The run cards differ in:"))
    for card_difference in pair.card:
        console.print(Text(f"  {escaping.one_line(str(card_difference))}"))
    console.print()


def _counted(row: Comparison) -> str:
    """The number of measured batches, for rows that do not count prompts."""
    return f", {row.batches} batch{'es' if row.batches > 1 else ''}" if row.batches else ""
