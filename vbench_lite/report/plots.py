"""The figures of a report. Each is a group of small panels, with words for a screen reader and the table behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vbench_lite.report import words
from vbench_lite.report.colours import INK, LIGHT, MARKERS, PAPER, SOFT
from vbench_lite.report.data import Entry, Report, Scenario
from vbench_lite.report.svg import inline, panel, to_png, to_svg
from vbench_lite.report.tables import usable_estimate
from vbench_lite.stats import Array
from vbench_lite.store import write_whole
from vbench_lite.unevenness import best_of_curve, spread, worst_tenth

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Cells = Sequence[str]


@dataclass(frozen=True)
class Panel:
    """One drawing."""

    name: str
    title: str
    alt: str
    svg: str
    png: bytes = b""

    def inline(self) -> str:
        return inline(self.svg, f"fig-{self.name}", self.title, self.alt)


@dataclass(frozen=True)
class Figure:
    """A group of drawings that answer one question, with its table."""

    key: str
    title: str
    caption: str
    panels: Sequence[Panel]
    header: Cells
    rows: Sequence[Cells] = field(default=())


def figures(scenario: Scenario, png: bool = False) -> list[Figure]:
    """Every figure that this scenario has data for.

    Args:
        scenario: What to draw.
        png: Also as pictures, for the folder of plots.
    """
    made = [make(scenario, png) for make in FIGURES]
    return [figure for figure in made if figure is not None]


def _colour(entry: Entry) -> str:
    return LIGHT[entry.colour]


def _marker(entry: Entry) -> str:
    return MARKERS[entry.number % len(MARKERS)]


def _panel(
    name: str, title: str, alt: str, draw: Callable[[Axes], None], png: bool, size: tuple[float, float] = (3.5, 2.7)
) -> Panel:
    with panel(*size) as (figure, axes):
        axes.set_title(title, pad=8)
        draw(axes)
        return Panel(name, title, alt, to_svg(figure), to_png(figure) if png else b"")


# --- quality against cost -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Point:
    entry: Entry
    x: Mapping[str, Any]
    y: Mapping[str, Any]


def cost_quality(scenario: Scenario, png: bool) -> Figure | None:
    """Quality up, cost to the right, with intervals on both axes; the line joins what nothing else beats on both."""
    cost = next((c for c in ("usd_per_clip", "device_s_per_clip") if _known(scenario, c)), None)
    if cost is None:
        return None
    scale = scenario.money_scale if cost.startswith("usd") else 1.0
    unit = ("US$ per 1,000 clips" if scale > 1 else "US$ per clip") if cost.startswith("usd") else "device seconds per clip"
    panels, rows = [], []
    for metric in ("usable", *scenario.heads):
        points = _points(scenario, metric, cost, scale)
        if not points:
            continue
        higher = metric == "usable" or bool(scenario.metrics[metric]["higher_is_better"])
        front = _front(points, higher)
        title = words.title(metric)
        alt = f"{title} against {unit}: " + "; ".join(
            f"{p.entry.label} {words.write(p.y)} at {words.write(p.x)}" for p in points
        )
        best = words.listed(p.entry.label for p in front)
        panels.append(
            _panel(
                f"plane-{metric}", title, f"{alt}. Not beaten on both: {best}.",
                lambda axes, points=points, front=front, metric=metric, higher=higher: _draw_plane(  # type: ignore[misc]
                    axes, points, front, unit, metric == "usable", higher
                ),
                png,
            )
        )  # fmt: skip
        for p in points:
            rows.append((title, p.entry.label, str(words.write(p.y)), str(words.write(p.x)), "yes" if p in front else ""))
    caption = (
        "Up is better, left is cheaper. Crosses are 95 % intervals over prompts. The stepped line is the Pareto front: "
        "generators that no other beats on both."
    )
    return Figure("plane", "Quality against cost", caption, panels, ("Quality", "Generator", "Value", unit, "On the front"), rows)


def _known(scenario: Scenario, cost: str) -> bool:
    return any(e.cost(cost)["value"] is not None for e in scenario.entries)


def _points(scenario: Scenario, metric: str, cost: str, scale: float) -> list[_Point]:
    points = []
    for entry in scenario.entries:
        y = usable_estimate(entry) if metric == "usable" else entry.score(metric)
        x = {k: (v * scale if k in ("value", "low", "high") and v is not None else v) for k, v in entry.cost(cost).items()}
        if x["value"] is not None and y["value"] is not None:
            points.append(_Point(entry, x, y))
    return points


def _front(points: Sequence[_Point], higher: bool) -> list[_Point]:
    sign = 1 if higher else -1
    ordered = sorted(points, key=lambda p: (p.x["value"], -sign * p.y["value"]))
    front: list[_Point] = []
    for point in ordered:
        if not front or sign * point.y["value"] > sign * front[-1].y["value"]:
            front.append(point)
    return front


def _draw_plane(
    axes: Axes, points: Sequence[_Point], front: Sequence[_Point], unit: str, share: bool, higher: bool
) -> None:
    steps = [(p.x["value"], p.y["value"]) for p in front]
    axes.step([x for x, _ in steps], [y for _, y in steps], where="post", color=SOFT, lw=0.8, ls=(0, (4, 3)), zorder=1)
    for point in points:
        x, y, colour = point.x, point.y, _colour(point.entry)
        if x["low"] is not None and x["high"] is not None:
            axes.plot([max(x["low"], x["value"] / 20), x["high"]], [y["value"]] * 2, color=colour, lw=1.2, zorder=2)
        if y["low"] is not None and y["high"] is not None:
            axes.plot([x["value"]] * 2, [y["low"], y["high"]], color=colour, lw=1.2, zorder=2)
        axes.plot(
            x["value"], y["value"], _marker(point.entry), color=colour, ms=7, mec=PAPER, mew=0.8, zorder=3
        )
        axes.annotate(
            point.entry.label, (x["value"], y["value"]), (7, 6), textcoords="offset points", color=colour, fontsize=8
        )
    _log_axis(axes, [p.x["value"] for p in points])
    axes.set_xlabel(unit + ", cheaper to the left")
    if share:
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f} %")
    if not higher:
        axes.invert_yaxis()
    axes.grid(axis="y")
    axes.margins(y=0.2)


def _log_axis(axes: Axes, values: Sequence[float]) -> None:
    """Costs differ by orders of magnitude: a logarithmic axis with plain labels, wide enough for names."""
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    low, high = min(values) / 1.7, max(values) * 3.2
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    steps = (1, 2, 5) if high / low < 200 else (1,)
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [s * 10.0**e for e in exponents for s in steps if low <= s * 10.0**e <= high]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(lambda v, _: f"{v:g}" if v >= 1e-4 else f"{v:.0e}")


# --- distributions --------------------------------------------------------------------------------


def distributions(scenario: Scenario, png: bool) -> Figure | None:
    """Every clip as a dot, not means alone: where a generator's bad clips lie."""
    panels, rows = [], []
    for metric in scenario.per_clip:
        entries = [e for e in scenario.entries if np.isfinite(e.scores(metric)).any()]
        if not entries:
            continue
        floor = scenario.thresholds.get(metric, {})
        limit = floor.get("min") if floor.get("min") is not None else floor.get("max")
        higher = bool(scenario.metrics[metric]["higher_is_better"])
        told = []
        for entry in entries:
            values = entry.scores(metric)
            tenth = worst_tenth(values, higher).value
            quantiles = np.nanquantile(values, (0.05, 0.5, 0.95))
            cells = [words.number(q, words.decimals(float(quantiles[1]))) for q in (*quantiles, tenth)]
            rows.append((words.title(metric), entry.label, *cells))
            told.append(f"{entry.label}: median {cells[1]}, worst tenth {cells[3]}")
        better = "to the right" if higher else "to the left"
        panels.append(
            _panel(
                f"spread-{metric}", words.title(metric), f"Distribution over clips, better {better}. {'; '.join(told)}.",
                lambda axes, entries=entries, metric=metric, limit=limit, higher=higher: _draw_clouds(  # type: ignore[misc]
                    axes, entries, metric, limit, higher
                ),
                png, (3.5, 0.95 + 0.62 * len(entries)),
            )
        )  # fmt: skip
    if not panels:
        return None
    caption = (
        "Each dot is a clip. The bar is the median, the open diamond the mean of the worst tenth, the dashed line what "
        "a usable clip needs."
    )
    header = ("Metric", "Generator", "5 % of clips below", "Median", "5 % of clips above", "Mean of the worst tenth")
    return Figure("distributions", "How the clips spread", caption, panels, header, rows)


def _draw_clouds(axes: Axes, entries: Sequence[Entry], metric: str, limit: float | None, higher: bool) -> None:
    for row, entry in enumerate(reversed(entries)):
        grid = entry.scores(metric)
        values, colour = grid[np.isfinite(grid)], _colour(entry)
        shape = _density(values)
        if shape is not None:
            at, height = shape
            axes.fill_between(at, row + 0.08, row + 0.08 + 0.5 * height, color=colour, alpha=0.22, lw=0)
        jitter = np.random.default_rng(7).uniform(-0.24, -0.04, len(values))
        shown = values if len(values) <= 400 else np.random.default_rng(8).choice(values, 400, replace=False)
        axes.plot(shown, row + jitter[: len(shown)], "o", ms=2.6, color=colour, alpha=0.55, mew=0)
        axes.plot([np.median(values)] * 2, [row - 0.28, row + 0.3], color=colour, lw=1.6, solid_capstyle="round")
        tenth = worst_tenth(grid, higher).value
        axes.plot(tenth, row - 0.14, "D", ms=4.6, mfc=PAPER, mec=colour, mew=1.1)
    if limit is not None:
        axes.axvline(limit, color=INK, lw=0.9, ls=(0, (4, 3)))
    axes.set_yticks(range(len(entries)), [e.label for e in reversed(entries)])
    axes.set_ylim(-0.45, len(entries) - 0.25)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("better " + ("to the right" if higher else "to the left"))
    axes.locator_params(axis="x", nbins=5)


def _density(values: Array) -> tuple[Array, Array] | None:
    """A Gaussian kernel estimate (Silverman's width), 1 at its highest; None where there is no spread."""
    spread_ = float(np.std(values))
    if len(values) < 4 or spread_ < 1e-12 * max(1.0, float(np.abs(values).max())):
        return None
    width = 0.9 * spread_ * len(values) ** -0.2
    at = np.linspace(values.min() - 2 * width, values.max() + 2 * width, 120)
    height = np.exp(-(((at[:, None] - values[None]) / width) ** 2) / 2).sum(1)
    return at, height / height.max()


# --- what choosing among k buys -------------------------------------------------------------------


def best_of_k(scenario: Scenario, png: bool) -> Figure | None:
    """Quality of the best of k clips against the cost of making k."""
    if max(e.usable.shape[1] for e in scenario.entries) < 2:
        return None
    cost = next((c for c in ("usd_per_clip", "device_s_per_clip") if _known(scenario, c)), None)
    scale = scenario.money_scale if cost == "usd_per_clip" else 1.0
    unit = {None: "clips made", "device_s_per_clip": "device seconds"}.get(cost, "US$" + (" per 1,000" if scale > 1 else ""))
    panels, rows = [], []
    for metric in ("usable", *scenario.heads):
        higher = metric == "usable" or bool(scenario.metrics[metric]["higher_is_better"])
        curves = []
        for entry in scenario.entries:
            each = 1.0 if cost is None else entry.cost(cost)["value"]
            curve = best_of_curve(entry.usable if metric == "usable" else entry.scores(metric), higher)
            if each is not None and curve:
                curves.append((entry, [scale * each * k for k in range(1, len(curve) + 1)], curve))
        if not curves:
            continue
        title = "Chance that one of k is usable" if metric == "usable" else f"{words.title(metric)}, best of k"
        for entry, at, curve in curves:
            for k, (x, y) in enumerate(zip(at, curve, strict=True), 1):
                figures_ = {"value": y.value, "low": y.low, "high": y.high}
                rows.append((title, entry.label, str(k), words.number(x, words.decimals(x)), str(words.write(figures_))))
        alt = "; ".join(f"{e.label} from {_short(c[0].value)} to {_short(c[-1].value)}" for e, _, c in curves)
        panels.append(
            _panel(
                f"best-{metric}", title, f"Best of k against its cost: {alt}.",
                lambda axes, curves=curves, metric=metric, higher=higher: _draw_curves(  # type: ignore[misc]
                    axes, curves, unit, metric == "usable", higher
                ),
                png,
            )
        )  # fmt: skip
    caption = (
        "Numbers beside the marks are k: make k clips of a prompt and keep the best. Read across: several of a cheap "
        "generator against one of a dear one. The estimate is unbiased for every k up to the clips made of a prompt."
    )
    header = ("Quality", "Generator", "k", unit, "Value")
    return Figure("best-of-k", "What retrying buys", caption, panels, header, rows)


def _short(value: float | None) -> str:
    return words.NONE if value is None else words.number(value, words.decimals(value))


def _draw_curves(axes: Axes, curves: Sequence[tuple[Entry, list[float], Any]], unit: str, share: bool, higher: bool) -> None:
    for entry, at, curve in curves:
        colour, values = _colour(entry), [e.value for e in curve]
        if curve[0].low is not None:
            axes.fill_between(at, [e.low for e in curve], [e.high for e in curve], color=colour, alpha=0.13, lw=0)
        axes.plot(at, values, "-" + _marker(entry), color=colour, lw=1.3, ms=5, mec=PAPER, mew=0.6)
        for k, (x, y) in enumerate(zip(at, values, strict=True), 1):
            if len(at) <= 6 or k in (1, 2, 4, 8, len(at)):
                axes.annotate(str(k), (x, y), (0, -11), textcoords="offset points", color=SOFT, fontsize=7, ha="center")
        axes.annotate(
            entry.label, (at[-1], values[-1]), (0, 7), textcoords="offset points", color=colour, fontsize=8, ha="center"
        )
    axes.set_xlabel(unit)
    axes.set_xlim(left=0)
    if share:
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f} %")
    elif not higher:
        axes.invert_yaxis()
    axes.margins(x=0.18, y=0.18)
    axes.grid(axis="y")
    axes.locator_params(axis="x", nbins=5)


# --- where the spread comes from ------------------------------------------------------------------

PARTS = ("hard for all", "hard for this one", "luck")


def variance(scenario: Scenario, png: bool) -> Figure | None:
    """Spread split into prompts that are hard for all, prompts hard for this generator, and luck."""
    bars: list[tuple[str, Entry, tuple[float, float, float], float]] = []
    for metric in scenario.per_clip:
        for entry in scenario.entries:
            others = [e.scores(metric) for e in scenario.entries if e is not entry and _same_prompts(e, entry)]
            parts = spread(entry.scores(metric), others)
            if parts is not None and parts.total > 0:
                bars.append((metric, entry, parts.shares(), float(np.sqrt(parts.total))))
    if not bars:
        return None
    panels = []
    for metric in dict.fromkeys(bar[0] for bar in bars):
        mine = [bar for bar in bars if bar[0] == metric]
        told = "; ".join(
            f"{e.label}: " + ", ".join(f"{words.percent(s)} {p}" for s, p in zip(shares, PARTS, strict=True))
            for _, e, shares, _ in mine
        )
        panels.append(
            _panel(
                f"variance-{metric}", words.title(metric), f"Where the spread comes from. {told}.",
                lambda axes, mine=mine: _draw_shares(axes, [(e.label, _colour(e), s) for _, e, s, _ in mine], PARTS),  # type: ignore[misc]
                png, (3.5, 0.95 + 0.42 * len(mine)),
            )
        )  # fmt: skip
    rows = [
        (words.title(m), e.label, *(words.percent(s) for s in shares), words.number(sd, words.decimals(sd)))
        for m, e, shares, sd in bars
    ]
    caption = (
        "From left to right: prompts that are hard for every generator, prompts that are hard for this one, and luck "
        "between clips of one prompt. Luck is what retrying can buy off; the rest takes another prompt or another model."
    )
    header = ("Metric", "Generator", *(p.capitalize() for p in PARTS), "Standard deviation")
    return Figure("variance", "Where the unevenness comes from", caption, panels, header, rows)


def _same_prompts(one: Entry, other: Entry) -> bool:
    return one.grid.prompts == other.grid.prompts and one.usable.shape == other.usable.shape


def _draw_shares(axes: Axes, bars: Sequence[tuple[str, str, Sequence[float]]], parts: Sequence[str]) -> None:
    """Stacked bars of parts of 1, dark to light; parts are named over the first bar where there is room."""
    for row, (_, colour, shares) in enumerate(reversed(bars)):
        left = 0.0
        for nth, share in enumerate(shares):
            alpha = 1.0 - 0.62 * nth / max(1, len(shares) - 1)
            axes.barh(row, share, 0.56, left=left, color=colour, alpha=alpha, lw=0)
            if share > 0.13:
                ink = PAPER if alpha > 0.6 else INK
                axes.text(left + share / 2, row, f"{100 * share:.0f} %", ha="center", va="center", fontsize=7, color=ink)
            if row == len(bars) - 1 and share > 0.2:
                axes.text(left + 0.004, row + 0.36, parts[nth], fontsize=7, color=SOFT, va="bottom")
            left += share
    axes.set_yticks(range(len(bars)), [label for label, _, _ in reversed(bars)])
    axes.set_ylim(-0.45, len(bars) - 0.25)
    axes.set_xlim(0, 1)
    axes.xaxis.set_visible(False)
    axes.tick_params(axis="y", length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


FIGURES: tuple[Callable[[Scenario, bool], Figure | None], ...] = (cost_quality, distributions, best_of_k, variance)


def write_plots(report: Report, folder: Path) -> Path:
    """Every drawing of the main scenario as <name>.svg and <name>.png in a folder."""
    for figure in figures(report.main, png=True):
        for drawn in figure.panels:
            write_whole(folder / f"{drawn.name}.svg", drawn.svg)
            write_whole(folder / f"{drawn.name}.png", drawn.png)
    return folder
