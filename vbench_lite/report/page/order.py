"""The sections of the page, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vbench_lite.report.page.section import Scene, Section
from vbench_lite.report.page.sections import extremes, failures, figures, table

OF_SCENARIO: tuple[Callable[[Scene], Iterable[Section]], ...] = (
    table.sections, figures.sections, failures.sections, extremes.sections,
)  # fmt: skip
"""Sections that every scenario has for itself. The clips and the method follow once, for all of them."""


def sections_of(scene: Scene) -> list[Section]:
    """Every section that a scenario has data for."""
    return [section for make in OF_SCENARIO for section in make(scene)]
