"""The plan of a folder against the one asked for: refused where clips do not belong together, else extended."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from vbench_lite.errors import PlanConflict
from vbench_lite.run.manifest import Manifest, StoredDefinition

_FREE = ("price", "about", "source", "licence", "folder", "route", "inputs")
"""Keys of a definition that change no clip. Another price or note is no other plan."""


def refuse_other_plan(path: Path, stored: Manifest, wanted: Manifest) -> None:
    """Compares the plan that a folder holds with the one asked for.

    More prompts and more clips of a prompt only extend the run. The text of a prompt counts as it is sent to
    generators: where a prompt has a generator_text, another text changes scores and no clip. Prices, notes, thresholds,
    categories, tags and backbones change no clip, so they are no conflict; nor is another machine of the same kind,
    whose times stand beside its clips.

    Raises:
        PlanConflict: Clips of the two plans would not belong together.
    """
    found = _differences(stored, wanted)
    if found:
        raise PlanConflict(
            f"{path} holds a run of another plan: {'; '.join(found)}. Nothing was changed. "
            "Keep it and write elsewhere with --out DIR, or delete it and begin again with --fresh."
        )


def extended(stored: Manifest, wanted: Manifest) -> Manifest:
    """The stored run with what was asked for now: every prompt and every clip of both plans.

    A prompt that the suite does not hold any more leaves the plan. Its clips stay in the folder.
    """
    asked = {*stored.plan.prompts, *wanted.plan.prompts}
    prompts = tuple(p.id for p in wanted.suite.prompts if p.id in asked)
    known = [plan for plan in (stored.plan, wanted.plan)]
    numbers = {id_: max(plan.clips(id_) for plan in known if id_ in plan.prompts) for id_ in prompts}
    most = max(numbers.values(), default=wanted.plan.clips_per_prompt)
    plan = dataclasses.replace(
        wanted.plan, prompts=prompts, clips_per_prompt=most, metrics=stored.plan.metrics,
        thresholds=stored.plan.thresholds, reference=stored.plan.reference,
        clips_of={id_: number for id_, number in numbers.items() if number != most},
    )
    typed = dataclasses.replace(wanted.typed, thresholds=stored.typed.thresholds)
    return dataclasses.replace(
        stored, suite=wanted.suite, plan=plan, prices={**stored.prices, **wanted.prices}, typed=typed,
    )


def same_clips(one: StoredDefinition, other: StoredDefinition) -> bool:
    """Whether two definitions make the same clips."""
    return not _changed(one, other)


def _changed(one: StoredDefinition, other: StoredDefinition) -> list[str]:
    names = (f.name for f in dataclasses.fields(StoredDefinition) if f.name not in _FREE)
    return [_NAMES.get(name, name) for name in names if getattr(one, name) != getattr(other, name)]


_NAMES = {"weights_digest": "weights", "code_digest": "code"}


def _differences(stored: Manifest, wanted: Manifest) -> list[str]:
    found = []
    if stored.suite.name != wanted.suite.name:
        found.append(f'its suite is "{stored.suite.name}", asked for now: "{wanted.suite.name}"')
    before = {prompt.id: prompt for prompt in stored.prompts}
    both = [(before[prompt.id], prompt) for prompt in wanted.prompts if prompt.id in before]
    for part, other in (
        ("text", [now.id for then, now in both if then.sent != now.sent]),
        ("image", [now.id for then, now in both if then.image != now.image]),
    ):
        if other:
            more = f" and {len(other) - 1} more" if len(other) > 1 else ""
            found.append(f'the {part} of the prompt "{other[0]}"{more} differs')
    if stored.plan.seed != wanted.plan.seed:
        found.append(f"it has seed {stored.plan.seed}, asked for now: {wanted.plan.seed}")
    names = [sorted(each.generators) for each in (stored, wanted)]
    if names[0] != names[1]:
        found.append(f"its generators are {', '.join(names[0])}, asked for now: {', '.join(names[1])}")
    for name in sorted(set(names[0]) & set(names[1])):
        if keys := _changed(stored.generators[name], wanted.generators[name]):
            found.append(f'the definition of the generator "{name}" differs ({", ".join(keys)})')
    if stored.device.kind != wanted.device.kind:
        found.append(f'it was made on "{stored.device.kind}", asked for now: "{wanted.device.kind}"')
    return found
