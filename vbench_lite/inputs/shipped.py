"""Where the generators and suites lie that ship with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

PACKAGE = Path(__file__).parents[1]


def shipped_folder(name: Literal["generators", "prompts"]) -> Path:
    """The folder of this very package: inside it in a wheel, beside it in a checkout.

    The place follows from this file alone. Import machinery could answer with the folder of another checkout, where
    an editable installation of one and a `PYTHONPATH` to the other meet.
    """
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name
