"""The verdict on a run, with the policy that applies, the baseline's margins, and the current look of the run."""

from __future__ import annotations

import dataclasses

from vbench_lite.gate.baselines.baseline import read_reference
from vbench_lite.gate.baselines.margins import fix_margins
from vbench_lite.gate.decide import decide
from vbench_lite.gate.looks.record import continue_command, look_of, read_looks
from vbench_lite.gate.policy import choose_policy
from vbench_lite.gate.verdict import Remedy, Verdict
from vbench_lite.run.view import Run


def judge(candidate: Run, baseline: Run, policy: str | None = None) -> Verdict:
    """Compare a candidate with a baseline and decide.

    Args:
        candidate: A run, or one generator of it. A run that `vbench run --against` stopped is judged at its look.
        baseline: A run or a promoted baseline.
        policy: A file or a name. None: the policy of the baseline, else the default. The candidate's is never used.

    Raises:
        NotComparable: The scores of the two runs are not comparable.
        BadFile: The policy is not valid.
    """
    rules = choose_policy(policy, baseline.path)
    reference, look = read_reference(baseline.path, rules), look_of(candidate)
    if len(look.fractions) > 1 and reference.margins is None:  # the same margins at every look
        reference = dataclasses.replace(reference, margins=fix_margins(baseline, rules))
    verdict = decide(candidate, baseline, rules, reference, look)
    if verdict.outcome != "undecided" or look.is_last:
        return verdict
    planned = read_looks(candidate.path)
    assert planned is not None
    clips = len(planned.prompts(look.number + 1)) * candidate.manifest.plan.clips_per_prompt * len(candidate.generators)
    sentence = f"The next look is at {look.fractions[look.number]:.0%} of the prompts. This command continues the run:"
    command = continue_command(candidate, planned)
    further = Remedy(sentence=sentence, command=command, clips=clips, usd=None, device_s=None)
    return dataclasses.replace(verdict, remedies=(further,))
