"""The gain of retrying: the quality of the best of k clips against the cost of k clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from vbench_lite import formatting as words
from vbench_lite.analysis.answers.unevenness import best_of_curve
from vbench_lite.analysis.cost.economics import within
from vbench_lite.records import Estimate
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.figures.colours import PAPER, SOFT
from vbench_lite.report.figures.kit import (
    NAMED,
    QUARTER,
    Axis,
    Figure,
    FigureRenderer,
    colour,
    cost_axis,
    log_cost_axis,
    marker,
    quality_axis,
)
from vbench_lite.report.figures.labels import Label, place_labels, thin_out
from vbench_lite.report.formats.layout import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class _Curve:
    entry: GeneratorResult
    at: Sequence[float]
    """Cost of k clips, k = 1, 2, ..."""
    best: Sequence[Estimate]


@dataclass(frozen=True)
class _Curves:
    metric: str
    title: str
    higher: bool
    axis: Axis
    curves: Sequence[_Curve]


def best_of_k(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """Best of k against cost, for usable clips and each headline metric; None if every prompt has one clip only."""
    if max(entry.usable.shape[1] for entry in scenario.entries) < 2:
        return None
    axis = cost_axis(scenario)
    drawn = [_curves(scenario, metric, axis) for metric in ("usable", *scenario.headline_metrics)]
    panels, rows = [], []
    for group in (group for group in drawn if group.curves):
        texts = []
        for curve in group.curves:
            written = [str(words.write(e)) for e in curve.best]
            texts.append(f"{curve.entry.label} from {written[0]} with one to {written[-1]} with {len(written)}")
            rows += [
                (group.title, curve.entry.label, str(k), words.plain(x), y)
                for k, (x, y) in enumerate(zip(curve.at, written, strict=True), 1)
            ]
        alt = f"Best of k against its cost: {'; '.join(texts)}."
        width, height = QUARTER
        panels.append(pen.draw(f"best-{group.metric}", group.title, alt, partial(_draw, group), height, width))
    caption = (
        "The number beside a mark is k: generate k clips of a prompt and keep the best one. Compare several clips of a "
        "cheap generator with one clip of an expensive generator. The estimate is unbiased for every k up to the "
        "number of clips per prompt."
    )
    header = ("Quality", "Generator", "k", axis.unit.replace("per clip", "").strip(), "Value")
    return Figure("best-of-k", "What retrying gains", caption, panels, header, rows) if panels else None


def best_scores(scenario: SuiteResult, entry: GeneratorResult, metric: str) -> list[Estimate]:
    """Expected best score of k clips for k = 1, 2, ..., with intervals limited to the metric's range."""
    curve = best_of_curve(entry.scores(metric), scenario.higher_is_better(metric))
    return [within(estimate, scenario.metrics[metric].range) for estimate in curve]


def _curves(scenario: SuiteResult, metric: str, axis: Axis) -> _Curves:
    usable = metric == "usable"
    higher = scenario.higher_is_better(metric)
    curves = []
    for entry in scenario.entries:
        each = axis.of(entry)
        best = best_of_curve(entry.usable) if usable else best_scores(scenario, entry, metric)
        if each is not None and best:
            curves.append(_Curve(entry, [each * k for k in range(1, len(best) + 1)], best))
    title = "Chance that one of k is usable" if usable else f"{scenario.title_of(metric)}, best of k"
    return _Curves(metric, title, higher, axis, curves)


def _draw(group: _Curves, axes: Axes) -> None:
    ends_of: list[Label] = []
    for curve in group.curves:
        ink, values = colour(curve.entry), [e.value for e in curve.best if e.value is not None]
        ends = [(x, e.low, e.high) for x, e in zip(curve.at, curve.best, strict=True) if e.low is not None]
        if ends:
            at, low, high = zip(*ends, strict=True)
            axes.fill_between(at, low, high, color=ink, alpha=0.13, lw=0)
        axes.plot(curve.at, values, "-" + marker(curve.entry), color=ink, lw=1.3, ms=5, mec=PAPER, mew=0.6)
        for k, place in enumerate(zip(curve.at, values, strict=True), 1):
            if len(curve.at) <= 6 or k in (1, 2, 4, 8, len(curve.at)):
                axes.annotate(str(k), place, (0, -11), textcoords="offset points", color=SOFT, fontsize=7, ha="center")
        ends_of.append(Label(curve.at[-1], values[-1], shortened(curve.entry.label, 24), ink))
    axes.set_xlabel(group.axis.unit.replace(" per clip", "") + ", log")
    axes.margins(y=0.24)
    known = [x for curve in group.curves for x in curve.at if x > 0] or [1.0]
    log_cost_axis(axes, min(known) / 1.4, max(known) * 1.8)
    quality_axis(axes, group.metric, group.higher)
    thin_out(axes)
    if len(group.curves) <= NAMED:
        place_labels(axes, ends_of)
