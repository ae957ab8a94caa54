"""Evidence from people's votes: usability and preference, over prompts and raters."""

from __future__ import annotations

import dataclasses

from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.paired import NoPairs
from vbench_lite.analysis.people.paired import human_values
from vbench_lite.analysis.quantities import Quantity
from vbench_lite.escaping import vbench_command
from vbench_lite.gate.evidence.scores import FixedMargin, against_line, of_pairs
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.gate.verdict import Evidence


def of_people(
    check: Check, quantity: Quantity, sides: GeneratorPair, category: str, policy: Policy, margins: FixedMargin
) -> Evidence:
    """The evidence of votes on one check. Clips without a vote are left out.

    Args:
        check: A check of any rule except no-new-failures.
        quantity: "human_usable" or "human_preference".
        sides: Baseline and candidate.
        category: Must be "": votes are too few for categories.
        policy: The policy, for its level.
        margins: The margin that was fixed at promotion.
    """
    if category or check.categories or check.statistic != "mean":
        return Evidence(why_none="people's votes are checked by their mean over all prompts only", unmeasured=True)
    if check.rule in ("min", "max"):
        counted = human_values(quantity, sides.candidate)
        if counted is None:
            ask = vbench_command("review", sides.candidate.run.path)
            return Evidence(why_none=f"the candidate has no valid votes. Collect votes with: {ask}")
        found = against_line(check, counted, policy)
        low, high = (None if end is None else min(1.0, max(0.0, end)) for end in (found.low, found.high))
        return dataclasses.replace(found, low=low, high=high)
    pairs = sides.pairs(quantity)
    if isinstance(pairs, NoPairs):
        return Evidence(why_none=pairs.reason, unmeasured=pairs.unmeasured)
    return dataclasses.replace(of_pairs(check, pairs, policy, margins), within=None)
