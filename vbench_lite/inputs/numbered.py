"""Clips that are named by numbers: finds the prompt of each number, and whether the numbers begin at 0 or 1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vbench_lite.userfile import lines_of, read_text

NUMBER = re.compile(r"[0-9]{1,18}")
NUMBER_AND_TAKE = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?")
PROMPT_LIST, PROMPT_TEXTS = "prompts.txt", "prompts"


class Names(Protocol):
    """Finds prompts by their text."""

    def of_text(self, text: str) -> tuple[tuple[str, int] | None, str]: ...


@dataclass(frozen=True)
class Numbers:
    """The prompts of the numbers of a folder."""

    texts: Mapping[int, str]
    """Number -> prompt text."""
    notes: tuple[str, ...] = ()
    problem: str = ""
    """Why the prompts of the numbers are not known; "" if they are."""

    def covers(self, file: Path) -> bool:
        """Whether the name of a file is a number and the folder has a list of prompts."""
        return bool(self.texts or self.problem) and NUMBER_AND_TAKE.fullmatch(file.stem) is not None

    def place(self, file: Path, names: Names) -> tuple[tuple[str, int] | None, str]:
        """(prompt id, number of the clip) of a file; or None and the reason."""
        found = NUMBER_AND_TAKE.fullmatch(file.stem)
        assert found
        if self.problem:
            return None, self.problem
        text = self.texts.get(int(found[1]))
        if text is None:
            return None, f"the list of prompts has no entry for the number {int(found[1])}"
        place, why = names.of_text(text)
        return (place and (place[0], int(found[2] or 0))), why


def read_numbers(folder: Path, files: Iterable[Path]) -> Numbers:
    """Find the prompts of the numbers of a folder of clips.

    `prompts/0007.txt` contains the prompt of number 7. In `prompts.txt`, lines are counted from 0 if the folder
    contains number 0. They are counted from 1 if it contains no number 0, but the number of the last line. If it
    contains neither, both are possible, and no clip is matched.
    """
    if texts := _texts_by_name(folder / PROMPT_TEXTS):
        return Numbers(texts)
    place = next((p for p in (folder / PROMPT_LIST, folder.parent / PROMPT_LIST) if p.is_file()), None)
    if place is None:
        return Numbers({})
    lines = lines_of(read_text(place))
    while lines and not lines[-1].strip():
        lines.pop()
    present = {int(found[1]) for file in files if (found := NUMBER_AND_TAKE.fullmatch(file.stem))}
    if not lines or not present:
        return Numbers({})
    if 0 in present:
        return Numbers(dict(enumerate(lines)))
    if len(lines) in present:
        note = f"clips are numbered from 1: there is a number {len(lines)} and no 0, and {place} has {len(lines)} lines"
        return Numbers(dict(enumerate(lines, 1)), (note,))
    return Numbers(
        {}, problem=f"its number can count from 0 or from 1: there is neither a clip 0 nor a clip {len(lines)}, and "
        f"{place} has {len(lines)} lines; name its prompt in clips.csv",
    )


def _texts_by_name(folder: Path) -> dict[int, str]:
    if not folder.is_dir():
        return {}
    return {int(path.stem): read_text(path) for path in sorted(folder.glob("*.txt")) if NUMBER.fullmatch(path.stem)}
