"""One kind of file: whole examples of it, what lies beside it, and how the product reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Kind:
    """One kind of file."""

    name: str
    """Of the file; a path where it stands in a folder of its own."""
    examples: Callable[[], list[bytes]]
    read: Callable[[Path], Any]
    """Reads the file as the product does and returns what it found; raises the product's own errors only."""
    beside: Callable[[Path], None] = lambda folder: None
    """Writes what must lie in the folder beside the file."""


def texts(*examples: str) -> Callable[[], list[bytes]]:
    """Examples from their texts."""
    return lambda: [text.encode() for text in examples]


def files_at(*paths: Path) -> Callable[[], list[bytes]]:
    """Examples from files of the repository."""
    return lambda: [path.read_bytes() for path in paths]
