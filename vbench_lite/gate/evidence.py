"""What two runs say about one check, before it is known how many other checks there are."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.paired import NoPairs, Paired, Statistic, by_measurement, few_batches, pair, tail_parts
from vbench_lite.analysis.quantities import Quantity, clip_values
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.gate.verdict import Evidence
from vbench_lite.run.clips import ClipGrid
from vbench_lite.stats import MIN_PROMPTS, Array, mean_interval, mean_test, prompts_to_see, sign_test


def of_clips(check: Check, quantity: Quantity | None, sides: GeneratorPair, category: str, policy: Policy) -> Evidence:
    """What the clips of two runs show about one check.

    Args:
        check: Not on a set metric, nor on a median against the baseline: `point_rules` has those.
        quantity: None for no-new-failures.
        sides: Baseline and candidate, comparable.
        category: Only its prompts; "" for those that the check names, or all.
        policy: For its level.
    """
    old, new = sides.only({category} if category else set(check.categories))
    if not len(old.prompts):
        return Evidence(why_none="no prompt is of these categories", unmeasured=True)
    if quantity is None:
        return _failures(check, old, new)
    if check.rule in ("min", "max"):
        return _against_line(check, quantity, new, policy)
    statistic: Statistic = "worst-decile" if check.statistic == "worst-decile" else "mean"
    pairs = pair(quantity, old, new, statistic) if old is not sides.old else sides.pairs(quantity, statistic)
    if isinstance(pairs, NoPairs):
        return Evidence(why_none=pairs.reason, unmeasured=pairs.unmeasured)
    return of_pairs(check, pairs, policy)


def of_pairs(check: Check, pairs: Paired, policy: Policy) -> Evidence:
    """non-inferior and superior, on one gain a prompt."""
    margin = _margin(check, pairs)
    if isinstance(margin, str):
        return Evidence(why_none=margin)
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
        within=pairs.within,
        min_units_for_rare_loss=_to_see(allowed, pairs, policy) if check.rule == "non-inferior" else 0,
    )  # fmt: skip
    return _decided(check, seen, pairs.gains + slack, scale=allowed, df=pairs.freedom)


def _decided(check: Check, seen: Evidence, distance: Array, *, scale: float, df: float | None = None) -> Evidence:
    """The evidence with the tests of one distance to the limit per prompt, positive on the good side."""
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
            return f'the baseline\'s "{pairs.quantity.name}" is not above 0, so a percentage of it means nothing'
        by_prompt = check.margin / 100 * pairs.base
        return by_prompt if by_prompt.mean() >= check.floor else np.full_like(by_prompt, check.floor)
    size = check.margin * (pairs.spread if check.unit == "sd" else 1.0)
    return np.full_like(pairs.gains, max(size, check.floor))


def _to_see(margin: float, pairs: Paired, policy: Policy) -> int:
    """How many it takes to have met a loss of one whole gap so rare that it costs just the margin.

    0 where nothing differs anywhere: those are the same clips, not a sample.
    """
    if policy.rare_losses == "ignore" or not pairs.gains.any() or not 0 < margin < pairs.gap < math.inf:
        return 0
    return prompts_to_see(margin / pairs.gap, policy.level)


def _against_line(check: Check, quantity: Quantity, grid: ClipGrid, policy: Policy) -> Evidence:
    """min and max: the candidate alone against a number. A tried clip without a value counts as its own worst."""
    sign, line = (1.0 if check.rule == "min" else -1.0), check.value or 0.0
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
    interval = mean_interval(sign * counted.values, 1 - 2 * policy.strict, counted.freedom)
    several = tried.sum(1) > 1
    seen = Evidence(
        candidate=interval.value, low=interval.low, high=interval.high, limit=line, clips=int(tried.sum()),
        filled=(0, filled),
        within=float(np.nanvar(values[several], axis=1, ddof=1).mean()) if several.any() else None,
    )  # fmt: skip
    return _decided(check, seen, counted.values - sign * line, scale=max(abs(line), 1e-300), df=counted.freedom)


def _failures(check: Check, old: ClipGrid, new: ClipGrid) -> Evidence:
    """no-new-failures: clips that failed, or do not have the form that was asked for.

    It passes when there are no more of them than before, and is broken when prompts get worse more often than
    better beyond chance (an exact sign test). In between it is undecided. Only clips that both runs tried count.
    """
    tried = old.tried & new.tried
    bad = [failing(grid) & tried for grid in (old, new)]
    counts = [int(grid.sum()) for grid in bad]
    by_prompt = bad[1].sum(1) - bad[0].sum(1)
    worse, better = int((by_prompt > 0).sum()), int((by_prompt < 0).sum())
    clips = int(tried.sum())
    allowed = check.margin * clips
    holds = counts[1] - counts[0] <= allowed
    why = _commonest(new, bad[1] & ~bad[0])
    words = f"{counts[1]} of {clips} clips fail, {counts[0]} in the baseline{f'; mostly: {why}' if why else ''}"
    seen = Evidence(
        baseline=float(counts[0]), candidate=float(counts[1]), difference=float(counts[1] - counts[0]), limit=allowed,
        prompts=len(new.prompts), clips=clips, words=words,
    )  # fmt: skip
    if check.evidence == "point":
        return dataclasses.replace(seen, holds=holds)
    return dataclasses.replace(seen, p_pass=float(not holds), p_fail=1.0 if holds else sign_test(worse, better))


def failing(grid: ClipGrid) -> NDArray[np.bool_]:
    """Tried clips that failed or do not have the form that was asked for, shape (prompts, clips)."""
    bad = grid.tried & ~grid.made
    return bad | (grid.values("conformance") == 0) if grid.has("conformance") else bad


def _commonest(grid: ClipGrid, where: NDArray[np.bool_]) -> str:
    """The commonest reason of these clips, for people."""
    reasons = np.where(grid.made, grid.text("unusable_because"), grid.text("reason"))[where]
    if not len(reasons):
        return ""
    names, counts = np.unique(reasons, return_counts=True)
    return str(names[counts.argmax()]).split(";")[0]
