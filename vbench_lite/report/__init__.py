"""Turning runs into something to read: on the terminal, as a page, as Markdown, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from vbench_lite.errors import UnknownName
from vbench_lite.report.formats.terminal import terminal_table
from vbench_lite.report.output import Clips, Output
from vbench_lite.run.view import Run

if TYPE_CHECKING:
    from vbench_lite.report.data import Report

__all__ = ["REPORTERS", "Reporter", "find_reporter", "terminal_table", "write_report"]


@dataclass(frozen=True)
class Reporter:
    """One format of a report."""

    name: str
    ending: str
    target: str
    """"module:function" under `report`, called with the report and its output."""
    text: bool = True
    """Whether it is one text, which may go to standard output."""

    def load(self) -> Callable[[Report, Output], None]:
        """Imports the format."""
        found: Callable[[Report, Output], None] = resolve_name(f"vbench_lite.report.{self.target}")
        return found


REPORTERS = (
    Reporter("html", ".html", "formats.html:write", text=False),
    Reporter("markdown", ".md", "formats.markdown:write"),
    Reporter("json", ".json", "formats.data:write_json"),
    Reporter("csv", ".csv", "formats.data:write_csv"),
    Reporter("model-card", ".model-card.md", "formats.data:write_model_card"),
    Reporter("metrics", ".metrics.json", "formats.data:write_metrics"),
    Reporter("vbench", ".eval_results.json", "formats.vbench:write"),
    Reporter("plots", "-plots", "figures.all:write", text=False),
)


def find_reporter(name: str) -> Reporter:
    """The reporter of a name.

    Raises:
        UnknownName: There is no such format.
    """
    for reporter in REPORTERS:
        if reporter.name == name:
            return reporter
    raise UnknownName("report format", name, (r.name for r in REPORTERS), "")


def write_report(runs: Sequence[Run], out: Path | None = None, format: str = "html", clips: Clips = "auto") -> Path:
    """Writes the report of one or more runs.

    Args:
        runs: Scored runs, or generators of them.
        out: The file, or "-" for standard output where the format is one text; by default reports/<name> with the
            format's ending.
        format: The name of one of `REPORTERS`.
        clips: For the page: "embed" them in it, put them in a "folder" beside it, leave them out ("none"), or
            "auto": embed what fits into 30 MB.

    Returns:
        The file or folder written.

    Raises:
        StoreError: A run is missing, not scored, or the report cannot be written.
        UnknownName: There is no such format.
    """
    reporter = find_reporter(format)
    from vbench_lite.report.data import gather

    report = gather(runs)
    output = Output(out or Path("reports") / f"{report.name}{reporter.ending}", clips)
    reporter.load()(report, output)
    return output.path
