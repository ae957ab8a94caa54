"""Settings of the adapters that load models, checked before a run without loading a model or its library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from vbench_lite.adapters.models.declared import declared_arguments, pipeline_name, read_config
from vbench_lite.adapters.settings import own_settings, require, take, unknown_setting
from vbench_lite.errors import UsageError
from vbench_lite.records import Definition

Dtype = Literal["float32", "bfloat16", "float16"]
HYBRID = ("draft", "refiner", "strength")
COSTS_ELSEWHERE = ("http", "recorded")
"""Adapters whose drafts do not cost device time of this process, so the costs cannot be added up."""


@dataclass(frozen=True)
class LoadSettings:
    """Settings for loading a diffusers checkpoint."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto: that of the family on a GPU, float32 on a CPU."""
    vae_dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """The dtype of the autoencoder."""
    variant: str = ""
    """Variant of the weight files, e.g. "fp16"."""
    offload: Literal["none", "model", "sequential"] = "none"
    """model: one network at a time on the GPU. sequential: one layer at a time; slow, smallest."""
    vae_tiling: bool = False
    vae_slicing: bool = False
    scheduler: dict[str, Any] | str = ""
    """Scheduler to use instead: its class, or a table with `class` and its options, e.g. flow_shift."""
    attention_backend: str = ""
    compile: bool = False
    """torch.compile of the denoising network. The slow first call is part of the warm-up."""

    @classmethod
    def of(cls, definition: Definition) -> tuple[LoadSettings, dict[str, Any]]:
        """Splits the settings of a definition into these and the arguments of the call."""
        settings, call = take(cls, definition)
        _check_number(definition, call, "num_inference_steps", int, above=0)
        _check_number(definition, call, "guidance_scale", float, above=None)
        return settings, call


@dataclass(frozen=True)
class Sampling:
    """Settings for sampling from a token transformer, and the precision of its networks."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    dtype: Dtype = "float32"
    prompt_tokens: int = 77
    """Length to which prompts are padded or truncated, including special tokens."""
    prompt_template: str = "{prompt}"
    guidance_scale: float = 1.0
    """Classifier-free guidance. Above 1, each step also runs with `unconditional_text` instead of the prompt."""
    unconditional_text: str = ""
    first_code_token: str | int = "<v0>"
    """The token of code 0, by name or number. The tokens of the other codes follow it in the vocabulary."""
    code_token: str = ""
    """Pattern of the token names, for vocabularies that name each code, such as "<|visual token {code:06d}|>"."""

    def __post_init__(self) -> None:
        require(self.temperature > 0, "temperature", self.temperature, "a number above 0")
        require(0 < self.top_p <= 1, "top_p", self.top_p, "a number above 0, up to 1")
        require(self.top_k >= 0, "top_k", self.top_k, "a whole number, 0 (all tokens) or more")
        require(self.prompt_tokens > 0, "prompt_tokens", self.prompt_tokens, "a whole number, 1 or more")
        require("{prompt}" in self.prompt_template, "prompt_template", self.prompt_template, "a text with {prompt}")


def check_token_transformer(definition: Definition) -> None:
    """Checks the settings, and the size of the clip if the configuration of the checkpoint is on this machine."""
    from vbench_lite.adapters.models.video_tokens import VideoTokenLayout

    sampling, rest = take(Sampling, definition)
    layout, rest = take(VideoTokenLayout, definition, rest)
    if rest:
        known = [field.name for kind in (Sampling, VideoTokenLayout) for field in fields(kind)]
        raise unknown_setting(definition, "the token-transformer adapter", next(iter(rest)), known)
    folder = Path(definition.model)
    vq, lm = (read_config(folder / part / "config.json") for part in ("video_tokenizer", "language_model"))
    if isinstance(blocks := vq.get("block_out_channels"), list):
        layout.check_size(definition.name, definition.clip, len(blocks))
    if isinstance(positions := lm.get("max_position_embeddings"), int):
        layout.check_room(definition.name, definition.clip.frames, positions - sampling.prompt_tokens)


def check_diffusers(definition: Definition) -> None:
    """Checks the settings, and the arguments of the call if the class of the checkpoint is known on this machine."""
    _, call = LoadSettings.of(definition)
    name = pipeline_name(definition)
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
    """Checks the parts and the settings of a hybrid. Settings that are not its own belong to the refiner."""
    strength = definition.settings.get("strength", 0.6)
    if isinstance(strength, bool) or not isinstance(strength, int | float) or not 0 <= strength <= 1:
        raise UsageError(f'"{definition.name}": "strength" is {strength!r}: expected 0 (the draft) to 1.')
    if drafted.adapter in COSTS_ELSEWHERE or (drafted.price and drafted.price.usd_per_device_hour is None):
        raise UsageError(
            f'"{definition.name}": its draft "{drafted.name}" is not generated on this machine, so the costs of '
            f"both parts cannot be added up. Choose a draft that runs here."
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
    """The definition of the refiner with the settings and the name of the hybrid."""
    own = {k: v for k, v in own_settings(definition).items() if k not in HYBRID}
    return replace(refining, name=definition.name, settings={**refining.settings, **own})


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
