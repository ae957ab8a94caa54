"""The sections of the page, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vbench_lite.report.page.section import Scene, Section
from vbench_lite.report.page.sections import extremes, failures, figures, table

OF_SCENARIO: tuple[Callable[[Scene], Iterable[Section]], ...] = (
    table.sections, figures.sections, failures.sections, extremes.sections,
)  # fmt: skip
"""Sections of each scenario. The sections on clips and method follow once, for all scenarios."""


def sections_of(scene: Scene) -> list[Section]:
    """Every section for which a scenario has data."""
    return [section for make in OF_SCENARIO for section in make(scene)]
