"""Overlaps of parts, and what spectra say about what they fall short by."""

from __future__ import annotations

import numpy as np
import pytest

from vbench_lite.distances.intervals import label
from vbench_lite.distances.overlaps import PairOfSets
from vbench_lite.distances.spectrum import Spectrum, alignment, prior_level


def clips(seed: int, number: int, values: int = 30) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(number, values)) * np.arange(1, values + 1) ** -0.5


def pair(x: np.ndarray, y: np.ndarray) -> PairOfSets:
    return PairOfSets(x, y, label([""] * len(x), [""] * len(y)))


def overlap(x: np.ndarray, y: np.ndarray) -> float:
    a, b = ((v - v.mean(0)) / (len(v) - 1) ** 0.5 for v in (x, y))
    return float(np.linalg.svd(a @ b.T, compute_uv=False).sum())


def test_mean_overlaps_are_those_of_random_halves() -> None:
    x, y = clips(0, 20), clips(1, 20)
    found = pair(x, y).overlaps(0.5)
    rng = np.random.default_rng(3)
    halves = [(rng.permutation(20), rng.permutation(20)) for _ in range(300)]
    expected = [np.mean([overlap(x[p[:10]], x[p[10:]]) for p, _ in halves]),
                np.mean([overlap(y[q[:10]], y[q[10:]]) for _, q in halves]),
                np.mean([overlap(x[p[:10]], y[q[:10]]) for p, q in halves])]  # fmt: skip
    assert found.clips == 10
    assert found.values == pytest.approx(expected, rel=0.01)


def test_derivatives_by_the_weights_of_clips_add_up_to_half_the_overlap_a_side() -> None:
    """An overlap grows by the root of a factor of either covariance."""
    found = pair(clips(0, 16), clips(1, 16)).overlaps(0.5)
    whole = found.by_clip.mean(0)
    assert whole[2, :16].sum() == pytest.approx(whole[2, 16:].sum(), rel=0.2)
    assert whole.sum(1) == pytest.approx(found.values, rel=0.05)
    assert not whole[0, 16:].any()
    assert not whole[1, :16].any()


def test_clips_of_a_prompt_are_never_in_both_parts_of_a_pair() -> None:
    prompts = [f"p{n // 2}" for n in range(24)]
    sides = PairOfSets(clips(0, 24), clips(1, 24), label(prompts, prompts))
    for pairs, _ in zip(sides._splits(0.5), range(20), strict=False):
        for one, two in pairs:
            assert not {prompts[n % 24] for n in one} & {prompts[n % 24] for n in two}


def test_parts_of_one_size_are_compared_where_sides_differ_in_number() -> None:
    found = pair(clips(0, 60), clips(1, 18)).overlaps(0.5)
    assert found.clips == 9


@pytest.mark.parametrize("power", [0.5, 1.0, 1.5])
def test_what_normal_clips_fall_short_by_is_what_the_spectrum_says(power: float) -> None:
    """b of halves and of quarters, simulated, and their ratio fitted: the aligned integral returns b."""
    values, rng = 200, np.random.default_rng(0)
    root = np.arange(1, values + 1) ** (-power / 2)
    short = {}
    for number in (20, 40):
        draws = [overlap(rng.normal(size=(number, values)) * root, rng.normal(size=(number, values)) * root)
                 for _ in range(20)]  # fmt: skip
        short[number] = np.square(root).sum() - np.mean(draws)
    flat = alignment(0.0, 0.0, 39, values)
    found = Spectrum(39, 19, values).short((short[40], short[20]), (short[40], short[20]), flat)
    assert found.large == pytest.approx(short[40], rel=1e-6)
    assert found.small == pytest.approx(short[20], rel=0.02)
    assert found.aligned == found.large


def test_free_directions_are_told_from_aligned_ones() -> None:
    """Turned at random, the overlap is lower, and the log ratio says so; its line ends with a mean of nothing."""
    values, rng = 120, np.random.default_rng(1)
    root = np.arange(1, values + 1) ** -0.5
    turn = np.linalg.qr(rng.normal(size=(values, values)))[0]
    x, y = (rng.normal(size=(48, values)) * root for _ in range(2))
    assert abs(pair(x, y).overlaps(0.5).log_ratio) < 0.1
    assert pair(x, y @ turn).overlaps(0.5).log_ratio < -0.2
    line = alignment(-0.4, prior_level(-0.4, 23, values), 23, values)
    ranks = np.linspace(23, values, 20_000)
    above = (line.level + line.slope * np.log(ranks / line.rank)).mean() * (values - 23)
    assert above == pytest.approx(23 * 0.4, rel=1e-3)
