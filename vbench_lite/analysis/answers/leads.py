"""Who comes first on a figure, and whether that is shown against every other generator."""

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
    """Who comes first on one figure, and what is shown of that."""

    metric: str
    first: Side
    second: Side | None
    """The one whose figure comes next, or, where the lead is shown, against whom it is least sure."""
    comparison: Comparison | None
    """Of the first as candidate with the second as baseline."""
    verdict: Verdict
    """"ahead": better than every other generator. "tied": another has exactly the same figure."""


def find_lead(quantity: Quantity, sides: Sequence[Side], family: Family) -> Lead | None:
    """Who is ahead on one figure. None where no generator has it, or where the generators are not compared on it.

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
    """Every figure with a direction > who is ahead on it, in the order of summary.json.

    None of them where a sweep made the generators: it shows how figures grow with a setting, not who is ahead.
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
    """Generator > its rank on one figure: 1 plus the number of generators that are shown to be better.

    No generator ranks above one with a better figure. Equal ranks are ties. Generators without the figure, and all of
    them where they are not compared on it, have no rank.
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
    """Those with a value, the best first."""
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
