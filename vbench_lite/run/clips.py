"""clips.csv as grids, one row a prompt and one column a clip of it, without pandas: 10,000 clips in 0.2 s."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
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

Texts = NDArray[Any]
TEXT = np.dtypes.StringDType()
"""Text of any length: short cells take 16 bytes, and a long one makes no other cell longer."""
CHUNK = 4096
"""Rows that are held as Python objects at a time."""
_NEEDED = ("generator", "prompt_id", "index", "status")


@dataclass(frozen=True, eq=False)
class ClipGrid:
    """The requested clips of one generator. Every grid here has shape (prompts, clips per prompt)."""

    generator: str
    prompts: tuple[str, ...]
    categories: tuple[str, ...]
    """Of each prompt."""
    cells: Mapping[str, NDArray[Any]]
    """Column > text as it stands in the file, "" where the file has no such row; or numbers, NaN for none."""
    clips_of: tuple[int, ...] = ()
    """Clips of each prompt that were asked for, where prompts differ in that; () where they do not."""
    _numbers: dict[str, Array] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def made(self) -> NDArray[np.bool_]:
        """A clip is there."""
        return self.text("status") == "ok"

    @cached_property
    def asked(self) -> NDArray[np.bool_]:
        """The clip belongs to the plan. False only where prompts have different numbers of clips."""
        numbers = self.clips_of or (self.made.shape[1],) * len(self.prompts)
        return np.arange(self.made.shape[1]) < np.array(numbers, int)[:, None]

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """The clip was asked for and never tried: the run is not complete."""
        status = self.text("status")
        return self.asked & ((status == "") | (status == "missing"))

    @cached_property
    def tried(self) -> NDArray[np.bool_]:
        """The clip was generated or failed: what rates and costs are counted over."""
        return self.asked & ~self.missing

    @property
    def clips(self) -> int:
        """Clips that were asked for."""
        return int(self.asked.sum())

    def has(self, column: str) -> bool:
        return column in self.cells

    def text(self, column: str) -> NDArray[Any]:
        """One column as text; "" throughout where the file does not have it."""
        if column in self.cells:
            return self.cells[column]
        return np.full((len(self.prompts), next(iter(self.cells.values())).shape[1]), "", TEXT)

    def values(self, column: str) -> Array:
        """One column as numbers, flags as 0 and 1, and NaN wherever there is no finite number.

        NaN is used inside the arithmetic only; nothing that is written or shown holds one.
        """
        if column not in self._numbers:
            text = self.text(column)
            numbers = text if text.dtype.kind == "f" else _numbers(text)
            self._numbers[column] = np.where(np.isfinite(numbers), numbers, np.nan)
        return self._numbers[column]

    def only(self, keep: NDArray[np.bool_]) -> ClipGrid:
        """The same for some of the prompts."""
        if keep.all():
            return self
        places = np.flatnonzero(keep)
        return ClipGrid(
            self.generator, tuple(self.prompts[i] for i in places), tuple(self.categories[i] for i in places),
            {name: self._numbers.get(name, cells)[places] for name, cells in self.cells.items()},
            tuple(self.clips_of[i] for i in places) if self.clips_of else (),
        )  # fmt: skip


_WORDS = {"": float("nan"), "true": 1.0, "false": 0.0}


def _numbers(text: NDArray[Any]) -> Array:
    try:
        return np.where(text == "", "nan", text).astype(float)
    except ValueError:  # flags, or a word among the numbers
        pass
    return np.array([_number(word) for word in text.ravel().tolist()], float).reshape(text.shape)


def _number(text: str) -> float:
    if text in _WORDS:
        return _WORDS[text]
    try:
        return float(text)
    except ValueError:  # a word stands among the numbers: keep the numbers
        return float("nan")


def read_grids(path: Path, manifest: Manifest, remedy: str) -> dict[str, ClipGrid]:
    """clips.csv, with a cell for every clip that run.json asked for, whether the file has a row for it or not.

    Args:
        path: The table.
        manifest: Of the same run.
        remedy: How the table is made again, as a sentence without its full stop.

    Raises:
        StoreError: There is no table, or it is not one.
    """
    again = f" {remedy}."
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            header = _header(path, next((row for row in reader if row), []), manifest, again)
            tables = {name: _Table(name, header, manifest) for name in manifest.generators}
            for columns in _chunks(path, reader, header, manifest, again):
                for table in tables.values():
                    table.add(columns)
    except FileNotFoundError:
        raise StoreError(f"{path} is missing: the run is not scored.{again}") from None
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        raise StoreError(f"{path} cannot be read: {system_reason(error)}.{again}") from None
    return {name: table.grid() for name, table in tables.items()}


def _header(path: Path, found: list[str], manifest: Manifest, again: str) -> list[str]:
    header = [format1.column(name) for name in found] if manifest.format == 1 else found
    if lacking := [name for name in _NEEDED if name not in header]:
        raise StoreError(f"{path} is not a table of clips: it lacks the columns {', '.join(lacking)}.{again}")
    return header


def _chunks(
    path: Path, reader: Iterator[list[str]], header: list[str], manifest: Manifest, again: str
) -> Iterator[dict[str, Texts]]:
    """The rows of the file as columns, some thousand rows at a time."""
    number = 1
    for chunk in iter(lambda: list(islice(reader, CHUNK)), []):
        rows = [row for row in chunk if row]
        if not rows:
            continue
        for row in rows:
            number += 1
            if len(row) != len(header):
                what = f"row {number} has another number of cells"
                raise StoreError(f"{path} is not a table of clips: {what}.{again}")
        columns = {name: np.array(cells, TEXT) for name, cells in zip(header, zip(*rows, strict=True), strict=True)}
        if manifest.format == 1:
            columns["status"] = format1.status(columns["status"], columns["reason"])
            if "unusable_because" in columns:
                columns["unusable_codes"] = format1.unusable_codes(columns["unusable_because"])
        yield columns


class _Table:
    """The grid of one generator while the file is read."""

    def __init__(self, generator: str, header: Sequence[str], manifest: Manifest) -> None:
        plan = manifest.plan
        self._generator, self._prompts, self._manifest = generator, plan.prompts, manifest
        self._numbers = [plan.clips(id_) for id_ in plan.prompts]
        self._place = {prompt: nth for nth, prompt in enumerate(plan.prompts)}
        self._cells = {name: self._empty() for name in (header or ["status"])}

    def _empty(self) -> Texts:
        return np.full((len(self._prompts), max(self._numbers, default=0)), "", TEXT)

    def add(self, columns: Mapping[str, Texts]) -> None:
        """Puts the generator's rows into their places; rows that the plan does not ask for are left out."""
        mine = np.flatnonzero(columns["generator"] == self._generator)
        if not mine.size:
            return
        where = np.array([self._place.get(p, -1) for p in columns["prompt_id"][mine].tolist()], int)
        index = np.array([_index(i) for i in columns["index"][mine].tolist()], int)
        asked = (where >= 0) & (index >= 0) & (index < np.array([*self._numbers, 0])[where])
        for name, column in columns.items():
            if name not in self._cells:  # a column that format 1 does not have
                self._cells[name] = self._empty()
            self._cells[name][where[asked], index[asked]] = column[mine[asked]]

    def grid(self) -> ClipGrid:
        category = {prompt.id: prompt.category for prompt in self._manifest.suite.prompts}
        unequal = tuple(self._numbers) if len(set(self._numbers)) > 1 else ()
        categories = tuple(category.get(prompt, "") for prompt in self._prompts)
        return ClipGrid(self._generator, self._prompts, categories, self._cells, unequal)


def _index(text: str) -> int:
    """The index of a row; -1 where it is no whole number that a file can have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
