"""Intervals of distances between sets. Prompts are left out, never single clips: clips of a prompt are alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from vbench_lite.analysis.paired_distance import REAL
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
    number = {name: place for place, name in enumerate(group_names(generated, reference))}
    sides = (_named(generated, "\ngenerated"), _named(reference, REAL))
    return tuple(np.array([number[name] for name in side], np.int64) for side in sides)  # type: ignore[return-value]


def group_names(generated: Sequence[str], reference: Sequence[str]) -> list[str]:
    """What `label` numbers, in its order: prompts, or single clips."""
    return list(dict.fromkeys([*_named(generated, "\ngenerated"), *_named(reference, REAL)]))


def _named(prompts: Sequence[str], side: str) -> list[str]:
    return [prompt or f"{side}{place}" for place, prompt in enumerate(prompts)]


def shared(labels: tuple[Labels, Labels]) -> bool:
    """Whether some group has clips on both sides."""
    return bool(np.intersect1d(*labels).size)


def jackknife_variance(left_out: NDArray[np.float64]) -> float:
    return float((len(left_out) - 1) / len(left_out) * np.square(left_out - left_out.mean()).sum())


def t_quantile(freedom: int, confidence: float) -> float:
    return float(special.stdtrit(max(freedom, 1), 0.5 + confidence / 2))


def t_interval(value: float, variance: float, freedom: int, confidence: float = 0.95) -> Interval:
    half = t_quantile(freedom, confidence) * variance**0.5
    return Interval(value, value - half, value + half)
