"""The inputs that a generator accepts (a text, an image, or both), and whether they fit the prompts of a suite."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vbench_lite.errors import UsageError
from vbench_lite.records import Definition, Prompt
from vbench_lite.tomlfile import TomlFile
from vbench_lite.userfile import shown

Inputs = tuple[tuple[str, ...], ...]
KINDS = ("image", "text")
ANY: Inputs = (("text",), ("image", "text"), ("image",))
ANY_ADAPTERS = ("recorded", "simulated")
"""Adapters that accept every prompt."""
EXPECTED = '["text"], ["image"], ["image", "text"], or a list of several of these'


def read_inputs(file: TomlFile, adapter: str) -> Inputs:
    """Read the key `inputs` of a definition; the default is text only."""
    found = file.get("inputs", list, None)
    if found is None:
        return ANY if adapter in ANY_ADAPTERS else (("text",),)
    if (inputs := as_inputs(found)) is None:
        raise file.error("inputs", f'"inputs" is {shown(found)}: expected {EXPECTED}.')
    return inputs


def as_inputs(value: Any) -> Inputs | None:
    """Convert a list of kinds, or a list of such lists, to tuples in the order of `KINDS`; None for other values.

    >>> as_inputs(["text", "image"]), as_inputs([["text"], ["image", "text"]]), as_inputs(["sound"])
    ((('image', 'text'),), (('text',), ('image', 'text')), None)
    """
    if not isinstance(value, list | tuple) or not value:
        return None
    sets = [value] if all(isinstance(each, str) for each in value) else list(value)
    for each in sets:
        if not isinstance(each, list | tuple) or not each or not all(kind in KINDS for kind in each):
            return None
    return tuple(dict.fromkeys(tuple(kind for kind in KINDS if kind in each) for each in sets))


def describe_inputs(inputs: Inputs) -> str:
    """The inputs as text.

    >>> describe_inputs((("text",), ("image", "text")))
    'text, image+text'
    """
    return ", ".join("+".join(each) for each in inputs)


def gets_image(inputs: Inputs, prompt: Prompt) -> bool:
    """Whether a generator with these inputs receives the image of a prompt."""
    return prompt.image is not None and any("image" in each for each in inputs)


def check_inputs(definition: Definition, prompts: Iterable[Prompt]) -> None:
    """Check that a generator accepts all prompts.

    With `--sweep inputs=text`, a generator that accepts only texts may run on prompts with images.

    Raises:
        UsageError: A prompt has an image that the generator does not accept, or has no image although one is required.
            The message names the first such prompt.
    """
    images = any("image" in each for each in definition.inputs)
    texts = any("image" not in each for each in definition.inputs)
    chosen = "inputs" in definition.about.get("sweep", {})
    for prompt in prompts:
        if prompt.image and not images and not chosen:
            raise UsageError(
                f'"{definition.name}" takes {describe_inputs(definition.inputs)}, and the prompt "{prompt.id}" has an '
                "image. See which generators take images: vbench list generators. To run it on the texts only, add "
                "--sweep inputs=text"
            )
        if not prompt.image and not texts:
            raise UsageError(
                f'"{definition.name}" takes {describe_inputs(definition.inputs)}, and the prompt "{prompt.id}" has no '
                "image. Add image = \"FILE\" to the prompt, or choose another generator: vbench list generators"
            )


def swept_inputs(definition: Definition, value: Any) -> Inputs:
    """The value of `--sweep inputs=...` for a definition.

    Raises:
        UsageError: The generator does not accept these inputs.
    """
    wanted = tuple(kind for kind in KINDS if kind in str(value).split("+"))
    if "+".join(wanted) != str(value) or wanted not in definition.inputs:
        taken = ", ".join("+".join(each) for each in definition.inputs)
        raise UsageError(f'--sweep inputs={value}: "{definition.name}" takes {taken}.')
    return (wanted,)
