"""Imports prompt lists of other tools as suites: VBench's JSON, JSON, JSON lines, CSV, and text with one prompt per
line.

If a prompt occurs several times in a file, its entries become one prompt with all tags. The same text with another
image is another prompt. Ids are derived from the text, so they do not change when the file is reordered.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vbench_lite.errors import BadFile
from vbench_lite.inputs.images import NotAnImageError, find_image
from vbench_lite.inputs.vbench_i2v import with_images
from vbench_lite.records import Prompt, PromptImage, Suite
from vbench_lite.tomlfile import digest
from vbench_lite.userfile import control_character, csv_error, lines_of, parse_json, read_text, shown

TEXT_KEYS = ("text", "prompt", "prompt_en", "caption")
VBENCH_CLIPS_PER_PROMPT = 5
"""VBench's number of clips per prompt. It uses 25 for temporal_flickering; set that with --clips-per-prompt."""


class Entry(NamedTuple):
    """One prompt of a file, before equal prompts are merged."""

    text: str
    line: int
    id: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    image: PromptImage | None = None
    generator_text: str = ""


def import_suite(path: Path, generator_texts: Path | None = None) -> Suite:
    """Import a prompt list of another format as a suite.

    Args:
        path: The list of prompts.
        generator_texts: A text file with one line for each entry of the list, in the same order. Generators receive
            these texts instead, as with VBench's files of expanded prompts.

    Raises:
        BadFile: A file cannot be read, does not have its format, or contains no prompt.
    """
    text = read_text(path)
    entries = list(READERS[path.suffix.lower()](path, text))
    if not entries:
        raise BadFile(path, None, "contains no prompt.")
    source = path.name
    if generator_texts is not None:
        entries = _expanded(entries, path, generator_texts)
        source += f" with the generator texts of {generator_texts.name}"
    prompts = _merge(path, entries)
    vbench = path.suffix.lower() == ".json" and '"prompt_en"' in text
    return Suite(
        name=re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-.") or "suite",
        title=path.stem, prompts=tuple(prompts), digest=prompts_digest(prompts),
        clips_per_prompt=VBENCH_CLIPS_PER_PROMPT if vbench else 1,
        source=f"{source}: {len(entries)} entries, {len(prompts)} different prompts",
    )


def _expanded(entries: Sequence[Entry], path: Path, texts: Path) -> list[Entry]:
    """The entries with the lines of the file of generator texts."""
    lines = lines_of(read_text(texts))
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) != len(entries):
        message = f"has {len(lines)} lines for the {len(entries)} entries of {path.name}: expected one per entry."
        raise BadFile(texts, None, message)
    for number, line in enumerate(lines, 1):
        sign = control_character(line)
        if not line.strip() or sign:
            what = f"contains the control character {sign}" if sign else "is empty"
            raise BadFile(texts, number, f"the line {what}: expected the text for generators.")
    return [entry._replace(generator_text=line.strip()) for entry, line in zip(entries, lines, strict=True)]


def prompts_digest(prompts: Sequence[Prompt], reference: str = "") -> str:
    """Digest of the prompts (ids, texts, image files) and the reference of a suite."""
    meaning = [[p.id, p.text, *([p.image.sha256] if p.image else [])] for p in prompts]
    return digest({"prompts": meaning, "reference": reference})


def slug(text: str) -> str:
    """A readable id of a prompt: its first words, with a digest if they lose case, signs or length."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if len(words) <= 60 and words == text.replace(" ", "-"):
        return words
    short = words[:60].rstrip("-") or "prompt"
    return f"{short}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _merge(path: Path, entries: list[Entry]) -> list[Prompt]:
    merged: dict[tuple[str, str], Prompt] = {}
    owner: dict[str, tuple[str, str]] = {}
    images: dict[str, set[str]] = {}
    for entry in entries:
        images.setdefault(entry.text.strip(), set()).add(_file_of(entry))
    for entry in entries:
        text = entry.text.strip()
        if not text:
            raise BadFile(path, entry.line, "contains an empty prompt.")
        for what in (text, entry.generator_text, entry.category, *entry.tags):
            if sign := control_character(what):
                problem = f"contains a prompt with the control character {sign}. Remove it."
                raise BadFile(path, entry.line, problem)
        meant = text, _file_of(entry)
        before = merged.get(meant)
        several = f"-{meant[1][:6] or 'text'}" if len(images[text]) > 1 else ""
        id_ = before.id if before else entry.id or slug(text) + several
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", id_):
            raise BadFile(path, entry.line, f'the id "{id_[:100]}" names a folder: use letters, digits, ".", "_", "-".')
        if owner.setdefault(id_, meant) != meant:
            raise BadFile(path, entry.line, f'two prompts have the id "{id_}".')
        tags = dict.fromkeys((*(before.tags if before else ()), *entry.tags))
        category = before.category if before else entry.category
        sent = before.generator_text if before else entry.generator_text  # the first of two expansions counts
        merged[meant] = Prompt(id_, text, category, tuple(tags), entry.image, sent)
    return list(merged.values())


def _file_of(entry: Entry) -> str:
    return entry.image.sha256 if entry.image else ""


def _from_json(path: Path, text: str) -> Iterator[Entry]:
    values = parse_json(path, text)
    if isinstance(values, dict) and isinstance(values.get("prompts"), list):
        values = values["prompts"]
    if not isinstance(values, list):
        raise BadFile(path, None, 'expected a list of prompts, such as [{"prompt_en": ..., "dimension": [...]}].')
    for number, value in enumerate(with_images(path, values, TEXT_KEYS), 1):
        yield _entry(path, value, number, f"entry {number}")


def _from_json_lines(path: Path, text: str) -> Iterator[Entry]:
    for number, line in enumerate(lines_of(text), 1):
        if line.strip():
            yield _entry(path, parse_json(path, line, number), number, "the line")


def _from_csv(path: Path, text: str) -> Iterator[Entry]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if not set(rows.fieldnames or ()) & set(TEXT_KEYS):
            raise BadFile(path, 1, f"no column for the prompt: expected one of {', '.join(TEXT_KEYS)} in line 1.")
        for row in rows:
            yield _entry(path, {k: v for k, v in row.items() if k and v}, rows.line_num, "the row")
    except csv.Error as error:
        raise csv_error(path, text, rows.line_num, error) from None


def _from_text(path: Path, text: str) -> Iterator[Entry]:
    for number, line in enumerate(lines_of(text), 1):
        if line.strip():
            yield Entry(line, number)


def _entry(path: Path, value: Any, line: int, what: str) -> Entry:
    if isinstance(value, str):
        return Entry(value, line)
    found = next((value[key] for key in TEXT_KEYS if key in value), None) if isinstance(value, dict) else None
    if not isinstance(found, str):
        raise BadFile(path, line, f"{what} has no prompt: expected a string under one of {', '.join(TEXT_KEYS)}.")
    dimensions = _words(path, line, value, "dimension")
    return Entry(
        found, line, id=_word(path, line, value, "id"),
        category=_word(path, line, value, "category") or (dimensions[0] if dimensions else ""),
        tags=(*dimensions, *_words(path, line, value, "tags")), image=_image(path, line, value),
        generator_text=_word(path, line, value, "generator_text").strip(),
    )


def _image(path: Path, line: int, value: dict[str, Any]) -> PromptImage | None:
    """The image of an entry. Its path is relative to the list."""
    named = _word(path, line, value, "image")
    if not named:
        return None
    try:
        return find_image(path.parent, named)
    except NotAnImageError as error:
        raise BadFile(path, line, f'"image" is {shown(named)}: {error}') from None


def _word(path: Path, line: int, value: dict[str, Any], key: str) -> str:
    """A string or an integer, as text; "" if the key is missing."""
    found = value.get(key)
    if found is None:
        return ""
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise BadFile(path, line, f'"{key}" is {shown(found)}: expected a string.')
    return str(found)


def _words(path: Path, line: int, value: dict[str, Any], key: str) -> list[str]:
    """A list of strings, or one string whose parts are separated by ";"."""
    found = value.get(key)
    if isinstance(found, str):
        return [word.strip() for word in found.split(";") if word.strip()]
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise BadFile(path, line, f'"{key}" is {shown(found)}: expected a string or a list of strings.')
    return found


READERS: dict[str, Callable[[Path, str], Iterator[Entry]]] = {
    ".json": _from_json,
    ".jsonl": _from_json_lines,
    ".csv": _from_csv,
    ".txt": _from_text,
}
