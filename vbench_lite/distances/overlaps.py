"""The overlap tr (S1 S2)^(1/2) of two covariances, estimated from few clips with a correction of the bias.

Let s_1..s_r be the singular values of X Y^T / n, for centred features X and Y with n degrees of freedom on each side.
Their sum is the overlap of the sample covariances, which is too small. Where h(t) = sum (s t)^2 / (1 + (s t)^2) reaches
u, the spectrum of the samples and the true spectrum differ by the factor 1 - u/n (the S-transforms of the two Wishart
factors). So the true overlap is

    overlap = 2/pi * integral over t > 0 of w(h(t)) / t^2,    w(u) = -n log(1 - u/n),

if n exceeds the number of dimensions D. Otherwise this is the part of the true overlap in its first n ranks.
In closed form it is 2 n sum (s_k - sqrt(e_k)), where e_k are the eigenvalues of diag(s^2) - s s^T / n.

Sources: Voiculescu, "Multiplication of certain non-commuting random variables" (1987); Tiomoko and Couillet, "Random
matrix-improved estimation of the Wasserstein distance between two centered Gaussian distributions" (EUSIPCO 2019),
for n > D.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vbench_lite.distances.intervals import Features, Labels, shared

SPLITS = 16
"""Number of random splits into halves that are averaged. The error includes the remaining variance of the splits."""
LARGEST_HALF = 256
"""Highest number of clips of a half that are used, which limits the cost."""
NODES = 48
"""Number of nodes of the integral over log t. Its error is below 1e-6 of the value."""
RANGE = (1e-3, 1e3, 1e9)
"""Factors of the range of t: from factor 1 / largest singular value to factor 2 / smallest singular value, or to
factor 3 / largest if that is less. Outside of the range the integrand has a limiting form with a known integral."""


PAIRS = ((0, 0, 1), (1, 2, 3), (2, 0, 3), (2, 1, 2))
"""Pairs of halves: (0 for x with x, 1 for y with y, 2 for x with y; indices of two halves in x first, x second, y
first, y second)."""


class Overlaps(NamedTuple):
    """Overlaps of random halves. The axis of size 3 is: x with x, y with y, x with y."""

    values: Features
    """(splits, 3)."""
    by_clip: Features
    """(splits, 3, clips of x and y): contribution of each clip to a value (leave-one-out)."""


def half_overlaps(x: Features, y: Features, labels: tuple[Labels, Labels]) -> Overlaps:
    """Overlaps of random halves that share no group of clips.

    Args:
        x, y: Features of the two sides, (clips, values), on one scale.
        labels: Groups of the clips of each side, from `intervals.label`.
    """
    pooled = np.concatenate([x, y])
    content = hashlib.sha256(pooled.tobytes()).digest()
    rng = np.random.default_rng(list(content[:8]))  # a fixed seed would always favour clips at the same places
    halves = [_halves(labels, rng) for _ in range(SPLITS)]
    size = min(LARGEST_HALF, *(len(half) for split in halves for half in split))
    rows = np.array([[half[:size] for half in split] for split in halves])
    parts = pooled[rows]
    parts -= parts.mean(2, keepdims=True)
    own = np.concatenate(labels)[rows]
    degrees = size - (own[..., None] == own[..., None, :]).sum((2, 3)) / size  # fewer if a group has several clips
    values, by_clip = np.zeros((SPLITS, 3)), np.zeros((SPLITS, 3, len(pooled)))
    splits = np.arange(SPLITS)[:, None]
    for kind, one, two in PAIRS:
        share = 0.5 if kind == 2 else 1.0
        scale = share / (degrees[:, one] * degrees[:, two]) ** 0.5
        found, *raised = recovered_overlap(parts[:, one], parts[:, two])
        values[:, kind] += scale * found
        for half, rise in zip((one, two), raised, strict=True):
            by_clip[splits, kind, rows[:, half]] += scale[:, None] * rise
    return Overlaps(values, by_clip)


def recovered_overlap(x: Features, y: Features) -> tuple[Features, Features, Features]:
    """The corrected overlap, times the degrees of freedom (clips - 1).

    Args:
        x, y: Centred features with equal numbers of clips, (any, clips, values).

    Returns:
        The values, (any,); and the contributions of each clip of x and of each clip of y to the value, (any, clips)
        each, by leaving out the clip.
    """
    size, width = x.shape[-2:]
    left, values, right = _decomposed(x, y)
    rank = min(size - 1, width)
    values = values[..., :rank]
    largest, smallest = max(float(values.max()), 1e-300), float(values[..., -1].min())
    t = np.geomspace(RANGE[0] / largest, min(RANGE[1] / max(smallest, 1e-300), RANGE[2] / largest), NODES)
    share = np.square(values[..., None] * t)
    share /= 1 + share
    ranks, freedom = share.sum(-2), size - 1.0
    whole = _integral(_window(ranks, freedom, freedom), t)
    raised = []
    for vectors in (left, right):
        weights = np.square(vectors[..., :rank]) * (size / freedom)  # leaving out a clip also changes the mean
        seen, moved = weights @ share, weights @ (share * (1 - share))
        without = ranks[..., None, :] - moved / np.maximum(1 - seen, 1e-12)
        less = _integral(_window(without, freedom - 1, freedom), t) * (freedom / (freedom - 1)) ** 0.5
        raised.append(whole[..., None] - less)
    return whole, raised[0], raised[1]


def _decomposed(x: Features, y: Features) -> tuple[Features, Features, Features]:
    """Singular vectors (in columns) and values of x y^T. With fewer values than clips, QR first reduces x and y."""
    if x.shape[-2] <= x.shape[-1]:
        left, values, right = np.linalg.svd(x @ y.swapaxes(-1, -2))
        return left, values, right.swapaxes(-1, -2)
    (x_base, x), (y_base, y) = np.linalg.qr(x), np.linalg.qr(y)
    left, values, right = np.linalg.svd(x @ y.swapaxes(-1, -2))
    return x_base @ left, values, y_base @ right.swapaxes(-1, -2)


def _window(ranks: Features, n: float, m: float) -> Features:
    """Integral of 1 / sqrt((1 - u/n) (1 - u/m)) over u from 0 to `ranks`; for n = m it is -n log(1 - u/n)."""
    ends = ((end - np.minimum(ranks, end * (1 - 1e-12))) ** 0.5 for end in (n, m))
    found: Features = 2 * (n * m) ** 0.5 * np.log((n**0.5 + m**0.5) / sum(ends))
    return found


def _integral(heights: Features, t: Features) -> Features:
    """2/pi times the integral of heights / t^2. Heights grow as t^2 before the first t and are constant after the
    last."""
    over, step = heights / t, np.log(t[1] / t[0])
    ends = 1 / np.tanh(step / 2) / 2 - 0.5  # the nodes outside of both ends, as a geometric series
    found: Features = 2 / np.pi * step * (over.sum(-1) + ends * (over[..., 0] + over[..., -1]))
    return found


def _halves(labels: tuple[Labels, Labels], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Indices of the clips of two halves of x and two halves of y. If the sides share groups, their halves do too.

    The first clips of all groups come first, so that a shortened half loses clips of its largest groups.
    """
    chosen = [_half_of_groups(labels, rng)] * 2 if shared(labels) else [_half_of_groups([side], rng) for side in labels]
    found, start = [], 0
    for side, groups in zip(labels, chosen, strict=True):
        inside = np.isin(side, groups)
        order = rng.permutation(len(side))
        order = order[np.argsort(_occurrence(side[order]), kind="stable")]
        found += [order[inside[order] == wanted] + start for wanted in (True, False)]
        start += len(side)
    return found


def _occurrence(labels: Labels) -> Labels:
    """How many times each label occurs before its place."""
    order = np.argsort(labels, kind="stable")
    _, first, clips = np.unique(labels[order], return_index=True, return_counts=True)
    found = np.empty_like(labels)
    found[order] = np.arange(len(labels)) - np.repeat(first, clips)
    return found


def _half_of_groups(sides: Sequence[Labels], rng: np.random.Generator) -> Labels:
    """Choose one group of each pair of groups of similar size, so that both halves have similar numbers of clips."""
    groups = np.unique(np.concatenate(sides))
    clips = [np.bincount(np.searchsorted(groups, side), minlength=len(groups)) for side in sides]
    order = np.lexsort([rng.random(len(groups)), *clips])[: len(groups) // 2 * 2].reshape(-1, 2)
    chosen: Labels = groups[order[np.arange(len(order)), rng.integers(2, size=len(order))]]
    return chosen
