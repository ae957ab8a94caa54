"""Prompt lists of other tools as suites: VBench's JSON, JSON, JSON lines, CSV, and one prompt a line.

A prompt that stands twice in a file is one prompt here, with the tags of both. Ids are made from
the text, so that they stay when the file is reordered.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vbench_lite.errors import BadFile
from vbench_lite.records import Prompt, Suite
from vbench_lite.tomlfile import digest

TEXT_KEYS = ("text", "prompt", "prompt_en", "caption")
VBENCH_CLIPS_PER_PROMPT = 5
"""What VBench asks for (25 for temporal_flickering; --clips-per-prompt says otherwise)."""


class Entry(NamedTuple):
    """One prompt as a file has it, before equal ones are merged."""

    text: str
    line: int
    id: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()


def import_suite(path: Path) -> Suite:
    """The suite that a file of another format holds.

    Raises:
        BadFile: It cannot be read, is not of its format, or holds no prompt.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(path, None, f"cannot be read: {error}") from None
    entries = list(READERS[path.suffix.lower()](path, text))
    if not entries:
        raise BadFile(path, None, "holds no prompt.")
    prompts = _merge(path, entries)
    vbench = path.suffix.lower() == ".json" and '"prompt_en"' in text
    meaning = {"prompts": [[p.id, p.text, p.category, list(p.tags)] for p in prompts], "reference": "", "usable": {}}
    return Suite(
        name=re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-.") or "suite",
        title=path.stem, prompts=tuple(prompts), digest=digest(meaning),
        clips_per_prompt=VBENCH_CLIPS_PER_PROMPT if vbench else 1,
        source=f"{path.name}: {len(entries)} entries, {len(prompts)} different prompts",
    )


def slug(text: str) -> str:
    """A readable id for a prompt: its first words, and a digest where these do not say it all (case, signs, length)."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if len(words) <= 60 and words == text.replace(" ", "-"):
        return words
    short = words[:60].rstrip("-") or "prompt"
    return f"{short}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _merge(path: Path, entries: list[Entry]) -> list[Prompt]:
    merged: dict[str, Prompt] = {}
    owner: dict[str, str] = {}
    for entry in entries:
        text = entry.text.strip()
        if not text:
            raise BadFile(path, entry.line, "holds an empty prompt.")
        if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in "".join(text.split())):
            raise BadFile(path, entry.line, "holds a prompt with a control character, which no program can be given.")
        before = merged.get(text)
        id_ = before.id if before else entry.id or slug(text)
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", id_):
            raise BadFile(path, entry.line, f'the id "{id_}" names a folder: use letters, digits, ".", "_", "-".')
        if owner.setdefault(id_, text) != text:
            raise BadFile(path, entry.line, f'the id "{id_}" stands for two prompts.')
        tags = dict.fromkeys((*(before.tags if before else ()), *entry.tags))
        merged[text] = Prompt(id_, text, before.category if before else entry.category, tuple(tags))
    return list(merged.values())


def _from_json(path: Path, text: str) -> Iterator[Entry]:
    try:
        values = json.loads(text)
    except ValueError as error:
        raise BadFile(path, getattr(error, "lineno", None), f"is not valid JSON: {error}") from None
    if isinstance(values, dict) and isinstance(values.get("prompts"), list):
        values = values["prompts"]
    if not isinstance(values, list):
        raise BadFile(path, None, 'expected a list of prompts, such as [{"prompt_en": ..., "dimension": [...]}].')
    for number, value in enumerate(values, 1):
        yield _entry(path, value, number, f"entry {number}")


def _from_json_lines(path: Path, text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                value = json.loads(line)
            except ValueError as error:
                raise BadFile(path, number, f"is not valid JSON: {error}") from None
            yield _entry(path, value, number, "the line")


def _from_csv(path: Path, text: str) -> Iterator[Entry]:
    rows = csv.DictReader(io.StringIO(text), strict=True)
    try:
        if not set(rows.fieldnames or ()) & set(TEXT_KEYS):
            raise BadFile(path, 1, f"no column for the prompt: expected one of {', '.join(TEXT_KEYS)} in line 1.")
        for row in rows:
            yield _entry(path, {k: v for k, v in row.items() if k and v}, rows.line_num, "the row")
    except csv.Error as error:
        raise BadFile(path, rows.line_num, f"is not valid CSV: {error}") from None


def _from_text(path: Path, text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield Entry(line, number)


def _entry(path: Path, value: Any, line: int, what: str) -> Entry:
    if isinstance(value, str):
        return Entry(value, line)
    found = next((value[key] for key in TEXT_KEYS if key in value), None) if isinstance(value, dict) else None
    if not isinstance(found, str):
        raise BadFile(path, line, f"{what} has no prompt: expected a string under one of {', '.join(TEXT_KEYS)}.")
    dimensions = _words(value.get("dimension", []))
    return Entry(
        found, line, id=str(value.get("id", "")),
        category=str(value.get("category") or (dimensions[0] if dimensions else "")),
        tags=(*dimensions, *_words(value.get("tags", []))),
    )


def _words(value: Any) -> list[str]:
    return [w.strip() for w in value.split(";") if w.strip()] if isinstance(value, str) else [str(w) for w in value]


READERS: dict[str, Callable[[Path, str], Iterator[Entry]]] = {
    ".json": _from_json,
    ".jsonl": _from_json_lines,
    ".csv": _from_csv,
    ".txt": _from_text,
}
