"""Derivatives by secants in logarithms of what overlaps fall short by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vbench_lite.distances.delta_method import secant_slopes

SEEN = np.array([10.0, 12.0, 7.0, 8.0, 6.5, 5.0, 6.0, 0.01, 0.0])
"""t1, t2, o11, o22, o12, q11, q22, and two that are taken as they are."""


def numerically(function: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    return np.array([(function(at + step) - function(at - step)) / 2e-6 for step in 1e-6 * np.eye(len(at))])


def shortfall(seen: np.ndarray) -> float:
    """The simplest of what is wanted of such numbers, with a part of each other number."""
    t1, t2, o11, o22, o12, q11, q22, first, second = seen.tolist()
    roots = ((t1 - o11) * (t2 - o22)) ** 0.5
    return o12 + roots * (1 + 0.1 * ((t1 - q11) / (t1 - o11) + (t2 - q22) / (t2 - o22)) + first - 2 * second)


def test_small_steps_give_the_derivatives() -> None:
    found = secant_slopes(shortfall, SEEN, np.full((9, 1), 1e-9))
    assert found == pytest.approx(numerically(shortfall, SEEN), rel=1e-4)


def test_what_scales_with_all_numbers_keeps_doing_so_over_long_steps() -> None:
    spread = np.diag([1.0, 1.0, 0.8, 0.8, 0.5, 0.6, 0.6, 0.0, 0.0])
    slopes = secant_slopes(lambda seen: ((seen[0] - seen[2]) * (seen[1] - seen[3])) ** 0.5, SEEN, spread)
    assert slopes[:7] @ SEEN[:7] == pytest.approx((3.0 * 4.0) ** 0.5, rel=0.1)


def test_overlaps_as_large_as_the_trace_have_finite_slopes() -> None:
    seen = SEEN.copy()
    seen[2] = seen[5] = seen[0]
    assert np.isfinite(secant_slopes(shortfall, seen, np.full((9, 1), 0.1))).all()
