"""Lays out figures of several generators for a terminal: as columns if they fit, else as rows.

There is no line break inside a number or a name. Columns that do not fit move into a further block below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

MOST_COLUMNS = 4
"""Highest number of generators as columns. More generators become rows."""
LONGEST_NAME = 40
GAP = 2


@dataclass(frozen=True)
class Cell:
    """One figure of one generator."""

    value: str
    interval: str = ""
    star: bool = False
    style: str = ""

    @property
    def first(self) -> str:
        return f"{self.value} ★" if self.star else self.value

    def text(self, *, beside: bool) -> Text:
        """The figure with its interval beside it or below it."""
        found = Text(self.first, style=self.style or ("bold" if self.star else ""))
        if self.interval:
            found.append(("  " if beside else "\n") + self.interval, style="dim not bold")
        return found

    def width(self, *, beside: bool) -> int:
        parts = [cell_len(self.first), cell_len(self.interval)]
        return sum(parts) + GAP * bool(self.interval) if beside else max(parts)


@dataclass(frozen=True)
class Line:
    """One figure of every generator."""

    label: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Section:
    heading: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Head:
    """A generator's name, with its route below it."""

    name: str
    route: str
    style: str = ""

    def text(self) -> Text:
        found = Text(shortened(self.name), style=f"bold {self.style}")
        return found.append(f"\n{self.route}", style="dim not bold")


def shortened(name: str, most: int = LONGEST_NAME) -> str:
    """A name cut to a number of columns of a terminal. The middle of a longer name is left out.

    >>> shortened("abcdefghij", 7), shortened("長い名前のフォルダー", 7)
    ('abc…hij', '長…ー')
    """
    if cell_len(name) <= most:
        return name
    first, last = set_cell_size(name, most // 2), set_cell_size(name[::-1], (most - 1) // 2)[::-1]
    return f"{first.rstrip()}…{last.lstrip()}"


@dataclass(frozen=True)
class Board:
    """All sections. They are laid out for the width of the console."""

    title: str
    heads: Sequence[Head]
    sections: Sequence[Section]
    notes: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.title, style="bold")
        yield Text("")
        yield from self._body(options.max_width)
        yield Text("")
        for note in self.notes:
            yield Text(note, style="dim italic")

    def _body(self, width: int) -> Iterator[Table | Text]:
        for beside in (True, False) if len(self.heads) <= MOST_COLUMNS else ():
            if self._width(beside=beside) <= width:
                yield self._columns(beside=beside)
                return
        for section in self.sections:
            yield from self._rows(section, width)

    def _width(self, *, beside: bool) -> int:
        lines = [line for section in self.sections for line in section.lines]
        widths = [max(cell_len(line.label) for line in lines) + 2]
        for nth, head in enumerate(self.heads):
            named = max(cell_len(shortened(head.name)), cell_len(head.route))
            widths.append(max(named, *(line.cells[nth].width(beside=beside) for line in lines)))
        return sum(widths) + GAP * len(widths)

    def _columns(self, *, beside: bool) -> Table:
        table = _table("")
        for head in self.heads:
            table.add_column(head.text(), no_wrap=True)
        for section in self.sections:
            table.add_row(Text(section.heading, style="bold"))
            for line in section.lines:
                table.add_row(Text(f"  {line.label}"), *(cell.text(beside=beside) for cell in line.cells))
            table.add_section()
        return table

    def _rows(self, section: Section, width: int) -> Iterator[Table | Text]:
        """A section with a row per generator, in as many blocks as necessary."""
        names = [shortened(head.name) for head in self.heads]
        left = width - max(map(cell_len, (section.heading, *names))) - GAP
        for block in _blocks(section.lines, left):
            table = _table(section.heading)
            for line in block:
                table.add_column(Text(line.label), no_wrap=True)
            for nth, head in enumerate(self.heads):
                cells = (line.cells[nth].text(beside=True) for line in block)
                table.add_row(Text(names[nth], style=head.style), *cells)
            yield table
            yield Text("")


def _blocks(lines: Sequence[Line], width: int) -> Iterator[list[Line]]:
    block: list[Line] = []
    used = 0
    for line in lines:
        needed = GAP + max(cell_len(line.label), *(cell.width(beside=True) for cell in line.cells))
        if block and used + needed > width:
            yield block
            block, used = [], 0
        block.append(line)
        used += needed
    if block:
        yield block


def _table(corner: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="", padding=(0, GAP, 0, 0))
    table.add_column(Text(corner, style="bold"), no_wrap=True)
    return table
