"""Folders of the generators and suites that are part of the package."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

PACKAGE = Path(__file__).parents[1]


def shipped_folder(name: Literal["generators", "prompts"]) -> Path:
    """The folder of this package: inside the package in a wheel, beside it in a checkout.

    The path is derived from this file. `importlib.resources` could return the folder of another checkout if an editable
    installation and `PYTHONPATH` name different checkouts.
    """
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name
