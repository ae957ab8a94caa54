"""What a kept clip costs with a person's look at every clip, against figures worked out by hand."""

import math

import numpy as np
import pytest

from tests.analysis.people.test_crossed import T2
from tests.analysis.people.voting import look
from vbench_lite.analysis.people.cost import with_review
from vbench_lite.analysis.people.tables import usable_table
from vbench_lite.records import Estimate, ReasonCode

ROWS = [
    {"prompt_id": prompt, "status": status, "cost_usd": usd}
    for prompt, status, usd in (
        ("p0", "ok", "0.1"), ("p1", "ok", "0.2"), ("p2", "ok", "0.3"), ("p0", "failed", ""), ("p1", "missing", ""),
    )
]  # fmt: skip


def cost(
    keep: tuple[int, ...] = (1, 1, 0), times: tuple[float | None, ...] = (10, None, 30), rate: float | None = 36.0,
    rows: list[dict[str, str]] = ROWS,
) -> Estimate:  # fmt: skip
    votes = [look(f"p{n}", bool(kept), seconds=times[n]) for n, kept in enumerate(keep)]
    table = usable_table([*votes, look("p9", True, generator="b", seconds=500)])
    return with_review(table, table.of_generator("r", "a"), rows, rate)


def test_generation_and_looks_are_shared_by_the_clips_that_are_kept() -> None:
    found = cost()
    # A failed clip of unknown cost counts as the dearest, 0.3: a mean of 0.225. Three of four were made and are looked
    # at for 20 s at $0.01 a second: 0.15. Two of three are kept.
    assert found.value == pytest.approx((0.225 + 0.15) / (0.75 * 2 / 3))
    influence = np.array([-0.2 - 0.5, -0.5, 0.2 + 1])  # of the logarithm; an unknown time is the mean of the others
    of_costs = np.var([0.2, 0.2, 0.3], ddof=1) / 3 / 0.375**2
    half = T2 * ((influence**2).sum() / 9 * 3 / 2 + of_costs) ** 0.5
    assert (found.low, found.high) == (pytest.approx(0.75 * math.exp(-half)), pytest.approx(0.75 * math.exp(half)))
    assert found.n == 3


def test_two_prompts_have_a_cost_without_an_interval() -> None:
    found = cost((1, 0))
    assert (found.value, found.low, found.n) == (pytest.approx((0.225 + 0.075) / (0.75 / 2)), None, 2)
    assert found.reason_code is ReasonCode.TOO_FEW


def test_one_prompt_of_known_costs_adds_no_variance_of_them() -> None:
    found = cost(rows=ROWS[:1])
    assert found.value == pytest.approx((0.1 + 0.2) / (2 / 3))
    assert found.low is not None
    assert found.low > 0


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        ({"rate": None}, ReasonCode.NO_PRICE, "no hourly rate"),
        ({"rows": ROWS[3:]}, ReasonCode.NO_PRICE, "no clip's cost is known"),
        ({"times": (None, None, None)}, ReasonCode.NOT_MEASURED, "no review time is known"),
        ({"keep": (0, 0, 0)}, ReasonCode.NONE_USABLE, "people keep no clip"),
    ],
)
def test_a_cost_that_cannot_be_told_says_why(given: dict, code: ReasonCode, says: str) -> None:
    found = cost(**given)
    assert (found.value, found.reason_code) == (None, code)
    assert says in (found.reason or "")
