"""Intervals over prompts and raters, against figures worked out by hand."""

import numpy as np
import pytest

from vbench_lite.analysis.people.crossed import FEW_RATERS, Clusters, by_clip_weights, estimate, fraction, spread
from vbench_lite.records import ReasonCode

T2 = 4.302652729911275
"""The .975 quantile of t with 2 degrees of freedom."""


def grid(prompts: list[float], raters: list[float]) -> tuple[np.ndarray, Clusters]:
    """A vote of each rater on each prompt: the sum of both effects."""
    places = [(p, r) for p in range(len(prompts)) for r in range(len(raters))]
    values = np.array([prompts[p] + raters[r] for p, r in places])
    return values, Clusters.of([str(p) for p, _ in places], [str(r) for _, r in places])


@pytest.mark.parametrize(
    ("prompts", "raters", "variance", "freedom"),
    [
        ([3, 0, -3], [0], 3.0, 2),  # (9 + 9) / 9 * 3 / 2
        ([3, 0, -3], [2, -2], 3.0, 2),  # two raters say nothing about others
        ([3, 0, -3], [0, 0, 0], 3.0, 2),  # 3 + 0 - 0.75 is less than 3
        ([0, 0, 0, 0], [3, 0, -3], 3.0, 2),
        ([3, 0, -3], [3, 0, -3], 4.5, 2.25),  # 3 + 3 - 1.5; 4.5^2 / (9 / 2 + 9 / 2)
        ([0, 0, 0], [0, 0, 0], 0.0, 2),
    ],
)
def test_the_variance_is_that_over_prompts_and_raters_less_that_of_their_cells(
    prompts: list[float], raters: list[float], variance: float, freedom: float
) -> None:
    found = spread(*grid(prompts, raters))
    assert found is not None
    assert (found.variance, found.df) == (pytest.approx(variance), pytest.approx(freedom))


def test_half_an_interval_is_t_standard_errors() -> None:
    values, clusters = grid([2, -1, -1], [0])
    found = estimate(10.0, values, clusters)
    assert (found.value, found.low, found.high) == (10, pytest.approx(10 - T2), pytest.approx(10 + T2))
    assert (found.n, found.reason) == (3, FEW_RATERS)
    assert estimate(1.0, *grid([2, -1, -1], [0, 0, 0])).reason is None


def test_two_prompts_give_a_value_without_an_interval() -> None:
    values, clusters = grid([1, -1], [0, 0])
    for found in (estimate(5.0, values, clusters), fraction(values / 2 + 0.5, clusters)):
        assert (found.low, found.high, found.n, found.reason_code) == (None, None, 4, ReasonCode.TOO_FEW)
    assert fraction(np.zeros(0), Clusters.of([], [])).reason == "no votes"


def test_the_interval_of_a_fraction_is_symmetric_in_the_log_odds() -> None:
    found = fraction(np.array([1.0, 1, 0]), Clusters.of(["a", "b", "c"], ["x"] * 3))
    half = T2 * (1 / 3) / (2 / 9)
    assert found.value == pytest.approx(2 / 3)
    assert found.low == pytest.approx(1 / (1 + np.exp(half) / 2))
    assert found.high == pytest.approx(1 / (1 + np.exp(-half) / 2))


def test_a_fraction_of_all_or_none_has_the_binomial_end_of_its_prompts() -> None:
    clusters = Clusters.of(list("aabbccdd"), list("xyxyxyxy"))
    end = 0.025**0.25  # 4 prompts, 8 votes
    every, none = fraction(np.ones(8), clusters), fraction(np.zeros(8), clusters)
    assert (every.low, every.high) == (pytest.approx(end), 1)
    assert (none.low, none.high) == (0, pytest.approx(1 - end))


def test_prompts_clips_and_votes_count_alike_at_each_level() -> None:
    weights = by_clip_weights(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 2]))
    assert weights.tolist() == [0.25, 0.25, 0.5, 1.0]
    found = fraction(np.array([1.0, 0, 1, 0]), Clusters.of(list("aaab"), list("xyxx")), weights)
    assert found.value == pytest.approx((0.25 + 0.5) / 2)


def test_some_of_the_votes_are_numbered_anew() -> None:
    some = Clusters.of(list("abc"), list("xyz")).only(np.array([True, False, True]))
    assert (some.prompts.tolist(), some.raters.tolist(), some.sizes) == ([0, 1], [0, 1], (2, 2))
