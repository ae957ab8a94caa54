"""Quality against cost of every generator, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from vbench_lite import formatting as words
from vbench_lite.records import Estimate
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.figures.colours import PAPER, SOFT
from vbench_lite.report.figures.kit import (
    NAMED,
    QUARTER,
    Axis,
    Figure,
    FigureRenderer,
    Panel,
    colour,
    cost_axis,
    log_cost_axis,
    marker,
    quality_axis,
)
from vbench_lite.report.figures.labels import Label, place_labels
from vbench_lite.report.formats.layout import shortened
from vbench_lite.report.links import clips_address
from vbench_lite.report.method import counted
from vbench_lite.report.tables import usable_estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Point:
    """One generator: its cost (x) and its quality (y), each with its interval."""

    entry: GeneratorResult
    cost: Estimate
    quality: Estimate

    @property
    def x(self) -> float:
        return self.cost.value or 0.0

    @property
    def y(self) -> float:
        return self.quality.value or 0.0


@dataclass(frozen=True)
class Plane:
    """All generators by one metric (y) and by cost (x)."""

    metric: str
    title: str
    higher: bool
    axis: Axis
    points: Sequence[Point]

    def front(self) -> list[Point]:
        """The Pareto front, cheapest first: generators for which no other is both better and cheaper."""
        sign = 1 if self.higher else -1
        front: list[Point] = []
        for point in sorted(self.points, key=lambda p: (p.x, -sign * p.y)):
            if not front or sign * point.y > sign * front[-1].y:
                front.append(point)
        return front


def cost_quality(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """One plane per metric, with intervals on both axes and the Pareto front; None if no cost or quality is known."""
    axis = cost_axis(scenario)
    names = ("usable", *scenario.headline_metrics) if axis.cost else ()
    planes = [plane_of(scenario, metric, axis) for metric in names]
    planes = [plane for plane in planes if plane.points]
    if not planes:
        return None
    panels, rows = [], []
    for plane in planes:
        front = plane.front()
        points = [
            (p.entry.label, str(words.write(p.quality)), str(words.write(p.cost)), p in front) for p in plane.points
        ]
        rows += [(plane.title, label, y, x, "yes" if best else "") for label, y, x, best in points]
        alt = (
            f"{plane.title} against {axis.unit}: {'; '.join(f'{label} {y} at {x}' for label, y, x, _ in points)}. "
            f"On the Pareto front: {words.listed(p.entry.label for p in front)}."
        )
        width, height = QUARTER
        panels.append(pen.draw(f"plane-{plane.metric}", plane.title, alt, partial(_draw, plane), height, width))
    caption = (
        f"Up is better, left is cheaper. Crosses are 95 % intervals over prompts{_of_cost(scenario)}. The stepped line "
        "is the Pareto front: generators for which no other generator is both better and cheaper."
    )
    header = ("Quality", "Generator", "Value", axis.unit, "On the front")
    return Figure("plane", "Quality against cost", caption, panels, header, rows)


HERO_SIZE, NARROW_SIZE = (5.4, 3.3), (3.5, 3.1)
"""Width and height in inches of the chart on the first screen: for a wide screen, and for a phone."""
LEGEND_ROW = 0.19
"""Inches that each row of names below the chart adds."""
MOST_NAMES = 5
"""Highest number of generators with names beside their marks in this chart. The marks of more have numbers."""


def hero_chart(scenario: SuiteResult, pen: FigureRenderer, *, narrow: bool = False) -> Panel | None:
    """The large chart of the first screen: usable clips against cost, or the first score if there are no thresholds.

    None if no cost is known.
    """
    axis = cost_axis(scenario)
    qualities = ["usable"] if scenario.evaluated else scenario.headline_metrics[:1]
    planes = [plane_of(scenario, quality, axis) for quality in qualities if axis.cost]
    if not planes or not planes[0].points:
        return None
    plane = planes[0]
    points = "; ".join(f"{p.entry.label} {words.write(p.quality)} at {words.write(p.cost)}" for p in plane.points)
    title = f"{plane.title} against cost"
    width, height = NARROW_SIZE if narrow else HERO_SIZE
    if crowded(plane.points):
        height += LEGEND_ROW * -(-len(plane.points) // (1 if narrow else 2))
    name, alt = "hero-narrow" if narrow else "hero", f"{plane.title} against {axis.unit}: {points}."
    return pen.draw(name, title, alt, partial(_draw_hero, plane, narrow), height, width)


def crowded(points: Sized) -> bool:
    """Whether the marks of the large chart have numbers, with the names below the chart."""
    return len(points) > MOST_NAMES


def _draw_hero(plane: Plane, narrow: bool, axes: Axes) -> None:
    points = plane.points
    axes.set_ylabel(f"{plane.title}, up is better")
    if not crowded(points):
        _draw(plane, axes, 18 if narrow else 32)
        return
    _draw(plane, axes)
    _number(axes, points, [shortened(p.entry.label, 40 if narrow else 32) for p in points], 1 if narrow else 2)
    place_labels(axes, [Label(p.x, p.y, str(p.entry.number + 1), colour(p.entry)) for p in points])


def _number(axes: Axes, points: Sequence[Point], names: Sequence[str], columns: int) -> None:
    """Number, mark and name of every generator below the axes."""
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], color=colour(p.entry), marker=marker(p.entry), ls="", ms=5, mew=0) for p in points]
    texts = [f"{p.entry.number + 1}  {name}" for p, name in zip(points, names, strict=True)]
    legend = axes.figure.legend(
        marks, texts, loc="outside lower left", ncols=columns, fontsize=8, handletextpad=0.2, columnspacing=1.2,
        labelcolor=[colour(p.entry) for p in points], borderpad=0,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)


def _of_cost(scenario: SuiteResult) -> str:
    batches = counted(scenario)
    return f", of cost over {batches}" if batches else ""


def plane_of(scenario: SuiteResult, metric: str, axis: Axis) -> Plane:
    """Every generator whose cost and quality are known. The metric "usable" is the share of usable clips."""
    usable = metric == "usable"
    points = []
    for entry in scenario.entries:
        quality = usable_estimate(entry) if usable else entry.score(metric)
        cost = axis.estimate(entry)
        if cost.value is not None and quality.value is not None:
            points.append(Point(entry, cost, quality))
    return Plane(metric, scenario.title_of(metric), scenario.higher_is_better(metric), axis, points)


def _draw(plane: Plane, axes: Axes, longest: int = 0) -> None:
    """Draw the plane, with all names cut to `longest` characters, or with a few names only."""
    front = plane.front()
    axes.step([p.x for p in front], [p.y for p in front], where="post", color=SOFT, lw=0.8, ls=(0, (4, 3)), zorder=1)
    for point in plane.points:
        _cross(axes, point, plane.metric)
    scale(axes, plane)
    if longest or len(plane.points) <= NAMED:
        names = [Label(p.x, p.y, shortened(p.entry.label, longest or 24), colour(p.entry)) for p in plane.points]
        place_labels(axes, names)


def scale(axes: Axes, plane: Plane) -> None:
    """Set the scales of the axes so that up is better and left is cheaper."""
    _log_axis(axes, plane.points)
    axes.set_xlabel(f"{plane.axis.unit}, log")
    axes.margins(y=0.2)
    quality_axis(axes, plane.metric, plane.higher)


def intervals(axes: Axes, point: Point, **style: Any) -> None:
    """Draw the intervals of cost and quality that are known."""
    cost, quality = point.cost, point.quality
    if cost.low is not None and cost.high is not None:
        axes.plot([max(cost.low, point.x / 8), cost.high], [point.y] * 2, **style)
    if quality.low is not None and quality.high is not None:
        axes.plot([point.x] * 2, [quality.low, quality.high], **style)


def _cross(axes: Axes, point: Point, metric: str) -> None:
    ink = colour(point.entry)
    intervals(axes, point, color=ink, lw=1.2, zorder=2)
    address = clips_address(generator=point.entry.label, by="rank" if metric == "usable" else metric)
    axes.plot(point.x, point.y, marker(point.entry), color=ink, ms=7, mec=PAPER, mew=0.8, zorder=3, url=address)


def _log_axis(axes: Axes, points: Sequence[Point]) -> None:
    """Set a logarithmic x axis with space for intervals and names."""
    known = [point.x for point in points if point.x > 0] or [1.0]
    lowest = min((max(point.cost.low or 0.0, point.x / 8) for point in points if point.x > 0), default=1.0)
    log_cost_axis(axes, min(min(known) / 1.7, lowest / 1.1), max(known) * 2.2)
