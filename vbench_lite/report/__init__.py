"""Renders runs: on the terminal, as a page, as Markdown, as plain data."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from vbench_lite.errors import UnknownName, UsageError
from vbench_lite.files import check_place
from vbench_lite.report.formats.terminal import terminal_table
from vbench_lite.report.output import STDOUT, Clips, Output
from vbench_lite.run.view import Run

if TYPE_CHECKING:
    from vbench_lite.report.data import Report

__all__ = ["REPORTERS", "Reporter", "choose_reporter", "find_reporter", "page_shows", "terminal_table", "write_report"]


@dataclass(frozen=True)
class Reporter:
    """One format of a report."""

    name: str
    ending: str
    target: str
    """"module:function" under `report`. It is called with the report and its output."""
    suffixes: tuple[str, ...] = ()
    """File extensions of the format. Empty: it writes a folder."""
    text: bool = True
    """Whether it is one text, which can be written to standard output."""

    def load(self) -> Callable[[Report, Output], None]:
        """Imports the format."""
        found: Callable[[Report, Output], None] = resolve_name(f"vbench_lite.report.{self.target}")
        return found


REPORTERS = (
    Reporter("html", ".html", "page.render:write", (".html", ".htm"), text=False),
    Reporter("pdf", ".pdf", "formats.pdf:write", (".pdf",), text=False),
    Reporter("markdown", ".md", "formats.markdown:write", (".md", ".markdown")),
    Reporter("json", ".json", "formats.data:write_json", (".json",)),
    Reporter("csv", ".csv", "formats.data:write_csv", (".csv",)),
    Reporter("spreadsheet", ".spreadsheet.csv", "formats.data:write_spreadsheet", (".csv",)),
    Reporter("parquet", ".parquet", "formats.data:write_parquet", (".parquet",), text=False),
    Reporter("latex", ".tex", "formats.latex:write", (".tex",)),
    Reporter("model-card", ".model-card.md", "formats.model_card:write", (".md", ".yaml", ".yml")),
    Reporter("metrics", ".metrics.json", "formats.data:write_metrics", (".json",)),
    Reporter("vbench", ".eval_results.json", "formats.vbench:write", (".json",)),
    Reporter("vbench-totals", ".vbench-totals.md", "formats.vbench_totals:write", (".md",)),
    Reporter("run-card", ".run-card.md", "formats.run_card:write", (".md", ".json")),
    Reporter("plots", "-plots", "figures.all:write", text=False),
)
"""A file extension selects the first format that has it."""


def find_reporter(name: str) -> Reporter:
    """The reporter with this name.

    Raises:
        UnknownName: There is no such format.
    """
    for reporter in REPORTERS:
        if reporter.name == name:
            return reporter
    raise UnknownName("report format", name, (r.name for r in REPORTERS), "")


def choose_reporter(name: str | None, out: Path | None) -> Reporter:
    """The format of a report: as named, else by the file extension, else the page.

    Args:
        name: The name of a format, or None.
        out: The file to write, or None.

    Raises:
        UnknownName: There is no such format.
        UsageError: The file extension belongs to another format, or to none.

    >>> choose_reporter(None, Path("table.tex")).name
    'latex'
    """
    suffix = out.suffix.lower() if out is not None else ""
    owners = [reporter for reporter in REPORTERS if suffix in reporter.suffixes]
    if name is not None:
        reporter = find_reporter(name)
        other = owners[0].name if owners else _binary_kind(suffix)
        if out is not None and other and reporter not in owners:
            better = out.with_suffix(reporter.suffixes[0]) if reporter.suffixes else "a folder"
            raise UsageError(f'"{out}" has the file extension of {other}, not {name}. Write to {better} instead.')
        return reporter
    if out is None or out == STDOUT:
        return REPORTERS[0]
    if not owners:
        endings = ", ".join(dict.fromkeys(suffix for r in REPORTERS for suffix in r.suffixes))
        raise UsageError(f'"{out}" has no file extension of a format ({endings}). Name a format with --format.')
    return owners[0]


def _binary_kind(suffix: str) -> str:
    """The media type of a file extension, such as "image/png"; "" for texts and unknown types."""
    kind = mimetypes.guess_type(f"name{suffix}")[0] or ""
    return "" if kind.startswith("text/") else kind


def page_shows(path: Path, run: Run) -> bool:
    """Whether the page at a path was rendered from the current run by this version."""
    from vbench_lite.report.data import digest

    try:
        with path.open(encoding="utf-8") as file:
            return f'content="{digest([run])}"' in file.read(20_000)
    except (OSError, UnicodeDecodeError):
        return False


def write_report(
    runs: Sequence[Run], out: Path | None = None, format: str | None = None, clips: Clips = "auto"
) -> Path:
    """Writes the report of one or more runs.

    Args:
        runs: Scored runs, or generators of them.
        out: The file, or "-" for standard output if the format is one text. Default: reports/<name> with the file
            extension of the format.
        format: The name of one of `REPORTERS`. Default: by the file extension of `out`; without `out` the page.
        clips: For the page: "embed" them in it, put them in a "folder" beside it, leave them out ("none"), or
            "auto": embed as many as fit into 30 MB.

    Returns:
        The file or folder written.

    Raises:
        StoreError: A run is missing, not scored, or the report cannot be written.
        UnknownName: There is no such format.
        UsageError: The file extension belongs to another format.
    """
    reporter = choose_reporter(format, out)
    if out is not None and out != STDOUT and reporter.suffixes:
        check_place(out)
    from vbench_lite.report.data import gather

    report = gather(runs)
    output = Output(out or Path("reports") / f"{report.name}{reporter.ending}", clips)
    reporter.load()(report, output)
    return output.path
