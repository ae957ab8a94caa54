"""Turning runs into something to read: on the terminal, as a page, as Markdown, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vbench_lite.report.terminal import terminal_table
from vbench_lite.store import RunSelection

__all__ = ["terminal_table", "write_report"]


def write_report(runs: Sequence[RunSelection], out: Path | None = None, format: str = "html") -> Path:
    """Writes the report of one or more runs.

    Args:
        runs: Scored runs, or generators of them.
        out: The file; by default reports/<name> with the format's ending.
        format: "html".

    Returns:
        The file written.
    """
    from vbench_lite.report.data import gather
    from vbench_lite.report.html import write_html

    report = gather(runs)
    return write_html(report, out or Path("reports") / f"{report.name}.html")
