"""The mean's part of a Fréchet distance."""

from __future__ import annotations

import numpy as np
import pytest

from vbench_lite.distances.intervals import label
from vbench_lite.distances.mean_term import mean_term


def sides(seed: int, clips: int = 24, shift: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(clips, 10)), rng.normal(size=(clips, 10)) + shift


def test_it_is_unbiased_where_the_plain_one_is_not() -> None:
    alone = label([""] * 24, [""] * 24)
    found = [mean_term(*sides(seed), alone).value for seed in range(400)]
    assert np.mean(found) == pytest.approx(10 * 0.3**2, abs=0.1)
    plain = [np.square(x.mean(0) - y.mean(0)).sum() for x, y in map(sides, range(400))]
    assert np.mean(plain) > 1.5


def test_its_variance_is_what_it_spreads_by() -> None:
    alone = label([""] * 24, [""] * 24)
    terms = [mean_term(*sides(seed), alone) for seed in range(400)]
    estimated = np.mean([term.chance.variance() - term.chance.pairs_variance() for term in terms])
    assert estimated == pytest.approx(np.var([term.value for term in terms]), rel=0.2)


def test_what_shared_prompts_do_to_both_sides_cancels() -> None:
    prompts = [f"p{place // 2}" for place in range(24)]
    rng = np.random.default_rng(0)
    centres = 5 * np.repeat(rng.normal(size=(12, 10)), 2, axis=0)
    x, y = (centres + 0.1 * rng.normal(size=centres.shape) for _ in range(2))
    together, apart = mean_term(x, y, label(prompts, prompts)), mean_term(x, y, label([""] * 24, [""] * 24))
    assert together.chance.variance() < 1e-3 * apart.chance.variance()
    assert together.value == pytest.approx(0, abs=1e-2)
