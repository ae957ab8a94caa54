"""Distances between sets: exact values, symmetry, other formulas, and what intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch

from vbench_lite.metrics.fvd import Fvd, FvdCorrected, Kvd, frechet_distance
from vbench_lite.metrics.fvd_corrected import corrected_interval, overlap
from vbench_lite.metrics.kernel import kernel_distance, kernel_interval


def normal(seed, clips, values, scale=1.0):
    spectrum = np.arange(1, values + 1) ** -0.5
    return np.random.default_rng(seed).normal(size=(clips, values)) * spectrum * scale


def by_matrix_root(x, y):
    """The definition as published, in float64, with an explicit matrix root."""
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(s1 @ s2)
    return np.square(x.mean(0) - y.mean(0)).sum() + np.trace(s1 + s2 - 2 * root.real)


def by_eigenvalues(x, y):
    """The same through the eigenvalues of S1 S2, which also serves singular covariances."""
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.sqrt(np.linalg.eigvals(s1 @ s2).astype(complex)).real.sum()
    return np.square(x.mean(0) - y.mean(0)).sum() + np.trace(s1) + np.trace(s2) - 2 * root


@pytest.mark.parametrize(("n", "m"), [(60, 60), (60, 25), (40, 500)])
def test_distance_equals_the_definition_where_covariances_are_full(n, m):
    x, y = normal(0, n, 12), normal(1, m, 12, 1.5) + 0.3
    assert frechet_distance(generated=x, reference=y) == pytest.approx(by_matrix_root(x, y), rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(8, 8), (5, 30), (30, 5)])
def test_distance_equals_the_definition_where_clips_are_fewer_than_values(n, m):
    x, y = normal(0, n, 20), normal(1, m, 20) + 0.2
    assert frechet_distance(generated=x, reference=y) == pytest.approx(by_eigenvalues(x, y), rel=1e-5)


def test_distance_of_scaled_copies_is_known_in_closed_form():
    x = normal(0, 30, 50)
    trace = np.trace(np.cov(x, rowvar=False))
    shift = np.full(50, 0.1)
    centre = x.mean(0)
    found = frechet_distance(generated=centre + 3 * (x - centre) + shift, reference=x)
    assert found == pytest.approx(4 * trace + shift @ shift, rel=1e-12)


@pytest.mark.parametrize("shape", [(2, 400), (64, 400), (200, 16)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_identical_sets_are_zero_apart_and_never_below(shape, scale):
    x = normal(0, *shape, scale)
    found = frechet_distance(generated=x, reference=x[::-1])
    assert 0 <= found < 1e-9 * max(1.0, scale**2)


def test_distance_is_symmetric_and_does_not_depend_on_the_order_of_clips():
    x, y = normal(0, 20, 30), normal(1, 27, 30) + 0.1
    value = frechet_distance(generated=x, reference=y)
    assert frechet_distance(generated=y, reference=x) == pytest.approx(value, rel=1e-12)
    assert frechet_distance(generated=x[::-1], reference=y[::-1]) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("judge", [frechet_distance, kernel_distance])
def test_bad_sets_are_refused(judge):
    x = normal(0, 4, 3)
    for bad in (x[:1], x[:, :2], np.full_like(x, np.nan), x[0]):
        with pytest.raises(ValueError, match=r"clips|shape|finite"):
            judge(generated=bad, reference=x)


def test_kernel_distance_equals_its_definition():
    x, y = normal(0, 6, 4), normal(1, 7, 4) + 0.5

    def k(a, b):
        return (a @ b / 4 + 1) ** 3

    xx = np.mean([k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    yy = np.mean([k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    xy = np.mean([k(a, b) for a in x for b in y])
    assert kernel_distance(generated=x, reference=y) == pytest.approx(xx + yy - 2 * xy, rel=1e-12)


def test_kernel_distance_is_unbiased_where_the_sets_are_alike():
    values = [kernel_distance(generated=normal(2 * s, 16, 8), reference=normal(2 * s + 1, 16, 8)) for s in range(400)]
    assert abs(np.mean(values)) < 3 * np.std(values) / 20


def test_kernel_interval_without_prompts_is_around_the_plain_distance():
    x, y = normal(0, 20, 8), normal(1, 20, 8) + 0.5
    found = kernel_interval(x, y, [""] * 20, [""] * 20)
    assert found.value == pytest.approx(kernel_distance(generated=x, reference=y), rel=1e-12)
    assert found.low < found.value < found.high


def test_leaving_out_a_prompt_by_blocks_equals_leaving_out_its_clips():
    x, y = normal(0, 8, 5), normal(1, 8, 5)
    prompts = ["a", "a", "b", "b", "c", "c", "d", "d"]
    from vbench_lite.metrics.kernel import _Blocks
    from vbench_lite.metrics.set_intervals import label

    by_blocks = _Blocks(x, y, *label(prompts, prompts)).left_out()
    kept = [p for p in prompts if p != "b"]
    rows = [i for i, p in enumerate(prompts) if p != "b"]
    assert by_blocks[1] == pytest.approx(kernel_interval(x[rows], y[rows], kept, kept).value, rel=1e-12)


def test_shared_prompts_do_not_push_the_kernel_distance_below_zero():
    rng = np.random.default_rng(0)
    centres = 4 * rng.normal(size=(40, 8))  # clips of a prompt are nearly equal, prompts are far apart
    x, y = (np.repeat(centres, 2, 0) + 0.1 * rng.normal(size=(80, 8)) for _ in range(2))
    prompts = [f"p{i // 2}" for i in range(80)]
    found = kernel_interval(x, y, prompts, prompts)
    assert kernel_distance(generated=x, reference=y) < 5 * found.low, "the plain one is far below 0"
    assert found.low < 0 < found.high


def test_the_derivative_of_an_overlap_is_right():
    x, y = normal(0, 9, 30), normal(1, 11, 30)
    found = overlap(x, y)
    a, b = ((v - v.mean(0)) / (len(v) - 1) ** 0.5 for v in (x, y))
    for clip in (0, 5):
        sides = []
        for weight in (1 + 1e-6, 1 - 1e-6):
            weighted = a.copy()
            weighted[clip] *= weight**0.5
            sides.append(np.linalg.svd(weighted @ b.T, compute_uv=False).sum())
        assert found.by_x[clip] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-5)


def simulate(true_scale, shift, clips, values, runs):
    """Values and coverage of the corrected distance for sets of known distance."""
    spectrum = np.arange(1, values + 1) ** -1.0
    truth = (true_scale**0.5 - 1) ** 2 * spectrum.sum() + values * shift**2
    found, plain = [], []
    for run in range(runs):
        rng = np.random.default_rng(run)
        x = rng.normal(size=(clips, values)) * spectrum**0.5
        y = rng.normal(size=(clips, values)) * (true_scale * spectrum) ** 0.5 + shift
        found.append(corrected_interval(x, y))
        plain.append(frechet_distance(generated=x, reference=y))
    held = np.mean([f.low <= truth <= f.high for f in found])
    return truth, np.mean([f.value for f in found]), held, np.mean(plain)


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_corrected_distance_is_near_the_truth_where_the_plain_one_is_far(scale):
    truth, mean, held, plain = simulate(scale, 0.05, clips=32, values=64, runs=25)
    assert plain > truth + 1
    assert mean == pytest.approx(truth, abs=0.2)
    assert held >= 0.85


def test_the_corrected_distance_of_alike_sets_of_shared_prompts_holds_zero():
    held = []
    for run in range(16):
        rng = np.random.default_rng(run)
        centres = rng.normal(size=(24, 16)) * np.arange(1, 17) ** -0.5
        x, y = (np.repeat(centres, 2, 0) + 0.3 * rng.normal(size=(48, 16)) for _ in range(2))
        prompts = [f"p{i // 2}" for i in range(48)]
        found = corrected_interval(x, y, prompts, prompts)
        held.append(found.low <= 0 <= found.high)
    assert np.mean(held) >= 0.85


def test_a_corrected_distance_of_too_few_prompts_is_unscored_with_the_reason():
    judge = FvdCorrected()
    judge.update(generated=normal(0, 7, 5), reference=normal(1, 7, 5))
    found = judge.estimate([""] * 7, [""] * 7)
    assert found.value is None
    assert "needs 8" in found.reason


@pytest.mark.parametrize("kind", [Fvd, Kvd, FvdCorrected])
def test_set_metrics_stream_and_merge(kind):
    x, y = normal(0, 24, 6), normal(1, 24, 6) + 0.3
    whole, parts = kind(), kind()
    whole.update(generated=x, reference=y)
    for place in range(0, 24, 8):
        parts.update(generated=torch.from_numpy(x[place : place + 8]))
        parts.update(reference=y[place : place + 8])
    merged = kind()
    merged.update(generated=x[:10], reference=y[:10])
    other = kind()
    other.update(generated=x[10:], reference=y[10:])
    merged.merge_state(other)
    assert parts.compute() == pytest.approx(whole.compute(), rel=1e-12)
    assert merged.compute() == pytest.approx(whole.compute(), rel=1e-12)
