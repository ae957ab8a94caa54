"""Agreement of raters with each other and with themselves, and detection of careless raters."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from statistics import median

import numpy as np

from vbench_lite.analysis.people.crossed import Clusters, fraction
from vbench_lite.analysis.people.sides import decided, preferred_sides
from vbench_lite.analysis.people.tables import item_of, value_of
from vbench_lite.records import Estimate, ReasonCode
from vbench_lite.run.people import CarelessSign, RaterSummary
from vbench_lite.run.votes import QUESTIONS, Mode, Vote, Votes
from vbench_lite.stats import Array, mean_interval

FIRST: Mapping[Mode, str] = {mode: next(iter(asked)) for mode, asked in QUESTIONS.items()}
"""Mode > its first question."""
MIN_SHARED = 20
"""Minimum number of votes (shared with other raters, or on pairs) for judging a rater."""
ONE_BUTTON = 0.95
MIN_WRONG = 2
"""Number of wrong answers to warm-up questions from which a rater is careless."""
ABOVE_CHANCE, EXPECTED = 1.645, 3.5
"""A rater is careless if the agreement with others exceeds chance by less than `ABOVE_CHANCE` standard errors, while
that of a typical rater exceeds it by `EXPECTED`. At most about 3 of 100 attentive raters are flagged."""


def alpha(units: Sequence[Sequence[float]]) -> float | None:
    """Krippendorff's alpha with squared differences. For binary answers this is the nominal alpha.

    Args:
        units: The answers of all raters to each question. Questions with one answer are ignored.

    >>> alpha([[1, 1], [0, 0], [1, 1], [0, 1]])
    0.5333333333333333
    """
    shared = [np.asarray(unit) for unit in units if len(unit) > 1]
    if not shared:
        return None
    pooled = np.concatenate(shared)
    observed = sum(2 * len(u) * float(u.var()) * len(u) / (len(u) - 1) for u in shared) / len(pooled)
    expected = 2 * len(pooled) * float(pooled.var()) / (len(pooled) - 1)
    return None if expected == 0 else 1 - observed / expected


def alpha_estimate(votes: Sequence[Vote], question: str) -> Estimate:
    """Agreement between raters, with an interval over prompts (jackknife)."""
    by_prompt: dict[str, dict[Hashable, list[float]]] = defaultdict(lambda: defaultdict(list))
    for vote in votes:
        if not vote.repeat and question in vote.answers:
            by_prompt[vote.prompt_id][item_of(vote)].append(value_of(vote, question))
    units = {prompt: list(items.values()) for prompt, items in by_prompt.items()}
    count = sum(len(unit) for items in units.values() for unit in items if len(unit) > 1)
    value = alpha([unit for items in units.values() for unit in items])
    if value is None:
        why = "no question was answered by two raters" if not count else "all answers are the same"
        return Estimate(None, n=count, reason=why, reason_code=ReasonCode.TOO_FEW)
    without = [alpha([u for other, items in units.items() if other != prompt for u in items]) for prompt in units]
    known = np.array([v for v in without if v is not None])
    if len(known) < len(units) or len(known) < 3:
        return Estimate(value, n=count, reason="too few prompts for an interval", reason_code=ReasonCode.TOO_FEW)
    pseudo = len(known) * value - (len(known) - 1) * known
    interval = mean_interval(pseudo)
    assert interval.low is not None
    assert interval.high is not None
    shift = value - interval.value
    return Estimate(value, max(-1.0, interval.low + shift), min(1.0, interval.high + shift), count)


def self_agreement(votes: Sequence[Vote], question: str) -> Estimate:
    """The share of repeated questions that a rater answered equally."""
    same, prompts, raters = [], [], []
    for vote, again in repeats(votes, question):
        same.append(float(value_of(vote, question) == value_of(again, question)))
        prompts.append(vote.prompt_id)
        raters.append(vote.rater)
    if not same:
        return Estimate(None, reason="no question was repeated", reason_code=ReasonCode.TOO_FEW)
    return fraction(np.array(same), Clusters.of(prompts, raters))


def repeats(votes: Sequence[Vote], question: str) -> list[tuple[Vote, Vote]]:
    """Each repeated question with its first vote."""
    answered = [vote for vote in votes if question in vote.answers]
    first = {(vote.rater, item_of(vote)): vote for vote in answered if not vote.repeat}
    pairs = [(first.get((vote.rater, item_of(vote))), vote) for vote in answered if vote.repeat]
    return [(one, again) for one, again in pairs if one is not None]


def rater_summaries(votes: Sequence[Vote], warm_ups: Sequence[Vote]) -> list[RaterSummary]:
    """A summary of each rater, with the signs of carelessness.

    Args:
        votes: All valid votes, including those of careless raters.
        warm_ups: Answers to questions with a known answer.
    """
    careless, sides = careless_raters(votes, warm_ups), preferred_sides(votes, FIRST["pairs"])
    names, answers = _answers(votes)
    found = []
    for nth, (name, mine) in enumerate(_by_rater(votes).items()):
        agreement = _agreements(answers, nth, range(len(names)))
        times = [vote.seconds for vote in mine if vote.seconds is not None]
        again = [
            value_of(a, q) == value_of(b, q)
            for mode, q in FIRST.items() for a, b in repeats([v for v in mine if v.mode == mode], q)
        ]  # fmt: skip
        left = [vote.answers[FIRST["pairs"]] == "left" for vote in decided(mine, FIRST["pairs"])]
        found.append(RaterSummary(
            name=name, votes=len(mine), minutes=round(sum(times) / 60, 2) if times else None,
            same_again=sum(again) / len(again) if again else None, repeated=len(again),
            agreement=float(agreement.mean()) if len(agreement) else None,
            left=sum(left) / len(left) if left else None, prefers_side=sides.get(name),
            careless=careless.get(name, ()), simulated=any(vote.simulated for vote in mine),
        ))  # fmt: skip
    return found


def attentive(votes: Votes) -> tuple[Vote, ...]:
    """The votes of raters who are not careless. All results use only these."""
    careless = careless_raters(votes.counted, votes.warm_ups)
    return tuple(vote for vote in votes.counted if vote.rater not in careless)


def careless_raters(votes: Sequence[Vote], warm_ups: Sequence[Vote]) -> dict[str, tuple[CarelessSign, ...]]:
    """Careless rater > the signs of carelessness."""
    mine, signs = _by_rater(votes), defaultdict[str, list[CarelessSign]](list)
    wrong = Counter(vote.rater for vote in warm_ups if vote.expected not in vote.answers.values())
    for name in mine:
        if wrong[name] >= MIN_WRONG:
            signs[name].append("failed the warm-up")
        if _one_button(mine[name]):
            signs[name].append("one button")
    for name in _disagreeing(*_answers(votes)):
        signs[name].append("agrees less than others")
    return {name: tuple(found) for name, found in signs.items()}


def _by_rater(votes: Sequence[Vote]) -> dict[str, list[Vote]]:
    found: dict[str, list[Vote]] = {name: [] for name in sorted({vote.rater for vote in votes})}
    for vote in votes:
        found[vote.rater].append(vote)
    return found


def _one_button(votes: Sequence[Vote]) -> bool:
    """Whether nearly all answers to pairs are the same button. Sides are balanced."""
    answers = [vote.answers[FIRST["pairs"]] for vote in votes if vote.mode == "pairs"]
    most = max((answers.count(each) for each in ("left", "right")), default=0)
    return len(answers) >= MIN_SHARED and most >= ONE_BUTTON * len(answers)


def _answers(votes: Sequence[Vote]) -> tuple[list[str], list[Array]]:
    """Raters, and per mode their answers to its first question, shape (questions, raters); NaN without a vote."""
    names, tables = sorted({vote.rater for vote in votes}), []
    place = {name: nth for nth, name in enumerate(names)}
    for mode, question in FIRST.items():
        rows: dict[Hashable, Array] = defaultdict(lambda: np.full(len(names), np.nan))
        for vote in votes:
            if vote.mode == mode and not vote.repeat:
                rows[item_of(vote)][place[vote.rater]] = value_of(vote, question)
        if rows:
            tables.append(np.array(list(rows.values())))
    return names, tables


def _agreements(answers: Sequence[Array], rater: int, others: Sequence[int]) -> Array:
    """For each question that a rater shares with some others: the product of their centred answers.

    Args:
        answers: The answers per mode, shape (questions, raters).
        rater: The index of the rater.
        others: The indices of the other raters, whose answers are averaged.
    """
    found = []
    for table in answers:
        mine, theirs = table[:, rater], table[:, [nth for nth in others if nth != rater]]
        shared = np.isfinite(mine) & np.isfinite(theirs).any(1)
        if shared.any():
            known = np.isfinite(theirs)
            centres = np.where(known, theirs, 0.0).sum(0) / np.maximum(1, known.sum(0))
            means = np.where(known, theirs - centres, 0.0).sum(1)[shared] / known.sum(1)[shared]
            found.append((mine[shared] - np.nanmean(mine)) * means)
    return np.concatenate(found) if found else np.zeros(0)


def _disagreeing(names: Sequence[str], answers: Sequence[Array]) -> list[str]:
    """Raters who agree with the others no more than by chance, while a typical rater clearly would.

    They are removed one by one, the least agreeing first, so that careless raters do not affect the others.
    """
    left = list(range(len(names)))
    found: list[str] = []
    while True:
        products = {rater: _agreements(answers, rater, left) for rater in left}
        known = {rater: values for rater, values in products.items() if len(values) >= MIN_SHARED}
        means = {rater: float(values.mean()) for rater, values in known.items()}
        excess: dict[int, float] = {}
        for rater, mean in means.items():
            error = float(known[rater].std(ddof=1)) / len(known[rater]) ** 0.5
            typical = [other for key, other in means.items() if key != rater]
            clear = len(typical) >= 2 and 0 < EXPECTED * error <= median(typical)
            if clear and mean < ABOVE_CHANCE * error:
                excess[rater] = mean / error
        if not excess:
            return found
        worst = min(excess, key=lambda rater: excess[rater])
        found.append(names[worst])
        left.remove(worst)
