"""Finds the image of each entry in VBench-I2V's prompt files, in the published layout of folders.

    vbench2_i2v_full_info.json      prompts with dimensions; `image_name`, except for prompts of camera motion
    i2v-bench-info.json             captions with `file_name`
    [data/]crop/16-9/<name>         images cropped to an aspect ratio (16-9, 7-4, 8-5, 1-1), beside the file or in data/
    [data/]origin/<name>            original images

A prompt of camera motion is another prompt followed by ", camera ...", and has the image of that prompt. The first
existing folder is used, beginning with the crop to 16:9. For clips with another aspect ratio, `images.py` crops the
centre.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vbench_lite.errors import BadFile
from vbench_lite.userfile import is_folder

NAMES = ("image_name", "file_name")
FOLDERS = tuple(
    f"{base}{place}" for place in ("crop/16-9", "crop/7-4", "crop/8-5", "crop/1-1", "origin") for base in ("data/", "")
)
CAMERA = ", camera "


def with_images(path: Path, values: Sequence[Any], text_keys: Sequence[str]) -> Sequence[Any]:
    """Add the key "image" to the entries of such a file. Entries of other files are returned unchanged.

    Args:
        path: The file.
        values: The entries of the file.
        text_keys: Keys under which an entry may have its text.

    Raises:
        BadFile: There is no folder of images, or an entry names no image.
    """
    names = {
        text: name for value in values if isinstance(value, Mapping)
        for text in [_first(value, text_keys)] for name in [_first(value, NAMES)] if text and name
    }
    if not names or any(isinstance(value, Mapping) and "image" in value for value in values):
        return values
    folder = next((each for each in FOLDERS if is_folder(path.parent / each)), None)
    if folder is None:
        raise BadFile(
            path, None,
            "names images of VBench-I2V, but their folder is missing: expected data/crop/16-9/ or data/origin/ "
            "beside the file. VBench's vbench2_beta_i2v/download_data.sh downloads them.",
        )
    found = []
    for number, value in enumerate(values, 1):
        text = _first(value, text_keys) if isinstance(value, Mapping) else ""
        name = names.get(text) or names.get(text.rpartition(CAMERA)[0])
        if text and not name:
            problem = f'the entry "{text[:80]}" names no image, and is not a camera motion of an entry with an image.'
            raise BadFile(path, number, problem)
        found.append({**value, "image": f"{folder}/{name}"} if text else value)
    return found


def _first(value: Mapping[str, Any], keys: Sequence[str]) -> str:
    return next((value[key] for key in keys if isinstance(value.get(key), str)), "")
