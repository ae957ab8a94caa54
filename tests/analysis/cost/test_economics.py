import math

import numpy as np
import pytest

from vbench_lite.analysis.cost import economics


def prompts(count: int, clips: int) -> list[str]:
    return [f"p{n}" for n in range(count) for _ in range(clips)]


def test_cost_per_usable_clip_is_all_the_money_over_the_usable_clips() -> None:
    costs, usable = [1.0, 2.0, 3.0, 4.0], [True, False, True, False]
    estimate = economics.cost_per_usable(costs, usable, ["a", "a", "b", "b"], "")
    assert estimate.value == pytest.approx(10 / 2)
    assert economics.attempts_per_usable(usable, ["a", "a", "b", "b"]).value == 2


def test_nothing_usable_is_none_in_n_with_a_lower_limit() -> None:
    of = prompts(20, 4)
    attempts = economics.attempts_per_usable([False] * 80, of)
    assert (attempts.value, attempts.high, attempts.reason) == (None, None, "none in 80")
    assert 3 < attempts.low < 80
    cost = economics.cost_per_usable([0.5] * 80, [False] * 80, of, "")
    assert cost.value is None
    assert cost.reason == "none in 80"
    assert cost.low == pytest.approx(0.5 * attempts.low)


def test_a_clip_of_unknown_cost_counts_as_the_dearest() -> None:
    of = prompts(4, 1)
    known = economics.cost_per_usable([1.0, 1.0, 3.0, 1.0], [True] * 4, of, "")
    lacking = economics.cost_per_usable([1.0, 1.0, 3.0, None], [True] * 4, of, "")
    assert lacking.value > known.value
    assert lacking.unscored == 1


def test_no_known_cost_is_none_with_the_given_reason() -> None:
    estimate = economics.cost_per_usable([None, None], [True, True], ["a", "b"], "no price for this device")
    assert (estimate.value, estimate.reason) == (None, "no price for this device")


def test_one_prompt_gives_no_interval_and_says_so() -> None:
    estimate = economics.attempts_per_usable([True, False], ["a", "a"])
    assert (estimate.value, estimate.low, estimate.high) == (2.0, None, None)
    assert estimate.reason


def test_all_usable_still_leaves_the_interval_open() -> None:
    share = economics.share_of([True] * 80, prompts(40, 2))
    assert share.value == share.high == 1
    assert 0.88 < share.low < 0.95


def test_figures_are_never_nan_or_infinite() -> None:
    rng = np.random.default_rng(0)
    for share in (0.0, 0.02, 0.5, 1.0):
        for count in (1, 2, 3, 30):
            usable = (rng.random(2 * count) < share).tolist()
            for costs in ([0.0] * 2 * count, rng.lognormal(size=2 * count).tolist()):
                estimate = economics.cost_per_usable(costs, usable, prompts(count, 2), "")
                assert all(v is None or math.isfinite(v) for v in (estimate.value, estimate.low, estimate.high))
                if estimate.value is not None and estimate.high is not None:
                    assert estimate.low <= estimate.value <= estimate.high


def test_intervals_over_prompts_cover_the_truth_when_clips_of_a_prompt_agree() -> None:
    """Two clips a prompt that agree mostly: nominal 95 %; clip-level intervals would cover about 80 %."""
    rng, hits, runs = np.random.default_rng(1), {"share": 0, "cost": 0}, 400
    of = prompts(40, 2)
    for _ in range(runs):
        ease = rng.beta(1.2, 1.2, 40)  # mean 0.5
        usable = (rng.random((40, 2)) < ease[:, None]).ravel().tolist()
        costs = rng.lognormal(0, 0.2, 80).tolist()
        share = economics.share_of(usable, of)
        hits["share"] += share.low <= 0.5 <= share.high
        cost = economics.cost_per_usable(costs, usable, of, "")
        hits["cost"] += cost.low <= math.exp(0.02) / 0.5 <= cost.high
    assert 0.92 <= hits["share"] / runs <= 0.99
    assert 0.92 <= hits["cost"] / runs <= 0.99


def test_best_of_k_equals_the_mean_over_all_subsets() -> None:
    from itertools import combinations

    values = [0.3, 0.9, 0.1, 0.5, 0.5]
    for k in range(1, 6):
        subsets = list(combinations(values, k))
        assert economics.best_of(values, k) == pytest.approx(sum(map(max, subsets)) / len(subsets))
        assert economics.best_of(values, k, False) == pytest.approx(sum(map(min, subsets)) / len(subsets))
    with pytest.raises(ValueError, match="expected 1 to 5"):
        economics.best_of(values, 6)


def test_the_highest_memory_counts_not_the_mean() -> None:
    estimate = economics.highest([100.0, None, 300.0], "")
    assert (estimate.value, estimate.n, estimate.unscored) == (300.0, 2, 1)
    assert economics.highest([None], "a CPU has none").reason == "a CPU has none"
