"""The record of planned looks: the order of the prompts, and the look at which a run stands."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from vbench_lite.gate.looks.boundaries import ONCE, Look
from vbench_lite.gate.looks.record import LookResult, PlannedLooks, look_of, random_order, read_looks, write_looks
from vbench_lite.records import Prompt
from vbench_lite.run.view import Run


def test_a_run_stands_at_the_look_that_its_prompts_reach(tmp_path: Path) -> None:
    def at(prompts: int) -> Look:
        plan = SimpleNamespace(prompts=range(prompts))
        return look_of(cast("Run", SimpleNamespace(path=tmp_path, manifest=SimpleNamespace(plan=plan))))

    assert at(3) == ONCE
    order = tuple(f"p{n}" for n in range(10))
    planned = PlannedLooks(baseline="b", baseline_digest="", policy="", order=order, fractions=(0.5, 0.8, 1.0))
    write_looks(tmp_path, planned)
    assert read_looks(tmp_path) == planned
    assert [at(n).number for n in (1, 5, 6, 8, 9, 10, 11)] == [1, 1, 2, 2, 3, 3, 3]
    assert at(5).fractions == (0.5, 0.8, 1.0)
    assert [len(planned.prompts(number)) for number in (1, 2, 3)] == [5, 8, 10]
    assert planned.prompts(1) == order[:5]


@pytest.mark.parametrize(
    ("outcomes", "decided"), [([], False), (["undecided"], False), (["pass"], True), (["undecided"] * 2, True)]
)
def test_looks_end_with_a_decision_or_with_the_last_one(outcomes: list[str], decided: bool) -> None:
    looks = tuple(LookResult(number=1, prompts=5, clips=10, outcome=each, headline="") for each in outcomes)
    planned = PlannedLooks(baseline="", baseline_digest="", policy="", order=(), fractions=(0.5, 1.0), looks=looks)
    assert planned.decided is decided


def test_the_random_order_spreads_categories_and_depends_on_the_seed() -> None:
    prompts = [Prompt(f"{category}{n}", "", category) for category in "ab" for n in range(10)]
    order = random_order(prompts, 1)
    assert (sorted(order), order == random_order(prompts, 1)) == (sorted(p.id for p in prompts), True)
    assert order != random_order(prompts, 2)
    for count in range(0, 21, 2):
        assert abs(sum(id_.startswith("a") for id_ in order[:count]) - count / 2) <= 1
