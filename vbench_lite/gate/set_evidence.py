"""Checks on set metrics, which have one number a run: by the features of both runs, else by their intervals."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.compare import set_error
from vbench_lite.analysis.quantities import Quantity
from vbench_lite.distances.paired import DistanceInfluence, error_of_difference
from vbench_lite.distances.stored import read_features
from vbench_lite.errors import BadFile
from vbench_lite.gate.categories import MeanError
from vbench_lite.gate.evidence import at_least
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.gate.verdict import Evidence
from vbench_lite.records import Estimate
from vbench_lite.run.view import Side

_MANY = 10_000
"""Degrees of freedom of an error that is taken as known."""


def of_sets(check: Check, quantity: Quantity, sides: GeneratorPair, category: str, policy: Policy) -> Evidence:
    """FVD and similar metrics, by a difference whose error is known prompt by prompt where both runs have features.

    Without features the two stored intervals are added up as if the sets were independent. They share prompts and
    reference, so the true error of the difference is smaller: that is cautious.
    """
    if category or check.categories:
        why = f'"{quantity.name}" is one number a run: it has no categories'
        return Evidence(why_none=why, unmeasured=True)
    if check.unit == "sd" or check.statistic != "mean":
        message = f'"{quantity.name}" is one number a run: give its margin in percent.'
        raise BadFile(policy.path, check.line_of("unit"), message)
    old, new = (side.score(quantity.name) for _, side in sides.sides)
    alone = check.rule in ("min", "max")
    for who, score in (("candidate", new),) if alone else (("baseline", old), ("candidate", new)):
        if score.value is None:
            why = f'the {who} has no "{quantity.name}": {score.reason or "not computed"}'
            return Evidence(why_none=why, unmeasured=who == "baseline")
    seen = Evidence(
        candidate=new.value, prompts=len(sides.old.prompts), clips=sides.old.clips,
        filled=(0 if alone else old.unscored, new.unscored),
    )  # fmt: skip
    if alone:
        return _one_set(check, policy, seen, new)
    if check.unit == "percent" and _whole(old) is None:
        why = f'the baseline\'s "{quantity.name}" is not above 0, so a percentage of it means nothing'
        return Evidence(why_none=why, unmeasured=True)
    return _two_sets(check, quantity, policy, seen, sides)


def _one_set(check: Check, policy: Policy, seen: Evidence, score: Estimate) -> Evidence:
    value, line = score.value or 0.0, check.value or 0.0
    toward = 1.0 if check.rule == "min" else -1.0
    seen = dataclasses.replace(seen, limit=line, distance_to_limit=toward * (value - line))
    error = _known(set_error(score))
    return _with_error(check, policy, seen, (error, error), value)


def _two_sets(check: Check, quantity: Quantity, policy: Policy, seen: Evidence, sides: GeneratorPair) -> Evidence:
    scores = [side.score(quantity.name) for _, side in sides.sides]
    old, new = (score.value or 0.0 for score in scores)
    sign = 1.0 if quantity.higher_is_better else -1.0
    slack = -1.0 if check.rule == "superior" else 1.0
    share = check.margin / 100 if check.unit == "percent" else 0.0
    margin = slack * max(share * (_whole(scores[0]) or 0.0) if share else check.margin, check.floor)
    difference = new - old
    seen = dataclasses.replace(
        seen, baseline=old, difference=difference, limit=-sign * margin,
        distance_to_limit=sign * difference + margin,
    )  # fmt: skip
    # the margin grows with the baseline's own value: the distance is the candidate's less this times the baseline's
    weight = abs(1 - slack * sign * share) if old > 0 else 1.0
    parts = [_parts(side) for _, side in sides.sides] if quantity.name == "fvd_corrected" else [None, None]
    if parts[0] is not None and parts[1] is not None:
        df = min(len(each.groups) for each in parts if each) - 1
        errors = [MeanError(np.asarray(error_of_difference(parts[1], parts[0], w)), df) for w in (weight, 1.0)]
        seen = dataclasses.replace(seen, words="by the stored features, prompt by prompt")
        return _with_error(check, policy, seen, (errors[0], errors[1]), difference)
    single = [set_error(score) for score in scores]
    if single[0] is None or single[1] is None:
        return _with_error(check, policy, seen, (None, None), difference)
    joined = [_known(math.hypot(single[1], by * single[0])) for by in (weight, 1.0)]
    return _with_error(check, policy, seen, (joined[0], joined[1]), difference)


def _whole(score: Estimate) -> float | None:
    """What percent are taken of: the value, or the upper end of its interval where it is not above 0."""
    return next((each for each in (score.value, score.high) if each is not None and each > 0), None)


def _parts(side: Side) -> DistanceInfluence | None:
    """The influence of each prompt on the run's FVD, where scoring stored its features."""
    digest = side.run.summary.notes.features.get(side.generator)
    return read_features(side.run.folder.features_path(side.generator), digest).corrected if digest else None


def _known(error: float | None) -> MeanError | None:
    return None if error is None else MeanError(np.asarray(error), _MANY)


def _with_error(
    check: Check, policy: Policy, seen: Evidence, errors: tuple[MeanError | None, MeanError | None], centre: float
) -> Evidence:
    """Args: errors: Of the distance to the limit, and of the figure shown."""
    if check.evidence == "point":
        return dataclasses.replace(seen, holds=at_least(seen.distance_to_limit, seen.candidate or 0.0))
    of_distance, shown = errors
    if of_distance is None or shown is None:
        why = 'a set metric without an interval cannot be judged: use evidence = "point"'
        return dataclasses.replace(seen, why_none=why)
    test, half = of_distance.test(np.asarray(seen.distance_to_limit)), float(shown.half_width(policy.strict))
    return dataclasses.replace(
        seen, words=seen.words or "by the stored intervals", p_pass=float(test.above), p_fail=float(test.below),
        low=centre - half, high=centre + half, deviation=float(of_distance.error) * seen.prompts**0.5,
    )  # fmt: skip
