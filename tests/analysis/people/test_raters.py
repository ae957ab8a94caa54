"""What is said of raters, against figures worked out by hand."""

import numpy as np
import pytest

from tests.analysis.people.voting import choice, look
from vbench_lite.analysis.people.raters import alpha, alpha_estimate, attentive, rater_summaries, self_agreement
from vbench_lite.analysis.people.tables import value_of
from vbench_lite.records import ReasonCode
from vbench_lite.run.votes import Vote, Votes


def test_alpha_of_a_worked_example() -> None:
    # Observed: 2 * 0.25 * 2 * 2 / 8. Expected: 2 * 15 / 64 * 8 / 7.
    assert alpha([[1, 1], [0, 0], [1, 1], [0, 1], [1]]) == pytest.approx(1 - 0.25 / (30 / 56))
    assert alpha([[1, 1], [1, 1]]) is None
    assert alpha([[1], [0]]) is None


def test_alpha_is_over_questions_of_two_raters_and_repeats_do_not_count() -> None:
    answers = {"p0": (1, 1), "p1": (0, 0), "p2": (1, 1), "p3": (0, 1)}
    votes = [
        look(prompt, bool(kept), rater=rater)
        for prompt, both in answers.items() for rater, kept in zip(("ann", "bob"), both, strict=True)
    ]  # fmt: skip
    found = alpha_estimate([*votes, look("p3", False, rater="bob", repeat=True)], "usable")
    assert (found.value, found.n) == (pytest.approx(1 - 0.25 / (30 / 56)), 8)
    assert -1 <= found.low < found.value < found.high <= 1
    assert alpha_estimate(votes[:4], "usable").reason == "too few prompts for an interval"
    assert alpha_estimate(votes[::2], "usable").reason == "no question was answered by two raters"
    assert alpha_estimate(votes[:2], "usable").reason == "all answers are the same"


def test_the_same_preference_on_swapped_sides_is_the_same_answer() -> None:
    first = [choice(f"p{n}", "a", "b", "left") for n in range(4)]
    again = [choice(f"p{n}", "b", "a", "right" if n else "left", repeat=True) for n in range(4)]
    assert [value_of(vote, "quality") for vote in (*first[:1], *again[:2])] == [1, 0, 1]
    found = self_agreement([*first, *again, choice("p9", "a", "b", "left", repeat=True)], "quality")
    assert (found.value, found.n) == (0.75, 4)
    assert self_agreement(first, "quality").reason_code is ReasonCode.TOO_FEW
    (rater,) = rater_summaries([*first, *again], [])
    assert (rater.same_again, rater.repeated, rater.votes, rater.minutes, rater.agreement) == (0.75, 4, 8, None, None)


@pytest.mark.parametrize(("left", "right", "careless"), [(19, 1, True), (18, 2, False), (19, 0, False), (1, 19, True)])
def test_nearly_always_the_same_button_is_careless(left: int, right: int, careless: bool) -> None:
    answers = ("left",) * left + ("right",) * right
    votes = [choice(f"p{n}", "a", "b", answer, seconds=6.0) for n, answer in enumerate(answers)]
    (rater,) = rater_summaries(votes, [])
    assert (rater.careless == ("one button",), rater.minutes) == (careless, round(len(votes) / 10, 2))


@pytest.mark.parametrize(("wrong", "careless"), [(1, ()), (2, ("failed the warm-up",))])
def test_two_wrong_answers_in_the_warm_up_are_careless(wrong: int, careless: tuple[str, ...]) -> None:
    warm = [look(f"w{n}", n >= wrong, warm_up=True, expected="keep") for n in range(3)]
    warm += [look("w9", False, rater="bob", warm_up=True, expected="keep")] * 2
    (rater,) = rater_summaries([look("p0", True)], warm)
    assert rater.careless == careless
    assert len(attentive(Votes((look("p0", True),), tuple(warm)))) == (0 if careless else 1)


def test_agreement_is_the_mean_product_of_centred_answers() -> None:
    kept = {"ann": (1, 1, 0, 0), "bob": (1, 1, 0, 0), "cem": (0, 1, 0, 1)}
    votes = [look(f"p{n}", bool(k), rater=who) for who, all_ in kept.items() for n, k in enumerate(all_)]
    found = {rater.name: rater.agreement for rater in rater_summaries(votes, [])}
    # ann: her +-1/2 times the mean of bob's +-1/2 and cem's: 1/2, 0, 1/2 and 0 for p0 to p3, with bob's sign.
    assert found == {"ann": pytest.approx(0.125), "bob": pytest.approx(0.125), "cem": pytest.approx(0.0)}


def crowd(careless: int, prompts: int = 64) -> list[Vote]:
    """Seven raters. The first ones answer by rules that have nothing to do with what the others keep."""
    rng = np.random.default_rng(0)
    return [
        look(f"p{n:02d}", bool(n >> r + 1 & 1 if r < careless else n % 2 == (rng.random() < 0.95)), rater=f"r{r}")
        for r in range(7) for n in range(prompts)
    ]  # fmt: skip


@pytest.mark.parametrize("careless", [0, 1, 2])
def test_raters_who_agree_by_chance_alone_are_careless_and_their_votes_do_not_count(careless: int) -> None:
    votes = crowd(careless)
    found = {rater.name for rater in rater_summaries(votes, []) if rater.careless == ("agrees less than others",)}
    assert found == {f"r{nth}" for nth in range(careless)}
    assert {vote.rater for vote in attentive(Votes(tuple(votes)))} == {f"r{nth}" for nth in range(careless, 7)}
    assert not any(rater.careless for rater in rater_summaries(crowd(careless, prompts=19), []))  # too few votes
