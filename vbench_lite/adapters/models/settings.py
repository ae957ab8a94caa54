"""Settings of the adapters that load models, checked before a run without loading a model or its library."""

from __future__ import annotations

import ast
import difflib
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from vbench_lite.errors import BadFile, UsageError
from vbench_lite.generator import RUNNER_SETTINGS
from vbench_lite.records import Definition
from vbench_lite.userfile import parse_json, read_text

Settings = TypeVar("Settings")
Dtype = Literal["float32", "bfloat16", "float16"]
HYBRID = ("draft", "refiner", "strength")
COSTS_ELSEWHERE = ("http", "recorded")
"""Drafts whose cost is not device time of this process, so that it could not be added up."""


@dataclass(frozen=True)
class LoadSettings:
    """How a diffusers checkpoint is loaded."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto: the family's on a GPU, float32 on a CPU."""
    vae_dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """The same for the autoencoder."""
    variant: str = ""
    """Of the weight files, e.g. "fp16"."""
    offload: Literal["none", "model", "sequential"] = "none"
    """model: one network at a time on the GPU. sequential: one layer at a time; slow, smallest."""
    vae_tiling: bool = False
    vae_slicing: bool = False
    scheduler: dict[str, Any] | str = ""
    """Another scheduler: its class, or a table with `class` and its options, e.g. flow_shift."""
    attention_backend: str = ""
    compile: bool = False
    """torch.compile of the denoising network; its first clip is slow, which warm-up absorbs."""

    @classmethod
    def of(cls, definition: Definition) -> tuple[LoadSettings, dict[str, Any]]:
        """Splits a definition's settings into these and the arguments of the call."""
        settings, call = take(cls, definition, _own(definition))
        _check_number(definition, call, "num_inference_steps", int, above=0)
        _check_number(definition, call, "guidance_scale", float, above=None)
        return settings, call


@dataclass(frozen=True)
class Sampling:
    """How a token transformer draws tokens, and in what precision its networks compute."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    dtype: Dtype = "float32"
    prompt_tokens: int = 77
    """Length that prompts are padded or cut to, special tokens included."""
    prompt_template: str = "{prompt}"
    guidance_scale: float = 1.0
    """Classifier-free guidance: above 1 every step also reads `unconditional_text` instead of the prompt."""
    unconditional_text: str = ""
    first_code_token: str | int = "<v0>"
    """The token of code 0, by name or number; the others follow it in the vocabulary."""
    code_token: str = ""
    """Instead, where codes are named one by one: such as "<|visual token {code:06d}|>"."""

    def __post_init__(self) -> None:
        require(self.temperature > 0, "temperature", self.temperature, "a number above 0")
        require(0 < self.top_p <= 1, "top_p", self.top_p, "a number above 0, up to 1")
        require(self.top_k >= 0, "top_k", self.top_k, "a whole number, 0 (all tokens) or more")
        require(self.prompt_tokens > 0, "prompt_tokens", self.prompt_tokens, "a whole number, 1 or more")
        require("{prompt}" in self.prompt_template, "prompt_template", self.prompt_template, "a text with {prompt}")


def require(fine: bool, name: str, value: Any, expected: str) -> None:
    """Raises ValueError for a setting of a record; `take` names the generator."""
    if not fine:
        raise ValueError(f'"{name}" is {value!r}: expected {expected}')


def take(kind: type[Settings], definition: Definition, given: Mapping[str, Any]) -> tuple[Settings, dict[str, Any]]:
    """Builds a record of settings from those that are its own, and returns the others.

    Raises:
        UsageError: A value is of the wrong type or out of range.
    """
    own = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    try:
        settings = msgspec.convert({k: v for k, v in given.items() if k in own}, kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$.")
        name = place.rstrip("`").partition(".")[0].partition("[")[0]
        found = f'"{name}" is {given[name]!r}: {what[:1].lower()}{what[1:]}' if name in given else what
        raise UsageError(f'"{definition.name}": {found.replace("`", "")}. See docs/generators.md.') from None
    return settings, {k: v for k, v in given.items() if k not in own}


def check_token_transformer(definition: Definition) -> None:
    """Checks the settings, and the size of the clip where the checkpoint's configuration is on this machine."""
    from vbench_lite.adapters.models.video_tokens import VideoTokenLayout

    sampling, rest = take(Sampling, definition, _own(definition))
    layout, rest = take(VideoTokenLayout, definition, rest)
    if rest:
        known = [field.name for kind in (Sampling, VideoTokenLayout) for field in fields(kind)]
        raise unknown_setting(definition, "the token-transformer adapter", next(iter(rest)), known)
    vq, lm = (_config(Path(definition.model) / part / "config.json") for part in ("video_tokenizer", "language_model"))
    if isinstance(blocks := vq.get("block_out_channels"), list):
        layout.check_size(definition.name, definition.clip, len(blocks))
    if isinstance(positions := lm.get("max_position_embeddings"), int):
        layout.check_room(definition.name, definition.clip.frames, positions - sampling.prompt_tokens)


def check_diffusers(definition: Definition) -> None:
    """Checks the settings, and the arguments of the call where the checkpoint's class is known on this machine."""
    _, call = LoadSettings.of(definition)
    name = _pipeline_name(definition)
    accepted = declared_arguments(name) if name else None
    if accepted is None:
        return
    from vbench_lite.adapters.models.families import family_table

    images = any("image" in each for each in definition.inputs)
    with_image = str(family_table().get(name, {}).get("with_image", "")) if images else ""
    accepted = accepted | (declared_arguments(with_image) or frozenset())
    for setting in call:
        if setting not in accepted:
            raise unknown_setting(definition, name, setting, {*accepted, *(f.name for f in fields(LoadSettings))})


def check_hybrid(definition: Definition, drafted: Definition, refining: Definition) -> None:
    """Checks the parts and the settings of a hybrid; those beside its own are the refiner's."""
    strength = definition.settings.get("strength", 0.6)
    if isinstance(strength, bool) or not isinstance(strength, int | float) or not 0 <= strength <= 1:
        raise UsageError(f'"{definition.name}": "strength" is {strength!r}: expected 0 (the draft) to 1.')
    if drafted.adapter in COSTS_ELSEWHERE or (drafted.price and drafted.price.usd_per_device_hour is None):
        raise UsageError(
            f'"{definition.name}": its draft "{drafted.name}" is not made on this machine, so that the cost of '
            f"both cannot be added up. Choose a draft that runs here."
        )
    if refining.adapter != "diffusers":
        raise UsageError(f'"{definition.name}": its refiner "{refining.name}" is not of the diffusers adapter.')
    wanted = _with_image(definition)
    missing = [part.name for part in (drafted, refining) if not wanted <= _with_image(part)]
    if missing:
        raise UsageError(
            f'"{definition.name}" takes an image, and its part "{missing[0]}" does not. Correct its "inputs".'
        )
    check_diffusers(refiner_definition(definition, refining))


def refiner_definition(definition: Definition, refining: Definition) -> Definition:
    """The refiner with the settings that the hybrid changes, under the hybrid's name."""
    own = {k: v for k, v in _own(definition).items() if k not in HYBRID}
    return replace(refining, name=definition.name, settings={**refining.settings, **own})


def unknown_setting(definition: Definition, owner: str, setting: str, accepted: Iterable[str]) -> UsageError:
    """Names a setting that nothing reads, and what was probably meant."""
    known = sorted({*accepted, *RUNNER_SETTINGS})
    near = difflib.get_close_matches(setting, known, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else f"It takes: {', '.join(known)}."
    return UsageError(f'"{definition.name}": {owner} takes no setting "{setting}". {hint}')


@cache
def declared_arguments(pipeline: str) -> frozenset[str] | None:
    """What the call of a diffusers pipeline takes, read from its source: importing one takes ten seconds.

    Returns:
        The names; None where diffusers declares no such class with a call of its own.
    """
    spec = importlib.util.find_spec("diffusers")
    for path in (Path(spec.origin).parent / "pipelines").rglob("*.py") if spec and spec.origin else ():
        text = path.read_text("utf-8")
        if f"class {pipeline}(" not in text:
            continue
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef) and node.name == pipeline:
                methods = {m.name: m.args for m in node.body if isinstance(m, ast.FunctionDef)}
                return _names(methods) if "__call__" in methods else None
    return None


def _names(methods: Mapping[str, ast.arguments]) -> frozenset[str]:
    """Guidance that a component of the pipeline holds can be set as well."""
    call = methods["__call__"]
    guided = "__init__" in methods and any(a.arg == "guider" for a in methods["__init__"].args)
    names = {argument.arg for argument in (*call.args, *call.kwonlyargs)} - {"self"}
    return frozenset(names | ({"guidance_scale"} if guided else set()))


def _pipeline_name(definition: Definition) -> str:
    """The class that the index of a checkpoint on this machine names; "" where it is not here."""
    index = Path(definition.model) / "model_index.json"
    if not index.is_file() and definition.model.count("/") == 1:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError

        try:
            cached = try_to_load_from_cache(
                definition.model, "model_index.json", revision=definition.revision or None
            )
        except HFValidationError:
            return ""
        index = Path(cached) if isinstance(cached, str) else index
    return str(_config(index).get("_class_name", ""))


def _config(path: Path) -> dict[str, Any]:
    """A configuration file; empty where it cannot be read, which loading the model then reports."""
    try:
        found = parse_json(path, read_text(path)) if path.is_file() else {}
    except (BadFile, OSError):
        return {}
    return found if isinstance(found, dict) else {}


def _own(definition: Definition) -> dict[str, Any]:
    """The settings that the runner leaves to the adapter."""
    return {k: v for k, v in definition.settings.items() if k not in RUNNER_SETTINGS}


def _with_image(definition: Definition) -> set[tuple[str, ...]]:
    return {each for each in definition.inputs if "image" in each}


def _check_number(
    definition: Definition, call: Mapping[str, Any], name: str, kind: type, *, above: float | None
) -> None:
    value = call.get(name, 1)
    kinds = (int,) if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or (above is not None and value <= above):
        expected = "a whole number, 1 or more" if kind is int else "a number"
        raise UsageError(f'"{definition.name}": "{name}" is {value!r}: expected {expected}.')
