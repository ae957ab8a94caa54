"""Expand the [[check]] tables of a policy to one check per quantity and category."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.quantities import Quantity, find_quantity, quantities
from vbench_lite.errors import BadFile, UnknownName
from vbench_lite.gate.policy import ALL_SCORES, Check, Policy
from vbench_lite.records import MetricInfo


def expand(check: Check, sides: GeneratorPair, policy: Policy) -> Iterator[tuple[Quantity | None, str]]:
    """The quantities and categories of one [[check]] table.

    Raises:
        BadFile: The policy names a metric or a category that the baseline does not have.
    """
    metrics = sides.baseline.run.metrics
    found: list[Quantity | None] = [None]
    if check.metric == ALL_SCORES:
        scores = (q for q in quantities(metrics).values() if q.kind == "score" and q.higher_is_better is not None)
        found = [q for q in scores if q.name != "conformance"]
    elif check.rule != "no-new-failures":
        found = [_quantity(check, metrics, policy)]
    names = _categories(check, sides, policy)
    categories = names if check.each == "category" else [""]
    if check.each == "category" and len(set(sides.old.categories)) < 2:
        return
    yield from ((quantity, category) for quantity in found for category in categories)


def check_id(check: Check, quantity: Quantity | None, generator: str, category: str) -> str:
    """The id of a check: generator/metric/rule/statistic/category. It is stable between runs."""
    statistic = check.statistic if check.statistic != "mean" else ""
    return "/".join(part for part in (generator, quantity and quantity.name, check.rule, statistic, category) if part)


def _categories(check: Check, sides: GeneratorPair, policy: Policy) -> Sequence[str]:
    suite = sides.baseline.run.manifest.suite
    known = {prompt.category for prompt in suite.prompts} - {""}
    for name in check.categories:
        if name not in known and check.unmeasured != "skip":
            hint = f'These are the categories of the suite "{suite.name}".'
            message = str(UnknownName("category", name, known, hint))
            raise BadFile(policy.path, check.line_of("categories"), message)
    return check.categories or sorted(set(sides.old.categories) - {""})


def _quantity(check: Check, metrics: Mapping[str, MetricInfo], policy: Policy) -> Quantity:
    try:
        quantity = find_quantity(check.metric, metrics)
    except UnknownName as error:
        if check.unmeasured == "skip":
            return Quantity(check.metric, "", False, "score", check.metric)
        raise BadFile(policy.path, check.line_of("metric"), str(error)) from None
    info = metrics.get(quantity.name)
    if info is not None and info.origin and info.higher_is_better is None:
        what = "higher_is_better in the judge's file or in the imported table"
        message = f'"{check.metric}" has no direction, so it cannot be checked. State {what}.'
        raise BadFile(policy.path, check.line_of("metric"), message)
    if quantity.higher_is_better is None and check.rule not in ("min", "max"):
        message = f'"{check.metric}" has no direction: use "min" or "max".'
        raise BadFile(policy.path, check.line_of("metric"), message)
    return quantity
