"""Finds the prompt of each clip in a folder. Files without a unique match are listed with a reason, never guessed.

Three forms are supported:

    {prompt}-{number}.mp4  VBench's form: the name is the prompt. The numbers can begin anywhere, or be seeds
    0000.mp4               EvalCrafter's form: the name is a number. Its prompt is in prompts/0000.txt, or is that line
                           of prompts.txt, counted from 0, or from 1 if the numbers of the folder show that
    clips.csv              a table with file, prompt or prompt_id, and optionally index, seed, usd, device_s

The clips of a prompt are ranked by their numbers: the lowest becomes clip 0. Not every prompt is a valid file name. So
its characters / \\ : * ? " < > | may be missing or replaced by "_", "-" or a space, and spaces may be replaced by "_".
A long prompt may be truncated to 100 or more characters, if only one prompt begins with them.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vbench_lite.errors import BadFile, UsageError
from vbench_lite.inputs.clip_files import TABLE, clip_files_of, nothing_found
from vbench_lite.inputs.numbered import NUMBER as _DIGITS
from vbench_lite.inputs.numbered import read_numbers
from vbench_lite.records import Prompt
from vbench_lite.userfile import WHOLE_NUMBERS, csv_error, is_folder, is_there, read_text

SHORTEST_CUT = 100
"""Lowest number of characters of a truncated prompt that is recognised."""

_FORBIDDEN = (re.compile("/"), re.compile(r'[/\\:*?"<>|]'))
"""Characters that a file name cannot contain on Unix, and on Windows."""


@dataclass(frozen=True)
class FoundClip:
    """A clip file and its prompt."""

    path: Path
    prompt_id: str
    index: int
    """The number in the name or table. In `Matched.clips` it is the rank of that number among the prompt's clips."""
    seed: int | None = None
    """Seed of the clip, from the table; None if not stated."""
    usd: float | None = None
    """Cost of the clip in US dollars, from the table; None if not stated."""
    device_s: float | None = None
    """Device seconds of the clip, from the table; None if not stated."""


@dataclass(frozen=True)
class Matched:
    """The clips in a folder for a list of prompts."""

    clips: Mapping[tuple[str, int], FoundClip]
    """Clips by prompt id and rank, from 0."""
    unmatched: tuple[tuple[Path, str], ...]
    """Other files, each with the reason: not a clip, no matching prompt, or more than one."""
    notes: tuple[str, ...] = ()
    """How ambiguous numbers of the folder were interpreted."""

    def counts(self) -> dict[str, int]:
        """Prompt id -> number of its clips, for prompts with at least one clip."""
        return dict(Counter(prompt_id for prompt_id, _ in self.clips))

    def missing(self, prompts: Iterable[Prompt], clips_per_prompt: int) -> list[tuple[str, int]]:
        """Prompt id and index of requested clips that the folder does not contain."""
        asked = ((p.id, k) for p in prompts for k in range(clips_per_prompt))
        return [key for key in asked if key not in self.clips]


def match_folder(folder: Path, prompts: Sequence[Prompt]) -> Matched:
    """Find the clips of the prompts in a folder: by its table clips.csv if there is one, else by file names.

    Raises:
        UsageError: The folder does not exist, or contains no clip.
        BadFile: The table is not valid.
    """
    if not is_folder(folder):
        raise UsageError(f"there is no folder {folder}.")
    if (folder / TABLE).exists():
        return _by_table(folder, prompts)
    files, others = clip_files_of(folder)
    if not files:
        raise UsageError(nothing_found(folder, others))
    names, numbers = _Names(prompts), read_numbers(folder, files)
    places = [(f, *(numbers.place(f, names) if numbers.covers(f) else names.of_file(f.stem))) for f in files]
    return _collect(
        [FoundClip(file, found[0], found[1]) for file, found, _ in places if found],
        [*others, *((file, reason) for file, found, reason in places if not found)],
        numbers.notes,
    )


def spellings(text: str) -> set[str]:
    """All forms in which a prompt may be written as a file name."""
    text = unicodedata.normalize("NFC", text.strip())
    made = {text} | {forbidden.sub(sign, text) for forbidden in _FORBIDDEN for sign in ("", "_", "-", " ")}
    return made | {re.sub(r"\s+", "_", name) for name in made}


def names_of(prompts: Sequence[Prompt]) -> Callable[[str], tuple[tuple[str, int] | None, str]]:
    """A function from a clip's file name without suffix to (prompt id, number), or to None and the reason."""
    return _Names(prompts).of_file


class _Names:
    """Finds prompts by file names. An exact match takes precedence over a match with replaced characters."""

    def __init__(self, prompts: Sequence[Prompt]) -> None:
        self._exact: dict[str, set[str]] = defaultdict(set)
        self._spelt: dict[str, set[str]] = defaultdict(set)
        for prompt in prompts:
            self._exact[unicodedata.normalize("NFC", prompt.text.strip())].add(prompt.id)
            for name in (*spellings(prompt.text), prompt.id):
                self._spelt[name].add(prompt.id)

    def of_text(self, text: str) -> tuple[tuple[str, int] | None, str]:
        """(prompt id, 0) of a prompt text; or None and the reason."""
        text = unicodedata.normalize("NFC", text.strip())
        return self._decide({(id_, 0) for id_ in self._exact.get(text, ())}, f'the suite has no prompt "{text}"')

    def of_file(self, stem: str) -> tuple[tuple[str, int] | None, str]:
        """(prompt id, number) of a file name; or None and the reason. A name without a number has the number 0."""
        stem = unicodedata.normalize("NFC", stem)
        readings = [(stem, 0), *_numbered(stem)]
        found: set[tuple[str, int]] = set()
        for ids_of in (self._exact.get, self._spelt.get):
            if not found:
                found = {(id_, number) for head, number in readings for id_ in ids_of(head) or ()}
        if not found:
            found = {(id_, number) for head, number in readings[1:] for id_ in self._cut(head)}
        if not found and _DIGITS.fullmatch(stem) and len(stem) > 2:
            return None, "it is a number, and there is no prompt list for it (prompts/0000.txt or prompts.txt)"
        return self._decide(found, "its name is none of the suite's prompts followed by -0, -1, ...")

    def _cut(self, head: str) -> set[str]:
        if len(head) < SHORTEST_CUT:
            return set()
        return {id_ for name, ids in self._spelt.items() if name.startswith(head) for id_ in ids}

    @staticmethod
    def _decide(found: set[tuple[str, int]], otherwise: str) -> tuple[tuple[str, int] | None, str]:
        if len(found) == 1:
            return found.pop(), ""
        if found:
            could = " or ".join(f'clip {index} of "{id_}"' for id_, index in sorted(found))
            return None, f"it could be {could}"
        return None, otherwise


def _numbered(stem: str) -> list[tuple[str, int]]:
    """Possible splits of a name into prompt and number: "a cat--5" is -5 of "a cat", or 5 of "a cat-"."""
    found = re.fullmatch(r"(.+)-([0-9]{1,20})", stem, re.DOTALL)
    if not found:
        return []
    head, number = found[1], int(found[2])
    negative = [(head[:-1], -number)] if head.endswith("-") and head[:-1] else []
    return [*negative, (head, number)]


def _collect(
    found: Sequence[FoundClip], unmatched: list[tuple[Path, str]], notes: Sequence[str] = ()
) -> Matched:
    """Rank the clips of each prompt by their numbers. Clips that share a number are unmatched."""
    places: dict[tuple[str, int], list[FoundClip]] = defaultdict(list)
    for clip in found:
        places[clip.prompt_id, clip.index].append(clip)
    of_prompt: dict[str, list[FoundClip]] = defaultdict(list)
    for (prompt_id, number), rivals in sorted(places.items()):
        if len(rivals) == 1:
            of_prompt[prompt_id].append(rivals[0])
        else:
            names = ", ".join(clip.path.name for clip in rivals)
            unmatched += [(c.path, f'{names} are all clip {number} of "{prompt_id}"') for c in rivals]
    ranked = {(id_, rank): clip for id_, clips in of_prompt.items() for rank, clip in enumerate(clips)}
    return Matched(ranked, tuple(sorted(unmatched)), tuple(notes))


def _by_table(folder: Path, prompts: Sequence[Prompt]) -> Matched:
    path = folder / TABLE
    names, known = _Names(prompts), {prompt.id for prompt in prompts}
    found: list[FoundClip] = []
    unmatched: list[tuple[Path, str]] = []
    taken: dict[str, int] = defaultdict(int)
    for line, row in _rows(path):
        clip = folder / row["file"]
        place: tuple[str, int] | None = None
        if not _inside(clip, folder):
            reason = "there is no such file in the folder"
        elif row.get("prompt_id"):
            place = (row["prompt_id"], 0) if row["prompt_id"] in known else None
            reason = f'the suite has no prompt "{row["prompt_id"]}"'
        else:
            place, reason = names.of_text(row.get("prompt") or "")
        if place is None:
            unmatched.append((clip, reason))
            continue
        found.append(_listed_clip(path, line, row, clip, place[0], taken))
    listed = {clip.path.name for clip in found} | {file.name for file, _ in unmatched if file.parent == folder}
    files, others = clip_files_of(folder)
    unmatched += [(file, f"it is not in {TABLE}") for file in files if file.name not in listed]
    return _collect(found, [*unmatched, *((file, why) for file, why in others if file.name not in listed)])


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each row, after a check of the columns."""
    text = read_text(path)
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = set(rows.fieldnames or ())
        if "file" not in columns or not columns & {"prompt", "prompt_id"}:
            raise BadFile(
                path, 1, 'expected the columns "file" and "prompt" (or "prompt_id"), with commas between; also: index, '
                "seed, usd, device_s.",
            )
        for row in rows:
            yield rows.line_num, {column: (value or "").strip() for column, value in row.items() if column}
    except csv.Error as error:
        raise csv_error(path, text, rows.line_num, error) from None


def _listed_clip(
    path: Path, line: int, row: Mapping[str, str], clip: Path, prompt_id: str, taken: dict[str, int]
) -> FoundClip:
    """The clip of one row. Without an index, it is the next clip of its prompt."""
    index, seed = _number(path, line, row, "index"), _number(path, line, row, "seed")
    place = taken[prompt_id] if index is None else int(index)
    taken[prompt_id] = max(taken[prompt_id], place) + 1
    return FoundClip(
        clip, prompt_id, place, seed=None if seed is None else int(seed),
        usd=_number(path, line, row, "usd"), device_s=_number(path, line, row, "device_s"),
    )


def _inside(clip: Path, folder: Path) -> bool:
    return is_there(clip) and clip.is_file() and clip.resolve().is_relative_to(folder.resolve())


def _number(path: Path, line: int, row: Mapping[str, str], column: str) -> float | None:
    """A cell as a number: a 64-bit integer for index and seed, finite and 0 or more for other columns."""
    text = row.get(column, "")
    if not text:
        return None
    if column in ("index", "seed"):
        if re.fullmatch(r"[+-]?[0-9]{1,20}", text) and int(text) in WHOLE_NUMBERS:
            return int(text)
        raise BadFile(path, line, f'"{column}" is "{text[:80]}": expected a whole number.')
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise BadFile(path, line, f'"{column}" is "{text[:80]}": expected a number, 0 or more.')
    return value


def clips_to_ask(matched: Matched, prompts: Sequence[Prompt], demanded: int | None) -> tuple[int, dict[str, int]]:
    """How many clips per prompt a run of a folder requests: as many as the folder contains, but at least one.

    Args:
        matched: The clips of the folder.
        prompts: The prompts of the suite.
        demanded: Value of `--clips-per-prompt`: request this many clips of every prompt, also if they do not exist.

    Returns:
        The most common number, and prompt id -> number for the other prompts.
    """
    if demanded is not None:
        return demanded, {}
    counts = matched.counts()
    numbers = {prompt.id: counts.get(prompt.id, 1) for prompt in prompts}
    usual = Counter(numbers.values()).most_common(1)[0][0]
    return usual, {id_: number for id_, number in numbers.items() if number != usual}
