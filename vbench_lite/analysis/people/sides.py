"""Whether raters prefer a side. Sides are balanced, so attentive raters choose left as often as right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from vbench_lite.analysis.people.crossed import Clusters, fraction
from vbench_lite.analysis.people.tables import item_of, value_of
from vbench_lite.records import Estimate, ReasonCode
from vbench_lite.run.votes import Vote
from vbench_lite.stats import Array, holm

SIDE_LEVEL = 0.05
"""Probability that any unbiased rater is flagged."""


def decided(votes: Sequence[Vote], question: str) -> list[Vote]:
    """Votes for one of two clips."""
    return [v for v in votes if v.mode == "pairs" and v.answers.get(question) in ("left", "right")]


def left_share(votes: Sequence[Vote], question: str) -> Estimate:
    """The share of decided votes for the left clip. Sides are balanced, so 0.5 means no bias."""
    chosen = decided(votes, question)
    if not chosen:
        return Estimate(None, reason="no decided votes", reason_code=ReasonCode.TOO_FEW)
    values = np.array([v.answers[question] == "left" for v in chosen])
    return fraction(values, Clusters.of([v.prompt_id for v in chosen], [v.rater for v in chosen]))


def preferred_sides(votes: Sequence[Vote], question: str) -> dict[str, Literal["left", "right"]]:
    """Rater with a side bias > the side. `SIDE_LEVEL` applies to all raters together (Holm).

    Each rater's decided votes are tested given the preference of the other raters. If the others clearly prefer a clip,
    a choice of that clip has little information about sides.
    """
    leads: dict[Hashable, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for vote in votes:
        if vote.mode == "pairs" and question in vote.answers and not vote.repeat:
            leads[item_of(vote)][vote.rater] += 2 * value_of(vote, question) - 1
    left: dict[str, list[bool]] = defaultdict(list)
    lead: dict[str, list[float]] = defaultdict(list)
    for vote in decided(votes, question):
        others = sum(value for name, value in leads[item_of(vote)].items() if name != vote.rater)
        left[vote.rater].append(vote.answers[question] == "left")
        lead[vote.rater].append(others if list(vote.clips) == sorted(vote.clips) else -others)
    found = {name: side_test(np.array(left[name]), np.array(lead[name])) for name in left}
    adjusted = holm([min(1.0, 2 * min(tails)) for tails in found.values()])
    return {
        name: "left" if tails[0] < tails[1] else "right"
        for (name, tails), p in zip(found.items(), adjusted, strict=True) if p <= SIDE_LEVEL
    }  # fmt: skip


def side_test(left: Array, lead: Array) -> tuple[float, float]:
    """One-sided p values of a bias to the left and to the right side.

    The test is exact. Votes with the same lead of a clip among the other raters form a stratum. Given the number of
    votes in a stratum that agree with the others, the number of left votes is hypergeometric if the rater has no bias.
    If the others have no preference, it is binomial.

    Args:
        left: Whether the rater chose the left clip, one value per vote.
        lead: Votes of the other raters for the left clip minus those for the right clip.

    Example:
        >>> round(side_test(np.array([1, 1, 1, 1, 1]), np.zeros(5))[0], 9)  # the others have no preference: 1 / 2^5
        0.03125
        >>> side_test(np.array([1, 1, 0, 0]), np.array([3, 3, -3, -3]))  # always as the others
        (1.0, 1.0)
    """
    chances = np.ones(1)
    for size in np.unique(np.abs(lead)):
        here = np.abs(lead) == size
        chances = np.convolve(chances, _chances_of_left(left[here] == (lead[here] > 0), lead[here] > 0, bool(size)))
    chosen = int(left.sum())
    return min(1.0, float(chances[chosen:].sum())), min(1.0, float(chances[: chosen + 1].sum()))


def _chances_of_left(agrees: NDArray[np.bool_], on_left: NDArray[np.bool_], known: bool) -> Array:
    """Probability of 0, 1, ... choices of the left clip in one stratum."""
    votes, lefts = len(agrees), int(on_left.sum())
    if not known:
        counts = np.arange(votes + 1)
        logs = _log_choose(votes, counts)
    else:
        agreeing = int(agrees.sum())
        both = np.arange(max(0, agreeing - (votes - lefts)), min(lefts, agreeing) + 1)
        counts = 2 * both + votes - lefts - agreeing
        logs = _log_choose(lefts, both) + _log_choose(votes - lefts, agreeing - both)
    found = np.zeros(int(counts.max()) + 1)
    found[counts] = special.softmax(logs)
    return found


def _log_choose(n: int, k: NDArray[np.intp]) -> Array:
    found: Array = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return found
