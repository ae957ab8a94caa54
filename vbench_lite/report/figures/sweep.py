"""Quality against cost of one generator over the values of a swept setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from vbench_lite import formatting as words
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.figures.colours import PAPER, SOFT
from vbench_lite.report.figures.cost_quality import Plane, Point, intervals, plane_of, scale
from vbench_lite.report.figures.kit import Figure, FigureRenderer, colour, cost_axis, marker
from vbench_lite.report.figures.labels import Label, place_labels
from vbench_lite.report.formats.layout import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LABELS = 8
"""Highest number of points that are labelled with their value. Of more points, every n-th is labelled."""

FAINT: Mapping[str, Any] = {"lw": 1.0, "alpha": 0.45, "zorder": 1}
"""Style of the intervals: fainter than the curve."""


@dataclass(frozen=True)
class Curve:
    """The variants of one generator that differ in one setting, in the order of its values."""

    of: str
    setting: str
    fixed: str
    """The other swept settings, which are constant along this curve: "steps=8", or ""."""
    entries: Sequence[GeneratorResult]

    @property
    def name(self) -> str:
        return f"{self.of}{f' with {self.fixed}' if self.fixed else ''}"

    def value(self, entry: GeneratorResult) -> str:
        return _value_text(entry.sweep[self.setting])


def curves(scenario: SuiteResult) -> list[Curve]:
    """The curves of every generator with two or more values of a setting, one per combination of other settings."""
    families: dict[str, list[GeneratorResult]] = {}
    for entry in scenario.entries:
        if entry.sweep.get("of"):
            families.setdefault(str(entry.sweep["of"]), []).append(entry)
    found = []
    for of, family in families.items():
        for setting in (name for name in family[0].sweep if name not in ("of", "inputs")):
            rest: dict[str, list[GeneratorResult]] = {}
            for entry in family:
                fixed = ", ".join(f"{n}={_value_text(v)}" for n, v in entry.sweep.items() if n not in ("of", setting))
                rest.setdefault(fixed, []).append(entry)
            found += [Curve(of, setting, fix, _ordered(line, setting)) for fix, line in rest.items() if len(line) > 1]
    return found


def _value_text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _ordered(line: Sequence[GeneratorResult], setting: str) -> list[GeneratorResult]:
    """In order of value if all values are numbers, else in the order of the sweep."""
    values = [entry.sweep[setting] for entry in line]
    if all(isinstance(value, int | float) for value in values):
        return sorted(line, key=lambda entry: float(entry.sweep[setting]))
    return list(line)


def sweep(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """Quality against cost along a setting, with intervals on both axes; None if the report has no sweep."""
    lines = curves(scenario)
    axis = cost_axis(scenario)
    if not lines or not axis.cost:
        return None
    panels, rows = [], []
    for metric in ("usable", *scenario.headline_metrics):
        plane = plane_of(scenario, metric, axis)
        points = {point.entry: point for point in plane.points}
        known = [(line, [points[entry] for entry in line.entries if entry in points]) for line in lines]
        known = [(line, mine) for line, mine in known if len(mine) > 1]
        if not known:
            continue
        texts = []
        for line, mine in known:
            cells = [(line.value(p.entry), str(words.write(p.quality)), str(words.write(p.cost))) for p in mine]
            rows += [(line.name, f"{line.setting} {value}", plane.title, y, x) for value, y, x in cells]
            texts.append(f"{line.name} along {line.setting}: " + ", ".join(f"{y} at {v}, {x}" for v, y, x in cells))
        alt = f"{plane.title} against {axis.unit}. {'; '.join(texts)}."
        panels.append(pen.draw(f"sweep-{metric}", plane.title, alt, partial(_draw, plane, known), 2.7))
    if not panels:
        return None
    swept = words.listed(f"{line.setting} of {line.name}" for line in lines)
    others = [entry.label for entry in scenario.entries if not entry.sweep]
    caption = (
        f"{swept[0].upper()}{swept[1:]}: each mark is one value of the setting, written beside it, with 95 % intervals "
        f"of quality and cost. Up is better, left is cheaper. Where the curve is flat, a higher cost gives no better "
        "quality."
    )
    caption += f" {words.listed(others)} {'is' if len(others) == 1 else 'are'} shown without a sweep." if others else ""
    title = f"Quality and cost by {words.listed(dict.fromkeys(line.setting for line in lines))}"
    return Figure("sweep", title, caption, panels, ("Generator", "Setting", "Quality", "Value", axis.unit), rows)


def _draw(plane: Plane, lines: Sequence[tuple[Curve, Sequence[Point]]], axes: Axes) -> None:
    names = []
    on_curves = {point.entry for _, points in lines for point in points}
    for point in plane.points:
        if point.entry not in on_curves:
            ink = colour(point.entry)
            intervals(axes, point, color=ink, **FAINT)
            axes.plot(point.x, point.y, marker(point.entry), color=ink, ms=6.5, mec=PAPER, mew=0.8)
            names.append(Label(point.x, point.y, shortened(point.entry.label, 24), ink))
    for line, points in lines:
        ink = colour(line.entries[0])
        for point in points:
            intervals(axes, point, color=ink, **FAINT)
        at = [(point.x, point.y) for point in points]
        axes.plot(*zip(*at, strict=True), "-" + marker(line.entries[0]), color=ink, lw=1.4, ms=6, mec=PAPER, mew=0.8)
        every = -(-len(points) // MOST_LABELS)
        for nth, (point, place) in enumerate(zip(points, at, strict=True)):
            if nth % every == 0 or nth == len(points) - 1:
                names.append(Label(*place, line.value(point.entry), SOFT))
        if len(lines) > 1:
            names.append(Label(*at[-1], shortened(line.name, 24), ink))
    scale(axes, plane)
    place_labels(axes, names, 7.5)
