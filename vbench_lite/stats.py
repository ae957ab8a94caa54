"""Intervals and tests over prompts. Clips are never the unit, because clips of one prompt are not independent.

All functions use one number per prompt: the mean of its clips, or the mean of its paired differences.
Tests are one-sided and vectorised along the last axis, so that a simulation runs a thousand of them at once.

The t test is used for means of many small effects. Two of its errors are corrected:

- If a few prompts lose much and the rest nothing, the differences are skewed and the t test rejects too often.
  Hall's (1992) transformation of t corrects for the observed skewness. It is applied only if it makes the result
  more conservative.
- The sample may contain none of the few prompts that lose. No test can detect this, so `prompts_to_see` computes
  the number of prompts that is needed to observe such a loss at all.

The bootstrap is not used: with 10 prompts its 95 % interval of a mean covers 90 %, and BCa returns no number for
constant differences. Statistics that are not means are reduced to one number per prompt instead (`paired`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

MIN_PROMPTS = 6
"""With fewer prompts, a two-sided test without assumptions cannot reach 5 %: with 5, its smallest p is 0.0625."""

_CONSTANT = 1e-12
"""Differences whose spread, relative to their size, is smaller count as constant."""


class Interval(NamedTuple):
    value: float
    low: float | None
    high: float | None


def clustered_mean(values: Sequence[float], prompts: Sequence[str], confidence: float = 0.95) -> Interval:
    """Mean over prompts of each prompt's mean, with a t interval over prompts.

    Args:
        values: One finite number per clip.
        prompts: The prompt of each clip.
        confidence: Confidence level of the two-sided interval.

    Returns:
        The interval. `low` and `high` are None with fewer than two prompts.

    >>> clustered_mean([1.0, 3.0, 4.0], ["a", "a", "b"]).value
    3.0
    """
    _, places = np.unique(np.asarray(prompts), return_inverse=True)
    means = np.bincount(places, np.asarray(values, float)) / np.bincount(places)
    return mean_interval(means, confidence)


def mean_interval(values: Array, confidence: float = 0.95, freedom: float | None = None) -> Interval:
    """Mean of one number per prompt, with a two-sided t interval; both limits are None with fewer than two prompts.

    Args:
        values: One number per prompt.
        confidence: Confidence level.
        freedom: Degrees of freedom, if fewer than prompts - 1, for example because prompts were measured together.
    """
    value, n = float(np.mean(values)), len(values)
    if n < 2:
        return Interval(value, None, None)
    half = float(special.stdtrit(freedom or n - 1, 0.5 + confidence / 2) * np.std(values, ddof=1) / n**0.5)
    return Interval(value, value - half, value + half)


class OneSided(NamedTuple):
    """p values of "the mean is 0 or less" (`above`) and of "the mean is 0 or more" (`below`)."""

    above: Array
    below: Array

    @property
    def either(self) -> Array:
        """The two-sided p value."""
        return np.minimum(1.0, 2 * np.minimum(self.above, self.below))


def mean_test(values: Array, freedom: float | None = None) -> OneSided:
    """Tests whether the mean of one number per prompt is above 0, or below 0.

    Args:
        values: Shape (..., prompts), finite, at least two prompts.
        freedom: Degrees of freedom of a plain t test, if the mean depends on fewer clips than prompts (a worst decile)
            or on fewer measurements (a cost of batches). None: prompts - 1 and the correction for skewness.

    Returns:
        p values, shape (...). Constant values have no variance: p is 0 on their side and 1 on the other side, or 1 on
        both if they are all 0.

    Source:
        P. Hall, "On the removal of skewness by transformation", JRSS B 54 (1992). Deviation: on each side, the more
        conservative one of Hall's statistic and plain t is used.
    """
    n = values.shape[-1]
    mean = values.mean(-1)
    centred = values - mean[..., None]
    spread = np.sqrt((centred**2).mean(-1))
    constant = spread <= _CONSTANT * np.maximum(np.abs(values).max(-1), 1e-300)
    safe = np.where(constant, 1.0, spread)
    t = np.where(constant, 0.0, mean / safe * math.sqrt(n - 1))
    bend = np.where(constant, 0.0, (centred**3).mean(-1) / safe**3 / (3 * math.sqrt(n)))
    lower, upper = (t, t) if freedom else (np.minimum(t, _unskewed(t, bend)), np.maximum(t, _unskewed(t, bend)))
    above, below = special.stdtr(freedom or n - 1, -lower), special.stdtr(freedom or n - 1, upper)
    still_above, still_below = np.where(mean > 0, 0.0, 1.0), np.where(mean < 0, 0.0, 1.0)
    return OneSided(np.where(constant, still_above, above), np.where(constant, still_below, below))


def _unskewed(t: Array, bend: Array) -> Array:
    return t + bend * t**2 + bend**2 * t**3 / 3 + bend / 2


def interval_of_test(values: Array, tail: float, df: float | None = None) -> Interval:
    """All means that `mean_test` does not reject: 0 is outside exactly if its p value is below `tail`.

    Args:
        values: One number per prompt, shape (prompts,); at least two.
        tail: Error probability on each side; 0.025 for a 95 % interval.
        df: As in `mean_test`.

    >>> gains = np.array([0.0, 0.1, 0.0, 0.2, 0.0, 1.5, 0.1, 0.3])
    >>> interval = interval_of_test(gains, float(mean_test(gains).above))
    >>> abs(round(interval.low, 12))
    0.0
    """
    n, mean = len(values), float(values.mean())
    centred = values - mean
    spread = float(np.sqrt((centred**2).mean()))
    if spread <= _CONSTANT * max(float(np.abs(values).max()), 1e-300):
        return Interval(mean, mean, mean)
    reach = -float(special.stdtrit(df or n - 1, tail))
    lower = upper = reach
    if not df:
        bend = float((centred**3).mean()) / spread**3 / (3 * math.sqrt(n))
        lower, upper = max(reach, _skewed(reach, bend)), max(reach, -_skewed(-reach, bend))
    error = spread / math.sqrt(n - 1)
    return Interval(mean, mean - lower * error, mean + upper * error)


def _skewed(t: float, bend: float) -> float:
    """The inverse of `_unskewed`."""
    if abs(bend) < 1e-9:
        return t - bend / 2
    return float(np.cbrt(1 + 3 * bend * (t - bend / 2)) - 1) / bend


def sign_test(worse: int, better: int) -> float:
    """p value of the hypothesis "prompts get worse no more often than better". Leave out prompts without a change.

    The test is exact for any number of prompts and any distribution.

    >>> sign_test(5, 0)
    0.03125
    """
    return float(special.bdtrc(worse - 1, worse + better, 0.5)) if worse else 1.0


def holm(p_values: Sequence[float], weights: Sequence[float] | None = None) -> list[float]:
    """p values adjusted for a family of tests (Holm 1979). Compare each with the level of the family.

    Args:
        p_values: The p values of the family.
        weights: Relative share of the level of each test; None for equal shares.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    >>> holm([0.01, 0.01], [4.0, 1.0])
    [0.0125, 0.0125]
    """
    parts = [1.0] * len(p_values) if weights is None else list(weights)
    order = sorted(range(len(p_values)), key=lambda nth: p_values[nth] / parts[nth])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        left = sum(parts[each] for each in order[rank:])
        highest = max(highest, min(1.0, left / parts[place] * float(p_values[place])))
        adjusted[place] = highest
    return adjusted


def prompts_to_see(share: float, level: float) -> int:
    """Number of prompts that include an affected one with probability 1 - level, if this fraction is affected.

    >>> prompts_to_see(0.05, 0.05)
    59
    """
    if share >= 1:
        return 1
    return math.ceil(math.log(level) / math.log1p(-share))


def prompts_to_decide(distance: float, spread: float, level: float, power: float = 0.8) -> int | None:
    """Number of prompts that a one-sided test needs, if the observed mean and spread are the true ones.

    Args:
        distance: From the mean to the limit, positive. For 0 or less the result is None.
        spread: Standard deviation of the numbers per prompt.
        level: Level of the test, e.g. 0.05.
        power: Required power of the test.

    Returns:
        The number of prompts, at least `MIN_PROMPTS`; None if no number is enough.
    """
    if distance <= 0:
        return None
    needed = (special.ndtri(1 - level) + special.ndtri(power)) ** 2 * (spread / distance) ** 2
    for _ in range(8):  # the degrees of freedom of the t distribution depend on the result
        freedom = max(needed - 1, MIN_PROMPTS - 1)
        needed = (special.stdtrit(freedom, 1 - level) + special.stdtrit(freedom, power)) ** 2 * (spread / distance) ** 2
    return max(MIN_PROMPTS, math.ceil(needed))


def power(distance: float, spread: float, prompts: int, level: float) -> float:
    """Power of a one-sided t test over this number of prompts, if the true mean is `distance` from the limit."""
    centre = distance / spread * prompts**0.5
    return float(1 - special.nctdtr(prompts - 1, centre, special.stdtrit(prompts - 1, 1 - level)))
