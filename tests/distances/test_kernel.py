"""The interval of the kernel distance."""

from __future__ import annotations

import numpy as np
import pytest

from vbench_lite.distances.kernel import kernel_interval


def clips(seed: list[int], number: int = 32, values: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(number, values)) * np.arange(1, values + 1) ** -0.5


@pytest.mark.parametrize("prompts", [[""] * 32, [f"p{n // 2}" for n in range(32)]])
def test_the_interval_is_as_wide_as_the_distance_spreads(prompts: list[str]) -> None:
    found = [kernel_interval(clips([1, n]), clips([2, n]), prompts, prompts) for n in range(200)]
    spread = np.std([f.value for f in found])
    half = np.mean([(f.high or 0) - (f.low or 0) for f in found]) / 2
    assert 1.7 * spread < half < 3.8 * spread
    assert np.mean([(f.low or 0) <= 0 <= (f.high or 0) for f in found]) > 0.9


@pytest.mark.parametrize("number", [2, 3])
def test_too_few_prompts_for_leave_one_out_have_a_distance_without_an_interval(number: int) -> None:
    found = kernel_interval(clips([1], number), clips([2], number), [""] * number, [""] * number)
    assert np.isfinite(found.value)
    assert (found.low, found.high) == (None, None)
    assert found.reason == f"clips of {number} prompts: an interval needs 4"


def test_clips_that_are_in_both_sets_leave_no_interval() -> None:
    found = kernel_interval(clips([1]), np.concatenate([clips([1])[:31], clips([2], 1)]), [""] * 32, [""] * 32)
    assert (found.low, found.high) == (None, None)
    assert found.reason == "31 clips are in both sets, so the sets are not independent samples"
