"""The section of a page, and the scenario from which it is made."""

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
    """Prefix that makes ids unique: "" for the first scenario, "s1-" for the second."""
    several: bool = False
    """Whether the page has further scenarios."""

    @property
    def beside(self) -> str:
        """Suffix of a label if the page has several scenarios: ", Film"."""
        return f", {self.scenario.title}" if self.several else ""


@dataclass(frozen=True)
class Section:
    """One part of the page below the answers."""

    key: str
    """Its fragment in the address, without the prefix of the scenario."""
    title: str
    template: str
    """File in `sections/`."""
    lede: str = ""
    """One paragraph below the heading."""
    short: str = ""
    """Its name in the navigation of the page; "" leaves it out."""
    printed: bool = False
    """Whether it is printed."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Name > value for the template."""
