"""One category of a run: too few prompts to say by themselves how far prompts scatter.

A suite of 40 prompts in five categories has eight prompts in each, and eight numbers say little about their own
spread: a test that trusts them alone misses a spoilt category half of the time. So a small category borrows
the spread of all categories, each taken around its own mean. Where one category scatters more than the others, it
is judged with too much confidence; benchmarks/gate_errors.py has a world of that kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from vbench_lite.analysis.stats import MIN_PROMPTS, Array, OneSided

FEW = 20
"""Prompts from which on a category is judged by its own spread."""

_CONSTANT = 1e-12


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
