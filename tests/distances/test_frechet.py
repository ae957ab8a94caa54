"""Distances between sets: exact values, symmetry, other formulas, and what intervals hold."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.linalg

from vbench_lite.distances.frechet import frechet_distance
from vbench_lite.distances.kernel import kernel_distance, kernel_interval


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
@pytest.mark.parametrize("scale", [1e-150, 1e-6, 1.0, 1e6, 1e150])
def test_identical_sets_are_exactly_zero_apart(shape, scale):
    x = normal(0, *shape, scale)
    assert frechet_distance(generated=x, reference=x[::-1]) == 0


def exactly(x, y):
    """The definition in 60 digits."""
    with mpmath.workdps(60):
        moments = []
        for side in (x, y):
            rows = mpmath.matrix(side.tolist())
            mean = mpmath.matrix([[mpmath.fsum(rows[:, j]) / rows.rows for j in range(rows.cols)]])
            centred = [[(rows[i, j] - mean[j]) / mpmath.sqrt(rows.rows - 1) for j in range(rows.cols)]
                       for i in range(rows.rows)]  # fmt: skip
            moments.append((mean, mpmath.matrix(centred)))
        (one, a), (two, b) = moments
        gram = (a * b.T) * (a * b.T).T
        overlap = mpmath.fsum(mpmath.sqrt(abs(v)) for v in mpmath.eigsy(gram, eigvals_only=True))
        squares = [mpmath.fsum(v**2 for v in m) for m in (one - two, a, b)]
        return float(mpmath.fsum(squares) - 2 * overlap)


X, Y = normal(0, 5, 8), normal(1, 6, 8)
HOSTILE = {
    "more values than clips": (X, Y),
    "more clips than values": (normal(2, 9, 3), normal(3, 7, 3)),
    "two clips a side": (X[:2], Y[:2]),
    "nearly the same": (X, X + 1e-5 * Y[:5]),
    "a copy a little larger": (X, X * (1 + 1e-5)),
    "far from the origin": (1e-3 * X + 1e8, 1e-3 * Y + 1e8),
    "far from each other": (X + 1e8, Y),
    "huge": (1e140 * X, 1e140 * Y),
    "tiny": (1e-140 * X, 1e-140 * Y),
    "twelve orders of magnitude": (X * 10.0 ** np.linspace(6, -6, 8), Y * 10.0 ** np.linspace(6, -6, 8)),
    "one side does not vary": (np.ones((4, 8)), Y),
    "each clip twice": (np.repeat(X, 2, 0), Y),
    "a feature that is constant": (X * (np.arange(8) > 0), Y * (np.arange(8) > 0)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_distance_is_exact_to_nine_digits_on_hostile_sets(name):
    x, y = HOSTILE[name]
    assert frechet_distance(generated=x, reference=y) == pytest.approx(exactly(x, y), rel=1e-9, abs=0)


def test_distances_of_sets_that_do_not_vary():
    assert frechet_distance(generated=np.ones((4, 3)), reference=np.ones((6, 3))) == 0
    assert frechet_distance(generated=np.ones((4, 3)), reference=np.zeros((2, 3))) == 3


def test_features_without_a_finite_square_are_refused():
    with pytest.raises(ValueError, match="overflow"):
        frechet_distance(generated=X * 1e200, reference=Y * 1e200)


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
    from vbench_lite.distances.intervals import label
    from vbench_lite.distances.kernel import _Blocks

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
