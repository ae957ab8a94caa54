"""Overlaps of few clips: the closed form, known limits, leave-one-out, and halves that share no prompt."""

from __future__ import annotations

import numpy as np
import pytest

from vbench_lite.distances.intervals import label
from vbench_lite.distances.overlaps import half_overlaps, recovered_overlap


def clips(seed: int, number: int, values: int = 30, power: float = 0.5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(number, values)) * np.arange(1, values + 1.0) ** -power


def centred(side: np.ndarray) -> np.ndarray:
    return side - side.mean(-2, keepdims=True)


def closed_form(x: np.ndarray, y: np.ndarray) -> float:
    """2 n sum (s - sqrt(e)), e the eigenvalues of diag(s^2) - s s^T / n, times n."""
    n = len(x) - 1
    s = np.linalg.svd(x @ y.T, compute_uv=False)[: min(n, x.shape[1])]
    e = np.linalg.eigvalsh(np.diag(s**2) - np.outer(s, s) / n)
    return float(2 * n * (s.sum() - np.sqrt(e.clip(0)).sum()))


@pytest.mark.parametrize("shape", [(12, 5), (12, 30), (40, 64), (90, 20)])
@pytest.mark.parametrize("power", [0.0, 1.5])
def test_the_recovered_overlap_equals_its_closed_form(shape: tuple[int, int], power: float) -> None:
    x, y = (centred(clips(seed, *shape, power)) for seed in (0, 1))
    assert recovered_overlap(x, y)[0] == pytest.approx(closed_form(x, y), rel=2e-5)


@pytest.mark.parametrize("shape", [(14, 5), (14, 40)])
def test_what_a_clip_adds_is_found_without_decomposing_again(shape: tuple[int, int]) -> None:
    x, y = clips(0, *shape), centred(clips(1, *shape))
    n = shape[0] - 1
    whole, by_x, by_y = recovered_overlap(centred(x), y)

    def without(place: int) -> float:
        """As `closed_form`, for n - 1 and n degrees of freedom: the window is integrated numerically."""
        s = np.linalg.svd(centred(np.delete(x, place, 0)) @ y.T, compute_uv=False)[: min(n - 1, shape[1])]
        t = np.geomspace(1e-4 / s[0], 1e5 / s[-1], 4000)
        ranks = ((s[:, None] * t) ** 2 / (1 + (s[:, None] * t) ** 2)).sum(0)
        a, b = (n - 1.0) ** 0.5, n**0.5
        window = 2 * a * b * np.log((a + b) / ((n - 1 - ranks) ** 0.5 + (n - ranks) ** 0.5))
        return float(2 / np.pi * np.trapezoid(window / t**2, t) * (n / (n - 1)) ** 0.5)

    assert float(whole) - by_x == pytest.approx([without(place) for place in range(n + 1)], rel=2e-3)
    assert recovered_overlap(y, centred(x))[2] == pytest.approx(by_x, rel=1e-6), "the sides are treated alike"
    assert by_y.shape == (n + 1,)


@pytest.mark.parametrize("turned", [False, True])
def test_more_clips_than_directions_show_the_whole_overlap_where_samples_show_less(turned: bool) -> None:
    spectrum = np.arange(1, 25.0) ** -0.5
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(24, 24)))[0] if turned else np.eye(24)
    truth = np.linalg.svd(spectrum[:, None] * (spectrum[:, None] * turn).T, compute_uv=False).sum()
    found, sampled = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x, y = (centred(rng.normal(size=(96, 24)) * spectrum @ side) / 95**0.5 for side in (np.eye(24), turn))
        found.append(float(recovered_overlap(x, y)[0]))
        sampled.append(np.linalg.svd(x @ y.T, compute_uv=False).sum())
    assert np.mean(found) == pytest.approx(truth, rel=0.015)
    assert np.mean(sampled) < 0.965 * truth


def test_halves_share_no_group_and_use_nearly_every_clip() -> None:
    sizes = [1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 5, 5]
    x, y = clips(0, 30), clips(1, 30)
    prompts = [f"p{place}" for place in np.repeat(np.arange(12), sizes)]
    labels = label(prompts, prompts)
    levels = np.repeat(100.0 * np.random.default_rng(2).normal(size=(12, 30)), sizes, 0)
    found = half_overlaps(x + levels, y + levels, labels)
    assert ((found.by_clip != 0).sum(2)[:, :2].min()) >= 24
    same, apart = found.values[:, 0].mean(), half_overlaps(x + levels, y + levels, label([""] * 30, [""] * 30)).values
    assert same < 0.8 * apart[:, 0].mean(), "clips of one prompt in two halves would overlap more"


def test_sides_that_share_some_prompts_and_a_prompt_of_many_clips_have_halves() -> None:
    x, y = clips(0, 28), clips(1, 9)
    names = [*(["a"] * 20), *"bcdefghi"], [*"hijklmnop"]
    found = half_overlaps(x, y, label(*names))
    assert np.isfinite(found.values).all()
    assert (found.values > 0).all()


def test_splits_do_not_depend_on_anything_but_the_features() -> None:
    x, y = clips(0, 20), clips(1, 20)
    labels = label([""] * 20, [""] * 20)
    assert (half_overlaps(x, y, labels).values == half_overlaps(x, y, labels).values).all()
    assert half_overlaps(3 * x, 3 * y, labels).values.mean() == pytest.approx(
        9 * half_overlaps(x, y, labels).values.mean(), rel=0.1
    )
