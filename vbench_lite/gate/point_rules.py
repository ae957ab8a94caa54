"""Checks on plain figures: medians, and the history of baselines."""

from __future__ import annotations

from typing import Any

import numpy as np

from vbench_lite.analysis.comparable import Side
from vbench_lite.analysis.quantities import Quantity, clip_values
from vbench_lite.errors import BadFile
from vbench_lite.gate.evidence import Evidence, at_least, chosen
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.run.clips import ClipGrid

MIN_HISTORY = 3


def figure(check: Check, quantity: Quantity, grid: ClipGrid) -> float | None:
    """The mean or median over a run's clips; one without a value counts as the worst of its run."""
    sign = -1.0 if quantity.higher_is_better is False else 1.0
    values = sign * clip_values(quantity, grid)
    if np.isnan(values).all():
        return None
    values = np.where(np.isnan(values), np.nanmin(values), values)
    return sign * float(np.median(values) if check.statistic == "median" else values.mean())


def of_figures(check: Check, quantity: Quantity, sides: tuple[Side, Side], category: str, policy: Policy) -> Evidence:
    """A point rule between the figures of two runs."""
    figures = [figure(check, quantity, grid) for grid in chosen(check, sides, category)]
    for who, value in zip(("baseline", "candidate"), figures, strict=True):
        if value is None:
            return Evidence(f'the {who} has no "{quantity.name}"', unmeasured=who == "baseline")
    return _point(check, quantity, (figures[0] or 0.0, figures[1] or 0.0), sides, policy)


def of_history(
    check: Check, quantity: Quantity, sides: tuple[Side, Side], history: list[dict[str, Any]], policy: Policy
) -> Evidence:
    """A point rule against the median of the last promoted baselines, which `vbench baseline promote` notes down."""
    key = "medians" if check.statistic == "median" else "means"
    noted = [entry.get(key, {}).get(sides[0].generator, {}).get(quantity.name) for entry in history]
    values = [value for value in noted if value is not None][-check.last :]
    if len(values) < min(MIN_HISTORY, check.last):
        why = f'only {len(values)} promoted baselines have a {check.statistic} of "{quantity.name}"'
        return Evidence(f"{why}: {min(MIN_HISTORY, check.last)} are needed", unmeasured=True)
    candidate = figure(check, quantity, sides[1].grid)
    if candidate is None:
        return Evidence(f'the candidate has no "{quantity.name}"')
    return _point(check, quantity, (float(np.median(values)), candidate), sides, policy)


def _point(
    check: Check, quantity: Quantity, figures: tuple[float, float], sides: tuple[Side, Side], policy: Policy
) -> Evidence:
    if check.unit == "sd":
        told = "a median or a history has no standard deviation: use another unit."
        raise BadFile(policy.path, check.line_of("unit"), told)
    baseline, candidate = figures
    sign = 1.0 if quantity.higher_is_better else -1.0
    allowed = max(check.margin / 100 * abs(baseline) if check.unit == "percent" else check.margin, check.floor)
    limit = allowed if check.rule == "superior" else -allowed
    distance_to_limit = sign * (candidate - baseline) - limit
    return Evidence(
        holds=at_least(distance_to_limit, baseline), baseline=baseline, candidate=candidate,
        difference=candidate - baseline, limit=sign * limit, prompts=len(sides[0].grid.prompts),
        clips=sides[0].grid.clips, distance_to_limit=distance_to_limit,
    )  # fmt: skip
