"""The ranking table: one row per generator, with the main figures and the distribution over clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vbench_lite import formatting as words
from vbench_lite.analysis.answers.leads import find_ranks
from vbench_lite.analysis.quantities import COSTS, clip_values, quantities
from vbench_lite.report import glossary
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.links import clips_address
from vbench_lite.report.tables import Row, groups, usable_estimate
from vbench_lite.stats import Array

DECIDING_COSTS = ("usd_per_clip", "usd_per_usable_clip", "device_s_per_clip")
BINS = 24
WIDE, TALL = 72, 16
"""Width and height of a sparkline, in its own units."""


class RankedCell(NamedTuple):
    """One figure of one generator."""

    written: words.Written
    value: float | None
    """The sort key of the column."""
    rank: int | None
    """1 plus the number of generators that are significantly better; None if it is not known."""
    tied: bool
    """Whether another generator has the same rank."""
    lead: bool
    spark: str
    """Outline of the distribution over clips, or a bar for a fraction, as an SVG path of `WIDE` by `TALL`."""
    address: str
    """Link to the clips of the figure."""

    @property
    def rank_text(self) -> str:
        """The rank with ties: "2", or "=1"; a dash if it is not known."""
        return f"{'=' if self.tied else ''}{self.rank or words.DASH}"


@dataclass(frozen=True)
class Column:
    """One figure of every generator."""

    name: str
    title: str
    unit: str
    arrow: str
    direction: str
    higher: bool
    cells: Sequence[RankedCell]
    limit: float | None
    """Position of the threshold of a usable clip in the sparklines."""


def leaderboard(scenario: SuiteResult) -> list[Column]:
    """The main figures: usable clips, the first metric of each question, and costs."""
    rows = {row.name: row for group in groups(scenario) for row in group.rows}
    names = (*(["usable"] if scenario.evaluated else []), *scenario.headline_metrics, *DECIDING_COSTS)
    columns = [_column(scenario, rows[name]) for name in names if name in rows]
    return [column for column in columns if any(cell.value is not None for cell in column.cells)]


def order(columns: Sequence[Column], count: int) -> list[int]:
    """Numbers of the generators, sorted by the first column, the best first. Those without a figure are last."""

    def key(nth: int) -> tuple[bool, float]:
        value = columns[0].cells[nth].value if columns else None
        return value is None, (-1 if columns and columns[0].higher else 1) * (value or 0.0)

    return sorted(range(count), key=key)


def _column(scenario: SuiteResult, row: Row) -> Column:
    entries = scenario.entries
    quantity = quantities(scenario.metrics)[row.name]
    ranks = find_ranks(quantity, [entry.side for entry in entries], scenario.family)
    drawn = [_clips(scenario, entry, row.name) for entry in entries]
    span = _span(drawn)
    cells = []
    for entry, cell, values in zip(entries, row.cells, drawn, strict=True):
        value, rank = _value(entry, row.name), ranks.get(entry.side)
        cells.append(
            RankedCell(
                cell.written, value, rank, list(ranks.values()).count(rank or 0) > 1, cell.lead,
                _share(value) if row.name == "usable" else _outline(values, span), _address(scenario, entry, row.name),
            )
        )  # fmt: skip
    floor = scenario.thresholds.get(row.name)
    limit = None if floor is None else floor.max if floor.min is None else floor.min
    place = _place(limit, span) if span and limit is not None else None
    return Column(row.name, row.title, row.unit, row.arrow, row.direction, row.arrow == "↑", cells, place)


def _value(entry: GeneratorResult, name: str) -> float | None:
    if name == "usable":
        return usable_estimate(entry).value
    return entry.cost(name).value if name in glossary.COSTS else entry.score(name).value


def _clips(scenario: SuiteResult, entry: GeneratorResult, name: str) -> Array:
    """The figure of every clip; all NaN if clips do not have it, such as a quotient of sums."""
    costs = {cost.name: cost for cost in COSTS}
    if name in costs:
        return clip_values(costs[name], entry.grid)
    if name in scenario.per_clip:
        return entry.scores(name)
    return np.full(entry.grid.made.shape, np.nan)


def _address(scenario: SuiteResult, entry: GeneratorResult, name: str) -> str:
    by = "cost" if name in glossary.COSTS else name if name in scenario.per_clip else "rank"
    return clips_address(generator=entry.label, by=by)


class _Span(NamedTuple):
    low: float
    high: float


def _span(drawn: Sequence[Array]) -> _Span | None:
    """The common range of all sparklines of a column, so that they are comparable. None if all clips are equal."""
    values = np.concatenate([grid[np.isfinite(grid)] for grid in drawn])
    if not len(values) or np.ptp(values) <= 1e-9 * np.abs(values).max():
        return None
    low, high = np.quantile(values, (0.005, 0.995))
    room = 0.04 * (high - low) or 1e-9
    return _Span(float(low - room), float(high + room))


def _place(value: float, span: _Span) -> float:
    return round(WIDE * float(np.clip((value - span.low) / (span.high - span.low), 0, 1)), 1)


def _share(share: float | None) -> str:
    """A bar from 0 to the fraction of 1."""
    return "" if share is None else f"M0 {TALL / 2:g}H{WIDE * share:.1f}V{TALL}H0Z"


def _outline(values: Array, span: _Span | None) -> str:
    """A histogram as a filled path. Clips outside the range are counted in the first and last bin."""
    known = values[np.isfinite(values)]
    if span is None or len(known) < 4:
        return ""
    counts, _ = np.histogram(np.clip(known, *span), BINS, span)
    highest, step = counts.max(), WIDE / BINS
    steps = (f"V{TALL - TALL * count / highest:.1f}H{step * (nth + 1):g}" for nth, count in enumerate(counts))
    return f"M0 {TALL}{''.join(steps)}V{TALL}Z"
