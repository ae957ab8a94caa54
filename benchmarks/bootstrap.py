"""Bootstrap samples of the plain Fréchet distance, for showing what a bootstrap does and does not do.

A percentile interval of these never holds the true distance at the numbers of clips that anyone can afford.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vbench_lite.distances.frechet import Features, checked


def resampled_distances(generated: Features, reference: Features, times: int, seed: int = 0) -> NDArray[np.float64]:
    """The plain distance of bootstrap samples of the clips of both sides, from one matrix of inner products."""
    x, y = checked(generated, reference)
    pooled = np.concatenate([x, y]) - x.mean(0)
    products = pooled @ pooled.T
    rng = np.random.default_rng(seed)
    return np.array([
        _weighted_distance(products, rng.multinomial(len(x), np.full(len(x), 1 / len(x))),
                           rng.multinomial(len(y), np.full(len(y), 1 / len(y)))) for _ in range(times)
    ])  # fmt: skip


def _weighted_distance(products: Features, x_times: NDArray[np.int64], y_times: NDArray[np.int64]) -> float:
    """The distance where each clip counts so many times; clips that were not drawn cost nothing."""
    n, m = x_times.sum(), y_times.sum()
    times = np.concatenate([x_times, y_times])
    drawn = np.flatnonzero(times)
    split = int((x_times > 0).sum())
    block, weight = products[np.ix_(drawn, drawn)], times[drawn].astype(float)
    p, q = weight[:split] / n, weight[split:] / m
    xx, yy, xy = block[:split, :split], block[split:, split:], block[:split, split:]
    mean_x, mean_y = p @ xx @ p, q @ yy @ q
    traces = (p @ np.diag(xx) - mean_x) * n / (n - 1) + (q @ np.diag(yy) - mean_y) * m / (m - 1)
    by_x, by_y = xy @ q, p @ xy
    centred = (xy - by_x[:, None] - by_y + p @ by_x) * np.sqrt(np.outer(p * n / (n - 1), q * m / (m - 1)))
    overlap = np.linalg.svd(centred, compute_uv=False).sum()
    return max(float(mean_x + mean_y - 2 * p @ by_x + traces - 2 * overlap), 0.0)
