"""Clips of one batch share one measured time: the intervals of time and money count batches, not prompts."""

import numpy as np
import pytest
from scipy import special

from vbench_lite.analysis.cost import economics
from vbench_lite.analysis.cost.batches import MIN_BATCHES, inflate_to_batch_variance, measurement_ids, together
from vbench_lite.analysis.paired import pair, scored_pairs
from vbench_lite.analysis.quantities import COSTS, RATIOS
from vbench_lite.run.clips import ClipGrid

TIME = next(q for q in COSTS if q.name == "device_s_per_clip")
DEARNESS = next(q for q in RATIOS if q.name == "usd_per_usable_clip")


def grid(wall_s: np.ndarray, usable: np.ndarray | None = None, cost: np.ndarray | None = None) -> ClipGrid:
    prompts = tuple(f"p{n}" for n in range(len(wall_s)))
    good = np.ones(wall_s.shape, bool) if usable is None else usable
    cells = {
        "status": np.full(wall_s.shape, "ok"), "wall_s": wall_s, "device_s": wall_s, "usable": good.astype(float),
        "cost_usd": 0.001 * wall_s if cost is None else cost,
    }  # fmt: skip
    return ClipGrid("g", prompts, ("",) * len(prompts), cells)


def batched(seconds: np.ndarray, prompts: int = 40, clips: int = 2) -> np.ndarray:
    """Each of these times for as many clips, in the order in which a run makes them."""
    return np.repeat(seconds, prompts * clips // len(seconds)).reshape(prompts, clips)


def test_prompts_that_share_a_measurement_are_one() -> None:
    walls = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 3.0], [4.0, 5.0], [np.nan, np.nan]])
    prompts = np.repeat(np.arange(5), 2)
    assert together(prompts, measurement_ids(walls, walls)).tolist() == [0, 0, 0, 1, 2]
    assert together(prompts, np.full(10, -1)).tolist() == [0, 1, 2, 3, 4]


def test_energy_of_one_window_is_one_measurement_though_its_batches_differ() -> None:
    walls = np.array([[0.3], [0.5], [0.4], [0.9]])
    joules = np.array([[30.0], [50.0], [48.0], [90.0]])  # 100, 100, 120 and 100 watts
    assert together(np.arange(4), measurement_ids(joules, walls, power=True)).tolist() == [0, 0, 1, 0]


def test_a_price_a_clip_is_no_measurement() -> None:
    walls = batched(np.array([1.0, 2.0, 3.0, 4.0]))
    assert set(measurement_ids(np.full(walls.shape, 0.5), walls)) == {-1}
    one_batch = np.full((6, 1), 0.3)  # but a whole run in one batch is one
    assert together(np.arange(6), measurement_ids(one_batch, one_batch)).tolist() == [0] * 6


def test_the_spread_over_prompts_becomes_that_over_batches() -> None:
    seconds = np.array([0.54, 0.28, 0.26, 0.29])
    by_prompt, groups = np.repeat(seconds, 10), np.repeat(np.arange(4), 10)
    wide = inflate_to_batch_variance(by_prompt, groups)
    assert wide.mean() == pytest.approx(seconds.mean())
    assert wide.std(ddof=1) / 40**0.5 == pytest.approx(seconds.std(ddof=1) / 4**0.5)


def test_a_run_in_four_batches_has_the_interval_of_four_numbers() -> None:
    seconds = np.array([0.54, 0.28, 0.26, 0.29])
    values = batched(seconds).ravel().tolist()
    prompts = [f"p{n // 2}" for n in range(80)]
    found = economics.measured_mean(values, prompts, values, "")
    half = special.stdtrit(3, 0.975) * seconds.std(ddof=1) / 2
    assert found.value == pytest.approx(seconds.mean())
    assert found.high == pytest.approx(seconds.mean() + half)
    naive = economics.mean(values, prompts, "")
    assert found.high - found.low > 3 * (naive.high - naive.low)


def test_too_few_batches_give_no_interval_and_say_so() -> None:
    walls = batched(np.array([1.0, 1.1]))
    prompts = [f"p{n // 2}" for n in range(80)]
    found = economics.measured_mean(walls.ravel().tolist(), prompts, walls.ravel().tolist(), "")
    assert (found.low, found.high, found.reason) == (None, None, "2 measured batches give no interval")
    pairs = scored_pairs(TIME, grid(walls), grid(2 * walls))
    assert pairs.too_few == "batches"
    assert pairs.batches == 2 < MIN_BATCHES


def test_clips_made_alone_are_paired_by_prompt_as_ever() -> None:
    walls = np.random.default_rng(0).uniform(1, 2, (12, 2))
    pairs = pair(TIME, grid(walls), grid(walls + 0.1))
    assert pairs.batches is None
    assert pairs.freedom is None
    assert pairs.gains == pytest.approx([-0.1] * 12)


@pytest.mark.parametrize("batches", [4, 8])
def test_intervals_cover_what_they_claim(batches: int) -> None:
    """400 runs whose batches take 10 % more or less; clips usable by chance and by prompt."""
    rng, inside = np.random.default_rng(batches), {"time": 0, "dear": 0, "naive": 0}
    difficulty = special.expit(0.8 + rng.normal(size=100_000))
    truth = np.log(2.0)
    for _ in range(400):
        runs = []
        for slow in (1.0, 2.0):
            chance = rng.choice(difficulty, 40)[:, None]
            walls = batched(slow * rng.normal(1, 0.1, batches))
            runs.append(grid(walls, rng.random((40, 2)) < chance))
        for name, quantity, value in (("time", TIME, 1.0), ("dear", DEARNESS, truth)):
            pairs = pair(quantity, *runs)
            half = special.stdtrit(pairs.freedom, 0.975) * pairs.gains.std(ddof=1) / 40**0.5
            inside[name] += abs(-pairs.gains.mean() - value) <= half
        plain = (runs[1].values("device_s") - runs[0].values("device_s")).mean(1)
        inside["naive"] += abs(plain.mean() - 1.0) <= 2.02 * plain.std(ddof=1) / 40**0.5
    assert inside["time"] / 400 > 0.92
    assert inside["dear"] / 400 > 0.92
    assert inside["naive"] / 400 < 0.75
