"""Images of prompts in a run folder: `images/<digest>.<suffix>`, so that a run can be moved and scored anywhere."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from vbench_lite.errors import StoreError, system_reason
from vbench_lite.files import write_whole
from vbench_lite.inputs.images import NotAnImageError, Picture, check_image, decode_image, fit_image
from vbench_lite.records import Prompt, PromptImage

FOLDER = "images"


def stored_path(image: PromptImage) -> str:
    """The path of the file, relative to the run folder.

    >>> stored_path(PromptImage("shots/Mug.PNG", "0123456789abcdef" * 4))
    'images/0123456789abcdef.png'
    """
    suffix = Path(image.path).suffix.lower()
    return f"{FOLDER}/{image.sha256[:16]}{suffix if re.fullmatch(r'[.][a-z0-9]{1,5}', suffix) else ''}"


def as_stored(prompt: Prompt) -> Prompt:
    """A prompt as stored in run.json: with the path in the run folder."""
    if prompt.image is None:
        return prompt
    return dataclasses.replace(prompt, image=dataclasses.replace(prompt.image, path=stored_path(prompt.image)))


def check_images(prompts: Iterable[Prompt]) -> None:
    """Decodes the images of a plan, before clips are generated.

    Raises:
        NotAnImageError: An image cannot be used.
    """
    for prompt in prompts:
        if prompt.image:
            check_image(prompt.image)


def store_images(folder: Path, prompts: Iterable[Prompt]) -> None:
    """Copies the images of a plan into the run folder."""
    for prompt in prompts:
        if prompt.image and not (folder / stored_path(prompt.image)).exists():
            write_whole(folder / stored_path(prompt.image), Path(prompt.image.path).read_bytes())


def load_picture(folder: Path, image: PromptImage, height: int, width: int) -> Picture:
    """The stored image of a prompt in the size of a clip, uint8, (height, width, 3), RGB.

    Raises:
        StoreError: The file is missing, or differs from the file at the start of the run.
    """
    return _fitted(folder / stored_path(image), image.sha256, height, width).copy()


def load_original(folder: Path, image: PromptImage) -> Picture:
    """The stored image of a prompt in its original size.

    Raises:
        StoreError: As `load_picture`.
    """
    return _decoded(folder / stored_path(image), image.sha256)


@lru_cache(maxsize=16)
def _fitted(path: Path, sha256: str, height: int, width: int) -> Picture:
    return fit_image(_decoded(path, sha256), height, width)


def _decoded(path: Path, sha256: str) -> Picture:
    again = "Run the same command again with --fresh, or restore the file."
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreError(f"{path} is not the image of the start of the run: its sha256 differs. {again}")
        return decode_image(content)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {system_reason(error)}. {again}") from None
    except NotAnImageError as error:
        raise StoreError(f"{path}: {error} {again}") from None
