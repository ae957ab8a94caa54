"""How many more clips would decide an undecided gate, with their cost and the command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from vbench_lite.analysis.commands import more_command
from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.formatting import dollars
from vbench_lite.gate.policy import Policy
from vbench_lite.gate.verdict import CheckResult, Evidence, Needed, Remedy
from vbench_lite.progress import duration
from vbench_lite.run.clips import ClipGrid
from vbench_lite.stats import prompts_to_decide

_MOST_PROMPTS = 10_000
_MOST_CLIPS = 64


def needed(evidence: Evidence, clips_per_prompt: int, policy: Policy) -> Needed | None:
    """The number of prompts, or of clips per prompt, that would decide a check with a probability of 80 %.

    The estimate assumes that the observed difference is the true one. If the observed difference lies on the limit, no
    number of prompts decides. If it has a large error, the true number is smaller or larger.
    """
    if evidence.holds is not None or evidence.why_none is not None or not evidence.deviation:
        return None
    distance = abs(evidence.distance_to_limit)
    prompts = prompts_to_decide(distance, evidence.deviation, policy.strict)
    if prompts is not None:
        prompts = max(prompts, _fewest(evidence, clips_per_prompt, policy))
        prompts = max(prompts, evidence.prompts + 1) if prompts <= _MOST_PROMPTS else None
    return Needed(prompts, _clips(evidence, distance, clips_per_prompt, policy))


def _fewest(evidence: Evidence, clips_per_prompt: int, policy: Policy) -> int:
    """The minimum number of prompts of a decision, for any difference."""
    if evidence.distance_to_limit <= 0:
        return policy.min_prompts
    return max(policy.min_prompts, -(-policy.min_clips // clips_per_prompt))


def _clips(evidence: Evidence, distance: float, clips_per_prompt: int, policy: Policy) -> int | None:
    if evidence.within is None or evidence.prompts < policy.min_prompts:
        return None
    between = evidence.deviation**2 - evidence.within / clips_per_prompt
    for clips in range(clips_per_prompt + 1, _MOST_CLIPS + 1):
        deviation = max(between + evidence.within / clips, 0.0) ** 0.5
        prompts = prompts_to_decide(distance, deviation, policy.strict)
        if prompts is not None and max(prompts, _fewest(evidence, clips, policy)) <= evidence.prompts:
            return clips
    return None


def remedies(checks: Sequence[CheckResult], sides: GeneratorPair) -> Iterator[Remedy]:
    """Commands that would decide every undecided check of one generator, with their cost."""
    open_ones = [check.needed for check in checks if check.outcome == "undecided" and check.needed]
    if not open_ones:
        return
    candidate, suite = sides.candidate, sides.candidate.run.manifest.suite
    grid, each = candidate.grid, candidate.run.manifest.plan.clips_per_prompt
    now = len(grid.prompts)
    clips = [need.clips_per_prompt for need in open_ones]
    if None not in clips:
        most = max(c or 0 for c in clips)
        yield _remedy(f"{most} clips per prompt (now {each})", _more(sides, clips_per_prompt=most), now * most, grid)
    prompts = [need.prompts for need in open_ones]
    if None not in prompts:
        most = max(p or 0 for p in prompts)
        what = f"{most} prompts (now {now})"
        if most > len(suite.prompts):
            what = f'{most} prompts (now {now}; the suite "{suite.name}" has {len(suite.prompts)}: add prompts first)'
        yield _remedy(what, _more(sides, prompts=min(most, len(suite.prompts))), most * each, grid)
    if None in clips and None in prompts:
        yield Remedy(
            sentence="No affordable number of prompts or clips would decide all checks: a figure is too close to its "
            "limit. Widen that margin and state the reason, or improve the candidate.", command="", clips=0, usd=None,
            device_s=None,
        )  # fmt: skip


def _more(sides: GeneratorPair, **numbers: int) -> str:
    """The commands that extend both runs; one command if both generators are in one run."""
    runs = {str(run.path): run for run in (sides.baseline.run, sides.candidate.run)}
    return " && ".join(more_command(run, **numbers) for run in runs.values())


def _remedy(what: str, command: str, clips: int, grid: ClipGrid) -> Remedy:
    usd, seconds = (_mean(grid, column) for column in ("cost_usd", "device_s"))
    costs = []
    if usd is not None:
        costs.append(dollars(usd * clips))
    if seconds is not None:
        costs.append(f"{duration(seconds * clips)} of device time")
    price = f", about {' and '.join(costs)} at the candidate's own mean" if costs else ", of unknown cost"
    sentence = f"{what} would decide, in both runs: {clips} clips of the candidate{price}."
    return Remedy(
        sentence=sentence, command=command, clips=clips, usd=None if usd is None else usd * clips,
        device_s=None if seconds is None else seconds * clips,
    )  # fmt: skip


def _mean(grid: ClipGrid, column: str) -> float | None:
    values = grid.values(column)
    return float(np.nanmean(values)) if np.isfinite(values).any() else None
