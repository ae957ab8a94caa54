"""Reads tables of scores that another tool computed (`--import scores.csv`). The run is not needed for these checks.

    generator,prompt_id,index,metric,value,unit,higher_is_better,source,version
    mine,sneaker-spin-red,0,realism,4.1,points,true,people,2026-11

Instead of prompt_id and index, a row may have `file`: a clip of the run folder, or a name such as "{prompt}-0.mp4".
The columns after value are optional.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vbench_lite.errors import BadFile
from vbench_lite.inputs.vbench_results import read_vbench_results
from vbench_lite.userfile import control_character, csv_error, read_text, shown

NEEDED = ("metric", "value")
NAMES = ("unit", "higher_is_better", "source", "version")
COLUMNS = ("generator", "prompt_id", "file", "index", *NEEDED, *NAMES)
RENAMED = "_imported"
"""Suffix of an imported metric whose name is also the name of a metric of this package."""
SEPARATORS = (";", "\t", "|")
"""Instead of the comma, by which this may be a table of another kind."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_DIRECTIONS = {"": None, "true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


class TableMetric(NamedTuple):
    """Properties of a metric in the table. They are equal in all of its rows."""

    unit: str = ""
    higher_is_better: bool | None = None
    source: str = ""
    version: str = ""


class TableRow(NamedTuple):
    """One score of one clip in the table."""

    line: int
    """Line in the file; 0 for a JSON file."""
    generator: str
    """"" if the table has no such column."""
    prompt_id: str
    index: int | None  # type: ignore[assignment]  # hides tuple.index, which is not used
    file: str
    metric: str
    value: float | None
    reason: str
    """Why there is no value; "" if there is one."""


@dataclass(frozen=True)
class ScoreTable:
    """A table whose rows are consistent."""

    path: Path
    metrics: Mapping[str, TableMetric]
    rows: Sequence[TableRow]


def read_score_table(path: Path) -> ScoreTable:
    """Read a CSV file of scores, or a result file of VBench (.json).

    Raises:
        BadFile: The file is not a table of scores, or two rows state different properties of a metric. The message
            names the line.
    """
    if path.suffix.lower() == ".json":
        return _read_vbench(path)
    metrics: dict[str, TableMetric] = {}
    first: dict[str, int] = {}
    rows = []
    for line, cells in _cells(path):
        row, stated = _row(path, line, cells)
        known = metrics.setdefault(row.metric, stated)
        before = first.setdefault(row.metric, line)
        for name in NAMES:
            if getattr(known, name) != getattr(stated, name):
                raise BadFile(
                    path, line, f'the {name} of "{row.metric}" is {shown(getattr(stated, name))} here and '
                    f"{shown(getattr(known, name))} in line {before}: expected one for all rows of a metric.",
                )
        rows.append(row)
    if not rows:
        raise BadFile(path, None, "contains no score.")
    return ScoreTable(path, metrics, rows)


def _read_vbench(path: Path) -> ScoreTable:
    """The clips of a result file of VBench, one row per clip and dimension."""
    found = read_vbench_results(path).scores
    rows = [TableRow(0, "", "", None, each.file, each.dimension, each.value, each.reason) for each in found]
    if not rows:
        raise BadFile(path, None, "contains no score of a clip.")
    return ScoreTable(path, {row.metric: TableMetric("", True, "VBench") for row in rows}, rows)


def _cells(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    text = read_text(path)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = header
        _check_header(path, header)
        for cells in reader:
            if None in cells or None in cells.values():
                raise BadFile(path, reader.line_num, f"the row does not have {len(header)} cells, as line 1 has.")
            yield reader.line_num, {name: value.strip() for name, value in cells.items()}
    except csv.Error as error:
        raise csv_error(path, text, reader.line_num, error) from None


def _check_header(path: Path, header: Sequence[str]) -> None:
    lacking = [name for name in NEEDED if name not in header]
    if "file" not in header:
        lacking += [name for name in ("prompt_id", "index") if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    if lacking:
        expected = "expected generator, prompt_id and index (or file), metric, value"
        if sign := next((sign for sign in SEPARATORS if header and sign in header[0]), ""):
            raise BadFile(path, 1, f"its cells are separated by {shown(sign)}: expected commas.")
        raise BadFile(path, 1, f'the column "{lacking[0]}" is missing: {expected}.')
    if unknown:
        raise BadFile(path, 1, f'the column "{unknown[0][:80]}" is not known. Known: {", ".join(COLUMNS)}.')
    if len(set(header)) != len(header):
        raise BadFile(path, 1, "a column occurs more than once.")


def _row(path: Path, line: int, cells: Mapping[str, str]) -> tuple[TableRow, TableMetric]:
    for name, text in cells.items():
        if sign := control_character(text):
            raise BadFile(path, line, f'"{name}" contains the control character {sign}.')
    metric, index, direction = cells["metric"], cells.get("index", ""), cells.get("higher_is_better", "").lower()
    if not _NAME.fullmatch(metric):
        expected = "up to 60 lower-case letters, digits and _, beginning with a letter"
        raise BadFile(path, line, f'"metric" is {shown(metric)}: expected {expected}.')
    if index and not re.fullmatch(r"[0-9]{1,9}", index):
        raise BadFile(path, line, f'"index" is {shown(index)}: expected a whole number from 0.')
    if direction not in _DIRECTIONS:
        raise BadFile(path, line, f'"higher_is_better" is {shown(direction)}: expected true, false or nothing.')
    if not cells.get("file") and not (cells.get("prompt_id") and index):
        raise BadFile(path, line, "the row names no clip: expected prompt_id and index, or file.")
    value, reason = read_value(cells["value"])
    row = TableRow(
        line, cells.get("generator", ""), cells.get("prompt_id", ""), int(index) if index else None,
        cells.get("file", ""), metric, value, reason,
    )
    texts = {name: cells.get(name, "") for name in ("unit", "source", "version")}
    return row, TableMetric(**texts, higher_is_better=_DIRECTIONS[direction])


def read_value(text: str) -> tuple[float | None, str]:
    """A cell as a finite number; or None and the reason.

    >>> read_value("0.5"), read_value("nan"), read_value("")
    ((0.5, ''), (None, "the table has 'nan', which is not a number"), (None, 'the table has no value'))
    """
    if not text:
        return None, "the table has no value"
    words = {"true": 1.0, "false": 0.0}
    try:
        value = words.get(text.lower(), math.nan) if text.lower() in words else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        return None, f"the table has {shown(text)}, which is not a number"
    return value, ""
