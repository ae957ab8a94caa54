"""The figures, one section each."""

from __future__ import annotations

from collections.abc import Iterable

from vbench_lite.report.figures.all import figures
from vbench_lite.report.formats.clip_board import gaps
from vbench_lite.report.page.section import Scene, Section

SHORT = {
    "sweep": "Sweep", "length": "Length", "plane": "Cost", "history": "History", "best-of-k": "Retrying",
    "distributions": "Spread", "stages": "Time", "people": "People",
}  # fmt: skip
"""Names in the navigation."""
PRINTED = ("sweep", "plane", "history")
NAMED = ("sweep", "distributions", "variance", "stages")
"""Figures that show the name of every generator."""


def sections(scene: Scene) -> Iterable[Section]:
    """Every figure for which the scenario has data."""
    scenario = scene.scenario
    for figure in figures(scenario):
        legend = figure.key not in NAMED and (len(scenario.entries) > 2 or figure.key == "history")
        data = {
            "figure": figure, "entries": scenario.entries if legend else [], "beside": scene.beside,
            "panels": [panel.inline(scene.prefix) for panel in figure.panels],
            "gaps": gaps(scenario) if figure.key == "categories" else [],
        }  # fmt: skip
        yield Section(
            figure.key, figure.title, "figures.html", figure.caption, SHORT.get(figure.key, ""),
            printed=figure.key in PRINTED, data=data,
        )  # fmt: skip
