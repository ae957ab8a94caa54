"""Parts that all figures of a report share: panels, texts for a screen reader, tables, and axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from vbench_lite import formatting as words
from vbench_lite.records import Estimate
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.figures.colours import LIGHT, MARKERS
from vbench_lite.report.figures.svg import inline, panel, to_png, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Cells = Sequence[str]
WIDTH = 3.0
"""Width of a panel in inches. Three panels fit side by side on a wide screen, and text is still legible on a phone."""
QUARTER = 2.4, 2.1
"""Width and height in inches of a panel in a row of four. Its text is as large as in other panels."""
NAMED = 3
"""Highest number of marks in a small panel with names. Of more marks, the legend has the names."""


@dataclass(frozen=True)
class Panel:
    """One drawing with its title and its text for a screen reader."""

    name: str
    title: str
    alt: str
    svg: str
    png: bytes = b""

    def inline(self, prefix: str = "") -> str:
        """The drawing as SVG inside the page. `prefix` makes ids unique if several suites have this drawing."""
        return inline(self.svg, f"{prefix}fig-{self.name}", self.title, self.alt)


@dataclass(frozen=True)
class Figure:
    """Drawings that answer one question, with a caption and a table of the drawn values."""

    key: str
    title: str
    caption: str
    panels: Sequence[Panel]
    header: Cells
    rows: Sequence[Cells] = field(default=())


@dataclass(frozen=True)
class FigureRenderer:
    """Draws panels."""

    png: bool = False
    """Also render PNG files, for the folder of plots."""

    def draw(
        self, name: str, title: str, alt: str, on: Callable[[Axes], None], height: float = 2.4, width: float = WIDTH
    ) -> Panel:
        """Draw one panel. `on` draws into its axes; `height` and `width` are in inches."""
        with panel(width, height) as (figure, axes):
            axes.set_title(title, pad=8)
            on(axes)
            return Panel(name, title, alt, to_svg(figure), to_png(figure) if self.png else b"")


@dataclass(frozen=True)
class Axis:
    """The cost on the x axis of a figure."""

    cost: str
    """Name of the cost in summary.json; "" if no cost is known and the axis counts clips."""
    scale: float
    unit: str

    def of(self, entry: GeneratorResult) -> float | None:
        """Cost of one clip in the unit of this axis; None if it is not known."""
        if not self.cost:
            return 1.0
        return self.estimate(entry).value

    def estimate(self, entry: GeneratorResult) -> Estimate:
        """Cost of one clip in the unit of this axis, with its interval."""
        return words.scaled(entry.cost(self.cost), self.scale)


def cost_axis(scenario: SuiteResult) -> Axis:
    """The axis of money if a price is known, else of device time, else of the number of clips."""

    def known(cost: str) -> bool:
        return any(entry.cost(cost).value is not None for entry in scenario.entries)

    if known("usd_per_clip"):
        scale = scenario.money_scale
        return Axis("usd_per_clip", scale, words.shown_unit("usd_per_clip", "USD", 0.0, scale)[0])
    if known("device_s_per_clip"):
        return Axis("device_s_per_clip", 1.0, "device seconds per clip")
    return Axis("", 1.0, "clips made")


def log_cost_axis(axes: Axes, low: float, high: float) -> None:
    """Make the x axis logarithmic with plain numbers as labels, because costs differ by orders of magnitude."""
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(low, high)
    steps = (1, 2, 5) if high / low < 30 else (1, 3) if high / low < 200 else (1,)
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [step * 10.0**exponent for exponent in exponents for step in steps]
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


def colour(entry: GeneratorResult) -> str:
    return LIGHT[entry.colour]


def marker(entry: GeneratorResult) -> str:
    return MARKERS[entry.number % len(MARKERS)]


def percent_axis(axes: Axes) -> None:
    """Label the y axis in percent, with space above 100 %."""
    axes.set_ylim(-0.04, 1.04)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def quality_axis(axes: Axes, metric: str, higher: bool) -> None:
    """Set the y axis of a metric, or of "usable", so that up is better."""
    axes.grid(axis="y")
    if metric == "usable":
        percent_axis(axes)
    elif not higher:
        axes.invert_yaxis()
