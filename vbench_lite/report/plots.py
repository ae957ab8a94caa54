"""The figures of a report, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vbench_lite.report.data import Report, Scenario
from vbench_lite.report.plot_history import history
from vbench_lite.report.plot_kit import Figure, Pen
from vbench_lite.report.plot_plane import cost_quality
from vbench_lite.report.plot_retry import best_of_k
from vbench_lite.report.plot_spread import distributions, variance
from vbench_lite.report.plot_where import categories, stages
from vbench_lite.store import write_whole

FIGURES: tuple[Callable[[Scenario, Pen], Figure | None], ...] = (
    cost_quality, history, best_of_k, distributions, variance, categories, stages,
)  # fmt: skip


def figures(scenario: Scenario, pen: Pen | None = None) -> list[Figure]:
    """Every figure that this scenario has data for."""
    made = [make(scenario, pen or Pen()) for make in FIGURES]
    return [figure for figure in made if figure is not None]


def write_plots(report: Report, folder: Path) -> Path:
    """Every drawing of the main scenario as <name>.svg and <name>.png in a folder."""
    for figure in figures(report.main, Pen(png=True)):
        for panel in figure.panels:
            write_whole(folder / f"{panel.name}.svg", panel.svg)
            write_whole(folder / f"{panel.name}.png", panel.png)
    return folder
