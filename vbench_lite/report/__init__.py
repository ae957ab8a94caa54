"""Turning runs into something to read: on the terminal, as a page, as Markdown, as plain data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from vbench_lite.errors import UnknownName
from vbench_lite.files import write_whole
from vbench_lite.report.formats.terminal import terminal_table
from vbench_lite.run.folder import RunSelection

if TYPE_CHECKING:
    from vbench_lite.report.data import Report

__all__ = ["REPORTERS", "Reporter", "find_reporter", "terminal_table", "write_report"]


@dataclass(frozen=True)
class Reporter:
    """One form of report. Most make one text of it; the page and the plots write files of their own."""

    name: str
    ending: str
    target: str
    """"module:function", from Report to text or, where `files` is set, from Report and path to the path written."""
    files: bool = False

    def load(self) -> Callable[..., object]:
        module, _, function = self.target.partition(":")
        found: Callable[..., object] = getattr(import_module(module), function)
        return found


REPORTERS = (
    Reporter("html", ".html", "vbench_lite.report.formats.html:write_html", files=True),
    Reporter("markdown", ".md", "vbench_lite.report.formats.markdown:render"),
    Reporter("json", ".json", "vbench_lite.report.formats.data:render_json"),
    Reporter("csv", ".csv", "vbench_lite.report.formats.data:render_csv"),
    Reporter("model-card", ".model-card.md", "vbench_lite.report.formats.data:render_model_card"),
    Reporter("metrics", ".metrics.json", "vbench_lite.report.formats.data:render_metrics"),
    Reporter("vbench", ".eval_results.json", "vbench_lite.report.formats.vbench:render"),
    Reporter("plots", "-plots", "vbench_lite.report.figures.all:write_plots", files=True),
)
STDOUT = Path("-")


def find_reporter(name: str) -> Reporter:
    """The reporter of a name.

    Raises:
        UnknownName: There is no such form.
    """
    for reporter in REPORTERS:
        if reporter.name == name:
            return reporter
    raise UnknownName("report format", name, (r.name for r in REPORTERS), "")


def write_report(
    runs: Sequence[RunSelection], out: Path | None = None, format: str = "html", clips: str = "auto"
) -> Path:
    """Writes the report of one or more runs.

    Args:
        runs: Scored runs, or generators of them.
        out: The file, or "-" for stdout where the form is one text; by default reports/<name> with its ending.
        format: The name of one of `REPORTERS`.
        clips: For the page: "embed" them in it, put them in a "folder" beside it, leave them out ("none"), or
            "auto": embed what fits into 30 MB.

    Returns:
        The file or folder written.

    Raises:
        StoreError: A run is missing, not scored, or the report cannot be written.
        UnknownName: There is no such form.
    """
    reporter = find_reporter(format)
    from vbench_lite.report.data import gather

    report = gather(runs)
    path = out or Path("reports") / f"{report.name}{reporter.ending}"
    return _write(reporter, report, path, clips)


def _write(reporter: Reporter, report: Report, path: Path, clips: str) -> Path:
    make = reporter.load()
    if reporter.name == "html":
        make(report, path, clips)
    elif reporter.files:
        make(report, path)
    elif path == STDOUT:
        sys.stdout.write(str(make(report)))
    else:
        write_whole(path, str(make(report)))
    return path
