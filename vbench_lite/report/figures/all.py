"""All figures of a report, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable

from vbench_lite.files import write_whole
from vbench_lite.report.data import Report, SuiteResult
from vbench_lite.report.figures.best_of_k import best_of_k
from vbench_lite.report.figures.categories import categories
from vbench_lite.report.figures.cost_quality import cost_quality
from vbench_lite.report.figures.history import history
from vbench_lite.report.figures.image_gain import image_gain
from vbench_lite.report.figures.kit import Figure, FigureRenderer
from vbench_lite.report.figures.length import length
from vbench_lite.report.figures.people import people, people_agreement
from vbench_lite.report.figures.spread import distributions, variance
from vbench_lite.report.figures.stages import stages
from vbench_lite.report.figures.svg import without_links
from vbench_lite.report.figures.sweep import sweep
from vbench_lite.report.output import Output

FIGURES: tuple[Callable[[SuiteResult, FigureRenderer], Figure | None], ...] = (
    image_gain, sweep, length, cost_quality, history, best_of_k, distributions, variance, categories, people,
    people_agreement, stages,
)  # fmt: skip


def figures(scenario: SuiteResult, pen: FigureRenderer | None = None) -> list[Figure]:
    """Every figure for which this suite has data."""
    made = [make(scenario, pen or FigureRenderer()) for make in FIGURES]
    return [figure for figure in made if figure is not None]


def write(report: Report, output: Output) -> None:
    """Write every drawing as <name>.svg and <name>.png into a folder; with several suites, into a folder per suite."""
    folder = output.place
    for nth, scenario in enumerate(report.scenarios):
        place = folder / f"{nth + 1}-{_safe(scenario.suite.name)}" if len(report.scenarios) > 1 else folder
        for figure in figures(scenario, FigureRenderer(png=True)):
            for panel in figure.panels:
                write_whole(place / f"{panel.name}.svg", without_links(panel.svg))
                write_whole(place / f"{panel.name}.png", panel.png)


def _safe(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in name)[:40]
