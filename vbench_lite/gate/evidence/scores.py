"""The evidence of one check from the scores of two runs, before the adjustment for the other checks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.paired import (
    Counted,
    NoPairs,
    Paired,
    Statistic,
    by_measurement,
    few_batches,
    pair,
    ratio_influence,
    tail_parts,
)
from vbench_lite.analysis.quantities import SHARES, Quantity, clip_values
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.gate.verdict import Evidence
from vbench_lite.run.clips import ClipGrid
from vbench_lite.stats import MIN_PROMPTS, Array, mean_interval, mean_test, sign_test

COLLAPSE_SD = 2.2
"""Minimum drop of a collapsed clip below the other run's mean of its prompt, in standard deviations between clips."""
CHANCE = 1.6
"""Tolerated excess of a count, in standard errors over prompts. Equal runs exceed it in 1 of 20 cases."""


@dataclass(frozen=True)
class FixedMargin:
    """The margin of one check that was fixed at promotion."""

    size: float | None = None
    """In the unit of the metric; relative for a ratio. None: it is computed from the baseline."""
    drop: float | None = None
    """Minimum drop of a collapsed clip, in the unit of the metric."""
    scale: float = 1.0
    """Factor of the margin; above 1 against the first promoted baseline."""


def of_clips(
    check: Check, quantity: Quantity | None, sides: GeneratorPair, category: str, policy: Policy, margins: FixedMargin
) -> Evidence:
    """The evidence of one check from the clips of two runs.

    Args:
        check: Not a check of a set metric (`sets`) or of a median against the baseline (`point_rules`).
        quantity: The quantity; None for no-new-failures.
        sides: Baseline and candidate, comparable.
        category: Only prompts of this category; "" for the categories of the check, or all.
        policy: The policy, for its level.
        margins: The margin that was fixed at promotion.
    """
    old, new = sides.only({category} if category else set(check.categories))
    if not len(old.prompts):
        return Evidence(why_none="no prompt is of these categories", unmeasured=True)
    if quantity is None:
        return _failures(check, old, new)
    if check.statistic == "collapsed":
        return _collapsed(check, quantity, old, new, margins)
    if check.rule in ("min", "max"):
        if quantity.kind == "ratio":
            return _ratio_against_line(check, quantity, new, policy)
        return _against_line(check, quantity, new, policy)
    statistic: Statistic = "worst-decile" if check.statistic == "worst-decile" else "mean"
    pairs = pair(quantity, old, new, statistic) if old is not sides.old else sides.pairs(quantity, statistic)
    if isinstance(pairs, NoPairs):
        return Evidence(why_none=pairs.reason, unmeasured=pairs.unmeasured)
    return of_pairs(check, pairs, policy, margins)


def of_pairs(check: Check, pairs: Paired, policy: Policy, margins: FixedMargin) -> Evidence:
    """The rules non-inferior and superior, on one gain per prompt."""
    size = margins.size if margins.size is not None else clip_margin(check, pairs)
    if isinstance(size, str):
        return Evidence(why_none=size)
    size *= margins.scale
    margin = np.full_like(pairs.gains, math.log1p(size) if pairs.quantity.kind == "ratio" else size)
    if pairs.too_few == "batches" and check.evidence != "point":
        return Evidence(why_none=few_batches(pairs.batches or 0))
    slack = -margin if check.rule == "superior" else margin
    allowed = float(margin.mean())
    gain = mean_interval(pairs.gains, 1 - 2 * policy.strict, pairs.freedom)
    ends = sorted(_as_difference(end, pairs) for end in (gain.low, gain.high) if end is not None)
    seen = Evidence(
        baseline=pairs.baseline, candidate=pairs.candidate, difference=pairs.candidate - pairs.baseline,
        low=ends[0] if ends else None, high=ends[1] if ends else None,
        limit=_as_difference(-float(slack.mean()), pairs), clips=pairs.clips, filled=pairs.filled,
        within=pairs.within, margin=size,
    )  # fmt: skip
    return _decided(check, seen, pairs.gains + slack, scale=allowed, df=pairs.freedom)


def _decided(check: Check, seen: Evidence, distance: Array, *, scale: float, df: float | None = None) -> Evidence:
    """Add the tests of the distances to the limit: one per prompt, positive if inside."""
    mean = float(distance.mean())
    seen = dataclasses.replace(
        seen, prompts=len(distance), distance_to_limit=mean,
        deviation=float(distance.std(ddof=1)) if len(distance) > 1 else 0.0,
    )  # fmt: skip
    if check.evidence == "point":
        return dataclasses.replace(seen, holds=at_least(mean, scale))
    if len(distance) < MIN_PROMPTS:
        return seen
    if check.rule == "non-inferior" and scale == 0 and not distance.any():  # identical, and no margin
        return dataclasses.replace(seen, p_pass=0.0, p_fail=1.0)
    test = mean_test(distance, df)
    return dataclasses.replace(seen, p_pass=float(test.above), p_fail=float(test.below))


def _as_difference(gain: float, pairs: Paired) -> float:
    """A gain as candidate minus baseline in the quantity's unit. Gains of a ratio are logarithms."""
    difference = gain if pairs.quantity.higher_is_better else -gain
    return pairs.baseline * (math.exp(difference) - 1) if pairs.quantity.kind == "ratio" else difference


def at_least(distance_to_limit: float, scale: float) -> bool:
    """Whether a distance is 0 or more, up to rounding errors."""
    return distance_to_limit >= -1e-12 * max(1.0, abs(scale))


def clip_margin(check: Check, pairs: Paired) -> float | str:
    """The margin of a per-clip quantity in its unit (relative for a ratio), or why there is none."""
    if pairs.quantity.kind == "ratio":
        return check.margin / 100
    if check.unit == "percent":
        whole = float(pairs.base.mean())
        if whole <= 0:
            return f'the baseline\'s "{pairs.quantity.name}" is not above 0, so it has no percentage'
        return max(check.margin / 100 * whole, check.floor)
    return max(check.margin * (pairs.spread if check.unit == "sd" else 1.0), check.floor)


def _against_line(check: Check, quantity: Quantity, grid: ClipGrid, policy: Policy) -> Evidence:
    """The rules min and max. An attempted clip without a value counts as the worst of the candidate."""
    sign = 1.0 if check.rule == "min" else -1.0
    grid = grid.only(np.asarray(grid.tried.any(1)))
    tried, values = grid.tried, sign * clip_values(quantity, grid)
    filled = int((tried & np.isnan(values)).sum())
    if filled == tried.sum():
        return Evidence(why_none=f'the candidate has no "{quantity.name}"')
    values = np.where(tried & np.isnan(values), np.nanmin(values), values)
    if check.statistic == "median":
        values = np.where(tried, np.nanmedian(values), np.nan)
    elif check.statistic == "worst-decile":
        values = tail_parts(values)
    counted = by_measurement(np.nanmean(values, axis=1), quantity, grid)
    if counted.too_few == "batches" and check.evidence != "point":
        return Evidence(why_none=few_batches(counted.batches or 0))
    several = tried.sum(1) > 1
    within = float(np.nanvar(values[several], axis=1, ddof=1).mean()) if several.any() else None
    seen = Evidence(clips=int(tried.sum()), filled=(0, filled), within=within)
    return against_line(check, dataclasses.replace(counted, values=sign * counted.values), policy, seen)


_NOTHING = Evidence()


def against_line(check: Check, counted: Counted, policy: Policy, seen: Evidence = _NOTHING) -> Evidence:
    """The rules min and max on one value per prompt, in the unit of the quantity."""
    sign, line = (1.0 if check.rule == "min" else -1.0), check.value or 0.0
    interval = mean_interval(counted.values, 1 - 2 * policy.strict, counted.freedom)
    seen = dataclasses.replace(
        seen, candidate=interval.value, low=interval.low, high=interval.high, limit=line,
    )  # fmt: skip
    return _decided(check, seen, sign * (counted.values - line), scale=max(abs(line), 1e-300), df=counted.freedom)


def _ratio_against_line(check: Check, quantity: Quantity, grid: ClipGrid, policy: Policy) -> Evidence:
    """The rules min and max on a ratio, such as the cost per usable clip. Its logarithm is linearised by prompt."""
    sign, line = (1.0 if check.rule == "min" else -1.0), check.value or 0.0
    pairs = pair(quantity, grid, grid)
    if isinstance(pairs, NoPairs):
        broken = check.rule == "max" and not np.nansum(clip_values(SHARES[0], grid)) and not pairs.unmeasured
        return Evidence(why_none=None if broken else pairs.reason, holds=False if broken else None, words=pairs.reason)
    if line <= 0:
        return Evidence(why_none=f"a ratio is above 0, so a limit of {line:g} is not possible")
    influence = ratio_influence(quantity, grid)
    interval = mean_interval(influence.values, 1 - 2 * policy.strict, influence.freedom)
    low, high = (None if end is None else math.exp(end) for end in (interval.low, interval.high))
    seen = Evidence(
        candidate=pairs.candidate, low=low, high=high, limit=line, clips=int(grid.tried.sum()), margin=None,
    )  # fmt: skip
    return _decided(
        check, seen, sign * (influence.values - math.log(line)), scale=1.0, df=influence.freedom
    )  # fmt: skip


def _collapsed(check: Check, quantity: Quantity, old: ClipGrid, new: ClipGrid, margins: FixedMargin) -> Evidence:
    """Compare the numbers of collapsed clips of both runs.

    A clip has collapsed if it is worse than the other run's mean of its prompt by more than COLLAPSE_SD standard
    deviations between the baseline's clips, after the median loss of the prompts is subtracted. Clips without a value
    are not counted.
    """
    sign = -1.0 if quantity.higher_is_better is False else 1.0
    before, after = (sign * clip_values(quantity, grid) for grid in (old, new))
    if not np.isfinite(before).any():
        return Evidence(why_none=f'the baseline has no "{quantity.name}"', unmeasured=True)
    drop = margins.drop if margins.drop is not None else COLLAPSE_SD * float(np.nanstd(before, ddof=1))
    if not drop > 0:
        drop = math.inf
    after = after - _typical_change(before, after)
    bad = [_far_below(mine, other, drop) for mine, other in ((before, after), (after, before))]
    lost, before_lost = int(bad[1].sum()), int(bad[0].sum())
    words = f"{lost} {'clip' if lost == 1 else 'clips'} collapsed, {before_lost} in the baseline"
    return _counted(check, bad, int(np.isfinite(after).sum()), words, len(new.prompts))


def _prompt_means(values: Array) -> Array:
    counts = np.isfinite(values).sum(1)
    return np.where(counts > 0, np.nansum(values, axis=1) / np.maximum(counts, 1), np.nan)


def _typical_change(before: Array, after: Array) -> float:
    """The median over prompts of the change of their means; 0 if no prompt has both."""
    changes = _prompt_means(after) - _prompt_means(before)
    return float(np.nanmedian(changes)) if np.isfinite(changes).any() else 0.0


def _far_below(mine: Array, other: Array, drop: float) -> NDArray[np.bool_]:
    return np.asarray(mine < _prompt_means(other)[:, None] - drop)


def _counted(check: Check, bad: Sequence[NDArray[np.bool_]], clips: int, words: str, prompts: int) -> Evidence:
    """Compare the counts of bad clips of (baseline, candidate).

    The check passes if the excess is at most the margin, or at most CHANCE standard errors over prompts. It fails if
    significantly more prompts get worse than better (exact sign test). Otherwise it is undecided.
    """
    counts = [int(each.sum()) for each in bad]
    by_prompt = bad[1].sum(1) - bad[0].sum(1)
    worse, better = int((by_prompt > 0).sum()), int((by_prompt < 0).sum())
    allowed = max(check.margin * clips, CHANCE * float(np.sqrt((by_prompt**2).sum())) if check.margin else 0.0)
    holds = counts[1] - counts[0] <= allowed
    seen = Evidence(
        baseline=float(counts[0]), candidate=float(counts[1]), difference=float(counts[1] - counts[0]), limit=allowed,
        prompts=prompts, clips=clips, words=words, distance_to_limit=allowed - (counts[1] - counts[0]), margin=allowed,
    )  # fmt: skip
    if check.evidence == "point":
        return dataclasses.replace(seen, holds=holds)
    return dataclasses.replace(seen, p_pass=float(not holds), p_fail=1.0 if holds else sign_test(worse, better))


def _failures(check: Check, old: ClipGrid, new: ClipGrid) -> Evidence:
    """The rule no-new-failures: clips that failed or do not have the requested form. Only attempted clips count."""
    tried = old.tried & new.tried
    bad = [failing(grid) & tried for grid in (old, new)]
    counts = [int(grid.sum()) for grid in bad]
    clips = int(tried.sum())
    why = _commonest(new, bad[1] & ~bad[0])
    words = f"{counts[1]} of {clips} clips fail, {counts[0]} in the baseline{f'; mostly: {why}' if why else ''}"
    return _counted(check, bad, clips, words, len(new.prompts))


def failing(grid: ClipGrid) -> NDArray[np.bool_]:
    """Attempted clips that failed or do not have the requested form, shape (prompts, clips)."""
    bad = grid.tried & ~grid.made
    return bad | (grid.values("conformance") == 0) if grid.has("conformance") else bad


def _commonest(grid: ClipGrid, where: NDArray[np.bool_]) -> str:
    """The most frequent reason of these clips, as text."""
    reasons = np.where(grid.made, grid.text("unusable_because"), grid.text("reason"))[where]
    if not len(reasons):
        return ""
    names, counts = np.unique(reasons, return_counts=True)
    return str(names[counts.argmax()]).split(";")[0]
