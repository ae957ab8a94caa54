"""clips.csv as grids, with one row per prompt and one column per clip, without pandas: 10,000 clips in 0.1 s."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbench_lite.errors import StoreError, system_reason
from vbench_lite.run import format1
from vbench_lite.run.manifest import Manifest
from vbench_lite.stats import Array

TEXT = object
"""Text of any length, as the string objects of the reader, which are not copied."""
CHUNK = 4096
"""Number of rows that are read at once, which limits the memory."""
_NEEDED = ("generator", "prompt_id", "index", "status")


@dataclass(frozen=True, eq=False)
class ClipGrid:
    """The requested clips of one generator. Every grid has shape (prompts, clips per prompt)."""

    generator: str
    prompts: tuple[str, ...]
    categories: tuple[str, ...]
    """The category of each prompt."""
    cells: Mapping[str, NDArray[Any]]
    """Column > text as in the file, "" for a missing row; or numbers, NaN for none."""
    clips_of: tuple[int, ...] = ()
    """Number of requested clips of each prompt; () if it is the same for all prompts."""
    _numbers: dict[str, Array] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def made(self) -> NDArray[np.bool_]:
        """Whether the clip exists."""
        return self.text("status") == "ok"

    @cached_property
    def asked(self) -> NDArray[np.bool_]:
        """Whether the clip belongs to the plan. False only if prompts have different numbers of clips."""
        numbers = self.clips_of or (self.made.shape[1],) * len(self.prompts)
        return np.arange(self.made.shape[1]) < np.array(numbers, int)[:, None]

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """Whether the clip was requested but never tried: the run is not complete."""
        status = self.text("status")
        return self.asked & ((status == "") | (status == "missing"))

    @cached_property
    def tried(self) -> NDArray[np.bool_]:
        """Whether the clip was generated or failed: the denominator of rates and costs."""
        return self.asked & ~self.missing

    @property
    def clips(self) -> int:
        """Number of requested clips."""
        return int(self.asked.sum())

    def has(self, column: str) -> bool:
        return column in self.cells

    def text(self, column: str) -> NDArray[Any]:
        """One column as text; "" everywhere if the file does not have it."""
        if column in self.cells:
            return self.cells[column]
        return np.full((len(self.prompts), next(iter(self.cells.values())).shape[1]), "", TEXT)

    def values(self, column: str) -> Array:
        """One column as numbers, with flags as 0 and 1, and NaN for cells without a finite number.

        NaN is used only in computations; it is never written or shown.
        """
        if column not in self._numbers:
            numbers = _numbers(self.cells[column]) if column in self.cells else np.full(self.made.shape, np.nan)
            self._numbers[column] = np.where(np.isfinite(numbers), numbers, np.nan)
        return self._numbers[column]

    def only(self, keep: NDArray[np.bool_]) -> ClipGrid:
        """The grid of some of the prompts."""
        if keep.all():
            return self
        places = np.flatnonzero(keep)
        return ClipGrid(
            self.generator, tuple(self.prompts[i] for i in places), tuple(self.categories[i] for i in places),
            {name: self._numbers.get(name, cells)[places] for name, cells in self.cells.items()},
            tuple(self.clips_of[i] for i in places) if self.clips_of else (),
        )  # fmt: skip


_WORDS = {"": float("nan"), "true": 1.0, "false": 0.0}


def _numbers(cells: NDArray[Any]) -> Array:
    try:
        return cells.astype(float)
    except ValueError:  # empty cells, flags, or text in some cells
        return np.array([_number(word) for word in cells.ravel().tolist()], float).reshape(cells.shape)


def _number(text: str) -> float:
    if text in _WORDS:
        return _WORDS[text]
    try:
        return float(text)
    except ValueError:  # text in some cells: keep the numbers
        return float("nan")


def read_grids(path: Path, manifest: Manifest, remedy: str) -> dict[str, ClipGrid]:
    """Reads clips.csv, with a cell for every clip in run.json, even if the file has no row for it.

    Args:
        path: The table.
        manifest: The manifest of the run.
        remedy: How to restore the table, as a sentence without a full stop.

    Raises:
        StoreError: The table is missing or not valid.
    """
    again = f" {remedy}."
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = (row for row in csv.reader(file, strict=True) if row)
            header = _header(path, next(rows, []), manifest, again)
            tables = {name: _Table(name, header, manifest) for name in manifest.generators}
            read = 1
            while chunk := list(islice(rows, CHUNK)):
                if odd := next((number for number, row in enumerate(chunk, read + 1) if len(row) != len(header)), None):
                    raise _no_table(path, f"row {odd} has a different number of cells", again)
                read += len(chunk)
                for table in tables.values():
                    table.add(chunk)
    except FileNotFoundError:
        raise StoreError(f"{path} is missing: the run is not scored.{again}") from None
    except (OSError, ValueError, csv.Error) as error:
        raise StoreError(f"{path} cannot be read: {system_reason(error)}.{again}") from None
    return {name: table.grid() for name, table in tables.items()}


def _header(path: Path, names: list[str], manifest: Manifest, again: str) -> list[str]:
    header = [format1.column(name) for name in names] if manifest.format == 1 else names
    if lacking := [name for name in _NEEDED if name not in header]:
        raise _no_table(path, f"it lacks the columns {', '.join(lacking)}", again)
    return header


def _no_table(path: Path, problem: str, again: str) -> StoreError:
    return StoreError(f"{path} is not a table of clips: {problem}.{again}")


class _Table:
    """The rows of one generator in the places of the plan. Rows outside the plan are left out."""

    def __init__(self, generator: str, header: list[str], manifest: Manifest) -> None:
        self._generator, self._header, self._manifest = generator, header, manifest
        self._prompts = manifest.plan.prompts
        self._numbers = [manifest.plan.clips(prompt) for prompt in self._prompts]
        self._shape = (len(self._prompts), max(self._numbers, default=0))
        self._places = {
            (generator, prompt, str(index)): nth * self._shape[1] + index
            for nth, prompt in enumerate(self._prompts) for index in range(self._numbers[nth])
        }  # fmt: skip
        self._key = [header.index(name) for name in ("generator", "prompt_id", "index")]
        self._cells = np.full((self._shape[0] * self._shape[1], len(header)), "", TEXT)

    def add(self, rows: list[list[str]]) -> None:
        who, what, which = self._key
        found = ((self._places.get((row[who], row[what], row[which])), row) for row in rows)
        if asked := {place: row for place, row in found if place is not None}:
            self._cells[list(asked)] = list(asked.values())

    def grid(self) -> ClipGrid:
        manifest, prompts, numbers = self._manifest, self._prompts, self._numbers
        cells = {name: self._cells[:, nth].reshape(self._shape) for nth, name in enumerate(self._header)}
        if manifest.format == 1:
            cells["status"] = format1.status(cells["status"], cells["reason"])
            if "unusable_because" in cells:
                cells["unusable_codes"] = format1.unusable_codes(cells["unusable_because"])
        category = {prompt.id: prompt.category for prompt in manifest.suite.prompts}
        categories = tuple(category.get(prompt, "") for prompt in prompts)
        clips_of = tuple(numbers) if len(set(numbers)) > 1 else ()
        return ClipGrid(self._generator, prompts, categories, cells, clips_of)
