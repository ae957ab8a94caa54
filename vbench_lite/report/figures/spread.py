"""How uneven the clips are: the distribution of their scores, and the sources of the variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from vbench_lite import formatting as words
from vbench_lite.analysis.answers.unevenness import spread, worst_tenth
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.figures.colours import INK, PAPER
from vbench_lite.report.figures.kit import Figure, FigureRenderer, colour
from vbench_lite.report.formats.layout import shortened
from vbench_lite.report.links import clips_address
from vbench_lite.run.summary import Floor
from vbench_lite.stats import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS = 400
"""Highest number of dots per generator. Of more clips, every n-th is drawn, because more dots cover each other."""
PARTS = ("hard for all", "hard for this generator", "chance")


@dataclass(frozen=True)
class _Cloud:
    """The scores of one metric, for every generator that has them."""

    metric: str
    entries: Sequence[GeneratorResult]
    higher: bool
    limit: float | None
    """The threshold of a usable clip; None if the metric has none."""


def distributions(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """One panel per metric with a dot for each clip, so that the worst clips are visible, not only the mean."""
    panels, rows = [], []
    for metric in scenario.per_clip:
        cloud = _cloud(scenario, metric)
        if not cloud.entries:
            continue
        texts = []
        for entry in cloud.entries:
            cells = _quantiles(entry.scores(metric), cloud.higher)
            rows.append((scenario.title_of(metric), entry.label, *cells))
            texts.append(f"{entry.label}: median {cells[1]}, worst tenth {cells[3]}")
        alt = f"Distribution over clips, better to the {'right' if cloud.higher else 'left'}. {'; '.join(texts)}."
        height = 0.95 + 0.66 * len(cloud.entries)
        panels.append(pen.draw(f"spread-{metric}", scenario.title_of(metric), alt, partial(_draw_cloud, cloud), height))
    if not panels:
        return None
    caption = (
        "Each dot is a clip. The bar is the median. The open diamond is the mean of the worst tenth. The dashed line "
        "is the threshold of a usable clip."
    )
    header = ("Metric", "Generator", "5 % of clips below", "Median", "5 % of clips above", "Mean of the worst tenth")
    return Figure("distributions", "Distribution of the scores", caption, panels, header, rows)


def _cloud(scenario: SuiteResult, metric: str) -> _Cloud:
    floor = scenario.thresholds.get(metric, Floor())
    limit = floor.max if floor.min is None else floor.min
    entries = [entry for entry in scenario.entries if np.isfinite(entry.scores(metric)).any()]
    return _Cloud(metric, entries, scenario.higher_is_better(metric), limit)


def _quantiles(values: Array, higher: bool) -> list[str]:
    """5 %, median, 95 % and the mean of the worst tenth, as text."""
    found = [float(q) for q in np.nanquantile(values, (0.05, 0.5, 0.95))]
    tenth = worst_tenth(values, higher).value
    return [words.number(q, words.decimals(found[1])) for q in (*found, found[0] if tenth is None else tenth)]


def _draw_cloud(cloud: _Cloud, axes: Axes) -> None:
    for row, entry in enumerate(reversed(cloud.entries)):
        grid, ink = entry.scores(cloud.metric), colour(entry)
        values = grid[np.isfinite(grid)]
        shape = _density(values)
        if shape is not None:
            at, height = shape
            axes.fill_between(at, row + 0.06, row + 0.06 + 0.46 * height, color=ink, alpha=0.22, lw=0, zorder=2.6)
        each = -(-len(values) // DOTS)
        shown = values[::each]
        jitter = np.random.default_rng(7).uniform(-0.26, -0.04, len(shown))
        (dots,) = axes.plot(shown, row + jitter, "o", ms=2.6, color=ink, alpha=0.55, mew=0)
        dots.set_gid(f"clips-of-{entry.scene}-{entry.number}-{cloud.metric}-each-{each}")  # the page opens a dot's clip
        axes.plot([np.median(values)] * 2, [row - 0.3, row + 0.3], color=ink, lw=1.6, solid_capstyle="round")
        tenth = worst_tenth(grid, cloud.higher).value
        if tenth is not None:
            axes.plot(tenth, row - 0.15, "D", ms=4.6, mfc=PAPER, mec=ink, mew=1.1)
        _name(axes, entry.label, ink, row + 0.5)
    if cloud.limit is not None:
        axes.axvline(cloud.limit, color=INK, lw=0.9, ls=(0, (4, 3)))
    axes.set_ylim(-0.45, len(cloud.entries) - 0.2)
    _bare(axes)
    axes.set_xlabel("better to the " + ("right" if cloud.higher else "left"))
    axes.locator_params(axis="x", nbins=5)


def _name(axes: Axes, label: str, ink: str, height: float) -> None:
    """Write the name of a generator above its row, at the left edge."""
    axes.text(0, height, shortened(label, 32), transform=axes.get_yaxis_transform(), color=ink, fontsize=8, va="bottom",
              zorder=2.5, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.6})  # fmt: skip


def _bare(axes: Axes) -> None:
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)


def _density(values: Array) -> tuple[Array, Array] | None:
    """A Gaussian kernel density (Silverman's bandwidth) with maximum 1; None for equal or fewer than four values."""
    deviation = float(np.std(values))
    if len(values) < 4 or deviation < 1e-12 * max(1.0, float(np.abs(values).max())):
        return None
    width = 0.9 * deviation * len(values) ** -0.2
    at = np.linspace(values.min() - 2 * width, values.max() + 2 * width, 120)
    height = np.exp(-(((at[:, None] - values[None]) / width) ** 2) / 2).sum(1)
    return at, height / height.max()


@dataclass(frozen=True)
class _Bar:
    metric: str
    entry: GeneratorResult
    shares: tuple[float, float, float]
    deviation: float


def variance(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """The variance of each metric, split into prompts hard for all, prompts hard for this generator, and chance."""
    bars = [bar for metric in scenario.per_clip for entry in scenario.entries if (bar := _bar(scenario, metric, entry))]
    if not bars:
        return None
    panels = []
    for metric in dict.fromkeys(bar.metric for bar in bars):
        mine = [bar for bar in bars if bar.metric == metric]
        texts = [
            f"{b.entry.label}: " + ", ".join(f"{words.percent(s)} {p}" for s, p in zip(b.shares, PARTS, strict=True))
            for b in mine
        ]
        alt = f"Sources of the variance. {'; '.join(texts)}."
        height = 0.55 + 0.5 * len(mine)
        panels.append(pen.draw(f"variance-{metric}", scenario.title_of(metric), alt, partial(_draw_bars, mine), height))
    rows = [
        (scenario.title_of(b.metric), b.entry.label, *(words.percent(s) for s in b.shares),
         words.plain(b.deviation))
        for b in bars
    ]  # fmt: skip
    caption = (
        "Shares of the variance of the scores. Dark: prompts that are hard for every generator. Medium: prompts that "
        "are hard for this generator only. Light: chance between clips of one prompt. Only the last part is reduced by "
        "retrying; the others need another prompt or another model."
    )
    header = ("Metric", "Generator", *(part.capitalize() for part in PARTS), "Standard deviation")
    return Figure("variance", "Sources of the variance", caption, panels, header, rows)


def _bar(scenario: SuiteResult, metric: str, entry: GeneratorResult) -> _Bar | None:
    others = [e.scores(metric) for e in scenario.entries if e is not entry and _same_clips(e, entry)]
    parts = spread(entry.scores(metric), others)
    return _Bar(metric, entry, parts.shares(), float(np.sqrt(parts.total))) if parts and parts.total else None


def _same_clips(one: GeneratorResult, other: GeneratorResult) -> bool:
    return one.grid.prompts == other.grid.prompts and one.usable.shape == other.usable.shape


def _draw_bars(bars: Sequence[_Bar], axes: Axes) -> None:
    """Draw the fractions of each bar side by side, dark to light."""
    for row, bar in enumerate(reversed(bars)):
        left, address = 0.0, clips_address(generator=bar.entry.label, by=bar.metric)
        for share, alpha in zip(bar.shares, (1.0, 0.62, 0.3), strict=True):
            axes.barh(row, share, 0.42, left=left, color=colour(bar.entry), alpha=alpha, lw=0, url=address)
            if share > 0.1:
                ink = PAPER if alpha > 0.9 else INK
                place, text = (left + share / 2, row), f"{100 * share:.0f} %"
                axes.text(*place, text, ha="center", va="center", fontsize=7, color=ink)
            left += share
        _name(axes, bar.entry.label, colour(bar.entry), row + 0.24)
    axes.set_ylim(-0.3, len(bars) - 0.3)
    axes.set_xlim(0, 1)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    _bare(axes)
