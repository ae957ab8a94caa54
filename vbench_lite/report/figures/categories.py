"""The share of usable clips by category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from vbench_lite import formatting as words
from vbench_lite.records import Estimate
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.figures.colours import INK, PAPER
from vbench_lite.report.figures.kit import Figure, FigureRenderer, colour, marker
from vbench_lite.report.links import clips_address
from vbench_lite.report.tables import usable_estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def categories(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """The share of usable clips by category and generator, with intervals; None for fewer than two categories."""
    names = list(dict.fromkeys(c for e in scenario.entries for c in e.grid.categories if c))
    if len(names) < 2 or not scenario.evaluated:
        return None
    shares = {name: [usable_estimate(entry, name) for entry in scenario.entries] for name in names}
    names.sort(key=lambda name: -float(np.mean([s.value or 0.0 for s in shares[name]])))
    rows = [(name, *(_written(share) for share in shares[name])) for name in names]
    labels = [entry.label for entry in scenario.entries]
    texts = [
        f"{name}: "
        + ", ".join(f"{label} {words.percent(s.value)}" for label, s in zip(labels, shares[name], strict=True))
        for name in names
    ]
    draw = partial(_draw_categories, scenario.entries, names, shares)
    height = 0.8 + (0.2 + 0.16 * len(labels)) * len(names)
    panel = pen.draw("categories", "Usable clips by category", f"{'; '.join(texts)}.", draw, height)
    caption = "The category with the most usable clips is first. Intervals are wide if a category has few prompts."
    header = ("Category", *labels)
    return Figure("categories", "Results by category", caption, [panel], header, rows)


def _written(share: Estimate) -> str:
    if share.low is None or share.high is None:
        return words.percent(share.value)
    return f"{words.percent(share.value)} [{words.percent(share.low)} {words.DASH} {words.percent(share.high)}]"


def _draw_categories(
    entries: Sequence[GeneratorResult], names: Sequence[str], shares: Mapping[str, Sequence[Estimate]], axes: Axes
) -> None:
    gap = 0.62 / len(entries)
    for row, name in enumerate(reversed(names)):
        for nth, (entry, share) in enumerate(zip(entries, shares[name], strict=True)):
            at = row + ((len(entries) - 1) / 2 - nth) * gap
            if share.low is not None and share.high is not None:
                axes.plot([share.low, share.high], [at, at], color=colour(entry), lw=1.4, alpha=0.55)
            if share.value is not None:
                axes.plot(
                    share.value, at, marker(entry), color=colour(entry), ms=5.5, mec=PAPER, mew=0.6,
                    url=clips_address(generator=entry.label, by="rank", category=name),
                )  # fmt: skip
    axes.set_yticks(range(len(names)), list(reversed(names)))
    for label, name in zip(axes.get_yticklabels(), reversed(names), strict=True):
        label.set_url(clips_address(category=name, by="rank"))
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
