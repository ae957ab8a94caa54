"""Pairs of clips worked out by hand, and every reason why there are none."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vbench_lite.analysis.paired import NoPairs, Paired, by_measurement, few_batches, pair, scored_pairs, tail_parts
from vbench_lite.analysis.quantities import COSTS, RATIOS, SHARES, Quantity
from vbench_lite.run.clips import ClipGrid

UP = Quantity("up", "", True, "score", "up")
DOWN = Quantity("down", "", False, "score", "down")
TIME, MONEY = COSTS[0], RATIOS[0]
NAN = np.nan


def grid(values: list[list[float]], status: list[list[str]] | None = None, **cells: list[list[float]]) -> ClipGrid:
    shape = np.array(values).shape
    names = tuple(f"p{n}" for n in range(shape[0]))
    found = {name: np.array(values, float) for name in ("up", "down", "device_s", "cost_usd")} | {
        name: np.array(cell, float) for name, cell in cells.items()
    }
    states = np.full(shape, "ok", "U9") if status is None else np.array(status, "U9")
    return ClipGrid("g", names, ("",) * shape[0], {"status": states, **found})


OLD = grid([[1, 3], [2, NAN], [5, 7], [9, 9]], [["ok", "ok"], ["ok", "failed"], ["ok", "ok"], ["missing", "missing"]])
NEW = grid([[2, 3], [NAN, 4], [4, 9], [1, 1]], [["ok", "ok"], ["failed", "ok"], ["ok", "missing"], ["ok", "ok"]])


@pytest.mark.parametrize(("quantity", "sign", "worst"), [(UP, 1.0, 1.0), (DOWN, -1.0, 7.0)])
def test_a_clip_without_a_value_counts_as_the_worst_seen_and_one_never_tried_not_at_all(
    quantity: Quantity, sign: float, worst: float
) -> None:
    found = pair(quantity, OLD, NEW)
    assert isinstance(found, Paired)
    # five clips were tried in both: 1 3, 2 worst, 5 against 2 3, worst 4, 4
    old, new = [2.0, (2 + worst) / 2, 5.0], [2.5, (worst + 4) / 2, 4.0]
    if quantity is DOWN:  # the largest value that was tried in both is 5
        old[1], new[1], worst = 3.5, 4.5, 5.0
    assert found.kept.tolist() == [True, True, True, False]
    assert found.gains == pytest.approx(sign * (np.array(new) - old))
    assert (found.baseline, found.candidate) == (pytest.approx(np.mean(old)), pytest.approx(np.mean(new)))
    assert found.base == pytest.approx(old)
    assert (found.clips, found.filled) == (5, (1, 1))
    known = np.array([1.0, 3, 2, 5])
    assert found.spread == pytest.approx(known.std(ddof=1))
    assert found.gap == pytest.approx(abs(known.mean() - worst))
    within = [np.var([1.0, 0.0], ddof=1), np.var([worst - 2, 4 - worst], ddof=1)]
    assert found.within == pytest.approx(np.mean(within))
    assert (found.freedom, found.batches, found.too_few) == (None, None, "prompts")


def test_only_pairs_with_both_values_are_read() -> None:
    found = scored_pairs(DOWN, OLD, NEW)
    assert isinstance(found, Paired)
    assert found.kept.tolist() == [True, False, True, False]
    assert (found.gains.tolist(), found.base.tolist()) == ([-0.5, 1], [2, 5])
    assert (found.baseline, found.candidate, found.clips) == (3.5, 3.25, 3)
    assert (found.filled, found.gap, found.within) == ((1, 1), 0, None)
    assert found.spread == pytest.approx(np.std([1, 3, 5], ddof=1))
    single = scored_pairs(UP, grid([[1]]), grid([[4]]))
    assert isinstance(single, Paired)
    assert (single.spread, single.gains.tolist()) == (0, [3])
    assert scored_pairs(UP, grid([[NAN]]), grid([[4]])) == NoPairs('no clip has "up" in both')


def test_the_worst_tenth_of_forty_clips() -> None:
    values = np.arange(40.0).reshape(20, 2)
    found = pair(UP, grid(values.tolist()), grid((values + 1).tolist()), "worst-decile")
    assert isinstance(found, Paired)
    # the quantile is 3.9; 0 to 3 lie 3.9 to 0.9 below it
    assert found.baseline == pytest.approx(3.9 - (3.9 + 2.9 + 1.9 + 0.9) / 40 / 0.1)
    assert found.gains == pytest.approx(np.ones(20))
    assert found.freedom == 3
    assert tail_parts(values)[0, 0] == pytest.approx(3.9 - 39)
    few = pair(UP, grid(values[:19].tolist()), grid(values[:19].tolist()), "worst-decile")
    assert few == NoPairs("the worst tenth of 38 clips has too few clips for a test", unmeasured=True)


def test_a_ratio_is_paired_by_its_logarithm() -> None:
    usable = [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    old = grid([[1, 2], [3, 1], [2, 3]], usable=usable)
    new = grid([[2, 2], [4, 1], [2, 5]], usable=usable[::-1])
    found = pair(MONEY, old, new)
    assert isinstance(found, Paired)
    assert (found.baseline, found.candidate) == (pytest.approx(12 / 4), pytest.approx(16 / 4))
    spent = np.array([3, 4, 5]) / 4 - np.array([4, 5, 7]) / (16 / 3)
    assert found.gains == pytest.approx(np.log(3 / 4) + spent)  # what is got is alike
    assert (found.base.tolist(), found.spread, found.gap, found.clips) == ([1, 1, 1], 0, float("inf"), 6)
    assert scored_pairs(MONEY, old, new).gains == pytest.approx(found.gains)


GOOD = [[1.0, 1.0], [1.0, 0.0]]
ONES = [[1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("old", "new", "reason", "unmeasured"),
    [
        (grid(ONES), grid(ONES, usable=GOOD), "usability is not evaluated: there are no thresholds", True),
        (grid(ONES, usable=GOOD), grid(ONES), "usability is not evaluated: there are no thresholds", True),
        (grid(ONES, usable=GOOD), grid([[NAN] * 2] * 2, usable=GOOD),
         'the cost that "usd_per_usable_clip" needs was not measured for the candidate', False),
        (grid([[NAN] * 2] * 2, usable=GOOD), grid(ONES, usable=GOOD),
         'the cost that "usd_per_usable_clip" needs was not measured for the baseline', False),
        (grid(ONES, usable=GOOD), grid(ONES, usable=[[0, 0], [0, 0]]), "the candidate has no usable clip in 4", False),
        (grid([[0, 0], [0, 0]], usable=GOOD), grid(ONES, usable=GOOD), "the baseline cost nothing: there is no ratio",
         False),
        (grid(ONES, [["missing"] * 2] * 2), grid(ONES), "no prompt was attempted in both runs", False),
    ],
)  # fmt: skip
def test_why_there_is_no_ratio(old: ClipGrid, new: ClipGrid, reason: str, unmeasured: bool) -> None:
    assert pair(MONEY, old, new) == NoPairs(reason, unmeasured)


def test_what_was_not_measured_is_no_pair() -> None:
    nothing = grid([[NAN] * 2] * 2)
    assert pair(TIME, nothing, grid(ONES)) == NoPairs('the baseline has no "device_s_per_clip"', unmeasured=True)
    assert pair(TIME, grid(ONES), nothing) == NoPairs('"device_s_per_clip" was not measured for the candidate')
    scores = pair(UP, grid([[1, 2], [3, 5]]), nothing)
    assert isinstance(scores, Paired)
    assert (scores.filled, scores.candidate, scores.gains.tolist()) == ((0, 4), 1, [-0.5, -3])
    failed = pair(SHARES[1], OLD, NEW)
    assert isinstance(failed, Paired)
    assert failed.gains.tolist() == [0, 0, 0]
    lone = pair(UP, grid([[2]]), grid([[3]]))
    assert isinstance(lone, Paired)
    assert (lone.spread, lone.within) == (0, None)
    one_known = pair(UP, grid([[2, NAN]]), grid([[3, 4]]))
    assert isinstance(one_known, Paired)
    assert (one_known.spread, one_known.filled, one_known.gains.tolist()) == (0, (1, 0), [1.5])


def test_a_cost_of_batches_counts_them() -> None:
    walls = np.repeat([1.0, 2.0, 4.0, 3.0], 4).reshape(8, 2)
    runs = [grid((factor * walls).tolist(), wall_s=(factor * walls).tolist()) for factor in (1.0, 1.5)]
    found = pair(TIME, *runs)
    assert isinstance(found, Paired)
    assert (found.batches, found.freedom, found.too_few) == (4, 3, "")
    assert found.gains.mean() == pytest.approx(-1.25)
    assert found.gains.var(ddof=1) / 8 == pytest.approx(np.var([0.5, 1, 2, 1.5], ddof=1) / 4)
    assert by_measurement(walls.mean(1), UP, runs[0]).batches is None, "a score is measured clip by clip"
    three = by_measurement(walls[:6].mean(1), TIME, runs[0].only(np.arange(8) < 6))
    assert (three.batches, three.freedom, three.too_few) == (3, None, "batches")
    assert three.values.tolist() == [1, 1, 2, 2, 4, 4]
    assert few_batches(1).startswith("1 measured batch is too few")
    assert few_batches(3).startswith("3 measured batches are too few")
    assert dataclasses.replace(found, batches=3).too_few == "batches"
    enough = [by_measurement(np.ones(n), UP, runs[0]).too_few for n in (5, 6)]
    assert enough == ["prompts", ""]
