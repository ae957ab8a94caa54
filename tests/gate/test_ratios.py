"""Limits of ratios are judged as the ratio of the summary, with its interval, and never as the figure of one clip."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import special

from tests.gate.deciding import gate
from tests.gate.releases import Scores
from vbench_lite.run.view import open_run

CLIP_USD = 0.5 * 0.1 / 3600
"""What a clip of these releases costs in the middle."""


def unusable(fraction: float) -> Callable[[Scores, np.ndarray], None]:
    """The first clips of every so many prompts do not conform, so that this fraction of the clips is not usable."""

    def worsen(scores: Scores, categories: np.ndarray) -> None:
        grid = scores["conformance"]
        bad = np.random.default_rng(0).permutation(grid.size)[: round(fraction * grid.size)]
        grid[:] = 1.0
        grid.ravel()[bad] = 0.0

    return worsen


@pytest.mark.parametrize(
    ("metric", "limit", "outcome"),
    [
        ("usd_per_usable_clip", 1.5 * CLIP_USD, "fail"),  # every clip costs less than this, a usable one more
        ("usd_per_usable_clip", 2.0 * CLIP_USD, "undecided"),
        ("usd_per_usable_clip", 3.0 * CLIP_USD, "pass"),
        ("attempts_per_usable_clip", 1.5, "fail"),
        ("attempts_per_usable_clip", 3.0, "pass"),
    ],
)
def test_half_of_the_clips_being_usable_doubles_cost_and_attempts(
    tmp_path: Path, metric: str, limit: float, outcome: str
) -> None:
    rules = f"[[check]]\nmetric = '{metric}'\nrule = 'max'\nvalue = {limit!r}"
    verdict = gate(tmp_path, rules, weights="b", worsen=unusable(0.5))
    (check,) = verdict.checks
    assert check.outcome == outcome, "of the check itself: half of the clips being black stops the release anyway"
    expected = 2 * CLIP_USD if metric.startswith("usd") else 2.0
    assert check.evidence.candidate == pytest.approx(expected, rel=0.05)
    assert check.evidence.low is not None
    assert check.evidence.high is not None
    assert check.evidence.low < expected < check.evidence.high


def test_the_interval_at_a_limit_is_that_of_the_logarithm_over_prompts(tmp_path: Path) -> None:
    rules = "[[check]]\nmetric = 'attempts_per_usable_clip'\nrule = 'max'\nvalue = 3.0"
    (check,) = gate(tmp_path, rules, weights="b", worsen=unusable(0.5)).checks
    grid = open_run(tmp_path / "new").grids["model"]
    usable, tried = grid.values("usable").sum(1), grid.tried.sum(1)
    influence = np.log(tried.sum() / usable.sum()) + tried / tried.mean() - usable / usable.mean()
    half = special.stdtrit(len(usable) - 1, 0.96) * influence.std(ddof=1) / len(usable) ** 0.5
    ends = np.exp([influence.mean() - half, influence.mean() + half])
    assert (check.evidence.low, check.evidence.high) == (pytest.approx(ends[0]), pytest.approx(ends[1]))


@pytest.mark.parametrize("metric", ["usd_per_usable_clip", "attempts_per_usable_clip"])
def test_no_usable_clip_is_beyond_every_limit(tmp_path: Path, metric: str) -> None:
    rules = f"[[check]]\nmetric = '{metric}'\nrule = 'max'\nvalue = 1000000.0"
    (check,) = gate(tmp_path, rules, weights="b", worsen=unusable(1.0)).checks
    assert check.outcome == "fail"
