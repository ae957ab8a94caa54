"""How far raters agree: with each other, with themselves, and whether one of them answers without looking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from statistics import median

import numpy as np

from vbench_lite.analysis.people.crossed import Clusters, fraction
from vbench_lite.analysis.people.tables import POINTS, clip_key
from vbench_lite.records import Estimate, ReasonCode
from vbench_lite.run.people import RaterSummary
from vbench_lite.run.votes import Mode, Vote
from vbench_lite.stats import Array, mean_interval

MIN_SHARED = 20
"""Votes shared with other raters, or on one button, from which a rater is judged."""
ONE_BUTTON = 0.95
ABOVE_CHANCE, EXPECTED = 1.645, 3.5
"""Standard errors by which a rater's agreement exceeds chance at least, where that of a typical rater would exceed it
by `EXPECTED`: an attentive rater is flagged in about 3 of 100 cases at most."""


def value_of(vote: Vote, question: str) -> float:
    """The answer as a number that does not depend on sides: of a pair, what the first clip by name gets."""
    answer = vote.answers[question]
    if vote.mode == "usable":
        return float(answer == "keep")
    points = POINTS[answer]
    return points if list(vote.clips) == sorted(vote.clips) else 1 - points


def item_of(vote: Vote) -> Hashable:
    """What a vote is about, whatever the sides."""
    return tuple(sorted(clip_key(vote, clip) for clip in vote.clips))


def alpha(units: Sequence[Sequence[float]]) -> float | None:
    """Krippendorff's alpha of numbers, with squared differences; of yes and no it is the nominal one.

    Args:
        units: The answers of all raters to each question. Questions with one answer do not count.

    >>> alpha([[1, 1], [0, 0], [1, 1], [0, 1]])
    0.5333333333333333
    """
    shared = [np.asarray(unit, float) for unit in units if len(unit) > 1]
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
    """The share of repeated questions that a rater answered in the same way again."""
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


def left_share(votes: Sequence[Vote], question: str) -> Estimate:
    """The share of decided votes for the left clip. Sides are balanced, so that 0.5 means no bias."""
    chosen = [v for v in votes if v.mode == "pairs" and v.answers.get(question) in ("left", "right")]
    if not chosen:
        return Estimate(None, reason="no decided votes", reason_code=ReasonCode.TOO_FEW)
    values = np.array([v.answers[question] == "left" for v in chosen], float)
    return fraction(values, Clusters.of([v.prompt_id for v in chosen], [v.rater for v in chosen]))


def rater_summaries(
    votes: Sequence[Vote], warm_ups: Sequence[Vote], question_of: Mapping[Mode, str]
) -> list[RaterSummary]:
    """Each rater with what there is to know, and whether the answers look careless.

    Args:
        votes: All that count.
        warm_ups: Answers to questions with a known answer.
        question_of: Mode > its first question.
    """
    agreement = _agreements(votes, question_of)
    return [
        _rater(name, [v for v in votes if v.rater == name], [v for v in warm_ups if v.rater == name], question_of,
               agreement)
        for name in sorted({vote.rater for vote in votes})
    ]  # fmt: skip


def _rater(
    name: str, mine: Sequence[Vote], warm_ups: Sequence[Vote], question_of: Mapping[Mode, str],
    agreement: Mapping[str, Array],
) -> RaterSummary:  # fmt: skip
    times = [vote.seconds for vote in mine if vote.seconds is not None]
    again = [
        value_of(a, q) == value_of(b, q)
        for mode, q in question_of.items() for a, b in repeats([v for v in mine if v.mode == mode], q)
    ]  # fmt: skip
    tests: list[tuple[str, Callable[[], bool]]] = [
        ("failed the warm-up", lambda: sum(v.expected not in v.answers.values() for v in warm_ups) >= 2),
        ("one button", lambda: _one_button(mine, question_of)),
        ("agrees less than others", lambda: _disagrees(name, agreement)),
    ]  # fmt: skip
    return RaterSummary(
        name=name, votes=len(mine), minutes=round(sum(times) / 60, 2) if times else None,
        same_again=sum(again) / len(again) if again else None, repeated=len(again),
        agreement=float(agreement[name].mean()) if len(agreement.get(name, ())) else None,
        careless=tuple(text for text, test in tests if test()), simulated=any(vote.simulated for vote in mine),
    )  # fmt: skip


def _one_button(votes: Sequence[Vote], question_of: Mapping[Mode, str]) -> bool:
    """Nearly always the same button in pairs, whose sides are balanced."""
    answers = [vote.answers[question_of["pairs"]] for vote in votes if vote.mode == "pairs"]
    most = max((answers.count(each) for each in ("left", "right")), default=0)
    return len(answers) >= MIN_SHARED and most >= ONE_BUTTON * len(answers)


def _agreements(votes: Sequence[Vote], question_of: Mapping[Mode, str]) -> dict[str, Array]:
    """Rater > for each shared question, how far the answer goes with the mean of the others', both centred."""
    items: dict[tuple[Mode, Hashable], dict[str, float]] = defaultdict(dict)
    for vote in votes:
        if not vote.repeat:
            items[vote.mode, item_of(vote)][vote.rater] = value_of(vote, question_of[vote.mode])
    centres: dict[tuple[str, str], list[float]] = defaultdict(list)
    for (mode, _), given in items.items():
        for rater, value in given.items():
            centres[mode, rater].append(value)
    centre = {key: float(np.mean(values)) for key, values in centres.items()}
    found: dict[str, list[float]] = defaultdict(list)
    for (mode, _), given in items.items():
        for rater, value in given.items():
            others = [other - centre[mode, name] for name, other in given.items() if name != rater]
            if others:
                found[rater].append((value - centre[mode, rater]) * float(np.mean(others)))
    return {rater: np.array(values) for rater, values in found.items()}


def _disagrees(name: str, agreement: Mapping[str, Array]) -> bool:
    """Whether a rater's answers go with the others' no more than by chance, where a typical rater's clearly would."""
    mine = agreement.get(name, np.zeros(0))
    others = [float(v.mean()) for other, v in agreement.items() if other != name and len(v) >= MIN_SHARED]
    if len(mine) < MIN_SHARED or len(others) < 2 or median(others) <= 0:
        return False
    error = float(mine.std(ddof=1)) / len(mine) ** 0.5
    return float(mine.mean()) < ABOVE_CHANCE * error and median(others) >= EXPECTED * error
