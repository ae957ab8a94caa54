"""Distributions whose distance is known, for benchmarks/interval_coverage.py: spectra, directions, chance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Case(NamedTuple):
    """Two distributions: roots of their covariances, or of their variances alone, and the shift of the mean."""

    name: str
    first: Array
    second: Array
    shift: Array
    unseen: bool = False
    """Whether the estimator was finished before it met this case."""


def power_law(values: int, power: float) -> Array:
    return _scaled(np.arange(1, values + 1) ** -power)


def _scaled(spectrum: Array) -> Array:
    """To a total variance of 10."""
    scaled: Array = 10 * spectrum / spectrum.sum()
    return scaled


def rotation(values: int, strength: float | None, rng: np.random.Generator) -> Array:
    """A random turn of all directions: complete, or slight (by a Cayley transform of this strength)."""
    if strength is None:
        return np.linalg.qr(rng.normal(size=(values, values)))[0]
    skew = rng.normal(size=(values, values))
    skew = skew - skew.T
    skew *= strength / np.linalg.norm(skew, 2)
    return np.linalg.solve(np.eye(values) + skew, np.eye(values) - skew)


def spiked(values: int, spikes: int, share: float) -> Array:
    """A few directions hold a share of the variance, and noise the rest."""
    spectrum = np.full(values, (1 - share) / values)
    spectrum[:spikes] += share / spikes
    return _scaled(spectrum)


def cases(values: int) -> Iterator[Case]:
    """Equal and unequal covariances of several spectra; the first of each pair has a total variance of 10."""
    rng = np.random.default_rng(123)
    steep, middle, flat = (power_law(values, p) ** 0.5 for p in (1.5, 1.0, 0.5))
    shift, none = np.full(values, 0.5 / values**0.5), np.zeros(values)
    some, more = np.exp(0.35 * rng.normal(size=values)), np.exp(0.5 * rng.normal(size=values))
    decaying = _scaled(np.exp(-8 * np.arange(values) / values)) ** 0.5
    yield Case("equal, 1/sqrt(i)", flat, flat, shift)
    yield Case("equal, 1/i", middle, middle, shift)
    yield Case("equal, i^-1.5", steep, steep, shift)
    yield Case("the same distribution, 1/i", middle, middle, none)
    yield Case("twice the variance, 1/i", middle, 2**0.5 * middle, shift)
    yield Case("1/sqrt(i) against i^-1.5", flat, steep, shift)
    yield Case("each variance off by a factor, e^(0.7 z)", middle, middle * some, shift)
    yield Case("each variance off by a factor, e^z", power_law(values, 0.75) ** 0.5,
               power_law(values, 0.75) ** 0.5 * more, shift)  # fmt: skip
    yield Case("slightly turned, 1/i", middle, np.diag(middle) @ rotation(values, 0.5, rng), shift)
    yield Case("turned at random, 1/i", middle, np.diag(middle) @ rotation(values, None, rng), shift)
    yield Case("20 directions and noise against a decay", spiked(values, 20, 0.9) ** 0.5, decaying, shift)
    yield Case("low rank (42 %), the same distribution", low_rank(values), low_rank(values), none)
    yield Case("every second direction nearly lost, 1/i", middle, middle * _alternating(values, 0.1), shift)
    yield from unseen_cases(values, shift, np.random.default_rng(2026))
    yield from invented_cases(values, shift, np.random.default_rng(1128))


def unseen_cases(values: int, shift: Array, rng: np.random.Generator) -> Iterator[Case]:
    """Families of earlier versions of this table that the present estimator was not developed on."""
    lognormal = _scaled(np.sort(np.exp(1.5 * rng.normal(size=values)))[::-1]) ** 0.5
    gentle, firm, soft = (power_law(values, power) ** 0.5 for power in (0.6, 1.2, 0.8))
    spikes, rank = spiked(values, 3, 0.5) ** 0.5, np.arange(1, values + 1)
    bent, plateaus = _scaled((rank + 5.0) ** -1.3) ** 0.5, _scaled(np.where(rank <= values // 8, 1.0, 0.05)) ** 0.5
    far = np.zeros(values)
    far[:4] = 0.75
    yield Case("equal, log-normal", lognormal, lognormal, shift, True)
    yield Case("three times the variance, i^-1.2", firm, 3**0.5 * firm, shift, True)
    yield Case("i^-0.6 against i^-1.2", gentle, firm, shift, True)
    yield Case("3 spikes, turned slightly", spikes, np.diag(spikes) @ rotation(values, 0.3, rng), shift, True)
    yield Case("log-normal, turned at random", lognormal, np.diag(lognormal) @ rotation(values, None, rng), shift, True)
    yield Case("equal, (i + 5)^-1.3, means far apart", bent, bent, far, True)
    yield Case("equal, two plateaus", plateaus, plateaus, shift, True)
    yield Case("the first 10 variances doubled, i^-0.8", soft, soft * np.where(rank <= 10, 2**0.5, 1.0), shift, True)
    yield Case("turned and 1.5 times the variance, i^-1.2", firm,
               1.5**0.5 * np.diag(firm) @ rotation(values, 0.8, rng), shift, True)  # fmt: skip
    yield Case("half the directions weaker, 1/i", power_law(values, 1.0) ** 0.5,
               power_law(values, 1.0) ** 0.5 * _alternating(values, 0.3), shift, True)  # fmt: skip


def invented_cases(values: int, shift: Array, rng: np.random.Generator) -> Iterator[Case]:
    """Families that were invented when the estimator was finished; nothing was changed after they were seen."""
    middle, steep = power_law(values, 1.0) ** 0.5, power_law(values, 2.2) ** 0.5
    tail = np.eye(values)
    tail[values // 8 :, values // 8 :] = rotation(values - values // 8, None, rng)
    swapped = middle.copy()
    swapped[:8] = swapped[:8][::-1]
    lost = middle * np.where(np.arange(values) < 3, 0.1, 1.0)
    mixed = np.linalg.qr(rng.normal(size=(2 * values, values)))[1] * middle
    yield Case("turned beyond the first eighth of directions, 1/i", middle, np.diag(middle) @ tail, shift, True)
    yield Case("the first 8 variances in reverse order, 1/i", middle, swapped, shift, True)
    yield Case("the 3 leading directions nearly lost, 1/i", middle, lost, shift, True)
    yield Case("equal, i^-2.2", steep, steep, shift, True)
    yield Case("1/i against a random Wishart of it", middle, mixed / np.linalg.norm(mixed) * 10**0.5, shift, True)
    yield Case("a tenth of the variance, 1/i", middle, 0.1**0.5 * middle, shift, True)


def low_rank(values: int) -> Array:
    root: Array = _scaled(np.where(np.arange(values) < int(0.42 * values), 15.0, 0.01)) ** 0.5
    return root


def _alternating(values: int, factor: float) -> Array:
    return np.where(np.arange(values) % 2, 1.0, factor)


def collapsed(x: Array, share: float, rng: np.random.Generator) -> Array:
    """A share of the clips, on average, is one and the same clip."""
    return np.where(rng.random(len(x))[:, None] < share, _one_clip(x.shape[1]), x)


def collapsed_truth(case: Case, share: float) -> float:
    clip = _one_clip(len(case.shift))
    first = root(case.first)
    covariance = (1 - share) * first.T @ first + share * (1 - share) * np.outer(clip, clip)
    shift = case.shift - share * clip
    return frechet_truth(case._replace(first=np.linalg.cholesky(covariance).T, shift=shift))


def _one_clip(values: int) -> Array:
    clip: Array = np.random.default_rng(3).normal(size=values) * power_law(values, 1.0) ** 0.5
    return clip


def root(side: Array) -> Array:
    return np.diag(side) if side.ndim == 1 else side


def spread(noise: Array, side: Array) -> Array:
    """Noise of unit covariance, given the covariance of a side."""
    found: Array = noise * side if side.ndim == 1 else noise @ side
    return found


def frechet_truth(case: Case) -> float:
    overlap = np.linalg.svd(root(case.first) @ root(case.second).T, compute_uv=False).sum()
    return float(case.shift @ case.shift + np.square(case.first).sum() + np.square(case.second).sum() - 2 * overlap)


def kernel_truth(case: Case) -> float:
    """E k over pairs of normal clips, from the first three moments of x.y / values in closed form."""
    values = len(case.shift)
    one, two = (root(side).T @ root(side) / values for side in (case.first, case.second))
    shift = case.shift * values**-0.5

    def expected(a: Array, b: Array, ma: Array, mb: Array) -> float:
        first = ma @ mb
        pairs = ma @ b @ ma + mb @ a @ mb + np.sum(a * b)
        third = first**3 + 3 * first * pairs + 6 * ma @ b @ a @ mb
        return float(third + 3 * (first**2 + pairs) + 3 * first + 1)

    none = np.zeros(values)
    return expected(one, one, none, none) + expected(two, two, shift, shift) - 2 * expected(one, two, none, shift)


def noise(kind: str, clips: int, values: int, rng: np.random.Generator) -> Array:
    """Of mean 0 and unit covariance.

    Args:
        kind: "normal"; "heavy": each clip's normal features times one factor, together t with 5 degrees of
            freedom; "skewed": exponential; "cut off": rectified normal; "clusters": ten kinds of clips that
            hold four fifths of the variance of nine directions.
    """
    normal = rng.normal(size=(clips, values))
    if kind == "heavy":
        return normal * np.sqrt(3 / rng.chisquare(5, size=(clips, 1)))
    if kind == "skewed":
        return rng.exponential(size=(clips, values)) - 1
    if kind == "cut off":
        return (np.maximum(normal, 0) - (2 * np.pi) ** -0.5) / (0.5 - 1 / (2 * np.pi)) ** 0.5
    if kind == "clusters":
        start = np.eye(10)
        start[:, 0] = 1
        centres = np.linalg.qr(start)[0][:, 1:] * 8**0.5
        normal[:, :9] = 0.2**0.5 * normal[:, :9] + centres[rng.integers(10, size=clips)]
    return normal
