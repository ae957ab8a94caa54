"""Set metrics of one generator: its clips on one side, as many real ones on the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vbench_lite.distances.stored import SetFeatures
from vbench_lite.features.extract import Observation, Unreadable
from vbench_lite.metrics import METRICS
from vbench_lite.records import ClipKey, Estimate
from vbench_lite.scoring.reference import Reference, features_of


@dataclass(frozen=True)
class SetScores:
    """What set metrics found of a generator, and what they found it in."""

    estimates: Mapping[str, Estimate]
    features: SetFeatures | None = None
    """None where there were too few clips, or no network to see them."""


def score_sets(
    keys: Sequence[ClipKey], clips: Mapping[ClipKey, Observation | Unreadable], reference: Reference, protocol: str,
    missing: str | None = None,
) -> SetScores:
    """Every set metric over a generator's clips, against as many real ones, prompt for prompt where they have prompts.

    Args:
        keys: Every clip that was asked for.
        clips: What was seen of each.
        reference: The real clips.
        protocol: Of the features.
        missing: Why there is no video network, where there is none.
    """
    seen = [(key, clip) for key in keys if isinstance(clip := clips[key], Observation) and clip.video.size]
    held = [(key, clip) for key, clip in seen if reference.of_prompt(key.prompt_id)]
    real, real_prompts = _real_side([key for key, _ in held], reference)
    names = [metric.name for metric in METRICS if metric.per == "set"]
    if min(len(held), len(real)) < 2:
        why = missing or (reference.problem(keys[0].prompt_id) if seen else "fewer than two clips can be read")
        return SetScores(dict.fromkeys(names, Estimate(None, n=len(held), unscored=len(keys), reason=why)))
    prompts = [key.prompt_id for key, _ in held]
    generated, wanted = features_of([clip for _, clip in held]), features_of(real)
    estimates, parts = {}, None
    for metric in METRICS:
        if metric.per == "set":
            judge = metric.load()()
            judge.update(generated=generated, reference=wanted)
            found = judge.estimate(prompts, real_prompts)
            estimates[metric.name] = dataclasses.replace(found, n=len(held), unscored=len(keys) - len(held))
            parts = getattr(judge, "parts", None) or parts
    sides = (tuple(prompts), tuple(real_prompts))
    return SetScores(estimates, SetFeatures(generated.astype("f4"), wanted.astype("f4"), *sides, protocol, parts))


def _real_side(keys: Sequence[ClipKey], reference: Reference) -> tuple[list[Observation], list[str]]:
    """As many real clips as generated ones: the i-th of each prompt, or all of a folder's up to that number."""
    if not any(reference.prompts):
        return list(reference.clips[: len(keys)]), list(reference.prompts[: len(keys)])
    taken: dict[str, int] = {}
    chosen = []
    for key in keys:
        place = taken.get(key.prompt_id, 0)
        taken[key.prompt_id] = place + 1
        chosen.append(reference.of_prompt(key.prompt_id)[place])
    return chosen, [key.prompt_id for key in keys]
