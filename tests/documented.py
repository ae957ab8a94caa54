"""Sentences of the documentation, for tests of the numbers in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


@cache
def text_of(page: str) -> str:
    """A page of docs/ on one line."""
    return " ".join((DOCS / page).read_text("utf-8").split())
