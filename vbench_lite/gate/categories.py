"""One category of a run: too few prompts to say by themselves how far prompts scatter.

A suite of 40 prompts in five categories has eight prompts in each, and eight numbers say little about their own
spread: a test that trusts them alone misses a spoilt category half of the time. So a small category borrows
the spread of all categories, each taken around its own mean. Where one category scatters more than the others, it
is judged with too much confidence; benchmarks/gate_errors.py has a world of that kind.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from vbench_lite.analysis.comparable import Side
from vbench_lite.analysis.paired import Paired, align, pair
from vbench_lite.analysis.quantities import Quantity, clip_values
from vbench_lite.gate.evidence import Evidence, of_pairs
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.run.clips import ClipGrid
from vbench_lite.stats import MIN_PROMPTS, Array, OneSided

FEW = 20
"""Prompts from which on a category is judged by its own spread."""

_CONSTANT = 1e-12


def by_mean(check: Check, quantity: Quantity) -> bool:
    """Whether a check of one category is on the mean of something that every clip has."""
    paired = check.rule in ("non-inferior", "superior") and check.statistic == "mean"
    return paired and quantity.kind in ("score", "share")


def of_category(
    check: Check, quantity: Quantity, sides: tuple[Side, Side], category: str, policy: Policy
) -> Evidence:  # fmt: skip
    """One category's part of the run's pairs: margin, worst clip and, where it is small, scatter are the run's."""
    old = sides[0].grid
    new = align(old, sides[1].grid)
    crowd = _pairs_of_all(quantity, old, new)
    keep = np.array([name == category for name in old.categories])
    if isinstance(crowd, str):
        return Evidence(crowd, unmeasured=crowd.startswith("the baseline has no"))
    if not keep.any():
        return Evidence("no prompt is of these categories", unmeasured=True)
    gains, base = crowd.gains[keep], crowd.base[keep]
    before, sign = float(base.mean()), 1 if quantity.higher_is_better else -1
    empty = [int(np.isnan(clip_values(quantity, grid)[keep]).sum()) for grid in (old, new)]
    pairs = dataclasses.replace(
        crowd, gains=gains, base=base, baseline=before, candidate=before + sign * float(gains.mean()),
        clips=int(old.made[keep].size), filled=(empty[0], empty[1]),
    )  # fmt: skip
    seen = of_pairs(check, pairs, policy)
    lent = borrowed(crowd.gains, old.categories, category)
    if lent is None or seen.holds is not None or seen.why_none is not None:
        return seen
    broken, loss = lent.test(np.asarray(seen.distance_to_limit)), lent.test(gains.mean())
    half, difference = float(lent.half_width(policy.strict)), seen.difference or 0.0
    return dataclasses.replace(
        seen, p_fail=float(broken.below), p_loss=float(loss.below) if seen.prompts < MIN_PROMPTS else None,
        low=difference - half, high=difference + half,
    )  # fmt: skip


@functools.lru_cache(maxsize=32)
def _pairs_of_all(quantity: Quantity, old: ClipGrid, new: ClipGrid) -> Paired | str:
    """Kept, because every category of a run asks for them."""
    return pair(quantity, old, new)


class MeanError(NamedTuple):
    """The standard error of a mean, and on how many degrees of freedom it rests."""

    error: Array
    """Shape (...)."""
    freedom: int

    def test(self, mean: Array) -> OneSided:
        """p values of "the mean is 0 or less" and "0 or more"; where nothing scatters there is no chance."""
        still = self.error <= 0
        t = np.where(still, np.copysign(np.inf, mean), mean / np.where(still, 1.0, self.error))
        nothing = still & (np.abs(mean) <= 0)
        above, below = special.stdtr(self.freedom, -t), special.stdtr(self.freedom, t)
        return OneSided(np.where(nothing, 1.0, above), np.where(nothing, 1.0, below))

    def half_width(self, level: float) -> Array:
        """Of an interval, either side of which is wrong with this level."""
        half: Array = special.stdtrit(self.freedom, 1 - level) * self.error
        return half


def borrowed(gains: Array, categories: Sequence[str], category: str) -> MeanError | None:
    """What all categories lend a small one. None where it is large enough to need nothing, or they too small to lend.

    Args:
        gains: One number a prompt of the whole run, shape (..., prompts).
        categories: Of each prompt.
        category: The one in question.
    """
    names = np.asarray(categories)
    size, kinds = int((names == category).sum()), np.unique(names)
    freedom = len(names) - len(kinds)
    if size >= FEW or freedom < MIN_PROMPTS - 1:
        return None
    parts = [gains[..., names == kind] for kind in kinds]
    squares = np.sum([((part - part.mean(-1, keepdims=True)) ** 2).sum(-1) for part in parts], axis=0)
    error = np.sqrt(squares / freedom / size)
    return MeanError(np.where(error <= _CONSTANT * np.abs(gains).max(-1), 0.0, error), freedom)
