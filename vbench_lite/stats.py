"""Intervals and tests. Prompts are resampled, never clips: clips of one prompt are not independent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats as distributions


class Interval(NamedTuple):
    value: float
    low: float | None
    high: float | None


def clustered_mean(values: Sequence[float], prompts: Sequence[str], confidence: float = 0.95) -> Interval:
    """Mean over prompts of each prompt's mean, with a t interval over prompts.

    Args:
        values: One number a clip; finite.
        prompts: The prompt that each clip belongs to.
        confidence: Of the two-sided interval.

    Returns:
        The interval; `low` and `high` are None with fewer than two prompts.
    """
    names, places = np.unique(np.asarray(prompts), return_inverse=True)
    means = np.bincount(places, np.asarray(values, float)) / np.bincount(places)
    value = float(means.mean())
    if len(names) < 2:
        return Interval(value, None, None)
    half = float(distributions.t.ppf(0.5 + confidence / 2, len(names) - 1) * means.std(ddof=1) / len(names) ** 0.5)
    return Interval(value, value - half, value + half)
