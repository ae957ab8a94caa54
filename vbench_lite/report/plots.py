"""The figures of a report, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vbench_lite.report.data import Report, Scenario
from vbench_lite.report.plot_history import history
from vbench_lite.report.plot_kit import Figure, Pen
from vbench_lite.report.plot_length import length
from vbench_lite.report.plot_plane import cost_quality
from vbench_lite.report.plot_retry import best_of_k
from vbench_lite.report.plot_spread import distributions, variance
from vbench_lite.report.plot_stages import stages
from vbench_lite.report.plot_sweep import sweep
from vbench_lite.report.plot_where import categories
from vbench_lite.store import write_whole

FIGURES: tuple[Callable[[Scenario, Pen], Figure | None], ...] = (
    sweep, length, cost_quality, history, best_of_k, distributions, variance, categories, stages,
)  # fmt: skip


def figures(scenario: Scenario, pen: Pen | None = None) -> list[Figure]:
    """Every figure that this scenario has data for."""
    made = [make(scenario, pen or Pen()) for make in FIGURES]
    return [figure for figure in made if figure is not None]


def write_plots(report: Report, folder: Path) -> Path:
    """Every drawing as <name>.svg and <name>.png in a folder; of several scenarios, in a folder each."""
    for nth, scenario in enumerate(report.scenarios):
        place = folder / f"{nth + 1}-{_safe(str(scenario.suite['name']))}" if len(report.scenarios) > 1 else folder
        for figure in figures(scenario, Pen(png=True)):
            for panel in figure.panels:
                write_whole(place / f"{panel.name}.svg", panel.svg)
                write_whole(place / f"{panel.name}.png", panel.png)
    return folder


def _safe(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in name)[:40]
