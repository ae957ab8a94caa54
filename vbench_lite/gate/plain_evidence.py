"""Checks on plain figures: medians, the history of baselines, and set metrics, which come with their own interval."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

from vbench_lite.analysis.clip_table import ClipGrid
from vbench_lite.analysis.comparable import Side
from vbench_lite.analysis.compare import set_error
from vbench_lite.analysis.quantities import Quantity, clip_values
from vbench_lite.analysis.stats import normal_test
from vbench_lite.errors import BadFile
from vbench_lite.gate.evidence import Evidence, at_least, chosen
from vbench_lite.gate.policy import Check, Policy

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
        raise BadFile(policy.path, check.line, "a median or a history has no standard deviation: use another unit.")
    baseline, candidate = figures
    sign = 1.0 if quantity.higher_is_better else -1.0
    allowed = max(check.margin / 100 * abs(baseline) if check.unit == "percent" else check.margin, check.floor)
    limit = allowed if check.rule == "superior" else -allowed
    clearance = sign * (candidate - baseline) - limit
    return Evidence(
        holds=at_least(clearance, baseline), baseline=baseline, candidate=candidate, difference=candidate - baseline,
        limit=sign * limit, prompts=len(sides[0].grid.prompts), clips=sides[0].grid.clips, clearance=clearance,
    )  # fmt: skip


def of_sets(check: Check, quantity: Quantity, sides: tuple[Side, Side], category: str, policy: Policy) -> Evidence:
    """FVD and its like, by the intervals that are stored with them, as if the two sets were independent.

    They share prompts and reference, so the true error of the difference is smaller: this is cautious.
    """
    if category or check.categories:
        return Evidence(f'"{quantity.name}" is one number a run: it has no categories', unmeasured=True)
    if check.unit == "sd" or check.statistic != "mean":
        raise BadFile(policy.path, check.line, f'"{quantity.name}" is one number a run: give its margin in percent.')
    old, new = (side.set_score(quantity.name) for side in sides)
    alone = check.rule in ("min", "max")
    for who, score in (("candidate", new),) if alone else (("baseline", old), ("candidate", new)):
        if score["value"] is None:
            why = score.get("reason") or "not computed"
            return Evidence(f'the {who} has no "{quantity.name}": {why}', unmeasured=who == "baseline")
    if check.unit == "percent" and not alone and old["value"] <= 0:
        why = f'the baseline\'s "{quantity.name}" is not above 0, so that percent of it mean nothing'
        return Evidence(why, unmeasured=True)
    known: dict[str, Any] = {
        "candidate": new["value"], "prompts": len(sides[0].grid.prompts), "clips": sides[0].grid.clips,
        "filled": (0 if alone else old.get("unscored", 0), new.get("unscored", 0)),
    }  # fmt: skip
    if alone:
        toward = 1.0 if check.rule == "min" else -1.0
        known |= {"limit": check.value, "clearance": toward * (new["value"] - (check.value or 0.0))}
        return _with_error(check, policy, known, set_error(new.get("low"), new.get("high")), None, new["value"])
    return _two_sets(check, quantity, policy, known, (old, new))


def _two_sets(
    check: Check, quantity: Quantity, policy: Policy, known: dict[str, Any], scores: tuple[Any, Any]
) -> Evidence:
    old, new = scores
    sign = 1.0 if quantity.higher_is_better else -1.0
    slack = -1.0 if check.rule == "superior" else 1.0
    share = check.margin / 100 if check.unit == "percent" else 0.0
    margin = slack * max(share * abs(old["value"]) if share else check.margin, check.floor)
    difference = new["value"] - old["value"]
    known |= {
        "baseline": old["value"], "difference": difference, "limit": -sign * margin,
        "clearance": sign * difference + margin,
    }  # fmt: skip
    errors = [set_error(score.get("low"), score.get("high")) for score in scores]
    weight = abs(1 - slack * sign * share * math.copysign(1, old["value"]))
    of_both = None if None in errors else math.hypot(errors[1] or 0.0, weight * (errors[0] or 0.0))
    plain = None if None in errors else math.hypot(errors[1] or 0.0, errors[0] or 0.0)
    return _with_error(check, policy, known, of_both, plain, difference)


def _with_error(
    check: Check, policy: Policy, known: dict[str, Any], error: float | None, plain: float | None, centre: float
) -> Evidence:
    if check.evidence == "point":
        return Evidence(holds=at_least(known["clearance"], known["candidate"]), **known)
    if error is None:
        return Evidence('a set metric without an interval cannot be judged: use evidence = "point"', **known)
    test = normal_test(known["clearance"], error)
    half = NormalDist().inv_cdf(policy.confidence) * (error if plain is None else plain)
    return Evidence(
        p_pass=float(test.above), p_fail=float(test.below), low=centre - half, high=centre + half,
        deviation=error * known["prompts"] ** 0.5, words="by the stored intervals", **known,
    )  # fmt: skip

