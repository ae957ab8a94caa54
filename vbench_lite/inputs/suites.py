"""Reads prompt suites: `prompts/<name>.toml` in the working folder, a file, or a suite of the package."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

from vbench_lite.errors import BadFile, UnknownName
from vbench_lite.inputs.images import NotAnImageError, find_image
from vbench_lite.inputs.shipped import shipped_folder
from vbench_lite.inputs.suite_import import READERS, import_suite, prompts_digest
from vbench_lite.records import MOTIONS, Prompt, PromptImage, Suite, Threshold
from vbench_lite.tomlfile import TomlFile
from vbench_lite.userfile import control_character, is_named, shown

KEYS = (
    "title", "licence", "clips_per_prompt", "reference", "usable", "prompt", "source", "reasons", "prompts",
    "generator_texts",
)  # fmt: skip
MOST_REASONS = 9
PROMPT_KEYS = ("id", "text", "generator_text", "image", "category", "tags", "motion")


def suite_paths() -> dict[str, Path]:
    """Name -> file of every suite. Suites of the working folder take precedence over shipped ones."""
    found: dict[str, Path] = {}
    for folder in (Path("prompts"), shipped_folder("prompts")):
        for path in sorted(folder.glob("*.toml")):
            found.setdefault(path.stem, path)
    return found


def load_suite(name: str) -> Suite:
    """Load a suite by name or file: TOML, or a prompt list of another tool (.json, .jsonl, .csv, .txt).

    Raises:
        UnknownName: There is no such suite.
        BadFile: The file is not a valid suite.
    """
    path = _suite_path(name)
    kind = path.suffix.lower()
    if kind not in (*READERS, ".toml"):
        raise BadFile(path, None, f"has an unknown file type: expected .toml, {', '.join(READERS)}.")
    return import_suite(path) if kind in READERS else read_suite(path)


def _suite_path(name: str) -> Path:
    path = Path(name)
    if path.suffix or "/" in name:
        if not is_named(path):
            raise UnknownName("suite", name, suite_paths(), "See them with: vbench list suites")
        return path
    paths = suite_paths()
    if name not in paths:
        raise UnknownName("suite", name, paths, "See them with: vbench list suites")
    return paths[name]


def load_thresholds(name: str) -> dict[str, Threshold]:
    """Load the table [usable] of a suite or of another TOML file, by name or file.

    A suite may lack the table: then it states no thresholds. Any other file must have it.

    Raises:
        UnknownName: There is no such suite or file.
        BadFile: The file contains no thresholds, or an invalid one.
    """
    path = _suite_path(name)
    if path.suffix.lower() != ".toml":
        raise BadFile(path, None, "contains no thresholds: expected a TOML file with a table [usable].")
    file = TomlFile(path)
    file.only(KEYS)
    found = _thresholds(file)
    if not found and "prompt" not in file.data:
        raise BadFile(path, None, "contains no thresholds: expected a table [usable], such as detail = { min = 0.3 }.")
    return found


def read_suite(path: Path) -> Suite:
    """Read a suite file; see docs/suites.md for its keys."""
    file = TomlFile(path)
    file.only(KEYS)
    prompts, source = _prompts(file)
    repeated = [id_ for id_, count in Counter(p.id for p in prompts).items() if count > 1]
    if repeated:
        nth = [i for i, p in enumerate(prompts) if p.id == repeated[0]][1]
        raise file.error("prompt.id", f'the prompt id "{repeated[0]}" occurs twice.', nth)
    clips = file.get("clips_per_prompt", int, 2)
    if clips < 1:
        raise file.error("clips_per_prompt", f'"clips_per_prompt" is {clips}: expected 1 or more.')
    facts = {key: _plain(file, key) for key in ("title", "licence", "source", "reference")}
    reference = facts["reference"]
    if reference not in ("", "world"):
        reference = os.path.realpath(path.parent / reference)
    return Suite(
        name=path.stem, title=facts["title"] or path.stem, prompts=prompts,
        digest=prompts_digest(prompts, facts["reference"]), clips_per_prompt=clips, licence=facts["licence"],
        reference=reference, usable=_thresholds(file), source=facts["source"] or source, reasons=_reasons(file),
    )


def _prompts(file: TomlFile) -> tuple[tuple[Prompt, ...], str]:
    """The [[prompt]] tables, or the prompts of the list that the key "prompts" names; and their source."""
    if "prompts" not in file.data:
        if "generator_texts" in file.data:
            message = '"generator_texts" needs "prompts". Use generator_text in [[prompt]] instead.'
            raise file.error("generator_texts", message)
        prompts = tuple(_prompt(file, nth, entry) for nth, entry in enumerate(file.get("prompt", list)))
        if not prompts:
            raise BadFile(file.path, None, "contains no [[prompt]].")
        return prompts, ""
    if "prompt" in file.data:
        raise file.error("prompts", 'the file has both "prompts" and [[prompt]] tables. Remove one of them.')
    listed = file.path.parent / file.get("prompts", str)
    if listed.suffix.lower() not in READERS:
        raise file.error("prompts", f'"prompts" is "{listed.name}": expected a file of {", ".join(READERS)}.')
    texts = file.get("generator_texts", str, "")
    suite = import_suite(listed, file.path.parent / texts if texts else None)
    return suite.prompts, suite.source


def _reasons(file: TomlFile) -> tuple[str, ...]:
    """Reasons why people reject a clip. Each has a key on the review page."""
    found = file.texts(file.data.get("reasons", ...), "reasons", [])
    if len(found) > MOST_REASONS or not all(text.strip() and len(text) <= 60 for text in found):
        raise file.error("reasons", f'"reasons": expected up to {MOST_REASONS} texts of 1 to 60 characters.')
    if sign := control_character("".join(found)):
        raise file.error("reasons", f'"reasons" contains the control character {sign}.')
    return tuple(found)


def _plain(file: TomlFile, key: str) -> str:
    """A string without control characters; "" if the key is missing."""
    found: str = file.get(key, str, "")
    if sign := control_character(found):
        raise file.error(key, f'"{key}" contains the control character {sign}.')
    return found


def _prompt(file: TomlFile, nth: int, entry: Any) -> Prompt:
    if not isinstance(entry, dict):
        raise file.error("prompt", "expected [[prompt]] tables with id and text.", nth)
    file.only(PROMPT_KEYS, "prompt", entry, nth)
    text = file.check(entry.get("text", ...), str, "prompt.text", nth=nth)
    id_ = file.check(entry.get("id", ...), str, "prompt.id", nth=nth)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", id_):
        expected = 'use up to 100 letters, digits, ".", "_", "-"'
        raise file.error("prompt.id", f"the prompt id {shown(id_)} names a folder: {expected}.", nth)
    tags = file.texts(entry.get("tags", ...), "prompt.tags", [], nth)
    category = file.check(entry.get("category", ...), str, "prompt.category", "", nth)
    if not text.strip():
        raise file.error("prompt.text", '"text" is empty: expected what the clip shows.', nth)
    sent = file.check(entry.get("generator_text", ...), str, "prompt.generator_text", "", nth)
    if "generator_text" in entry and not sent.strip():
        raise file.error("prompt.generator_text", '"generator_text" is empty: leave it out to send the text.', nth)
    parts = (("text", [text]), ("generator_text", [sent]), ("category", [category]), ("tags", tags))
    for key, words in parts:
        if sign := control_character("".join(words)):
            raise file.error(
                f"prompt.{key}", f'"{key}" contains the control character {sign}. Remove it.', nth
            )
    motion = file.check(entry.get("motion", ...), str, "prompt.motion", "", nth)
    if motion and motion not in MOTIONS:
        raise file.error("prompt.motion", f'"motion" is {shown(motion)}: expected one of {", ".join(MOTIONS)}.', nth)
    return Prompt(id_, text, category, tuple(tags), _image(file, nth, entry), sent, motion)


def _image(file: TomlFile, nth: int, entry: dict[str, Any]) -> PromptImage | None:
    if "image" not in entry:
        return None
    named = file.check(entry["image"], str, "prompt.image", nth=nth)
    try:
        return find_image(file.path.parent, named)
    except NotAnImageError as error:
        raise file.error("prompt.image", f'"image" is {shown(named)}: {error}', nth) from None


def _thresholds(file: TomlFile) -> dict[str, Threshold]:
    return {name: _threshold(file, name, entry) for name, entry in file.get("usable", dict, {}).items()}


def _threshold(file: TomlFile, name: str, entry: Any) -> Threshold:
    if not isinstance(entry, dict) or not entry or set(entry) - {"min", "max"}:
        expected = "{ min = ... } or { max = ... }"
        raise file.error(f"usable.{name}", f'"usable.{name}" is {shown(entry)}: expected {expected}.')
    limit = Threshold(**{side: file.check(value, float, f"usable.{name}") for side, value in entry.items()})
    if limit.min is not None and limit.max is not None and limit.min > limit.max:
        raise file.error(f"usable.{name}", f'"usable.{name}": "min" is {limit.min:g}, above "max", {limit.max:g}.')
    return limit
