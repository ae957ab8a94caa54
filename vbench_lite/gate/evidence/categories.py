"""Checks on one category of a run, which often has too few prompts to estimate their spread.

A suite of 40 prompts in five categories has eight prompts in each, and eight numbers give a poor estimate of
their spread: a test with this estimate misses a spoilt category half of the time. So a small category is tested with
the pooled spread of all categories, each taken around its own mean. A category that scatters more than the others
then gets a p value that is too small; benchmarks/gate_worlds.py has a world of that kind.
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
"""Prompts from which on a category is judged by its own spread."""
FULL = 12
"""Prompts from which on a category's margin is the policy's. A smaller one gets sqrt(FULL / prompts) times as much."""

_CONSTANT = 1e-12


def by_mean(check: Check, quantity: Quantity) -> bool:
    """Whether a check of one category is on the mean of something that every clip has."""
    paired = check.rule in ("non-inferior", "superior") and check.statistic == "mean"
    return paired and quantity.kind in ("score", "share")


def of_category(
    check: Check, quantity: Quantity, sides: GeneratorPair, category: str, policy: Policy, margins: FixedMargin
) -> Evidence:
    """One category's part of the run's pairs: margin, worst clip and, where it is small, scatter are the run's.

    Args:
        check: A check by `by_mean`.
        quantity: A score or a share.
        sides: Baseline and candidate, comparable.
        category: The category.
        policy: For its level.
        margins: The margin of a category of FULL prompts, as it was fixed when the baseline was promoted.
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
    """The pairs of some prompts, with the spread and the worst clip of the whole run."""
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
    """What all categories lend a small one. None where it is large enough to need nothing, or they too small to lend.

    Args:
        gains: One number a prompt of the whole run, shape (..., prompts).
        categories: Of each prompt.
        category: The one in question.
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
