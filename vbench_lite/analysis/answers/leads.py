"""The leading generator on each figure, and whether its lead is significant against all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vbench_lite.analysis.family import Comparison, Family, Outcome
from vbench_lite.analysis.quantities import Quantity, quantities
from vbench_lite.run.view import Side

Verdict = Literal["ahead", "not shown", "tied", "few", "few-batches", "alone"]


@dataclass(frozen=True, kw_only=True)
class Lead:
    """The leading generator on one figure, and whether its lead is significant."""

    metric: str
    first: Side
    second: Side | None
    """The generator with the next figure; if the lead is significant, the one with the largest p value."""
    comparison: Comparison | None
    """The comparison with the first as candidate and the second as baseline."""
    verdict: Verdict
    """"ahead": significantly better than every other generator. "tied": another has the same figure."""


def find_lead(quantity: Quantity, sides: Sequence[Side], family: Family) -> Lead | None:
    """The lead on one figure. None if no generator has the figure, or if the generators are not compared on it.

    Args:
        quantity: A figure with a direction.
        sides: The generators.
        family: All comparisons of these generators.
    """
    ranked = _ranked(quantity, sides)
    if not ranked or quantity.higher_is_better is None:
        return None
    first, *others = ranked
    if not others:
        return Lead(metric=quantity.name, first=first, second=None, comparison=None, verdict="alone")
    against = [(other, family.between(other, first, quantity.name)) for other in others]
    known = [(other, found) for other, found in against if found is not None and found.words != Outcome.NOT_COMPARED]
    if len(known) < len(others):
        return None
    if all(found.words is Outcome.BETTER for _, found in known):
        second, found = max(known, key=lambda item: item[1].p_adjusted or 0.0)
        return Lead(metric=quantity.name, first=first, second=second, comparison=found, verdict="ahead")
    second, found = known[0]
    return Lead(metric=quantity.name, first=first, second=second, comparison=found, verdict=_verdict(found, known))


def _verdict(found: Comparison, known: Sequence[tuple[Side, Comparison]]) -> Verdict:
    if found.words is Outcome.TOO_FEW_BATCHES:
        return "few-batches"
    if found.words is Outcome.TOO_FEW_PROMPTS:
        return "few"
    return "tied" if any(each.tied for _, each in known) else "not shown"


def find_leads(sides: Sequence[Side], family: Family) -> dict[str, Lead]:
    """Figure with a direction > its lead, in the order of summary.json.

    Variants of a sweep have no lead, because they are not compared with each other.
    """
    if not sides:
        return {}
    found = {}
    for name, quantity in quantities(sides[0].run.metrics).items():
        lead = find_lead(quantity, sides, family)
        if lead is not None:
            found[name] = lead
    return found


def find_ranks(quantity: Quantity, sides: Sequence[Side], family: Family) -> dict[Side, int]:
    """Generator > its rank on one figure: 1 plus the number of generators that are significantly better.

    No generator ranks above one with a better figure. Equal ranks are ties. Generators without the figure have no rank.
    If the generators are not compared on the figure, none has a rank.
    """
    ranked = _ranked(quantity, sides)
    if quantity.higher_is_better is None or len(ranked) < 2:
        return {}
    found: dict[Side, int] = {}
    for side in ranked:
        against = [family.between(other, side, quantity.name) for other in ranked if other is not side]
        if any(each is None or each.words is Outcome.NOT_COMPARED for each in against):
            return {}
        better = sum(each is not None and each.words is Outcome.WORSE for each in against)
        found[side] = max([1 + better, *found.values()])
    return found


def _ranked(quantity: Quantity, sides: Sequence[Side]) -> list[Side]:
    """Generators with a value, the best first."""
    sign = -1.0 if quantity.higher_is_better else 1.0
    known = [(sign * value, side) for side in sides if (value := _value(quantity, side)) is not None]
    return [side for _, side in sorted(known, key=lambda item: item[0])]


def _value(quantity: Quantity, side: Side) -> float | None:
    figures = side.figures
    if quantity.name == "usable":
        return figures.usable / figures.tried if figures.usable is not None and figures.tried else None
    if quantity.name == "failed":
        return figures.failed / figures.tried if figures.tried else None
    if quantity.kind in ("score", "set", "human"):
        return side.score(quantity.name).value
    return side.cost(quantity.name).value
