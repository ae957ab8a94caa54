"""Whether a rater prefers a side, against figures worked out by hand and by enumeration."""

from itertools import product

import numpy as np
import pytest

from tests.analysis.people.voting import choice
from vbench_lite.analysis.people.raters import rater_summaries
from vbench_lite.analysis.people.sides import SIDE_LEVEL, left_share, preferred_sides, side_test
from vbench_lite.run.votes import Vote


def test_the_left_share_is_of_decided_votes() -> None:
    answers = ("left", "left", "left", "right", "same", "neither")
    found = left_share([choice(f"p{n}", "a", "b", answer) for n, answer in enumerate(answers)], "quality")
    assert (found.value, found.n) == (0.75, 4)
    assert left_share([choice("p0", "a", "b", "same")], "quality").reason == "no decided votes"


def test_the_side_test_counts_every_arrangement_that_agrees_as_often() -> None:
    left, lead = np.array([1, 1, 0, 1, 1, 1, 0]), np.array([1, 1, 1, -1, -1, 0, 0])
    agreeing = int((left[:5] == (lead[:5] > 0)).sum())
    alike = [
        sum(each) for each in product((0, 1), repeat=7) if (np.array(each[:5]) == (lead[:5] > 0)).sum() == agreeing
    ]
    above, below = (float(np.mean(test)) for test in (np.array(alike) >= left.sum(), np.array(alike) <= left.sum()))
    assert side_test(left, lead) == (pytest.approx(above), pytest.approx(below))


def test_large_strata_do_not_overflow() -> None:
    left, lead = np.tile([1, 1, 0], 2000), np.tile([1, -1, -1], 2000)
    above, below = side_test(left, lead)
    assert (above < 1e-9, below) == (True, pytest.approx(1))


def session(rater: str, share: float, rng: np.random.Generator, clear: int = 20, close: int = 80) -> list[Vote]:
    """A rater who always prefers the better clip, and takes the left one of close pairs with a probability."""
    votes = []
    for nth in range(clear + close):
        sides = ("a", "b") if rng.random() < 0.5 else ("b", "a")
        on_left = sides[0] == "a" if nth < clear else rng.random() < share
        votes.append(choice(f"p{nth:03d}", *sides, "left" if on_left else "right", rater=rater))
    return votes


@pytest.mark.parametrize(("share", "side"), [(0.8, "left"), (0.5, None), (0.2, "right")])
def test_a_rater_with_a_partial_bias_to_a_side_is_named_and_still_counts(share: float, side: str | None) -> None:
    rng = np.random.default_rng(3)
    votes = [v for name in ("ann", "bob", "cem", "dee") for v in session(name, share if name == "dee" else 0.5, rng)]
    raters = {rater.name: rater for rater in rater_summaries(votes, [])}
    assert {name: rater.prefers_side for name, rater in raters.items() if rater.prefers_side} == (
        {"dee": side} if side else {}
    )
    assert raters["dee"].left == pytest.approx(sum(v.answers["quality"] == "left" for v in votes[-100:]) / 100)
    assert not any(rater.careless for rater in raters.values())


def test_unbiased_raters_are_named_in_few_sessions_at_most() -> None:
    rng = np.random.default_rng(4)
    named = [
        bool(preferred_sides([v for name in ("ann", "bob", "cem") for v in session(name, 0.5, rng)], "quality"))
        for _ in range(100)
    ]
    assert np.mean(named) <= SIDE_LEVEL + 2.6 * (SIDE_LEVEL * (1 - SIDE_LEVEL) / 100) ** 0.5


def test_questions_that_were_not_asked_and_repeats_say_nothing_of_sides() -> None:
    votes = [choice(f"p{n}", "a", "b", "left") for n in range(8)]
    assert preferred_sides(votes, "prompt") == {}
    others = [choice(f"p{n}", "a", "b", "left", rater="bob") for n in range(8)]
    apart = preferred_sides([*votes, *others], "quality")
    again = [choice(f"p{n}", "a", "b", "right", rater="bob", repeat=True) for n in range(8) for _ in range(3)]
    assert apart == {}, "they agree, so the clips may be better"
    assert preferred_sides([*votes, *others, *again], "quality").get("ann") is None
    assert preferred_sides(votes, "quality") == {"ann": "left"}
