"""Distances between sets as metrics: streams, merged states, and reasons in place of values."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vbench_lite.metrics.fvd import Fvd
from vbench_lite.metrics.fvd_corrected import FvdCorrected
from vbench_lite.metrics.kvd import Kvd


def normal(seed, clips, values):
    return np.random.default_rng(seed).normal(size=(clips, values)) * np.arange(1, values + 1) ** -0.5


def test_features_without_a_finite_square_leave_the_metric_unscored_with_the_reason():
    judge = Fvd()
    judge.update(generated=normal(0, 5, 8) * 1e200, reference=normal(1, 6, 8) * 1e200)
    found = judge.estimate([""] * 5, [""] * 6)
    assert found.value is None
    assert "beyond floating point" in found.reason


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
