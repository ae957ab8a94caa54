"""The overlap tr (S1 S2)^(1/2) of two covariances from few clips, without what few clips miss.

Let n degrees of freedom a side show singular values s_1..s_r of the two sets' centred features, X Y^T / n. Their sum is
the overlap of the sample covariances, which is too small. Where h(t) = sum (s t)^2 / (1 + (s t)^2) reaches u, the
samples' spectrum and the true one differ by the factor 1 - u/n (the S-transforms of the two Wishart factors), so that

    overlap = 2/pi * integral over t > 0 of w(h(t)) / t^2,    w(u) = -n log(1 - u/n),

shows all of the true overlap where n exceeds the number of directions D, and the part of its first n ranks elsewhere.
In closed form it is 2 n sum (s_k - sqrt(e_k)), with e_k the eigenvalues of diag(s^2) - s s^T / n.

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
"""Random splits into halves that are averaged; the variance that is left for want of more is in the error."""
LARGEST_HALF = 256
"""Clips of a half that are used: bounds the cost."""
NODES = 48
"""Of the integral over log t: its error falls exponentially, and is below 1e-6 of the value."""
RANGE = (1e-3, 1e3, 1e9)
"""t runs from the first over the largest singular value to the second over the smallest, or the third over the largest:
beyond these ends the integrand has its limiting form, whose integral is known."""


PAIRS = ((0, 0, 1), (1, 2, 3), (2, 0, 3), (2, 1, 2))
"""x with x, y with y, and twice x with y: places of two halves among x's first and second and y's first and second."""


class Overlaps(NamedTuple):
    """Of random halves: (splits, 3), x with x, y with y (of disjoint halves), x with y."""

    values: Features
    by_clip: Features
    """(splits, 3, clips of x and y): by how much each clip raises a value (leave-one-out)."""


def half_overlaps(x: Features, y: Features, labels: tuple[Labels, Labels]) -> Overlaps:
    """Overlaps of halves that share no group of clips: x with x, y with y, and x with y.

    Args:
        x, y: (clips, values), on one scale.
        labels: The group of each clip, as `intervals.label` gives them.
    """
    pooled = np.concatenate([x, y])
    content = hashlib.sha256(pooled.tobytes()).digest()
    rng = np.random.default_rng(list(content[:8]))  # one fixed choice of places would favour the same clips always
    halves = [_halves(labels, rng) for _ in range(SPLITS)]
    size = min(LARGEST_HALF, *(len(half) for split in halves for half in split))
    rows = np.array([[half[:size] for half in split] for split in halves])
    parts = pooled[rows]
    parts -= parts.mean(2, keepdims=True)
    own = np.concatenate(labels)[rows]
    degrees = size - (own[..., None] == own[..., None, :]).sum((2, 3)) / size  # of clips, less those of one group
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
    """What `size - 1` degrees of freedom a side show of an overlap, times them.

    Args:
        x, y: (any, clips, values), centred, of as many clips.

    Returns:
        (any,): the values. Twice (any, clips): by how much each clip of x, and of y, raises it, from the
        decomposition without that clip.
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
        weights = np.square(vectors[..., :rank]) * (size / freedom)  # leaving a clip out moves the centre too
        seen, moved = weights @ share, weights @ (share * (1 - share))
        without = ranks[..., None, :] - moved / np.maximum(1 - seen, 1e-12)
        less = _integral(_window(without.clip(0), freedom - 1, freedom), t) * (freedom / (freedom - 1)) ** 0.5
        raised.append(whole[..., None] - less)
    return whole, raised[0], raised[1]


def _decomposed(x: Features, y: Features) -> tuple[Features, Features, Features]:
    """Singular vectors and values of x y^T, columns first, by way of the smaller of clips and values."""
    if x.shape[-2] <= x.shape[-1]:
        left, values, right = np.linalg.svd(x @ y.swapaxes(-1, -2))
        return left, values, right.swapaxes(-1, -2)
    (x_base, x), (y_base, y) = np.linalg.qr(x), np.linalg.qr(y)
    left, values, right = np.linalg.svd(x @ y.swapaxes(-1, -2))
    return x_base @ left, values, y_base @ right.swapaxes(-1, -2)


def _window(ranks: Features, n: float, m: float) -> Features:
    """Integral of 1 / sqrt((1 - u/n) (1 - u/m)) from 0 to these ranks; -n log(1 - u/n) where n is m."""
    ends = ((end - np.minimum(ranks, end * (1 - 1e-12))) ** 0.5 for end in (n, m))
    found: Features = 2 * (n * m) ** 0.5 * np.log((n**0.5 + m**0.5) / sum(ends))
    return found


def _integral(heights: Features, t: Features) -> Features:
    """2/pi times the integral of heights / t^2, which grow as t^2 before the first t and stay after the last."""
    over, step = heights / t, np.log(t[1] / t[0])
    ends = 1 / np.tanh(step / 2) / 2 - 0.5  # nodes beyond both ends, summed as geometric series
    found: Features = 2 / np.pi * step * (over.sum(-1) + ends * (over[..., 0] + over[..., -1]))
    return found


def _halves(labels: tuple[Labels, Labels], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Places of the clips of two halves of x and of y: of the same groups, where the sides share any.

    The first clip of each group comes first, so that a half that is cut loses clips of its largest groups.
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
    """How often each label was there before."""
    order = np.argsort(labels, kind="stable")
    _, first, clips = np.unique(labels[order], return_index=True, return_counts=True)
    found = np.empty_like(labels)
    found[order] = np.arange(len(labels)) - np.repeat(first, clips)
    return found


def _half_of_groups(sides: Sequence[Labels], rng: np.random.Generator) -> Labels:
    """One of every two groups with about as many clips of each side, so that halves hold about as many."""
    groups = np.unique(np.concatenate(sides))
    clips = [np.bincount(np.searchsorted(groups, side), minlength=len(groups)) for side in sides]
    order = np.lexsort([rng.random(len(groups)), *clips])[: len(groups) // 2 * 2].reshape(-1, 2)
    chosen: Labels = groups[order[np.arange(len(order)), rng.integers(2, size=len(order))]]
    return chosen
