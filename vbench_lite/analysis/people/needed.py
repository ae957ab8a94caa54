"""How many more votes are needed, and for which pairs."""

from __future__ import annotations

import math
from collections.abc import Iterable

from vbench_lite.analysis.people.preference import Fit, difference_variance
from vbench_lite.analysis.people.tables import PairTable
from vbench_lite.records import Estimate
from vbench_lite.run.people import NextPair, VotesNeeded

HALF_WIDTH = 0.05
"""Target precision: an interval of 5 percentage points to each side."""
LEAST_SHARE = 0.2
"""Fraction of the next votes that is divided equally, so that every pair gets some."""


def votes_needed(figure: str, found: Estimate, half_width: float = HALF_WIDTH) -> VotesNeeded:
    """The number of further votes for a precision. The width of an interval falls with the root of the votes.

    Example:
        >>> votes_needed("share", Estimate(0.5, 0.4, 0.6, 100)).votes
        300
    """
    if found.low is None or found.high is None:
        return VotesNeeded(figure=figure, half_width=half_width, now=None, votes=None)
    now = (found.high - found.low) / 2
    votes = max(0, math.ceil(round(found.n * ((now / half_width) ** 2 - 1), 9)))
    return VotesNeeded(figure=figure, half_width=half_width, now=now, votes=votes)


def next_pairs(found: Fit, table: PairTable, pairs: Iterable[tuple[int, int]]) -> tuple[NextPair, ...]:
    """Shares of the next votes: large for close and uncertain pairs, and above 0 for every pair.

    A vote has the most information if its outcome is uncertain and the difference of the strengths has a large error.
    """
    asked = list(pairs)
    gains = []
    for a, b in asked:
        chance, variance = found.chance(a, b), difference_variance(found, table, a, b)
        gains.append(chance * (1 - chance) * (1.0 if variance is None else variance))
    total = sum(gains)
    even = 1 / len(asked) if asked else 0.0
    shares = [LEAST_SHARE * even + (1 - LEAST_SHARE) * (gain / total if total > 0 else even) for gain in gains]
    made = [
        NextPair(a=found.entries[a], b=found.entries[b], share=share)
        for (a, b), share in zip(asked, shares, strict=True)
    ]
    return tuple(sorted(made, key=lambda pair: -pair.share))
