"""Which clip of a folder belongs to which prompt. What does not match is listed, never guessed.

Three ways of naming are known:

    {prompt}-{k}.mp4       VBench's: the prompt itself is the name, k counts its clips from 0
    0000.mp4               EvalCrafter's: a number; its prompt stands in prompts/0000.txt, or on
                           that line (from 0) of prompts.txt
    clips.csv              file, prompt or prompt_id, and optionally index, seed, usd, device_s

A prompt cannot always be a file name. Its characters / \\ : * ? " < > | may be missing or replaced
by "_", "-" or a space; spaces may be "_"; and a long prompt may be cut, as long as what is left
(at least 100 characters) begins one prompt only.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vbench_lite.errors import BadFile, UsageError
from vbench_lite.records import Prompt
from vbench_lite.video import CLIP_SUFFIXES

TABLE = "clips.csv"
SHORTEST_CUT = 100
"""Characters that a cut prompt must keep to be recognised."""

_FORBIDDEN = (re.compile("/"), re.compile(r'[/\\:*?"<>|]'))
"""What a file name cannot hold on Unix, and on Windows."""


@dataclass(frozen=True)
class FoundClip:
    """A clip file and what it is of."""

    path: Path
    prompt_id: str
    index: int
    seed: int | None = None
    usd: float | None = None
    """What making it cost, from the table."""
    device_s: float | None = None


@dataclass(frozen=True)
class Matched:
    """What a folder holds of a list of prompts."""

    clips: Mapping[tuple[str, int], FoundClip]
    """By prompt id and index."""
    unmatched: tuple[tuple[Path, str], ...]
    """Files that belong nowhere, or to more than one place, each with the reason."""

    def missing(self, prompts: Iterable[Prompt], clips_per_prompt: int) -> list[tuple[str, int]]:
        """What was asked and is not there."""
        asked = ((p.id, k) for p in prompts for k in range(clips_per_prompt))
        return [key for key in asked if key not in self.clips]


def match_folder(folder: Path, prompts: Sequence[Prompt]) -> Matched:
    """Finds the clips of the prompts in a folder, by its table if it has one, else by file names.

    Raises:
        UsageError: There is no such folder, or it holds no clip.
        BadFile: Its table is not one.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}.")
    if (folder / TABLE).exists():
        return _by_table(folder, prompts)
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in CLIP_SUFFIXES and p.is_file())
    if not files:
        raise UsageError(f"{folder} holds no clip: expected files such as \"{{prompt}}-0.mp4\", or a {TABLE}.")
    names = _Names(prompts)
    texts = _numbered_texts(folder)
    places = [(f, *(names.of_text(texts[f.stem]) if f.stem in texts else names.of_file(f.stem))) for f in files]
    return _collect(
        [FoundClip(file, found[0], found[1]) for file, found, _ in places if found],
        [(file, reason) for file, found, reason in places if not found],
    )


def spellings(text: str) -> set[str]:
    """How a prompt may be written as a file name."""
    text = unicodedata.normalize("NFC", text.strip())
    made = {text} | {forbidden.sub(sign, text) for forbidden in _FORBIDDEN for sign in ("", "_", "-", " ")}
    return made | {re.sub(r"\s+", "_", name) for name in made}


class _Names:
    """Prompts by what a file may call them; what a file says exactly comes before what it may mean."""

    def __init__(self, prompts: Sequence[Prompt]) -> None:
        self._exact: dict[str, set[str]] = defaultdict(set)
        self._spelt: dict[str, set[str]] = defaultdict(set)
        for prompt in prompts:
            self._exact[unicodedata.normalize("NFC", prompt.text.strip())].add(prompt.id)
            for name in (*spellings(prompt.text), prompt.id):
                self._spelt[name].add(prompt.id)

    def of_text(self, text: str) -> tuple[tuple[str, int] | None, str]:
        """The prompt of a text that a list names, and 0; or None and why not."""
        text = unicodedata.normalize("NFC", text.strip())
        return self._decide({(id_, 0) for id_ in self._exact.get(text, ())}, f'the suite has no prompt "{text}"')

    def of_file(self, stem: str) -> tuple[tuple[str, int] | None, str]:
        """Prompt id and index of a file name; or None and why not."""
        stem = unicodedata.normalize("NFC", stem)
        head, _, digits = stem.rpartition("-")
        index = int(digits) if head and re.fullmatch(r"[0-9]{1,6}", digits) else None
        found: set[tuple[str, int]] = set()
        for ids_of in (self._exact.get, self._spelt.get):
            if not found:
                found = {(id_, 0) for id_ in ids_of(stem) or ()}
                found |= {(id_, index) for id_ in ids_of(head) or () if index is not None}
        if not found and index is not None:
            found = {(id_, index) for id_ in self._cut(head)}
        if not found and re.fullmatch(r"\d{3,}", stem):
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


def _numbered_texts(folder: Path) -> dict[str, str]:
    """Prompt by file stem, for clips that are named by number."""
    texts = {p.stem: _text(p) for p in (folder / "prompts").glob("*.txt") if p.stem.isdigit()}
    for place in (folder / "prompts.txt", folder.parent / "prompts.txt"):
        if not texts and place.exists():
            lines = _text(place).splitlines()
            texts = {f"{number:0{width}}": line for number, line in enumerate(lines) for width in (3, 4, 5, 6)}
    return texts


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(path, None, f"cannot be read: {error}") from None


def _collect(found: Sequence[FoundClip], unmatched: list[tuple[Path, str]]) -> Matched:
    """Keeps clips that have their place to themselves."""
    places: dict[tuple[str, int], list[FoundClip]] = defaultdict(list)
    for clip in found:
        places[clip.prompt_id, clip.index].append(clip)
    for (prompt_id, index), rivals in places.items():
        if len(rivals) > 1:
            names = ", ".join(clip.path.name for clip in rivals)
            unmatched += [(c.path, f'{names} are all clip {index} of "{prompt_id}"') for c in rivals]
    return Matched({key: clips[0] for key, clips in places.items() if len(clips) == 1}, tuple(sorted(unmatched)))


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
    listed = {clip.path.resolve() for clip in found} | {file.resolve() for file, _ in unmatched}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in CLIP_SUFFIXES and file.resolve() not in listed:
            unmatched.append((file, f"it is not in {TABLE}"))
    return _collect(found, unmatched)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and row of a table that has the columns it must."""
    rows = csv.DictReader(io.StringIO(_text(path), newline=""))
    columns = set(rows.fieldnames or ())
    if "file" not in columns or not columns & {"prompt", "prompt_id"}:
        raise BadFile(
            path, 1, 'expected the columns "file" and "prompt" (or "prompt_id"), with commas between; also: index, '
            "seed, usd, device_s.",
        )
    try:
        for row in rows:
            yield rows.line_num, {column: (value or "").strip() for column, value in row.items() if column}
    except csv.Error as error:
        raise BadFile(path, rows.line_num, f"is not a table: {error}.") from None


def _listed_clip(
    path: Path, line: int, row: Mapping[str, str], clip: Path, prompt_id: str, taken: dict[str, int]
) -> FoundClip:
    """One row's clip; without an index it is the next of its prompt."""
    index, seed = _number(path, line, row, "index"), _number(path, line, row, "seed")
    place = taken[prompt_id] if index is None else int(index)
    taken[prompt_id] = max(taken[prompt_id], place) + 1
    return FoundClip(
        clip, prompt_id, place, seed=None if seed is None else int(seed),
        usd=_number(path, line, row, "usd"), device_s=_number(path, line, row, "device_s"),
    )


def _inside(clip: Path, folder: Path) -> bool:
    return clip.is_file() and clip.resolve().is_relative_to(folder.resolve())


def _number(path: Path, line: int, row: Mapping[str, str], column: str) -> float | None:
    text = row.get(column, "")
    if not text:
        return None
    try:
        value = int(text) if column in ("index", "seed") else float(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise BadFile(path, line, f'"{column}" is "{text}": expected a number, 0 or more.')
    return value
