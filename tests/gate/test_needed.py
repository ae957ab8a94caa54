"""How many prompts or clips would decide an undecided check."""

import dataclasses

import pytest

from vbench_lite.gate.needed import needed
from vbench_lite.gate.policy import choose_policy
from vbench_lite.gate.verdict import Evidence, Needed
from vbench_lite.stats import prompts_to_decide

LEVEL = 0.04
"""Of each side: 0.8 times 1 - confidence."""
POLICY = dataclasses.replace(choose_policy(None, None), confidence=0.95, min_prompts=10, rare_losses=0.1)
OPEN = Evidence(prompts=12, distance_to_limit=0.02, deviation=0.05, within=0.002)


@pytest.mark.parametrize(
    ("change", "each", "prompts"),
    [
        ({}, 2, prompts_to_decide(0.02, 0.05, LEVEL)),
        ({"distance_to_limit": -0.02}, 2, prompts_to_decide(0.02, 0.05, LEVEL)),
        ({"distance_to_limit": 0.5}, 2, 15),  # 29 clips meet a rare loss
        ({"distance_to_limit": 0.5}, 4, 13),  # one more than now
        ({"distance_to_limit": -0.5}, 2, 13),
        ({"distance_to_limit": -0.5, "prompts": 6}, 2, 10),
        ({"distance_to_limit": 0.0012}, 2, None),  # more than 10,000
        ({"distance_to_limit": 0.0}, 2, None),
    ],
)
def test_prompts_that_would_decide(change: dict[str, float], each: int, prompts: int | None) -> None:
    found = needed(dataclasses.replace(OPEN, **change), each, POLICY)
    assert found is not None
    assert found.prompts == prompts


def test_clips_that_would_decide_are_the_fewest_that_do() -> None:
    seen = dataclasses.replace(OPEN, distance_to_limit=0.04)
    found = needed(seen, 2, POLICY)
    assert found is not None
    assert found.clips_per_prompt is not None
    needs = [prompts_to_decide(0.04, (0.05**2 - 0.001 + 0.002 / k) ** 0.5, LEVEL) for k in range(3, 65)]
    assert found.clips_per_prompt == 3 + next(nth for nth, each in enumerate(needs) if each <= 12)
    assert needed(dataclasses.replace(seen, distance_to_limit=0.5, within=0.0), 1, POLICY) == Needed(29, 3)


def test_nothing_is_needed_where_more_would_not_help() -> None:
    for change in ({"holds": False}, {"why_none": "no"}, {"deviation": 0.0}):
        assert needed(dataclasses.replace(OPEN, **change), 2, POLICY) is None
    for change in ({"within": None}, {"prompts": 9}):
        found = needed(dataclasses.replace(OPEN, **change), 2, POLICY)
        assert found is not None
        assert found.clips_per_prompt is None
