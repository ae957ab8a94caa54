"""The corrected Fréchet distance: right on average for any number of clips, honest about what clips cannot see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vbench_lite.distances.corrected import corrected_interval
from vbench_lite.distances.frechet import frechet_distance
from vbench_lite.distances.intervals import DistanceInterval
from vbench_lite.distances.kernel import kernel_interval
from vbench_lite.records import ReasonCode

Array = np.ndarray


def normal(seed: int, clips: int, values: int) -> Array:
    return np.random.default_rng(seed).normal(size=(clips, values)) * np.arange(1, values + 1) ** -0.5


def low_rank(values: int, rank: int) -> Array:
    spectrum = np.full(values, 0.01)
    spectrum[:rank] = 15
    return np.sqrt(16 * spectrum / spectrum.sum())


def turned(values: int) -> Array:
    return np.linalg.qr(np.random.default_rng(9).normal(size=(values, values)))[0]


WIDTH = 32
HARMONIC = np.arange(1, WIDTH + 1) ** -0.5
WORLDS = {
    "equal": (np.diag(HARMONIC), np.diag(HARMONIC)),
    "twice the variance": (np.diag(HARMONIC), np.diag(2**0.5 * HARMONIC)),
    "turned": (np.diag(HARMONIC), np.diag(HARMONIC) @ turned(WIDTH)),
    "another spectrum": (np.diag(HARMONIC), np.diag(np.arange(1, WIDTH + 1) ** -0.9)),
    "half of the directions nearly lost": (np.diag(HARMONIC), np.diag(HARMONIC * np.tile([0.1, 1], WIDTH // 2))),
    "low rank": (np.diag(low_rank(WIDTH, 13)), np.diag(low_rank(WIDTH, 13))),
}
SHIFT = np.full(WIDTH, 0.05)


def truth(first: Array, second: Array) -> float:
    overlap = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    return float(SHIFT @ SHIFT + np.square(first).sum() + np.square(second).sum() - 2 * overlap)


def simulated(name: str, clips: int, runs: int) -> tuple[list[DistanceInterval], float]:
    first, second = WORLDS[name]
    found, plain = [], []
    for run in range(runs):
        rng = np.random.default_rng([run, clips])
        x, y = rng.normal(size=(clips, WIDTH)) @ first, rng.normal(size=(clips, WIDTH)) @ second + SHIFT
        found.append(corrected_interval(x, y))
        plain.append(frechet_distance(generated=x, reference=y))
    return found, float(np.mean(plain))


@pytest.mark.parametrize("name", WORLDS)
def test_with_more_clips_than_directions_the_distance_is_right_and_nothing_is_assumed(name: str) -> None:
    found, plain = simulated(name, 80, 40)
    true, values = truth(*WORLDS[name]), np.array([each.value for each in found])
    assert values.mean() == pytest.approx(true, abs=3.5 * values.std() / 40**0.5 + 0.02 * true)
    assert plain > true + 3 * abs(values.mean() - true)
    assert np.mean([(each.low or 0) <= true <= (each.high or 0) for each in found]) >= 0.85
    assert np.mean([each.reason is not None for each in found]) <= 0.3


@pytest.mark.parametrize("name", ["equal", "twice the variance", "low rank"])
def test_with_fewer_clips_than_directions_equal_directions_are_right_too(name: str) -> None:
    found, plain = simulated(name, 24, 60)
    true, values = truth(*WORLDS[name]), np.array([each.value for each in found])
    assert values.mean() == pytest.approx(true, abs=3.5 * values.std() / 60**0.5)
    assert plain > true + 1
    assert np.mean([(each.low or 0) <= true <= (each.high or 0) for each in found]) >= 0.85


def test_the_error_falls_with_the_number_of_clips_where_the_rank_is_low() -> None:
    widths = [np.mean([(f.high or 0) - (f.low or 0) for f in simulated("low rank", n, 12)[0]]) for n in (24, 48, 96)]
    assert widths[0] > 1.5 * widths[1] > 2 * widths[2]


def test_what_so_few_clips_cannot_see_is_stated_and_reaches_upwards() -> None:
    rng = np.random.default_rng(0)
    spectrum = np.arange(1, 201) ** -0.5
    second = np.diag(spectrum) @ turned(200)
    true = 2 * np.square(spectrum).sum() - 2 * np.linalg.svd(np.diag(spectrum) @ second.T, compute_uv=False).sum()
    for _ in range(6):
        found = corrected_interval(rng.normal(size=(48, 200)) * spectrum, rng.normal(size=(48, 200)) @ second)
        assert "% of the covariances cannot be estimated" in (found.reason or "")
        assert (found.low or 0) < true < (found.high or 0)
        assert (found.high or 0) - found.value > 2 * (found.value - (found.low or 0))


def test_clips_that_are_in_both_sets_leave_no_interval_and_the_reason_counts_them() -> None:
    x, y = normal(0, 40, 20), normal(1, 40, 20)
    for shared in (1, 39):
        found = corrected_interval(x, np.concatenate([x[:shared], y[shared:]]))
        assert (found.low, found.high, found.parts) == (None, None, None)
        assert f"{shared} clips are in both sets" in (found.reason or "")


@pytest.mark.parametrize("side", [0, 1])
def test_clips_that_repeat_a_clip_of_another_prompt_are_counted_in_the_reason(side: int) -> None:
    sets, groups = [normal(0, 64, 4), normal(1, 64, 4)], [f"p{n // 2}" for n in range(64)]
    assert corrected_interval(*sets).reason is None
    sets[side][1] = sets[side][0]
    assert "another prompt (1 times)" in (corrected_interval(*sets).reason or "")
    prompts = [[""] * 64, [""] * 64]
    prompts[side] = groups
    assert corrected_interval(*sets, *prompts).reason is None, "clips of one prompt may be alike"
    sets[side][20:30] = sets[side][0]
    found = corrected_interval(*sets, *prompts)
    assert "another prompt (5 times)" in (found.reason or "")
    assert found.low is not None
    assert found.code is ReasonCode.OTHER


@pytest.mark.parametrize("prompts", [[""] * 20, [f"p{n // 2}" for n in range(20)]])
@pytest.mark.parametrize("judge", [corrected_interval, kernel_interval])
def test_clips_that_are_in_both_sets_are_not_compared_with_themselves(judge: Any, prompts: list[str]) -> None:
    spread, middle = [], []
    for seed in range(12):
        x, y = normal(2 * seed, 20, 30), normal(2 * seed + 1, 20, 30)
        order = np.random.default_rng(seed).permutation(20)
        spread.append(judge(x, y, [""] * 20, [""] * 20).value)
        middle.append(judge(x, np.concatenate([x[:10], y[10:]])[order], prompts, [""] * 20).value)
        same = judge(x, x[order], prompts, [""] * 20)
        assert (same.value, same.low, same.code) == (0.0, None, ReasonCode.SHARED_CLIPS)
        assert same.reason == "both sets are the same 20 clips"
    assert abs(np.mean(middle)) < np.std(spread), "a clip and itself would pull it many times as far below 0"


@pytest.mark.parametrize("shape", [(8, 3), (16, 400), (40, 64), (300, 12)])
def test_a_corrected_distance_is_a_number_for_any_clips_and_values(shape: tuple[int, int]) -> None:
    found = corrected_interval(normal(0, *shape), normal(1, shape[0] + 5, shape[1]))
    assert np.isfinite(found.value)
    assert (found.low is None) == (shape[0] < 16)
    if found.low is None:
        assert "clips of 8 prompts: an interval needs 16" in (found.reason or "")


def test_fewer_than_eight_prompts_are_refused() -> None:
    with pytest.raises(ValueError, match="clips of 7 prompts: a corrected distance needs 8"):
        corrected_interval(normal(0, 14, 5), normal(1, 14, 5), [f"p{n // 2}" for n in range(14)], [""] * 14)


def test_features_without_a_finite_fourth_power_are_refused() -> None:
    with pytest.raises(ValueError, match="overflow"):
        corrected_interval(1e150 * normal(0, 24, 5), 1e150 * normal(1, 24, 5))
    assert np.isfinite(corrected_interval(1e-150 * normal(0, 24, 5), 1e-150 * normal(1, 24, 5)).value)


def test_sets_of_which_nearly_all_clips_are_one_have_a_distance() -> None:
    x, y = normal(0, 24, 30), normal(1, 24, 30)
    for same in (2, 22, 23):
        found = corrected_interval(np.concatenate([np.repeat(x[:1], same, 0), x[same:]]), y)
        assert np.isfinite([found.value, found.low, found.high]).all()
        assert found.value > 0 or same == 2


def test_a_corrected_distance_scales_with_its_features_and_ignores_what_both_share() -> None:
    x, y = normal(0, 24, 40), normal(1, 24, 40)
    found = corrected_interval(x, y)
    moved = corrected_interval(x + 512, y + 512)  # rounding gives other random halves
    assert abs(moved.value - found.value) < ((found.high or 0) - (found.low or 0)) / 4
    assert corrected_interval(4096 * x, 4096 * y).value == pytest.approx(4096**2 * found.value, rel=1e-6)
    assert corrected_interval(x[::-1], y[::-1]).value == pytest.approx(found.value, rel=1e-9)


def test_sets_that_do_not_vary_have_a_corrected_distance() -> None:
    still = np.ones((20, 30))
    same = corrected_interval(still, still)
    assert (same.value, same.low, same.high, same.code) == (0, None, None, ReasonCode.SHARED_CLIPS)
    assert same.reason == "every clip of both sides has the same features"
    x = normal(0, 20, 30)
    expected = np.square(x.mean(0) - 1).sum() + x.var(0, ddof=1).sum() * (1 - 1 / 20)
    assert corrected_interval(still, x).value == pytest.approx(expected, rel=1e-9)


def test_repeated_clips_and_prompts_of_many_clips_do_not_break_the_correction() -> None:
    y, prompts = normal(1, 24, 30), [f"p{n}" for n in range(24)]
    for x, names in (
        (np.repeat(normal(0, 8, 30), 3, 0), [""] * 24),
        (np.concatenate([np.repeat(normal(0, 1, 30), 10, 0), normal(2, 20, 30)]), [""] * 30),
        (normal(3, 60, 30), [*(["p0"] * 37), *prompts[1:]]),
    ):
        found = corrected_interval(x, y, names, prompts)
        assert np.isfinite([found.value, found.low, found.high]).all()


def test_what_other_distances_subtract_adds_up_to_the_estimate() -> None:
    found = corrected_interval(normal(0, 32, 20), normal(1, 32, 20))
    assert found.parts is not None
    assert found.parts.value == found.value
    assert len(found.parts.groups) == len(found.parts.by_group) == 64
    assert found.parts.rest > 0
    error = (32 * np.var(found.parts.by_group[:32], ddof=1) + 32 * np.var(found.parts.by_group[32:], ddof=1)) ** 0.5
    assert 1.5 * error < ((found.high or 0) - (found.low or 0)) / 2 < 4 * error


def test_the_distance_of_equal_sets_of_shared_prompts_is_around_zero_with_the_error_that_it_has() -> None:
    found_all = []
    for run in range(24):
        rng = np.random.default_rng(run)
        centres = rng.normal(size=(24, 16)) * np.arange(1, 17) ** -0.5
        x, y = (np.repeat(centres, 2, 0) + 0.3 * rng.normal(size=(48, 16)) for _ in range(2))
        prompts = [f"p{i // 2}" for i in range(48)]
        found_all.append(corrected_interval(x, y, prompts, prompts))
    values = np.array([found.value for found in found_all])
    assert abs(values.mean()) < 3.5 * values.std() / 24**0.5
    assert np.mean([(found.low or 0) <= 0 <= (found.high or 0) for found in found_all]) >= 0.85
    assert np.mean([(found.high or 0) - (found.low or 0) for found in found_all]) < 8 * values.std()
