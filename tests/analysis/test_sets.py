"""Differences of set metrics, and the errors that they rest on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

from tests.gate.releases import write
from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.sets import BY_INTERVALS, SAME_FEATURES, MeanError, SetDifference, set_difference, set_error
from vbench_lite.distances.paired import DistanceInfluence
from vbench_lite.records import Estimate
from vbench_lite.run.view import Side, open_run


def test_p_values_of_a_figure_with_an_error_follow_t() -> None:
    error = MeanError(np.array([2.0, 0.0, 0.0, 0.0]), 5)
    found = error.test(np.array([3.0, 1.0, -1.0, 0.0]))
    p = float(special.stdtr(5, -1.5))
    assert found.above == pytest.approx([p, 0, 1, 1])
    assert found.below == pytest.approx([1 - p, 1, 0, 1])
    assert error.half_width(0.025) == pytest.approx(2.570581835636 * np.array([2.0, 0, 0, 0]))


def influence(value: float, by_group: list[float], groups: int) -> DistanceInfluence:
    return DistanceInfluence(value, tuple("pqrst"[:groups]), np.array(by_group), 0.5)


def test_the_error_of_a_difference_rests_on_influences_else_on_intervals() -> None:
    old, new = influence(3.0, [0.0, 1.0, 1.0], 3), influence(5.0, [1.0, 4.0, 1.0, 0.0], 4)
    found = SetDifference(3.0, 5.0, "how", (old, new), None)
    error = found.error()
    assert error is not None
    assert (found.difference, error.df) == (2, 2)
    assert float(error.error) == pytest.approx((4 * np.var([1.0, 3, 0, 0], ddof=1) + 1) ** 0.5)
    weighted = found.error(2.0)
    assert weighted is not None
    assert float(weighted.error) == pytest.approx((4 * np.var([1.0, 2, -1, 0], ddof=1) + 2.5) ** 0.5)
    alone = SetDifference(3.0, 5.0, "how", None, (0.3, 0.4)).error()
    assert alone is not None
    assert (float(alone.error), alone.df) == (pytest.approx(0.5), 10_000)
    heavy = SetDifference(3.0, 5.0, "how", None, (0.3, 0.4)).error(2.0)
    assert heavy is not None
    assert float(heavy.error) == pytest.approx(math.hypot(0.4, 0.6))
    assert SetDifference(3.0, 5.0, "", None, None).error() is None


def test_an_interval_stands_for_the_error_of_its_longer_side() -> None:
    assert set_error(Estimate(5.0, 4.0, 8.0)) == pytest.approx(3 / 1.959964)
    assert set_error(Estimate(5.0, 2.0, 6.0)) == pytest.approx(3 / 1.959964)
    assert [set_error(Estimate(*ends)) for ends in ((None, 1.0, 2.0), (1.0, None, 2.0), (1.0, 0.0, None))] == [None] * 3


def difference(tmp_path: Path, old: Any, new: Any, /, **notes: str) -> SetDifference | str:
    paths = [
        write(tmp_path / name, prompts=6, fvd=fvd, notes={"features": {"model": notes[name]} if name in notes else {}})
        for name, fvd in (("old", old), ("new", new))
    ]
    return set_difference("fvd", GeneratorPair(*(Side(open_run(path), "model") for path in paths)))


def test_equal_features_leave_nothing_to_chance(tmp_path: Path) -> None:
    value = (9.0, 8.0, 10.0)
    same = difference(tmp_path / "a", value, value, old="d", new="d")
    assert same == SetDifference(9.0, 9.0, SAME_FEATURES, None, (0.0, 0.0))
    for nth, how in enumerate(({"old": "d", "new": "e"}, {"new": "d"}, {})):
        error = 1 / 1.959964
        found = difference(tmp_path / str(nth), value, value, **how)
        assert isinstance(found, SetDifference)
        assert (found.how, found.errors) == (BY_INTERVALS, (pytest.approx(error), pytest.approx(error)))
    other = difference(tmp_path / "b", value, (7.0, 6.0, 10.0), old="d", new="d")
    assert isinstance(other, SetDifference)
    assert (other.how, other.difference) == (BY_INTERVALS, -2)
    assert other.errors == pytest.approx((1 / 1.959964, 3 / 1.959964))


def test_without_a_value_or_an_interval_there_is_a_reason_or_no_error(tmp_path: Path) -> None:
    value = (9.0, 8.0, 10.0)
    assert difference(tmp_path / "a", None, value) == "the baseline has none: no"
    assert difference(tmp_path / "b", value, None) == "the candidate has none: no"
    for nth, both in enumerate(((value, (7.0, None, None)), ((7.0, None, None), value))):
        found = difference(tmp_path / str(nth), *both)
        assert isinstance(found, SetDifference)
        assert (found.how, found.errors, found.error()) == ("", None, None)
