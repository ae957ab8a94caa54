"""The mean term |m1 - m2|^2 of a Fréchet distance, without the bias of small numbers of clips."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vbench_lite.distances.intervals import Features, InfluenceFunctions, Labels, resampling_strata


class MeanTerm(NamedTuple):
    value: float
    chance: InfluenceFunctions


def mean_term(x: Features, y: Features, labels: tuple[Labels, Labels]) -> MeanTerm:
    """An unbiased estimate of the mean term. It is quadratic in the weights of groups, so its influences are exact.

    Args:
        x, y: Features of the two sides, (clips, values).
        labels: Groups of the clips of each side, from `intervals.label`.
    """
    groups = int(max(side.max() for side in labels)) + 1
    parts = np.zeros((groups, x.shape[1]))
    centre = y.mean(0)
    np.add.at(parts, labels[0], (x - centre) / len(x))
    np.add.at(parts, labels[1], -(y - centre) / len(y))
    difference = parts.sum(0)
    value, influence, centred = float(difference @ difference), np.zeros(groups), np.zeros_like(parts)
    samples = resampling_strata(labels)
    for sample in samples:
        off = parts[sample] - parts[sample].mean(0)
        noise = np.square(off).sum(1) * len(sample) / (len(sample) - 1)
        value -= float(noise.sum())
        influence[sample] = 2 * off @ difference - noise
        centred[sample] = off
    pairs = 2 * centred @ centred.T
    np.fill_diagonal(pairs, 0)
    return MeanTerm(value, InfluenceFunctions(influence, pairs, samples))
