"""The quantities on which two runs can be compared: scores, costs, fractions of clips, and ratios of them.

Names are those of summary.json. Column names of clips.csv are also accepted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from vbench_lite.analysis.clip_rows import COLUMNS
from vbench_lite.errors import UnknownName
from vbench_lite.formatting import Shown, estimate_decimals, money_scale, percent_decimals, scaled, shown_unit
from vbench_lite.records import MetricInfo
from vbench_lite.run.clips import ClipGrid
from vbench_lite.run.people import HUMAN_METRICS
from vbench_lite.run.view import ABSENT, Side
from vbench_lite.stats import Array

Kind = Literal["score", "cost", "share", "ratio", "set", "human"]
_KINDS: dict[str, Kind] = {"clip": "score", "set": "set"}


class Quantity(NamedTuple):
    """One figure of a generator."""

    name: str
    unit: str
    higher_is_better: bool | None
    """None: reported, but not judged."""
    kind: Kind
    """score, cost and share have a value per clip; ratio is a quotient of two sums; set has one value per run; human is
    computed from votes."""
    column: str = ""
    scale: float = 1.0
    """Factor from the column's unit to `unit`."""
    needs_device: bool = False
    """Whether values of two kinds of device are not comparable."""
    needs_price: bool = False
    range: tuple[float | None, float | None] = (None, None)
    """Smallest and largest possible value of a score; None means no limit."""


COSTS = (
    Quantity("device_s_per_clip", "s", False, "cost", "device_s", needs_device=True),
    Quantity("wall_s_per_clip", "s", False, "cost", "wall_s", needs_device=True),
    Quantity("gpu_busy_s_per_clip", "s", False, "cost", "gpu_busy_s", needs_device=True),
    Quantity("energy_wh_per_clip", "Wh", False, "cost", "energy_j", 1 / 3600, needs_device=True),
    Quantity("peak_memory_mb", "MiB", False, "cost", "peak_memory_mb", needs_device=True),
    Quantity("peak_reserved_mb", "MiB", False, "cost", "peak_reserved_mb", needs_device=True),
    Quantity("peak_rss_mb", "MiB", False, "cost", "peak_rss_mb", needs_device=True),
    Quantity("usd_per_clip", "USD", False, "cost", "cost_usd", needs_device=True, needs_price=True),
)
SHARES = (
    Quantity("usable", "of clips", True, "share", "usable"),
    Quantity("failed", "of clips", False, "share"),
)
RATIOS = (
    Quantity("usd_per_usable_clip", "USD", False, "ratio", "cost_usd", needs_device=True, needs_price=True),
    Quantity("attempts_per_usable_clip", "clips", False, "ratio"),
)
HUMAN = tuple(
    Quantity(name, info.unit, info.higher_is_better, "human", name, range=info.range)
    for name, info in HUMAN_METRICS.items()
)
TAKEN = frozenset((*COLUMNS, *(quantity.name for quantity in (*COSTS, *SHARES, *RATIOS, *HUMAN))))
"""Reserved names: columns of clips.csv and figures of every run. No metric may have one of them."""


def quantities(metrics: Mapping[str, MetricInfo]) -> dict[str, Quantity]:
    """Every quantity of a run with these metrics; scores first."""
    scores = [
        Quantity(name, info.unit or "", info.higher_is_better, _KINDS[info.per], name, range=info.range)
        for name, info in metrics.items()
        if name not in HUMAN_METRICS
    ]
    return {quantity.name: quantity for quantity in (*scores, *COSTS, *SHARES, *RATIOS, *HUMAN)}


def find_quantity(name: str, metrics: Mapping[str, MetricInfo]) -> Quantity:
    """The quantity with a name of summary.json, or of a column of clips.csv.

    Raises:
        UnknownName: The run has no such figure.
    """
    known = quantities(metrics)
    by_column = {quantity.column: quantity for quantity in COSTS}
    if name not in known and name not in by_column:
        raise UnknownName("metric or cost", name, known, "See metrics with: vbench list metrics")
    return known.get(name) or by_column[name]


def find_cost(name: str) -> Quantity | None:
    """The cost or cost ratio with this name or column."""
    return next((q for q in (*COSTS, *RATIOS) if name and name in (q.name, q.column)), None)


def shown_in(quantity: Quantity, baseline: Side, candidate: Side, *figures: float | None) -> Shown:
    """How the reports of the two runs show a quantity.

    Money is shown per 1,000 clips where no generator of either run costs a cent per clip.

    Args:
        quantity: The quantity.
        baseline, candidate: The generators.
        figures: Of both, to be shown. One that stands in a report has as many decimals there.
    """
    sides = (baseline, candidate)
    costs = (generator.cost.get("usd_per_clip", ABSENT) for side in sides for generator in side.run.summary.values())
    largest = max((value for value in figures if value is not None), default=0.0)
    unit, scale = shown_unit(quantity.name, quantity.unit, largest, money_scale(costs))
    decimals: list[int | None] = []
    for side, figure in zip(sides, figures, strict=True):
        if quantity.kind == "share":
            decimals.append(None if figure is None else percent_decimals(figure))
            continue
        named = side.score if quantity.kind in ("score", "set", "human") else side.cost
        found = named(quantity.name)
        same = figure is not None and found.value is not None and math.isclose(figure, found.value, rel_tol=1e-9)
        decimals.append(estimate_decimals(scaled(found, scale), money=quantity.unit == "USD") if same else None)
    return Shown(unit, scale, (decimals[0], decimals[1]))


def clip_values(quantity: Quantity, grid: ClipGrid) -> Array:
    """One value per clip; NaN if there is none.

    A failed clip counts in fractions and may have a cost, but has no score. A missing clip has no value.

    Returns:
        Shape (prompts, clips per prompt), in the quantity's unit.
    """
    if quantity.name == "failed":
        return np.where(grid.tried, ~grid.made, np.nan)
    values = grid.values(quantity.column) * quantity.scale
    if quantity.kind == "share":
        return np.where(grid.tried & np.isfinite(values), np.where(grid.made & (values == 1), 1.0, 0.0), np.nan)
    return np.where(grid.tried if quantity.kind == "cost" else grid.made, values, np.nan)


def ratio_parts(quantity: Quantity, grid: ClipGrid) -> tuple[Array, Array]:
    """Numerator and denominator of a ratio, per prompt: cost (or attempts), and usable clips.

    An attempted clip of unknown cost counts as the most expensive known clip.
    """
    usable = np.nansum(clip_values(SHARES[0], grid), axis=1)
    if not quantity.column:
        return grid.tried.sum(1), usable
    spent = np.where(grid.tried, grid.values(quantity.column) * quantity.scale, 0.0)
    known = np.isfinite(spent) & grid.tried
    highest = spent[known].max() if known.any() else np.nan
    return np.where(np.isnan(spent), highest, spent).sum(1), usable
