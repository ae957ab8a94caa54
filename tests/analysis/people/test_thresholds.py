"""Thresholds that are fitted to votes, on data whose best threshold is known."""

import numpy as np
import pytest

from vbench_lite.analysis.people.thresholds import Labelled, fit_rule, fit_thresholds, passes, thresholds_toml
from vbench_lite.records import MetricInfo

LEVELS = np.arange(24.0)


def labelled(kept: np.ndarray, *columns: np.ndarray, prompts: int = 12) -> Labelled:
    names = tuple("abcd"[: len(columns)])
    ids = [f"p{n % prompts:02d}" for n in range(len(kept))]
    return Labelled(names, np.column_stack(columns), kept, ids)


def infos(up: bool) -> dict[str, MetricInfo]:
    return {name: MetricInfo(name, "", up, "1", None, "clip") for name in "abcd"}


def test_the_threshold_lies_between_the_best_rejected_and_the_worst_kept_clip() -> None:
    data = labelled(LEVELS >= 10, np.zeros(24), LEVELS)
    assert fit_rule(data) == {1: 9.5}
    found = fit_thresholds(data, infos(True))
    assert (found.clips, found.kept, found.plain_error, found.reason) == (24, 14, pytest.approx(10 / 24), "")
    assert (found.thresholds["b"].min, found.thresholds["b"].max) == (9.5, None)
    assert found.error.n == 24
    assert found.error.value is not None
    assert 0 <= found.error.low <= found.error.value <= found.error.high < 0.5
    turned = fit_thresholds(data, infos(False)).thresholds["b"]
    assert (turned.min, turned.max) == (None, -9.5)
    assert "b = { min = 9.5 }" in thresholds_toml(found)
    assert f"{found.error.value:.3f} [{found.error.low:.3f}, {found.error.high:.3f}]" in thresholds_toml(found)


def test_a_second_threshold_is_added_where_it_lowers_the_errors() -> None:
    other = np.tile([0.0, 1.0], 12)
    assert fit_rule(labelled((LEVELS >= 10) & (other == 1), LEVELS, other)) == {1: 0.5, 0: 9.5}


def test_a_clip_without_a_score_does_not_pass() -> None:
    values = np.array([[1.0, 1.0], [np.nan, 1.0], [1.0, 0.0], [0.5, 0.5]])
    assert passes({0: 0.5, 1: 0.5}, values).tolist() == [True, False, False, True]
    assert passes({}, values).all()


def test_scores_that_tell_nothing_get_no_threshold() -> None:
    found = fit_thresholds(labelled(LEVELS % 2 == 0, np.zeros(24)), infos(True))
    assert (found.thresholds, found.reason) == ({}, "no threshold of any metric separates kept from rejected clips")


@pytest.mark.parametrize(("clips", "prompts"), [(19, 12), (24, 5)])
def test_too_few_clips_or_prompts_get_no_threshold(clips: int, prompts: int) -> None:
    found = fit_thresholds(labelled(LEVELS[:clips] >= 10, LEVELS[:clips], prompts=prompts), infos(True))
    assert (found.thresholds, found.error.value, found.error.n) == ({}, None, clips)
    assert f"{clips} judged clips of {prompts} prompts are too few" in found.reason


def test_twenty_clips_of_six_prompts_are_enough() -> None:
    assert fit_thresholds(labelled(LEVELS[:20] >= 10, LEVELS[:20], prompts=6), infos(True)).thresholds["a"].min == 9.5
