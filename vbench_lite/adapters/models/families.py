"""What differs between diffusers' video pipelines: `families.toml`, as records.

A class that is not in the table is driven by what its `__call__` names; the table says what a
signature cannot.
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
    """Name of the argument for the number of frames; "" means that it makes no video."""
    fps: str = ""
    """Name of the argument for frames a second; "" where the model has one rate only."""
    dtype: str = "bfloat16"
    """Computed in on a GPU unless the definition says otherwise. A CPU computes in float32."""
    vae_dtype: str = ""
    """For autoencoders that lose pictures at `dtype`; "" means the same."""
    batch: bool = True
    """Whether a clip is the same whatever else is in its batch. False: one request a call; so where the table does not
    say otherwise for classes that start from an image, most of which take one image for all prompts."""
    output: str = "np"
    call: Mapping[str, Any] = field(default_factory=dict)
    """Arguments that are passed unless the definition's settings say otherwise."""
    refine: str = ""
    """The class that goes on from a noised clip, for `hybrid`; "" where there is none."""
    with_image: str = ""
    """The class that starts from an image on the same checkpoint; "" where there is none."""
    note: str = ""


def family_table() -> dict[str, dict[str, Any]]:
    """Class name > its entry, as the table has it."""
    text = (files("vbench_lite.adapters.models") / "families.toml").read_text("utf-8")
    return tomllib.loads(text)


def family_of(pipeline_class: type[Any]) -> Family:
    """The entry of a class, completed from its signature."""
    accepted = call_arguments(pipeline_class)
    entry = Family(**{"batch": "image" not in accepted, **family_table().get(pipeline_class.__name__, {})})
    frames = entry.frames or next((name for name in FRAME_ARGUMENTS if name in accepted), "")
    fps = entry.fps or next((name for name in FPS_ARGUMENTS if name in accepted), "")
    return replace(entry, frames=frames, fps=fps)


def call_arguments(pipeline_class: type[Any]) -> set[str]:
    """The names that a pipeline's `__call__` takes."""
    return set(inspect.signature(pipeline_class.__call__).parameters) - {"self"}


def has_guider(pipeline_class: type[Any]) -> bool:
    """Whether a pipeline has guidance in a component of its own, whose class and strength the checkpoint holds."""
    return "guider" in inspect.signature(pipeline_class.__init__).parameters
