"""What a section of the page is, and what it is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vbench_lite.report.data import SuiteResult
from vbench_lite.report.formats.clip_board import ClipBoard
from vbench_lite.report.formats.media import Media


@dataclass(frozen=True)
class Scene:
    """One scenario of the page, with its clips."""

    scenario: SuiteResult
    board: ClipBoard
    media: Media
    prefix: str = ""
    """Keeps the ids of several scenarios apart: "" for the first, "s1-" for the second."""
    several: bool = False
    """The page has further scenarios."""

    @property
    def beside(self) -> str:
        """What a label adds where the page has several scenarios: ", Film"."""
        return f", {self.scenario.title}" if self.several else ""


@dataclass(frozen=True)
class Section:
    """One part of the page below the answers."""

    key: str
    """Its fragment in the address; the prefix of the scenario is put before it."""
    title: str
    template: str
    """File in `sections/`."""
    lede: str = ""
    """One paragraph below the heading."""
    short: str = ""
    """Its name in the page's navigation; "" keeps it out."""
    printed: bool = False
    """Whether it is printed."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the template shows, by name."""
