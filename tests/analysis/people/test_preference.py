"""The model of preferences: what it finds, how sure it is, and what to ask next."""

from collections import Counter

import numpy as np
import pytest

from tests.analysis.people.voting import choice
from vbench_lite.analysis.people.needed import next_pairs, votes_needed
from vbench_lite.analysis.people.preference import SEPARATED, Fit, difference_variance, fit, strength
from vbench_lite.analysis.people.tables import PairTable, pair_table
from vbench_lite.records import Estimate, ReasonCode
from vbench_lite.run.votes import Answer, Vote


def asked(counts: dict[tuple[str, str, Answer], int]) -> list[Vote]:
    """So many votes of each kind, as (left, right, answer), each on a prompt of its own."""
    kinds = list(Counter(counts).elements())
    return [choice(f"p{n:03d}", left, right, answer) for n, (left, right, answer) in enumerate(kinds)]


def table_of(votes: list[Vote]) -> PairTable:
    return pair_table(votes, "quality", "r")


BALANCED: dict[tuple[str, str, Answer], int] = {
    ("a", "b", "left"): 150, ("a", "b", "right"): 50, ("b", "a", "right"): 150, ("b", "a", "left"): 50,
}  # fmt: skip


def test_three_wins_to_one_are_log_odds_of_three() -> None:
    found = fit(table_of(asked(BALANCED)))
    assert found is not None
    assert found.strengths == pytest.approx([np.log(3) / 2, -np.log(3) / 2], abs=0.01)
    assert found.side == pytest.approx(0, abs=1e-6)
    assert found.chance(0, 1) == pytest.approx(0.75, abs=0.01)


def test_a_win_of_the_left_side_is_no_strength() -> None:
    votes = asked({("a", "b", "left"): 150, ("a", "b", "right"): 50, ("b", "a", "left"): 150, ("b", "a", "right"): 50})
    found = fit(table_of(votes))
    assert found is not None
    assert found.strengths == pytest.approx([0, 0], abs=1e-6)
    assert found.side == pytest.approx(np.log(3), abs=0.01)


def test_as_many_ties_as_decided_votes_are_a_tie_of_log_two() -> None:
    votes = asked({("a", "b", "left"): 100, ("a", "b", "right"): 100, ("a", "b", "same"): 200})
    found = fit(table_of(votes))
    assert found is not None
    assert found.tie == pytest.approx(np.log(2), abs=0.01)  # e^t / (e^t + 2) = 1/2


def test_influence_is_what_leaving_a_vote_out_changes() -> None:
    votes = asked({
        ("a", "b", "left"): 30, ("a", "b", "right"): 20, ("b", "c", "left"): 25, ("c", "b", "left"): 15,
        ("c", "a", "right"): 40, ("a", "c", "right"): 12, ("c", "a", "same"): 20, ("b", "a", "same"): 10,
    })  # fmt: skip
    found = fit(table_of(votes))
    assert found is not None
    assert found.influence[:, :3].sum(1) == pytest.approx(np.zeros(len(votes)), abs=1e-9)
    for nth in (0, 35, 60, 80, 100, 140, 150, 170):
        left_out = fit(table_of(votes[:nth] + votes[nth + 1 :]))
        assert left_out is not None
        change = np.append(found.strengths - left_out.strengths, found.side - left_out.side)
        assert found.influence[nth] / len(votes) == pytest.approx(change, rel=0.08, abs=4e-4)


def test_a_strength_has_the_interval_of_its_influence() -> None:
    table = table_of(asked(BALANCED))
    found = fit(table)
    assert found is not None
    ours, error = strength(found, table, 0), 0.5 / (400 * 0.75 * 0.25) ** 0.5  # half of the log odds' own error
    assert ours.value == found.strengths[0]
    assert ours.high - ours.low == pytest.approx(2 * 1.966 * error, rel=0.01)
    assert difference_variance(found, table, 0, 1) == pytest.approx(4 * error**2, rel=0.01)


def test_a_generator_that_won_every_vote_has_no_interval() -> None:
    table = table_of(
        asked({("a", "b", "left"): 5, ("b", "a", "right"): 5, ("b", "c", "left"): 3, ("b", "c", "right"): 3})
    )
    found = fit(table)
    assert found is not None
    assert [strength(found, table, n).reason == SEPARATED for n in range(3)] == [True, False, False]
    assert strength(found, table, 0).reason_code is ReasonCode.NO_INTERVAL


def test_generators_without_a_link_have_no_strength() -> None:
    votes = asked({("a", "b", "left"): 5, ("a", "b", "right"): 5, ("c", "d", "left"): 5, ("c", "d", "right"): 5})
    table = table_of(votes)
    found = fit(table)
    assert found is not None
    assert (found.connected, strength(found, table, 0).value, strength(found, table, 0).n) == (False, None, 20)
    linked = fit(table_of([*votes, choice("p999", "d", "b", "left")]))
    assert linked is not None
    assert linked.connected
    assert fit(table_of([])) is None


def by_hand(strengths: list[float], tie: float) -> Fit:
    return Fit(("a", "b", "c"), np.array(strengths), tie, 0.0, np.zeros((2, 4)), connected=True)


def test_a_tie_counts_as_half() -> None:
    assert by_hand([2 * np.log(2), 0, 0], 0.0).chance(0, 1) == pytest.approx((2 + 1 / 2) / 3.5)


def test_open_pairs_are_asked_about_most_and_none_is_left_out() -> None:
    table = table_of(asked({("a", "b", "left"): 1, ("a", "c", "left"): 1}))  # too few prompts for a variance
    found = next_pairs(by_hand([0, 0, np.log(3)], -np.inf), table, [(0, 2), (0, 1)])
    assert [(pair.a, pair.b) for pair in found] == [("a", "b"), ("a", "c")]
    gains = 0.25, 0.25 * 0.75
    assert [pair.share for pair in found] == pytest.approx([0.1 + 0.8 * gain / sum(gains) for gain in gains])


def test_pairs_that_are_known_exactly_share_the_votes_alike() -> None:
    table = table_of(asked(BALANCED))
    known = Fit(("a", "b", "c"), np.zeros(3), 0.0, 0.0, np.zeros((400, 4)), connected=True)
    assert [pair.share for pair in next_pairs(known, table, [(0, 1), (0, 2)])] == [0.5, 0.5]


@pytest.mark.parametrize(("low", "high", "now", "votes"), [(0.4, 0.6, 0.1, 300), (0.48, 0.52, 0.02, 0)])
def test_votes_fall_with_the_square_of_the_width(low: float, high: float, now: float, votes: int) -> None:
    found = votes_needed("share", Estimate(0.5, low, high, 100))
    assert (found.now, found.votes, found.half_width) == (pytest.approx(now), votes, 0.05)
    assert votes_needed("share", Estimate(0.5, None, None, 100)).votes is None
