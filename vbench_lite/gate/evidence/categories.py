"""Checks on one category of a run. Small categories use the pooled variance of all categories.

A suite of 40 prompts in five categories has eight prompts per category, and eight values give a poor estimate of their
variance: a test with this estimate misses half of the spoilt categories. So a small category is tested with the pooled
variance of all categories around their own means. A category with a larger variance than the others then has a p value
that is too small. benchmarks/gate_worlds.py contains such a world.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.paired import NoPairs, Paired
from vbench_lite.analysis.quantities import Quantity, clip_values
from vbench_lite.analysis.sets import MeanError
from vbench_lite.gate.evidence.scores import FixedMargin, of_pairs
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.gate.verdict import Evidence
from vbench_lite.stats import MIN_PROMPTS, Array

FEW = 20
"""Minimum number of prompts for which a category is tested with its own variance."""
FULL = 12
"""Minimum number of prompts for the policy's margin. Smaller categories have sqrt(FULL / prompts) times it."""

_CONSTANT = 1e-12


def by_mean(check: Check, quantity: Quantity) -> bool:
    """Whether a check of a category compares the mean of a score or share."""
    paired = check.rule in ("non-inferior", "superior") and check.statistic == "mean"
    return paired and quantity.kind in ("score", "share")


def of_category(
    check: Check, quantity: Quantity, sides: GeneratorPair, category: str, policy: Policy, margins: FixedMargin
) -> Evidence:
    """Evidence of one category. Its margin, worst clip and, if it is small, variance are those of the whole run.

    Args:
        check: A check for which `by_mean` is true.
        quantity: A score or a share.
        sides: Baseline and candidate, comparable.
        category: The category.
        policy: The policy, for its level.
        margins: The margin of a category of FULL prompts that was fixed at promotion.
    """
    whole = sides.pairs(quantity)
    if isinstance(whole, NoPairs):
        return Evidence(why_none=whole.reason, unmeasured=whole.unmeasured)
    names = np.array(sides.old.categories)[whole.kept]
    keep = np.asarray(names == category)
    if not keep.any():
        return Evidence(why_none="no prompt is of these categories", unmeasured=True)
    wider = dataclasses.replace(margins, scale=margins.scale * max(1.0, (FULL / keep.sum()) ** 0.5))
    seen = of_pairs(check, _part(whole, keep, sides), policy, wider)
    lent = borrowed(whole.gains, names, category)
    if lent is None or seen.holds is not None or seen.why_none is not None:
        return seen
    broken = lent.test(np.asarray(seen.distance_to_limit))
    half, difference = float(lent.half_width(policy.strict)), seen.difference or 0.0
    shown = float(broken.above) if seen.p_pass is None else seen.p_pass
    return dataclasses.replace(
        seen, p_fail=float(broken.below), p_pass=shown, low=difference - half, high=difference + half
    )


def _part(whole: Paired, keep: NDArray[np.bool_], sides: GeneratorPair) -> Paired:
    """The pairs of some prompts, with the variance and the worst clip of the whole run."""
    gains, base = whole.gains[keep], whole.base[keep]
    before, sign = float(base.mean()), 1 if whole.quantity.higher_is_better else -1
    kept = whole.kept.copy()
    kept[kept] = keep
    tried = (sides.old.tried & sides.new.tried)[kept]
    empty = [int((tried & np.isnan(clip_values(whole.quantity, grid)[kept])).sum()) for grid in (sides.old, sides.new)]
    return dataclasses.replace(
        whole, gains=gains, base=base, baseline=before, candidate=before + sign * float(gains.mean()),
        clips=int(tried.sum()), filled=(empty[0], empty[1]), kept=kept,
    )  # fmt: skip


def borrowed(gains: Array, categories: ArrayLike, category: str) -> MeanError | None:
    """The standard error of a small category, from the pooled variance of all categories.

    Args:
        gains: One value per prompt of the whole run, shape (..., prompts).
        categories: The category of each prompt.
        category: The category to be tested.

    Returns:
        None if the category has enough prompts of its own, or if all categories together have too few.
    """
    names = np.asarray(categories)
    size, kinds = int((names == category).sum()), np.unique(names)
    df = len(names) - len(kinds)
    if size >= FEW or df < MIN_PROMPTS - 1:
        return None
    parts = [gains[..., names == kind] for kind in kinds]
    squares = np.sum([((part - part.mean(-1, keepdims=True)) ** 2).sum(-1) for part in parts], axis=0)
    error = np.sqrt(squares / df / size)
    return MeanError(np.where(error <= _CONSTANT * np.abs(gains).max(-1), 0.0, error), df)
