import numpy as np
import pytest

from vbench_lite.analysis.answers.unevenness import best_of_curve, only_here, spread, worst_tenth

RNG = np.random.default_rng(0)


def test_the_worst_tenth_is_the_mean_of_the_ten_worst_in_a_hundred() -> None:
    values = RNG.permutation(np.arange(100.0)).reshape(50, 2)
    assert worst_tenth(values, True).value == pytest.approx(4.5, abs=0.5)
    assert worst_tenth(values, False).value == pytest.approx(94.5, abs=0.5)


def test_a_clip_without_a_score_counts_as_the_worst() -> None:
    values = RNG.normal(size=(50, 2))
    holed = values.copy()
    holed[values > np.quantile(values, 0.9)] = np.nan  # failing on what would have been best must not help
    assert worst_tenth(holed, True).value < worst_tenth(values, True).value
    assert worst_tenth(holed, True).unscored == 10


def test_nothing_scored_has_no_worst_tenth() -> None:
    assert worst_tenth(np.full((3, 2), np.nan), True).reason == "no clip has this score"


def test_spread_finds_the_parts_it_was_made_of() -> None:
    prompts = RNG.normal(0, 2.0, (4000, 1))
    own = [RNG.normal(0, 1.0, (4000, 1)) for _ in range(2)]
    grids = [prompts + o + RNG.normal(0, 1.5, (4000, 2)) for o in own]
    parts = spread(grids[0], [grids[1]])
    assert parts is not None
    assert parts.prompts == pytest.approx(4.0, rel=0.1)
    assert parts.own == pytest.approx(1.0, rel=0.25)
    assert parts.clips == pytest.approx(2.25, rel=0.1)
    assert sum(parts.shares()) == pytest.approx(1.0)


def test_alone_all_of_the_prompts_part_is_its_own() -> None:
    parts = spread(RNG.normal(size=(30, 3)) + RNG.normal(size=(30, 1)))
    assert parts is not None
    assert parts.prompts == 0
    assert not parts.shared_known


def test_one_clip_a_prompt_cannot_tell_luck_from_difficulty() -> None:
    assert spread(RNG.normal(size=(30, 1))) is None


def test_constant_scores_have_no_spread_and_no_nan() -> None:
    parts = spread(np.ones((10, 2)), [np.ones((10, 2))])
    assert parts is not None
    assert parts.shares() == (0, 0, 0)


def test_best_of_k_rises_and_ends_at_the_best_of_all() -> None:
    values = RNG.normal(size=(20, 4))
    curve = [e.value for e in best_of_curve(values)]
    assert curve == sorted(curve)
    assert curve[0] == pytest.approx(values.mean())
    assert curve[-1] == pytest.approx(values.max(1).mean())


def test_best_of_k_with_holes_never_raises_and_counts_them() -> None:
    values = RNG.normal(size=(5, 3))
    values[0] = np.nan
    values[1, 0] = np.nan
    curve = best_of_curve(values)
    assert [e.n for e in curve] == [4, 4, 4]
    assert curve[0].unscored == 4
    assert best_of_curve(np.full((2, 2), np.nan)) == []


def test_only_here_lists_prompts_that_the_other_makes() -> None:
    mine = np.array([[False, False], [True, False], [False, False]])
    other = np.array([[True, False], [False, False], [False, False]])
    assert only_here(mine, other).tolist() == [True, False, False]


def test_the_chance_of_a_usable_clip_among_k_stays_open_and_inside_its_range() -> None:
    for estimate in best_of_curve(np.ones((10, 2))):
        assert estimate.low < 0.75
        assert estimate.high == 1.0
    for estimate in best_of_curve((RNG.random((12, 3)) < 0.9).astype(float)):
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_a_worst_tenth_has_no_interval_and_says_so() -> None:
    found = worst_tenth(RNG.normal(size=(50, 2)), True)
    assert (found.low, found.high, found.reason_code) == (None, None, "no_interval")


def test_the_parts_of_a_spread_are_those_of_a_worked_example() -> None:
    mine = np.array([[1.0, 3.0], [4.0, 6.0], [7.0, 9.0], [np.nan, 5.0]])
    other = np.array([[1.0, np.nan], [2.0, 2.0], [3.0, np.nan], [np.nan, np.nan]])
    parts = spread(mine, [other])
    assert parts is not None
    # Means 2, 5, 8 with a variance of 9; within 2, of which half is in a mean of two. The covariance with 1, 2, 3 is 3.
    assert (parts.total, parts.prompts, parts.own, parts.clips) == (10, 3, 5, 2)
    assert (parts.shares(), parts.shared_known) == ((0.3, 0.5, 0.2), True)
    few = spread(mine, [np.where(np.arange(4)[:, None] == 2, np.nan, other)])  # two prompts in common
    assert few is not None
    assert (few.prompts, few.own, few.shared_known) == (0, 8, False)


def test_the_worst_tenth_of_eleven_clips() -> None:
    values = np.arange(11.0)[:, None]
    # The 10 % quantile is 1; 0 lies 1 below it: 1 - (1 / 11) / 0.1.
    assert worst_tenth(values, True).value == pytest.approx(1 - 10 / 11)
    assert worst_tenth(values, False).value == pytest.approx(9 + 10 / 11)
    assert worst_tenth(values, True).n == 11
