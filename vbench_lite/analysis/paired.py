"""Paired values of one quantity of two runs, one per prompt, for `compare` and the gate."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vbench_lite.analysis.cost.batches import (
    MIN_BATCHES,
    Groups,
    inflate_to_batch_variance,
    joint_freedom,
    measurement_ids,
    together,
)
from vbench_lite.analysis.quantities import SHARES, Quantity, clip_values, ratio_parts
from vbench_lite.run.clips import ClipGrid
from vbench_lite.stats import MIN_PROMPTS, Array

Statistic = Literal["mean", "worst-decile"]
TAIL = 0.1
_MIN_TAIL_CLIPS = 4
"""Minimum number of clips in a worst decile."""


class NoPairs(NamedTuple):
    """Why two runs have no pairs of a quantity."""

    reason: str
    unmeasured: bool = False
    """Whether the reason is that the baseline has no such figure."""


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Gains of a candidate over its baseline. Positive is better, for both directions of the quantity."""

    quantity: Quantity
    baseline: float
    candidate: float
    """The statistic of each run, in the unit of the quantity."""
    gains: Array
    """One gain per prompt, shape (prompts,). Their mean is the gain. For a ratio, of its logarithm."""
    base: Array
    """The baseline's values per prompt: the base of a margin in percent."""
    spread: float
    """Standard deviation between the baseline's clips: the unit of a margin in standard deviations."""
    gap: float
    """Distance from the mean clip of the baseline to the worst clip of both runs."""
    within: float | None
    """Variance of the gain between clips of one prompt; None with one clip per prompt."""
    clips: int
    """Number of clips of each run."""
    kept: NDArray[np.bool_]
    """Which prompts of the grids have a gain, shape (all prompts,)."""
    filled: tuple[int, int]
    """Clips of (baseline, candidate) without a value. `pair` counts them as the worst of both runs. `scored_pairs`
    leaves them out."""
    freedom: float | None = None
    """Degrees of freedom, if not the number of prompts minus 1: for a worst tenth, its clips minus 1; for a cost, the
    measured batches minus 1."""
    batches: int | None = None
    """Number of measured batches, if these are counted instead of prompts. The variance of the gains is then theirs."""

    @property
    def too_few(self) -> str:
        """Which number is too small for a test: "prompts", "batches" or ""."""
        return Counted(self.gains, self.freedom, self.batches).too_few


def measured_groups(quantity: Quantity, *grids: ClipGrid) -> Groups | None:
    """The group of each prompt: prompts in one group share a measurement. None if each prompt was measured alone.

    Args:
        quantity: Any quantity. Only measured costs have groups.
        grids: Grids of the same prompts in the same order.
    """
    if quantity.kind not in ("cost", "ratio") or not quantity.column:
        return None
    shape = grids[0].made.shape
    prompts = np.repeat(np.arange(shape[0]), shape[1])
    power = quantity.column == "energy_j"
    groups = together(prompts, *(measurement_ids(g.values(quantity.column), g.values("wall_s"), power) for g in grids))
    return groups if groups.max() + 1 < shape[0] else None


@dataclass(frozen=True)
class Counted:
    """One value per prompt, with the variance and the degrees of freedom of its measurements."""

    values: Array
    freedom: float | None = None
    batches: int | None = None
    """As in `Paired`."""

    @property
    def too_few(self) -> str:
        """Which number is too small for a test: "prompts", "batches" or ""."""
        if self.batches is not None:
            return "batches" if self.batches < MIN_BATCHES else ""
        return "prompts" if len(self.values) < MIN_PROMPTS else ""


def by_measurement(values: Array, quantity: Quantity, *grids: ClipGrid) -> Counted:
    """Values per prompt, counted by measured batch if they are costs of clips that were measured together.

    Args:
        values: One value per prompt: a mean over its clips, or a difference of two means.
        quantity: The quantity of the values.
        grids: The grids of the values, with the same prompts in the same order.
    """
    return _by_groups(values, measured_groups(quantity, *grids))


def _by_groups(values: Array, groups: Groups | None) -> Counted:
    if groups is None:
        return Counted(values)
    batches = int(groups.max()) + 1
    if batches < MIN_BATCHES:
        return Counted(values, None, batches)
    return Counted(inflate_to_batch_variance(values, groups), batches - 1, batches)


def few_batches(batches: int) -> str:
    """Why there is no test, and the remedy."""
    text = "1 measured batch is" if batches == 1 else f"{batches} measured batches are"
    return f"{text} too few for a test: clips of a batch share one time. Set batch_size = 1, or request more clips"


def _counted_by_batch(pairs: Paired, *grids: ClipGrid) -> Paired:
    """The same pairs with the variance and the degrees of freedom of the measured batches."""
    groups = measured_groups(pairs.quantity, *grids)
    gains, base = (_by_groups(values, groups) for values in (pairs.gains, pairs.base))
    known = [each for each in (pairs.freedom, gains.freedom) if each is not None]
    return dataclasses.replace(
        pairs, gains=gains.values, base=base.values, freedom=min(known, default=None), batches=gains.batches
    )


def pair(
    quantity: Quantity, baseline: ClipGrid, candidate: ClipGrid, statistic: Statistic = "mean"
) -> Paired | NoPairs:
    """Pair two runs clip by clip. A clip without a value counts as the worst value of both runs.

    So a candidate does not gain by failing on hard prompts. The baseline's clips are treated equally: otherwise, a
    candidate that fails exactly as often would seem worse. Clips that one of the runs never attempted are left out:
    they are missing, not failed.

    Args:
        quantity: Any quantity except a set metric.
        baseline, candidate: Grids of the same prompts in the same order.
        statistic: The statistic over all clips. The worst decile is the mean of the worst tenth.

    Returns:
        The pairs, or why there are none.
    """
    if quantity.kind == "ratio":
        return _pair_ratio(quantity, baseline, candidate)
    tried = baseline.tried & candidate.tried
    kept = np.asarray(tried.any(1))
    sign, tried = (1.0 if quantity.higher_is_better else -1.0), tried[kept]
    old, new = (np.where(tried, sign * clip_values(quantity, grid)[kept], np.nan) for grid in (baseline, candidate))
    clips = int(tried.sum())
    filled = (clips - int(np.isfinite(old).sum()), clips - int(np.isfinite(new).sum()))
    if filled[0] == clips:
        return NoPairs(f'the baseline has no "{quantity.name}"', unmeasured=True)
    if filled[1] == clips and quantity.kind == "cost":
        return NoPairs(f'"{quantity.name}" was not measured for the candidate')
    worst = float(np.nanmin([np.nanmin(old), np.nanmin(new) if filled[1] < clips else np.inf]))
    spread, typical = float(np.nanstd(old, ddof=1)) if clips - filled[0] > 1 else 0.0, float(np.nanmean(old))
    old, new = (np.where(tried & np.isnan(values), worst, values) for values in (old, new))
    df = None
    if statistic == "worst-decile":
        if clips * TAIL < _MIN_TAIL_CLIPS:
            return NoPairs(f"the worst tenth of {clips} clips has too few clips for a test", unmeasured=True)
        df = min(len(old), round(clips * TAIL)) - 1
        old, new = tail_parts(old), tail_parts(new)
    base, gains = np.nanmean(old, axis=1), np.nanmean(new - old, axis=1)
    several = tried.sum(1) > 1
    pairs = Paired(
        quantity=quantity, baseline=sign * float(base.mean()), candidate=sign * float(np.nanmean(new, axis=1).mean()),
        gains=gains, base=sign * base, spread=spread, gap=typical - worst,
        within=float(np.nanvar((new - old)[several], axis=1, ddof=1).mean()) if several.any() else None,
        clips=clips, filled=filled, freedom=df, kept=kept,
    )  # fmt: skip
    return _counted_by_batch(pairs, baseline.only(kept), candidate.only(kept))


def tail_parts(values: Array) -> Array:
    """One value per clip. The mean of the values is the mean of the worst tenth; their variance gives its error.

    With q the 10 % quantile, the mean of the values below q is q - E[max(q - x, 0)] / 0.1. The term of each clip is its
    influence on the result, up to a constant.
    """
    quantile = np.nanquantile(values, TAIL)
    return quantile - np.maximum(quantile - values, 0) / TAIL


def _pair_ratio(quantity: Quantity, baseline: ClipGrid, candidate: ClipGrid) -> Paired | NoPairs:
    """Log ratios, linearised by prompt (delta method), so that they are paired like means.

    Usable clips are counted by prompt, costs by measured batch: the time of a batch does not depend on which of its
    clips are usable.
    """
    kept = np.asarray(baseline.tried.any(1) & candidate.tried.any(1))
    if not kept.any():
        return NoPairs("no prompt was attempted in both runs")
    baseline, candidate = baseline.only(kept), candidate.only(kept)
    logs, cheaper, more = [], [], []
    for who, grid in (("the baseline", baseline), ("the candidate", candidate)):
        if not np.isfinite(clip_values(SHARES[0], grid)).any():
            return NoPairs("usability is not evaluated: there are no thresholds", unmeasured=True)
        spent, got = ratio_parts(quantity, grid)
        if np.isnan(spent).any():
            return NoPairs(f'the cost that "{quantity.name}" needs was not measured for {who}')
        if got.sum() == 0:
            return NoPairs(f"{who} has no usable clip in {int(grid.tried.sum())}")
        if spent.sum() <= 0:
            return NoPairs(f"{who} cost nothing: there is no ratio")
        logs.append(float(np.log(spent.sum() / got.sum())))
        cheaper.append(spent / spent.mean())
        more.append(got / got.mean())
    spent, got = cheaper[0] - cheaper[1], more[1] - more[0]
    counted = by_measurement(spent, quantity, baseline, candidate)
    df = None
    if counted.freedom is not None:
        df = joint_freedom(counted.values, counted.freedom, got, len(got) - 1)
    gains = logs[0] - logs[1] + counted.values + got
    return Paired(
        quantity=quantity, baseline=float(np.exp(logs[0])), candidate=float(np.exp(logs[1])), gains=gains,
        base=np.ones_like(gains), spread=0.0, gap=float("inf"), within=None, clips=int(baseline.tried.sum()),
        filled=(0, 0), freedom=df, batches=counted.batches, kept=kept,
    )  # fmt: skip


def ratio_influence(quantity: Quantity, grid: ClipGrid) -> Counted:
    """One value per prompt: their mean is the logarithm of a run's ratio, their variance gives its error.

    Cost and usability of a prompt are combined, so the error includes their covariance.

    Args:
        quantity: A ratio.
        grid: A run with at least one usable clip and a known cost.
    """
    spent, got = ratio_parts(quantity, grid)
    counted = by_measurement(spent / spent.mean() - 1, quantity, grid)
    more = got / got.mean() - 1
    df = None
    if counted.freedom is not None:
        df = joint_freedom(counted.values, counted.freedom, more, len(more) - 1)
    return Counted(float(np.log(spent.sum() / got.sum())) + counted.values - more, df, counted.batches)


def scored_pairs(quantity: Quantity, baseline: ClipGrid, candidate: ClipGrid) -> Paired | NoPairs:
    """Only the pairs in which both clips have a value, for reports, not for decisions about a release.

    Returns:
        The pairs, or why there are none. `filled` counts attempted clips without a value on each side.
    """
    if quantity.kind == "ratio":
        return _pair_ratio(quantity, baseline, candidate)
    old, new = (clip_values(quantity, grid) for grid in (baseline, candidate))
    both = np.isfinite(old) & np.isfinite(new)
    if not both.any():
        return NoPairs(f'no clip has "{quantity.name}" in both')
    counts = both.sum(1)
    kept = counts > 0
    base, other = (np.where(both, values, 0.0).sum(1)[kept] / counts[kept] for values in (old, new))
    sign = -1.0 if quantity.higher_is_better is False else 1.0
    pairs = Paired(
        quantity=quantity, baseline=float(base.mean()), candidate=float(other.mean()), gains=sign * (other - base),
        base=base, spread=float(np.std(old[both], ddof=1)) if both.sum() > 1 else 0.0, gap=0.0, within=None,
        clips=int(both.sum()), kept=kept,
        filled=(int((baseline.tried & np.isnan(old)).sum()), int((candidate.tried & np.isnan(new)).sum())),
    )  # fmt: skip
    return _counted_by_batch(pairs, baseline.only(kept), candidate.only(kept))
