"""Compares the plan of a folder with a new plan: extends it, or refuses it if the clips do not belong together."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from vbench_lite.errors import PlanConflict
from vbench_lite.run.manifest import Manifest, StoredDefinition

_FREE = ("price", "about", "source", "licence", "folder", "route", "inputs")
"""Keys of a definition that do not affect clips, such as price and notes. They do not change the plan."""


def refuse_other_plan(path: Path, stored: Manifest, wanted: Manifest) -> None:
    """Raises an error if clips of the stored plan and of the wanted plan do not belong together.

    More prompts and more clips per prompt extend the run. Of a prompt, only the text for generators is compared: with a
    generator_text, another text changes scores but no clip. Prices, notes, thresholds, categories, tags and backbones
    do not affect clips, so they are no conflict. Another machine of the same kind is no conflict either, because each
    clip is stored with its device.

    Raises:
        PlanConflict: The clips do not belong together.
    """
    found = _differences(stored, wanted)
    if found:
        raise PlanConflict(
            f"{path} contains a run of another plan: {'; '.join(found)}. Nothing was changed. "
            "Write to another folder with --out DIR, or delete the run and start again with --fresh."
        )


def extended(stored: Manifest, wanted: Manifest) -> Manifest:
    """The stored run extended by the wanted plan: every prompt and every clip of both plans.

    A prompt that is no longer in the suite is removed from the plan. Its clips stay in the folder.
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
        found.append(f'its suite is "{stored.suite.name}", requested: "{wanted.suite.name}"')
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
        found.append(f"it has seed {stored.plan.seed}, requested: {wanted.plan.seed}")
    names = [sorted(each.generators) for each in (stored, wanted)]
    if names[0] != names[1]:
        found.append(f"its generators are {', '.join(names[0])}, requested: {', '.join(names[1])}")
    for name in sorted(set(names[0]) & set(names[1])):
        if keys := _changed(stored.generators[name], wanted.generators[name]):
            found.append(f'the definition of the generator "{name}" differs ({", ".join(keys)})')
    if stored.device.kind != wanted.device.kind:
        found.append(f'it was made on "{stored.device.kind}", requested: "{wanted.device.kind}"')
    return found
