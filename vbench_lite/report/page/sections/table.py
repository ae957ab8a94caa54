"""The section of tables: the ranking table, and every figure with its interval."""

from __future__ import annotations

from collections.abc import Iterable

from vbench_lite.report import glossary
from vbench_lite.report.leaderboard import TALL, WIDE, leaderboard, order
from vbench_lite.report.method import counted
from vbench_lite.report.page.section import Scene, Section
from vbench_lite.report.tables import groups

MOST_COLUMNS = 4
"""Highest number of generators as columns of the table of all figures. More generators become rows."""


def sections(scene: Scene) -> Iterable[Section]:
    """One section."""
    scenario = scene.scenario
    columns, several = leaderboard(scenario), len(scenario.entries) > 1
    lede = f"Means over {len(scenario.prompts)} prompts with 95 % intervals"
    lede += f", those of time and money over {batches}." if (batches := counted(scenario)) else "."
    if several:
        lede += " A rank is 1 plus the number of significantly better generators; = marks a tie."
    lede += " Click on a figure to see its clips, the best first, or on a heading to sort."
    data = {
        "columns": columns, "rows": order(columns, len(scenario.entries)), "entries": scenario.entries,
        "ranked": several and bool(columns), "wide": WIDE, "tall": TALL, "groups": groups(scenario),
        "side_by_side": len(scenario.entries) <= MOST_COLUMNS, "beside": scene.beside, "prefix": scene.prefix,
        "ahead": glossary.AHEAD,
    }  # fmt: skip
    yield Section("numbers", "The numbers", "table.html", lede, "Numbers", printed=True, data=data)
