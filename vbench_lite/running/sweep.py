"""Runs one generator with several values of a setting: `--sweep strength=0.2,0.4`.

Each value is a separate generator of the run, and its name contains the value: tiny-hybrid@strength=0.2.
A setting "clip.frames" (or fps, height, width) changes the requested form of the clips. inputs=text,image+text
runs a generator on the texts alone, and with the images of the prompts.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vbench_lite.errors import UsageError
from vbench_lite.inputs.accepted import swept_inputs
from vbench_lite.records import ClipSpec, Definition

CLIP = "clip."
INPUTS = "inputs"
MOST = 64
"""Highest number of generators of all sweeps. A higher number is probably a mistake."""


class Sweep(NamedTuple):
    """A setting and its values."""

    setting: str
    """A setting of the adapter, or "clip." and a part of the clip's form."""
    values: tuple[Any, ...]


def parse(text: str) -> Sweep:
    """Parse a text such as "strength=0.2,0.4": numbers, true and false as in TOML, other values as text.

    >>> parse("num_inference_steps=4,8")
    Sweep(setting='num_inference_steps', values=(4, 8))

    Raises:
        UsageError: It has no setting, no values, or one twice.
    """
    setting, _, listed = text.partition("=")
    words = [word.strip() for word in listed.split(",")]
    if not re.fullmatch(r"[A-Za-z_][\w-]*(\.\w+)?", setting) or not all(words):
        raise UsageError(f'--sweep "{text}": expected SETTING=VALUE,VALUE, e.g. --sweep num_inference_steps=4,8,16.')
    values = tuple(_value(word) for word in words)
    if len(set(map(str, values))) < len(values):
        raise UsageError(f'--sweep "{text}" has a value twice.')
    return Sweep(setting, values)


def expanded(definitions: Sequence[Definition], sweeps: Sequence[Sweep]) -> list[Definition]:
    """Each definition with every combination of values; unchanged definitions without sweeps.

    Raises:
        UsageError: Two sweeps of one setting, or more than the largest number of generators.
    """
    settings = [sweep.setting for sweep in sweeps]
    if len(set(settings)) < len(settings):
        raise UsageError(f"--sweep {', '.join(settings)}: each setting can be swept once; list its values with commas.")
    choices = list(itertools.product(*(sweep.values for sweep in sweeps)))
    if len(choices) * len(definitions) > MOST:
        raise UsageError(f"these sweeps make {len(choices) * len(definitions)} generators; at most {MOST} can be run.")
    return [_variant(definition, settings, choice) for definition in definitions for choice in choices]


def _variant(definition: Definition, settings: Sequence[str], choice: Sequence[Any]) -> Definition:
    if not choice:
        return definition
    chosen = dict(zip(settings, choice, strict=True))
    label = ",".join(f"{setting}={_label(value)}" for setting, value in chosen.items())
    inputs = swept_inputs(definition, chosen[INPUTS]) if INPUTS in chosen else definition.inputs
    own = {setting: value for setting, value in chosen.items() if not setting.startswith(CLIP) and setting != INPUTS}
    form = {setting.removeprefix(CLIP): value for setting, value in chosen.items() if setting.startswith(CLIP)}
    return dataclasses.replace(
        definition, name=f"{definition.name}@{label}", settings={**definition.settings, **own},
        clip=_form(definition.clip, form), inputs=inputs,
        about={**definition.about, "sweep": {"of": definition.name, **chosen}},
    )


def _form(clip: ClipSpec, form: Mapping[str, Any]) -> ClipSpec:
    for key, value in form.items():
        if key not in ClipSpec.__dataclass_fields__:
            raise UsageError(f'--sweep: a clip has no "{key}". It has: {", ".join(ClipSpec.__dataclass_fields__)}.')
        kinds = int | float if key == "fps" else int
        if isinstance(value, bool) or not isinstance(value, kinds) or not 0 < value < math.inf:
            number = "a number" if key == "fps" else "a whole number"
            raise UsageError(f"--sweep clip.{key}={value}: expected {number} above 0.")
    return dataclasses.replace(clip, **form)


def _value(word: str) -> Any:
    try:
        return tomllib.loads(f"value = {word}")["value"]
    except (ValueError, RecursionError):  # not TOML, or a number of thousands of digits
        return word


def _label(value: Any) -> str:
    """A value in a form that a folder's name can contain."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", f"{value:g}" if isinstance(value, float) else str(value))
