"""Checks on set metrics, which have one number a run: by the features of both runs, else by their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from vbench_lite.analysis.comparable import Side
from vbench_lite.analysis.compare import set_error
from vbench_lite.analysis.quantities import Quantity
from vbench_lite.distances.paired import DistanceInfluence, error_of_difference
from vbench_lite.distances.stored import read_features
from vbench_lite.errors import BadFile
from vbench_lite.gate.categories import MeanError
from vbench_lite.gate.evidence import Evidence, at_least
from vbench_lite.gate.policy import Check, Policy

_MANY = 10_000
"""Degrees of freedom of an error that is taken as known."""


def of_sets(check: Check, quantity: Quantity, sides: tuple[Side, Side], category: str, policy: Policy) -> Evidence:
    """FVD and its like, by a difference whose error is told prompt by prompt where both runs have their features.

    Without features the two stored intervals are added up as if the sets were independent. They share prompts and
    reference, so the true error of the difference is smaller: that is cautious.
    """
    if category or check.categories:
        return Evidence(f'"{quantity.name}" is one number a run: it has no categories', unmeasured=True)
    if check.unit == "sd" or check.statistic != "mean":
        told = f'"{quantity.name}" is one number a run: give its margin in percent.'
        raise BadFile(policy.path, check.line_of("unit"), told)
    old, new = (side.set_score(quantity.name) for side in sides)
    alone = check.rule in ("min", "max")
    for who, score in (("candidate", new),) if alone else (("baseline", old), ("candidate", new)):
        if score["value"] is None:
            why = score.get("reason") or "not computed"
            return Evidence(f'the {who} has no "{quantity.name}": {why}', unmeasured=who == "baseline")
    if check.unit == "percent" and not alone and _whole(old) is None:
        why = f'the baseline\'s "{quantity.name}" is not above 0, so that percent of it mean nothing'
        return Evidence(why, unmeasured=True)
    known: dict[str, Any] = {
        "candidate": new["value"], "prompts": len(sides[0].grid.prompts), "clips": sides[0].grid.clips,
        "filled": (0 if alone else old.get("unscored", 0), new.get("unscored", 0)),
    }  # fmt: skip
    if alone:
        toward = 1.0 if check.rule == "min" else -1.0
        known |= {"limit": check.value, "distance_to_limit": toward * (new["value"] - (check.value or 0.0))}
        error = _known(set_error(new))
        return _with_error(check, policy, known, (error, error), new["value"])
    return _two_sets(check, quantity, policy, known, sides)


def _two_sets(
    check: Check, quantity: Quantity, policy: Policy, known: dict[str, Any], sides: tuple[Side, Side]
) -> Evidence:
    old, new = (side.set_score(quantity.name) for side in sides)
    sign = 1.0 if quantity.higher_is_better else -1.0
    slack = -1.0 if check.rule == "superior" else 1.0
    share = check.margin / 100 if check.unit == "percent" else 0.0
    margin = slack * max(share * (_whole(old) or 0.0) if share else check.margin, check.floor)
    difference = new["value"] - old["value"]
    known |= {
        "baseline": old["value"], "difference": difference, "limit": -sign * margin,
        "distance_to_limit": sign * difference + margin,
    }  # fmt: skip
    # the margin grows with the baseline's own value, so the clearance is the candidate's less this times the baseline's
    weight = abs(1 - slack * sign * share) if old["value"] > 0 else 1.0
    parts = [_parts(side) for side in sides] if quantity.name == "fvd_corrected" else [None, None]
    if parts[0] is not None and parts[1] is not None:
        freedom = min(len(each.groups) for each in parts if each) - 1
        errors = [MeanError(np.asarray(error_of_difference(parts[1], parts[0], w)), freedom) for w in (weight, 1.0)]
        known["words"] = "by the stored features, prompt by prompt"
        return _with_error(check, policy, known, (errors[0], errors[1]), difference)
    single = [set_error(score) for score in (old, new)]
    if single[0] is None or single[1] is None:
        return _with_error(check, policy, known, (None, None), difference)
    told = [_known(math.hypot(single[1], by * single[0])) for by in (weight, 1.0)]
    return _with_error(check, policy, known, (told[0], told[1]), difference)


def _whole(score: Mapping[str, Any]) -> float | None:
    """What percent are taken of: the value, or the upper end of its interval where it is not above 0."""
    return next((float(each) for each in (score["value"], score.get("high")) if each is not None and each > 0), None)


def _parts(side: Side) -> DistanceInfluence | None:
    """What the run's features say about its FVD, where scoring stored them."""
    digest = ((side.run.summary.get("notes") or {}).get("features") or {}).get(side.generator)
    return read_features(side.run.folder.features_path(side.generator), digest).corrected if digest else None


def _known(error: float | None) -> MeanError | None:
    return None if error is None else MeanError(np.asarray(error), _MANY)


def _with_error(
    check: Check, policy: Policy, known: dict[str, Any], errors: tuple[MeanError | None, MeanError | None],
    centre: float,
) -> Evidence:  # fmt: skip
    """Args: errors: Of the clearance, and of the figure shown."""
    if check.evidence == "point":
        return Evidence(holds=at_least(known["distance_to_limit"], known["candidate"]), **known)
    of_clearance, shown = errors
    if of_clearance is None or shown is None:
        return Evidence('a set metric without an interval cannot be judged: use evidence = "point"', **known)
    test, half = of_clearance.test(np.asarray(known["distance_to_limit"])), float(shown.half_width(policy.strict))
    known = {"words": "by the stored intervals"} | known
    return Evidence(
        p_pass=float(test.above), p_fail=float(test.below), low=centre - half, high=centre + half,
        deviation=float(of_clearance.error) * known["prompts"] ** 0.5, **known,
    )  # fmt: skip
