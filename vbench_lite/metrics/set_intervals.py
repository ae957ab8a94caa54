"""Intervals of distances between sets. Prompts are left out, never single clips: clips of a prompt are alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from vbench_lite.analysis.stats import Interval

Features = NDArray[np.float64]
Labels = NDArray[np.int64]


def checked(generated: Features, reference: Features) -> tuple[Features, Features]:
    """Both sides as float64.

    Raises:
        ValueError: They are not two sets of finite features of one width, two clips or more each.
    """
    x, y = np.asarray(generated, np.float64), np.asarray(reference, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"features of shape {x.shape} and {y.shape}: expected (clips, values) of one width")
    if min(len(x), len(y)) < 2:
        raise ValueError(f"{len(x)} generated and {len(y)} real clips: a distance needs at least two of each")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("features hold values that are not finite")
    return x, y


def label(generated: Sequence[str], reference: Sequence[str]) -> tuple[Labels, Labels]:
    """A number for each clip's group of clips that are not independent.

    Clips of one prompt share a group, on both sides; clips without a prompt are groups of their own.
    """
    names: dict[str, int] = {}

    def number(prompt: str, side: str, place: int) -> int:
        return names.setdefault(prompt or f"\\n{side}{place}", len(names))

    return (
        np.array([number(p, "generated", i) for i, p in enumerate(generated)]),
        np.array([number(p, "reference", i) for i, p in enumerate(reference)]),
    )


def jackknife(
    distance: Callable[[Features, Features], float], x: Features, y: Features, labels: tuple[Labels, Labels],
    confidence: float = 0.95,
) -> Interval:
    """Value and t interval by leaving out one group of clips at a time."""
    value = distance(x, y)
    groups = np.unique(np.concatenate(labels))
    left_out = np.array([distance(x[labels[0] != g], y[labels[1] != g]) for g in groups])
    return t_interval(value, jackknife_variance(left_out), len(groups) - 1, confidence)


def jackknife_variance(left_out: NDArray[np.float64]) -> float:
    return float((len(left_out) - 1) / len(left_out) * np.square(left_out - left_out.mean()).sum())


def t_interval(value: float, variance: float, freedom: int, confidence: float = 0.95) -> Interval:
    half = float(distributions.t.ppf(0.5 + confidence / 2, max(freedom, 1))) * variance**0.5
    return Interval(value, value - half, value + half)
