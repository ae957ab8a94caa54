"""Differences between diffusers' video pipelines: the entries of `families.toml`.

For a class that is not in the table, the arguments of its `__call__` are used. The table has what a signature does not
show.
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any

FRAME_ARGUMENTS = ("num_frames", "video_length", "frames")
FPS_ARGUMENTS = ("frame_rate", "fps")


@dataclass(frozen=True)
class Family:
    """How pipelines of one class are called."""

    frames: str = ""
    """Name of the argument for the number of frames; "" if the class makes no video."""
    fps: str = ""
    """Name of the argument for the frame rate; "" if the model has only one rate."""
    dtype: str = "bfloat16"
    """Default dtype on a GPU. On a CPU the default is float32."""
    vae_dtype: str = ""
    """Default dtype of the autoencoder, if it fails with `dtype`; "" for the same dtype."""
    batch: bool = True
    """Whether a clip does not depend on other clips of its batch. If False, each call has one request. The default is
    False for classes that start from an image, because most of them take one image for all prompts."""
    output: str = "np"
    call: Mapping[str, Any] = field(default_factory=dict)
    """Default arguments of the call. Settings of the definition override them."""
    refine: str = ""
    """The class that denoises a noised clip, for `hybrid`; "" for none."""
    with_image: str = ""
    """The class that starts from an image with the same checkpoint; "" for none."""
    note: str = ""


def family_table() -> dict[str, dict[str, Any]]:
    """Class name -> its entry in the table."""
    text = (files("vbench_lite.adapters.models") / "families.toml").read_text("utf-8")
    return tomllib.loads(text)


def family_of(pipeline_class: type[Any]) -> Family:
    """The entry of a class. Missing values are taken from its signature."""
    accepted = call_arguments(pipeline_class)
    entry = Family(**{"batch": "image" not in accepted, **family_table().get(pipeline_class.__name__, {})})
    frames = entry.frames or next((name for name in FRAME_ARGUMENTS if name in accepted), "")
    fps = entry.fps or next((name for name in FPS_ARGUMENTS if name in accepted), "")
    return replace(entry, frames=frames, fps=fps)


def call_arguments(pipeline_class: type[Any]) -> set[str]:
    """Names of the arguments of a pipeline's `__call__`."""
    return set(inspect.signature(pipeline_class.__call__).parameters) - {"self"}


def has_guider(pipeline_class: type[Any]) -> bool:
    """Whether a component of the pipeline does the guidance. The checkpoint contains its class and strength."""
    return "guider" in inspect.signature(pipeline_class.__init__).parameters
