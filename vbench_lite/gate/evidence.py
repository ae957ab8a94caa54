"""What two runs say about one check, before it is known how many other checks there are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vbench_lite.analysis.comparable import Side
from vbench_lite.analysis.paired import Paired, align, by_measurement, few_batches, pair, tail_parts
from vbench_lite.analysis.quantities import Quantity, clip_values
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.run.clips import ClipGrid
from vbench_lite.stats import MIN_PROMPTS, Array, mean_interval, mean_test, prompts_to_see, sign_test


@dataclass(frozen=True)
class Evidence:
    """The figures of one check. `why_none` is set instead where there are none."""

    why_none: str | None = None
    unmeasured: bool = False
    """There are none because the baseline has no such figure, or devices or prices differ."""
    p_pass: float | None = None
    p_fail: float | None = None
    p_loss: float | None = None
    """How often a category too small to be tested by itself would look this bad by chance, had it lost nothing."""
    holds: bool | None = None
    """A point rule's answer; None for an interval rule."""
    baseline: float | None = None
    candidate: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    prompts: int = 0
    clips: int = 0
    filled: tuple[int, int] = (0, 0)
    distance_to_limit: float = 0.0
    """Mean distance from the limit, positive on the good side."""
    deviation: float = 0.0
    """Of that distance, between prompts."""
    within: float | None = None
    """Its variance between clips of a prompt."""
    min_units_for_rare_loss: int = 0
    """How many prompts (or clips) it takes to have met a loss so rare that it would just cost the margin."""
    words: str = ""
    """What was seen, where numbers alone do not tell."""


def of_clips(
    check: Check, quantity: Quantity | None, sides: tuple[Side, Side], category: str, policy: Policy
) -> Evidence:
    """All that the clips of two runs say about one check.

    Args:
        check: Not on a set metric, nor on a median against the baseline: `point_rules` has those.
        quantity: None for no-new-failures.
        sides: Baseline and candidate, comparable.
        category: Only its prompts; "" for those that the check names, or all.
        policy: For its level.
    """
    old, new = chosen(check, sides, category)
    if not len(old.prompts):
        return Evidence("no prompt is of these categories", unmeasured=True)
    if quantity is None:
        return _failures(check, old, new)
    if check.rule in ("min", "max"):
        return _against_line(check, quantity, new, policy)
    pairs = pair(quantity, old, new, "worst-decile" if check.statistic == "worst-decile" else "mean")
    if isinstance(pairs, str):
        return Evidence(pairs, unmeasured=pairs.startswith("the baseline has no") or "too few to tell" in pairs)
    return of_pairs(check, pairs, policy)


def chosen(check: Check, sides: tuple[Side, Side], category: str) -> tuple[ClipGrid, ClipGrid]:
    old, new = sides[0].grid, align(sides[0].grid, sides[1].grid)
    wanted = {category} if category else set(check.categories)
    if wanted:
        keep = np.array([name in wanted for name in old.categories])
        return old.only(keep), new.only(keep)
    return old, new


def of_pairs(check: Check, pairs: Paired, policy: Policy) -> Evidence:
    """non-inferior and superior, on one gain a prompt."""
    margin = _margin(check, pairs)
    if isinstance(margin, str):
        return Evidence(margin)
    if pairs.too_few == "batches" and check.evidence != "point":
        return Evidence(few_batches(pairs.batches or 0))
    slack = -margin if check.rule == "superior" else margin
    distance_to_limit, allowed = pairs.gains + slack, float(margin.mean())
    gain = mean_interval(pairs.gains, 1 - 2 * policy.strict, pairs.freedom)
    ends = sorted(_as_difference(end, pairs) for end in (gain.low, gain.high) if end is not None)
    known: dict[str, Any] = {
        "baseline": pairs.baseline, "candidate": pairs.candidate, "difference": pairs.candidate - pairs.baseline,
        "low": ends[0] if ends else None, "high": ends[1] if ends else None,
        "limit": _as_difference(-float(slack.mean()), pairs),
        "clips": pairs.clips, "filled": pairs.filled, "within": pairs.within,
        "min_units_for_rare_loss": _to_see(allowed, pairs, policy) if check.rule == "non-inferior" else 0,
    }  # fmt: skip
    return _decided(check, distance_to_limit, allowed, known, pairs.freedom)


def _decided(
    check: Check, distance_to_limit: Array, scale: float, known: dict[str, Any], freedom: float | None = None
) -> Evidence:
    """The evidence in one clearance a prompt: its mean distance from the limit, positive on the good side."""
    known |= {
        "prompts": len(distance_to_limit), "distance_to_limit": float(distance_to_limit.mean()),
        "deviation": float(distance_to_limit.std(ddof=1)) if len(distance_to_limit) > 1 else 0.0,
    }  # fmt: skip
    if check.evidence == "point":
        return Evidence(holds=at_least(known["distance_to_limit"], scale), **known)
    if len(distance_to_limit) < MIN_PROMPTS:
        return Evidence(**known)
    if check.rule == "non-inferior" and scale == 0 and not distance_to_limit.any():  # identical, and no margin
        return Evidence(p_pass=0.0, p_fail=1.0, **known)
    test = mean_test(distance_to_limit, freedom)
    return Evidence(p_pass=float(test.above), p_fail=float(test.below), **known)


def _as_difference(gain: float, pairs: Paired) -> float:
    """A gain as candidate minus baseline in the quantity's unit; the gains of a ratio are logarithms."""
    difference = gain if pairs.quantity.higher_is_better else -gain
    return pairs.baseline * (math.exp(difference) - 1) if pairs.quantity.kind == "ratio" else difference


def at_least(distance_to_limit: float, scale: float) -> bool:
    """Not below the limit, but for what rounding does."""
    return distance_to_limit >= -1e-12 * max(1.0, abs(scale))


def _margin(check: Check, pairs: Paired) -> Array | str:
    """The margin by prompt, in the unit of the gains, or why there is none."""
    if check.unit == "percent":
        if pairs.quantity.kind == "ratio":
            return np.full_like(pairs.gains, math.log1p(check.margin / 100))
        if pairs.base.mean() <= 0:
            return f'the baseline\'s "{pairs.quantity.name}" is not above 0, so that percent of it mean nothing'
        by_prompt = check.margin / 100 * pairs.base
        return by_prompt if by_prompt.mean() >= check.floor else np.full_like(by_prompt, check.floor)
    size = check.margin * (pairs.spread if check.unit == "sd" else 1.0)
    return np.full_like(pairs.gains, max(size, check.floor))


def _to_see(margin: float, pairs: Paired, policy: Policy) -> int:
    """How many it takes to have met a loss of one whole gap so rare that it costs just the margin.

    None where nothing differs anywhere: those are the same clips, not a sample.
    """
    if policy.rare_losses == "ignore" or not pairs.gains.any() or not 0 < margin < pairs.gap < math.inf:
        return 0
    return prompts_to_see(margin / pairs.gap, policy.level)


def _against_line(check: Check, quantity: Quantity, grid: ClipGrid, policy: Policy) -> Evidence:
    """min and max: the candidate alone against a number. A clip without a value counts as its own worst."""
    sign, line = (1.0 if check.rule == "min" else -1.0), check.value or 0.0
    values = sign * clip_values(quantity, grid)
    filled = int(np.isnan(values).sum())
    if filled == values.size:
        return Evidence(f'the candidate has no "{quantity.name}"')
    values = np.where(np.isnan(values), np.nanmin(values), values)
    if check.statistic == "median":
        values = np.full_like(values, np.median(values))
    elif check.statistic == "worst-decile":
        values = tail_parts(values)
    counted = by_measurement(values.mean(1), quantity, grid)
    if counted.too_few == "batches" and check.evidence != "point":
        return Evidence(few_batches(counted.batches or 0))
    interval = mean_interval(sign * counted.values, 1 - 2 * policy.strict, counted.freedom)
    known: dict[str, Any] = {
        "candidate": interval.value, "low": interval.low, "high": interval.high, "limit": line, "clips": grid.clips,
        "filled": (0, filled), "within": float(values.var(1, ddof=1).mean()) if values.shape[1] > 1 else None,
    }  # fmt: skip
    return _decided(check, counted.values - sign * line, max(abs(line), 1e-300), known, counted.freedom)


def _failures(check: Check, old: ClipGrid, new: ClipGrid) -> Evidence:
    """no-new-failures: clips that failed, are missing, or do not have the form that was asked for.

    It passes when there are no more of them than before, and is broken when prompts get worse more often than
    better beyond chance (an exact sign test). In between it is undecided.
    """
    bad = [_failing(grid) for grid in (old, new)]
    counts = [int(grid.sum()) for grid in bad]
    by_prompt = bad[1].sum(1) - bad[0].sum(1)
    worse, better = int((by_prompt > 0).sum()), int((by_prompt < 0).sum())
    allowed = check.margin * new.clips
    holds = counts[1] - counts[0] <= allowed
    why = _commonest(new, bad[1] & ~bad[0])
    words = f"{counts[1]} of {new.clips} clips fail, {counts[0]} in the baseline{f'; mostly: {why}' if why else ''}"
    common: dict[str, Any] = {
        "baseline": float(counts[0]), "candidate": float(counts[1]), "difference": float(counts[1] - counts[0]),
        "limit": allowed, "prompts": len(new.prompts), "clips": new.clips, "words": words,
    }  # fmt: skip
    if check.evidence == "point":
        return Evidence(holds=holds, **common)
    return Evidence(p_pass=0.0 if holds else 1.0, p_fail=1.0 if holds else sign_test(worse, better), **common)


def _failing(grid: ClipGrid) -> np.ndarray[Any, np.dtype[np.bool_]]:
    bad = ~grid.made
    return bad | (grid.values("conformance") == 0) if grid.has("conformance") else bad


def _commonest(grid: ClipGrid, where: np.ndarray[Any, np.dtype[np.bool_]]) -> str:
    reasons = np.where(grid.made, grid.text("unusable_because"), grid.text("reason"))[where]
    if not len(reasons):
        return ""
    names, counts = np.unique(reasons, return_counts=True)
    return str(names[counts.argmax()]).split(";")[0]
