"""Evidence of set metrics, which have one value per run: from the features of both runs, else from their intervals."""

from __future__ import annotations

import dataclasses

import numpy as np

from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.quantities import Quantity
from vbench_lite.analysis.sets import MeanError, known_error, set_difference, set_error
from vbench_lite.errors import BadFile
from vbench_lite.gate.evidence.scores import FixedMargin, at_least
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.gate.verdict import Evidence
from vbench_lite.records import Estimate


def of_sets(
    check: Check, quantity: Quantity, sides: GeneratorPair, category: str, policy: Policy, margins: FixedMargin
) -> Evidence:
    """The evidence of FVD and similar metrics. If both runs have features, the error is computed prompt by prompt.

    Without features, the two stored intervals are combined as if the sets were independent. The sets share prompts and
    reference, so the true error of the difference is smaller: this is conservative.
    """
    if category or check.categories:
        why = f'"{quantity.name}" has one value per run and no categories'
        return Evidence(why_none=why, unmeasured=True)
    if check.unit == "sd" or check.statistic != "mean":
        message = f'"{quantity.name}" has one value per run: use the unit "percent", "se" or "absolute".'
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
    return _two_sets(check, quantity, policy, seen, sides, margins)


def _one_set(check: Check, policy: Policy, seen: Evidence, score: Estimate) -> Evidence:
    value, line = score.value or 0.0, check.value or 0.0
    toward = 1.0 if check.rule == "min" else -1.0
    seen = dataclasses.replace(seen, limit=line, distance_to_limit=toward * (value - line))
    return _with_error(check, policy, seen, known_error(set_error(score)), value)


def _two_sets(
    check: Check, quantity: Quantity, policy: Policy, seen: Evidence, sides: GeneratorPair, margins: FixedMargin
) -> Evidence:
    sets = set_difference(quantity.name, sides)
    if isinstance(sets, str):
        return dataclasses.replace(seen, why_none=sets)
    size = margins.size if margins.size is not None else set_margin(check, sides.baseline.score(quantity.name))
    if isinstance(size, str):
        return dataclasses.replace(seen, why_none=size, unmeasured=True)
    sign = 1.0 if quantity.higher_is_better else -1.0
    allowed = size * margins.scale
    margin = -allowed if check.rule == "superior" else allowed
    seen = dataclasses.replace(
        seen, baseline=sets.baseline, difference=sets.difference, limit=-sign * margin, words=sets.how,
        distance_to_limit=sign * sets.difference + margin, margin=allowed,
    )  # fmt: skip
    return _with_error(check, policy, seen, sets.error(), sets.difference)


def set_margin(check: Check, baseline: Estimate) -> float | str:
    """The margin of a set metric in its unit, or why there is none."""
    if check.unit == "se":
        error = set_error(baseline)
        return "the baseline's figure has no interval" if error is None else max(check.margin * error, check.floor)
    if check.unit == "percent":
        whole = _whole(baseline)
        if whole is None:
            return "the baseline's figure is not above 0, so it has no percentage"
        return max(check.margin / 100 * whole, check.floor)
    return max(check.margin, check.floor)


def _whole(score: Estimate) -> float | None:
    """The base of percentages: the value, or the upper end of its interval if the value is not above 0."""
    return next((each for each in (score.value, score.high) if each is not None and each > 0), None)


def _with_error(check: Check, policy: Policy, seen: Evidence, error: MeanError | None, centre: float) -> Evidence:
    """Add the tests of the distance to the limit, and the interval around `centre`."""
    if check.evidence == "point":
        return dataclasses.replace(seen, holds=at_least(seen.distance_to_limit, seen.candidate or 0.0))
    if error is None:
        why = 'a set metric without an interval cannot be judged: use evidence = "point"'
        return dataclasses.replace(seen, why_none=why)
    test, half = error.test(np.asarray(seen.distance_to_limit)), float(error.half_width(policy.strict))
    return dataclasses.replace(
        seen, words=seen.words or "by the stored intervals", p_pass=float(test.above), p_fail=float(test.below),
        low=centre - half, high=centre + half, deviation=float(error.error) * seen.prompts**0.5,
    )  # fmt: skip
