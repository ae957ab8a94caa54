"""Imports clips that were made elsewhere as a run."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vbench_lite.errors import UsageError
from vbench_lite.escaping import vbench_command
from vbench_lite.run.folder import RunFolder

if TYPE_CHECKING:
    from vbench_lite.inputs.clipnames import Matched
    from vbench_lite.running.runner import Outcome

LEFT_OUT = "its prompt already has the {} clips that are asked for"


@dataclass(frozen=True)
class Collected:
    """A folder of clips made elsewhere, stored as a run."""

    folder: RunFolder
    matched: Matched
    outcome: Outcome
    absent: int
    """Number of clips in the plan that are not in the folder."""


def collect(
    clips: Path, suite: str, out: Path | None = None, backbones: str | None = None, *,
    clips_per_prompt: int | None = None,
) -> Collected:  # fmt: skip
    """Stores the clips of a folder as a run, as if a generator had made them.

    Args:
        clips: A folder of `{prompt}-{k}.mp4`, or one of the layouts that docs/suites.md lists.
        suite: The prompts that the clips were made for: a name or a file.
        out: The run folder; None is results/<name of the folder>.
        backbones: The set of networks to score the clips with.
        clips_per_prompt: Number of clips in the plan per prompt: absent clips count as failed, further clips are left
            out. None plans the clips that are in the folder, and at least one per prompt.

    Raises:
        UsageError: There is no such folder, or no clip in it belongs to a prompt.
    """
    from vbench_lite.inputs.accepted import ANY
    from vbench_lite.inputs.clip_files import model_folders
    from vbench_lite.inputs.clipnames import clips_to_ask, match_folder
    from vbench_lite.inputs.suites import load_suite
    from vbench_lite.measuring import devices, prices
    from vbench_lite.records import Definition
    from vbench_lite.run.plan import make_plan
    from vbench_lite.running import runner

    if not clips.is_dir():
        raise UsageError(f"there is no folder of clips at {clips}.")
    prompts = load_suite(suite)
    if folders := model_folders(clips):
        each_alone = "".join(f"\n  {vbench_command('score', path, '--suite', suite)}" for path in folders)
        raise UsageError(f"{clips} contains folders of clips but no clips. Score each folder alone:{each_alone}")
    matched = match_folder(clips, prompts.prompts)
    if not matched.clips:
        raise UsageError(f"no clip in {clips} belongs to a prompt of {prompts.name}. Name them {{prompt}}-{{k}}.mp4.")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", clips.resolve().name).strip("-._") or "clips"
    definition = Definition(
        name, "undisclosed", "recorded", model=str(clips.resolve()), inputs=ANY, folder=clips.resolve().parent
    )
    each, clips_of = clips_to_ask(matched, prompts.prompts, clips_per_prompt)
    device = devices.find_device("cpu")
    plan = make_plan(prompts, [definition], each, None, 0, backbones or "builtin", clips_of)
    folder = RunFolder(out or Path("results") / name)
    options = runner.Options(retry_failed=True, prices={name: prices.price_of(definition, device)}, quiet=True)
    outcome = runner.run(plan, folder, device, options)
    asked = {(key.prompt_id, key.index) for key in plan.keys(definition)}
    left_out = [(clip.path, LEFT_OUT.format(each)) for place, clip in matched.clips.items() if place not in asked]
    matched = dataclasses.replace(matched, unmatched=(*matched.unmatched, *left_out))
    return Collected(folder, matched, outcome, len(asked - set(matched.clips)))
