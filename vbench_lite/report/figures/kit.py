"""What every figure of a report is made of: small panels, words for a screen reader, and the table behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from vbench_lite.records import Estimate
from vbench_lite.report import glossary as words
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.figures.colours import LIGHT, MARKERS
from vbench_lite.report.figures.svg import inline, panel, to_png, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Cells = Sequence[str]
WIDTH = 3.0
"""Of a panel in inches: three stand side by side on a desk, and type stays legible on a phone."""
QUARTER = 2.4, 2.1
"""Width and height of a panel where four stand side by side: type keeps the size that it has in the others."""


@dataclass(frozen=True)
class Panel:
    """One drawing."""

    name: str
    title: str
    alt: str
    svg: str
    png: bytes = b""

    def inline(self, prefix: str = "") -> str:
        """As a part of the page; `prefix` keeps ids apart where several scenarios have this drawing."""
        return inline(self.svg, f"{prefix}fig-{self.name}", self.title, self.alt)


@dataclass(frozen=True)
class Figure:
    """A group of drawings that answer one question, with its table."""

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
    """Also as pictures, for the folder of plots."""

    def draw(
        self, name: str, title: str, alt: str, on: Callable[[Axes], None], height: float = 2.4, width: float = WIDTH
    ) -> Panel:
        """One panel of so many inches, by default narrower than a phone."""
        with panel(width, height) as (figure, axes):
            axes.set_title(title, pad=8)
            on(axes)
            return Panel(name, title, alt, to_svg(figure), to_png(figure) if self.png else b"")


@dataclass(frozen=True)
class Axis:
    """The cost that a figure has along its lower edge."""

    cost: str
    """A name in summary.json, or "" for clips made, where no cost is known."""
    scale: float
    unit: str

    def of(self, entry: GeneratorResult) -> float | None:
        """What one clip of it costs, in this axis's unit."""
        if not self.cost:
            return 1.0
        return self.estimate(entry).value

    def estimate(self, entry: GeneratorResult) -> Estimate:
        """What one clip of it costs, with its interval."""
        return words.scaled(entry.cost(self.cost), self.scale)


def cost_axis(scenario: SuiteResult) -> Axis:
    """Money where prices are known, else device time, else the clips themselves."""

    def known(cost: str) -> bool:
        return any(entry.cost(cost).value is not None for entry in scenario.entries)

    if known("usd_per_clip"):
        scale = scenario.money_scale
        return Axis("usd_per_clip", scale, "US$ per 1,000 clips" if scale > 1 else "US$ per clip")
    if known("device_s_per_clip"):
        return Axis("device_s_per_clip", 1.0, "device seconds per clip")
    return Axis("", 1.0, "clips made")


def log_cost_axis(axes: Axes, low: float, high: float) -> None:
    """Costs differ by orders of magnitude: a logarithmic axis with plain labels."""
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
    """Shares up the side, with room above 100 %."""
    axes.set_ylim(-0.04, 1.04)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
