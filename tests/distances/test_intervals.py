"""Intervals that lean."""

from __future__ import annotations

import numpy as np
import pytest

from vbench_lite.distances.intervals import InfluenceFunctions, label, skew_corrected_bounds, t_quantile


def of_a_mean(values: np.ndarray) -> tuple[InfluenceFunctions, float]:
    """The chance in a mean, whose influences are known, and its variance."""
    count = len(values)
    chance = InfluenceFunctions((values - values.mean()) / count, np.zeros((count, count)), [np.arange(count)])
    return chance, chance.variance() * count / (count - 1)


def test_what_is_symmetric_gets_a_symmetric_interval() -> None:
    chance, variance = of_a_mean(np.array([-2.0, -1.0, 0.0, 1.0, 2.0]))
    down, up = skew_corrected_bounds(chance, variance, 0.0, 2.0)
    assert down == pytest.approx(up)
    assert up == pytest.approx(2 * variance**0.5)


def test_what_is_skewed_upwards_reaches_further_up_than_down() -> None:
    chance, variance = of_a_mean(np.array([0.0, 0.0, 0.1, 0.2, 0.3, 3.0]))
    down, up = skew_corrected_bounds(chance, variance, 0.0, 2.0)
    assert up > 2 * variance**0.5 > down > 0


def test_the_lower_end_keeps_the_variance_that_is_there_at_any_distance() -> None:
    chance, variance = of_a_mean(np.array([0.0, 0.0, 0.1, 0.2, 0.3, 3.0]))
    without, _ = skew_corrected_bounds(chance, variance, 0.0, 2.0)
    down, _ = skew_corrected_bounds(chance, variance, variance, 2.0)
    assert down >= 2 * variance**0.5 > without


def test_without_variance_there_is_nothing_to_reach_for() -> None:
    chance, _ = of_a_mean(np.zeros(4))
    assert skew_corrected_bounds(chance, 0.0, 0.0, 2.0) == (0.0, 0.0)


def test_means_of_skewed_values_are_missed_as_often_on_both_sides() -> None:
    rng = np.random.default_rng(0)
    above = below = plain_below = 0
    for _ in range(2000):
        values = rng.exponential(size=15)
        chance, variance = of_a_mean(values)
        quantile = t_quantile(14, 0.95)
        down, up = skew_corrected_bounds(chance, variance, 0.0, quantile)
        above += values.mean() - down > 1
        below += values.mean() + up < 1
        plain_below += values.mean() + quantile * variance**0.5 < 1
    assert plain_below > 140  # of 2000, where 50 are meant
    assert below < 0.75 * plain_below
    assert above < 80


def test_the_third_moment_of_a_quadratic_form_is_found() -> None:
    rng = np.random.default_rng(1)
    spread = np.array([1.0, 0.5, 0.2])
    drawn = [np.square((rng.normal(size=(40, 3)) * spread).mean(0) + 0.1).sum() for _ in range(20_000)]
    truth = np.mean((np.array(drawn) - np.mean(drawn)) ** 3)
    found = []
    for _ in range(300):
        parts = (rng.normal(size=(40, 3)) * spread + 0.1) / 40
        off = parts - parts.mean(0)
        pairs = 2 * off @ off.T
        np.fill_diagonal(pairs, 0)
        found.append(InfluenceFunctions(2 * off @ np.full(3, 0.1), pairs, [np.arange(40)]).skewed()[1])
    assert np.mean(found) == pytest.approx(truth, rel=0.25)


def test_clips_of_one_prompt_share_a_group_on_both_sides_and_others_are_alone() -> None:
    first, second = label(["a", "a", ""], ["a", ""])
    assert first[0] == first[1] == second[0]
    assert len({*first.tolist(), *second.tolist()}) == 3
