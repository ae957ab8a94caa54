"""Checks without a significance test: medians, and the history of baselines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.promotions import HistoryEntry
from vbench_lite.analysis.quantities import Quantity, clip_values
from vbench_lite.errors import BadFile
from vbench_lite.gate.evidence.scores import at_least
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.gate.verdict import Evidence
from vbench_lite.run.clips import ClipGrid

MIN_HISTORY = 3


def figure(check: Check, quantity: Quantity, grid: ClipGrid) -> float | None:
    """The mean or median over attempted clips. A clip without a value counts as the worst of its run."""
    sign = -1.0 if quantity.higher_is_better is False else 1.0
    values = sign * clip_values(quantity, grid)[grid.tried]
    if np.isnan(values).all():
        return None
    values = np.where(np.isnan(values), np.nanmin(values), values)
    return sign * float(np.median(values) if check.statistic == "median" else values.mean())


def of_figures(check: Check, quantity: Quantity, sides: GeneratorPair, category: str, policy: Policy) -> Evidence:
    """Compare the figures of two runs without a test."""
    grids = sides.only({category} if category else set(check.categories))
    baseline, candidate = (figure(check, quantity, grid) for grid in grids)
    if baseline is None:
        return Evidence(why_none=f'the baseline has no "{quantity.name}"', unmeasured=True)
    if candidate is None:
        return Evidence(why_none=f'the candidate has no "{quantity.name}"')
    return _point(check, quantity, (baseline, candidate), sides, policy)


def of_history(
    check: Check, quantity: Quantity, sides: GeneratorPair, history: Sequence[HistoryEntry], policy: Policy
) -> Evidence:
    """Compare with the median of the last promoted baselines, from history.json, without a test."""
    generator = sides.baseline.generator
    values = [
        value for entry in history
        if (value := entry.figures(check.statistic).get(generator, {}).get(quantity.name)) is not None
    ][-check.last :]  # fmt: skip
    least = min(MIN_HISTORY, check.last)
    if len(values) < least:
        why = f'only {len(values)} promoted baselines have a {check.statistic} of "{quantity.name}"'
        return Evidence(why_none=f"{why}: {least} are needed", unmeasured=True)
    candidate = figure(check, quantity, sides.candidate.grid)
    if candidate is None:
        return Evidence(why_none=f'the candidate has no "{quantity.name}"')
    return _point(check, quantity, (float(np.median(values)), candidate), sides, policy)


def _point(
    check: Check, quantity: Quantity, figures: tuple[float, float], sides: GeneratorPair, policy: Policy
) -> Evidence:
    if check.unit == "sd":
        message = "a median or a history has no standard deviation: use another unit."
        raise BadFile(policy.path, check.line_of("unit"), message)
    baseline, candidate = figures
    sign = 1.0 if quantity.higher_is_better else -1.0
    allowed = max(check.margin / 100 * abs(baseline) if check.unit == "percent" else check.margin, check.floor)
    limit = allowed if check.rule == "superior" else -allowed
    distance_to_limit = sign * (candidate - baseline) - limit
    return Evidence(
        holds=at_least(distance_to_limit, baseline), baseline=baseline, candidate=candidate,
        difference=candidate - baseline, limit=sign * limit, prompts=len(sides.old.prompts), clips=sides.old.clips,
        distance_to_limit=distance_to_limit,
    )  # fmt: skip
