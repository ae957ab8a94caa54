"""diffusers pipelines that start from an image: finds their class, and shares loaded weights with it."""

from __future__ import annotations

import inspect
from typing import Any

from vbench_lite.adapters.models.families import Family, call_arguments
from vbench_lite.errors import GeneratorError
from vbench_lite.records import Definition

IMAGE = "image"


def takes_image(pipeline_class: type[Any]) -> bool:
    """Whether a pipeline's call starts from an image."""
    return IMAGE in call_arguments(pipeline_class)


def needs_image(pipeline_class: type[Any]) -> bool:
    """Whether a pipeline cannot be called without an image."""
    image = inspect.signature(pipeline_class.__call__).parameters.get(IMAGE)
    return image is not None and (image.default is inspect.Parameter.empty or _named_after_images(pipeline_class))


def _named_after_images(pipeline_class: type[Any]) -> bool:
    """Whether the name shows that the class needs an image. Some such classes have a default of None for it."""
    return "ImageToVideo" in pipeline_class.__name__ or "Image2Video" in pipeline_class.__name__


def image_class(definition: Definition, pipeline_class: type[Any], family: Family) -> type[Any] | None:
    """The class that starts from an image with this checkpoint; None if the definition accepts no image.

    Raises:
        GeneratorError: The checkpoint's class does not accept the inputs of the definition.
    """
    import diffusers

    wanted = any(IMAGE in each for each in definition.inputs)
    if needs_image(pipeline_class) and any(IMAGE not in each for each in definition.inputs):
        raise GeneratorError(
            f'"{definition.name}" is a {pipeline_class.__name__}, which needs an image. Write '
            f'inputs = ["image", "text"] into its TOML.'
        )
    if not wanted:
        return None
    if takes_image(pipeline_class):
        return pipeline_class
    found: type[Any] | None = getattr(diffusers, family.with_image, None) if family.with_image else None
    if found is None:
        raise GeneratorError(
            f'"{definition.name}" is a {pipeline_class.__name__}, which does not accept an image, and families.toml '
            f'names no other class for it. Remove "image" from its inputs.'
        )
    return found


def same_weights(pipeline: Any, kind: type[Any]) -> Any:
    """A pipeline of another class that shares the networks and the configuration of a loaded pipeline.

    diffusers' `from_pipe` is not used, because it casts the shared networks to float32.
    """
    takes = inspect.signature(kind.__init__).parameters
    parts = {**pipeline.config, **pipeline.components}
    made = kind(**{name: value for name, value in parts.items() if name in takes})
    made.set_progress_bar_config(disable=True)
    return made
