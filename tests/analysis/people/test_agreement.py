"""How far a metric agrees with people, on votes counted by hand."""

from __future__ import annotations

import pytest

from tests.analysis.people.voting import choice, look
from vbench_lite.analysis.people.agreement import meets, metric_agreement
from vbench_lite.analysis.people.tables import pair_table, usable_table
from vbench_lite.records import MetricInfo, ReasonCode
from vbench_lite.run.people import FittedLimit

KEPT = (1, 1, 0, 1, 0)
VALUES = {("r", "a", f"p{n}", 0): value for n, value in enumerate((0.9, 0.4, 0.8, 0.7))}  # p4 has none
LOOKS = usable_table([look(f"p{n}", bool(kept)) for n, kept in enumerate(KEPT)])
UP, DOWN = (MetricInfo("m", "", up, "1", None, "clip") for up in (True, False))


def test_a_limit_holds_at_its_ends() -> None:
    both = FittedLimit(min=1.0, max=2.0)
    assert [meets(value, both) for value in (0.9, 1.0, 2.0, 2.1)] == [False, True, True, False]
    assert meets(-9.0, FittedLimit(max=2.0))
    assert meets(9.0, FittedLimit(min=2.0))


def test_precision_is_of_passing_clips_and_recall_of_kept_ones() -> None:
    found = metric_agreement(VALUES, UP, FittedLimit(min=0.5), None, LOOKS)
    # p0, p2 and p3 pass, of which two are kept; of the kept p0, p1 and p3 with a value two pass
    assert (found.precision.value, found.precision.n) == (pytest.approx(2 / 3), 3)
    assert (found.recall.value, found.recall.n) == (pytest.approx(2 / 3), 3)
    strict = metric_agreement(VALUES, UP, FittedLimit(min=0.85), None, LOOKS)
    assert (strict.precision.value, strict.recall.value) == (1, pytest.approx(1 / 3))
    below = metric_agreement(VALUES, DOWN, FittedLimit(max=0.5), None, LOOKS)
    assert (below.precision.value, below.precision.n, below.recall.value) == (1, 1, pytest.approx(1 / 3))


def test_what_cannot_be_measured_says_why() -> None:
    free = metric_agreement(VALUES, UP, None, None, LOOKS)
    assert [free.precision.reason_code, free.recall.reason_code] == [ReasonCode.NOT_EVALUATED] * 2
    none = metric_agreement(VALUES, UP, FittedLimit(min=2.0), pair_table([], "quality", "r"), LOOKS)
    assert (none.precision.reason, none.recall.value) == ("no such clip", 0)
    assert none.pair_accuracy.reason == "no votes on pairs"
    nothing = metric_agreement({}, UP, FittedLimit(min=0.5), None, usable_table([]))
    assert (nothing.precision.reason_code, nothing.recall.reason_code) == (ReasonCode.TOO_FEW,) * 2
    ties = pair_table([choice("p0", "a", "b", "same")], "quality", "r")
    tied = metric_agreement(VALUES, UP, None, ties, LOOKS)
    assert tied.pair_accuracy.reason == "no decided vote on clips with a value"


@pytest.mark.parametrize(("info", "right"), [(UP, 0.625), (DOWN, 0.375), (None, 0.625)])
def test_accuracy_is_of_decided_votes_and_equal_values_count_half(info: MetricInfo | None, right: float) -> None:
    values = {("r", "a", f"p{n}", 0): float(n) for n in range(6)} | {("r", "b", f"p{n}", 0): 2.0 for n in range(5)}
    answers = ("right", "right", "left", "right", "same", "left")  # a is better from p3, equal in p2; p5 has no b
    votes = [choice(f"p{n}", "a", "b", answer) for n, answer in enumerate(answers)]
    found = metric_agreement(values, info, None, pair_table(votes, "quality", "r"), LOOKS)
    # by "higher is better": p0 and p1 right, p2 half, p3 wrong
    assert (found.pair_accuracy.value, found.pair_accuracy.n) == (pytest.approx(right), 4)
