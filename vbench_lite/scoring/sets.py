"""Set metrics of one generator: they compare its clips with as many real clips."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vbench_lite.distances.stored import SetFeatures
from vbench_lite.features.extractor import ClipFeatures, NoFeatures
from vbench_lite.metrics.base import SetContext, SetMetric, score_set
from vbench_lite.records import ClipKey, Estimate, ReasonCode
from vbench_lite.scoring.reference import Reference


@dataclass(frozen=True)
class SetScores:
    """The set metrics of a generator, and the features from which they were computed."""

    estimates: Mapping[str, Estimate]
    features: SetFeatures | None = None
    """None if there were too few clips, or no video network."""


def score_sets(
    metrics: Sequence[SetMetric], keys: Sequence[ClipKey], clips: Mapping[ClipKey, ClipFeatures | NoFeatures],
    reference: Reference, *, protocol: str, unavailable: Mapping[str, str],
) -> SetScores:
    """Compute set metrics of a generator's clips against as many real clips, of the same prompts if these have prompts.

    Args:
        metrics: The metrics to compute.
        keys: All requested clips of the generator.
        clips: Features of each clip.
        reference: The real clips.
        protocol: Description of how the video features were computed, which is stored with them.
        unavailable: Metric -> why the networks cannot compute it.
    """
    decoded = [(key, clip) for key in keys if isinstance(clip := clips[key], ClipFeatures)]
    paired = [(key, clip) for key, clip in decoded if reference.of_prompt(key.prompt_id).clips]
    real, real_prompts = _real_side([key for key, _ in paired], reference)
    context = SetContext([clip for _, clip in paired], real, [key.prompt_id for key, _ in paired], real_prompts)
    few = reference.problem(keys[0].prompt_id) if decoded else "fewer than two clips can be read"
    estimates, influence = {}, None
    for metric in metrics:
        if no_network := unavailable.get(metric.name):
            estimates[metric.name] = Estimate(
                None, unscored=len(keys), reason=no_network, reason_code=ReasonCode.NO_BACKBONE
            )
            continue
        if min(len(paired), len(real)) < 2:
            code = ReasonCode.NO_REFERENCE if decoded else ReasonCode.TOO_FEW
            estimates[metric.name] = Estimate(None, n=len(paired), unscored=len(keys), reason=few, reason_code=code)
            continue
        found = score_set(metric, context)
        estimates[metric.name] = dataclasses.replace(found.estimate, n=len(paired), unscored=len(keys) - len(paired))
        influence = found.influence or influence
    if min(len(paired), len(real)) < 2 or "video" not in paired[0][1].arrays:
        return SetScores(estimates)
    generated, wanted = context.stacked("video", "features")
    sides = (tuple(context.generated_prompts), tuple(real_prompts))
    return SetScores(estimates, SetFeatures(generated.astype("f4"), wanted.astype("f4"), *sides, protocol, influence))


def _real_side(keys: Sequence[ClipKey], reference: Reference) -> tuple[list[ClipFeatures], list[str]]:
    """As many real clips as generated clips: the i-th clip of each prompt, or the first clips of a folder."""
    if not any(reference.prompts):
        return list(reference.clips[: len(keys)]), list(reference.prompts[: len(keys)])
    taken: dict[str, int] = {}
    chosen = []
    for key in keys:
        place = taken.get(key.prompt_id, 0)
        taken[key.prompt_id] = place + 1
        chosen.append(reference.of_prompt(key.prompt_id).clips[place])
    return chosen, [key.prompt_id for key in keys]
