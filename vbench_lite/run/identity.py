"""Digests of a generator: weights, Python code, script files. Different digests mean a different plan."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from vbench_lite.files import cache_folder, write_whole
from vbench_lite.inputs import catalogue
from vbench_lite.records import Definition
from vbench_lite.tomlfile import digest

SMALL = 64 * 2**20
"""Files up to this number of bytes are always hashed. The digest of a larger file is cached by size and time."""


def weights_digest(definition: Definition) -> str | None:
    """Digest of the weights; None if no weights are on this machine (hub ids, services)."""
    if made_of := catalogue.parts(definition):
        return digest([weights_digest(part) for part in made_of])
    if definition.weights:
        return digest(dict(definition.weights))
    folder = Path(definition.model)
    if not definition.model or not folder.is_absolute() or not folder.exists() or definition.adapter == "recorded":
        return None
    files = sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else [folder]
    return digest({str(p.relative_to(folder)): file_digest(p) for p in files})


def code_digest(definition: Definition) -> str | None:
    """Digest of the user's code of a generator; None if there is none (the adapters of this package).

    It covers the module of a Python class, the modules that it imports from the same folder, and the files in a
    command.
    """
    if made_of := catalogue.parts(definition):
        found = [code_digest(part) for part in made_of]
        return digest(found) if any(found) else None
    files: dict[str, list[str]] = {}
    for path in code_files(definition):
        files.setdefault(path.name, []).append(file_digest(path))
    return digest({name: found if len(found) > 1 else found[0] for name, found in files.items()}) if files else None


def code_files(definition: Definition) -> list[Path]:
    """The files of `code_digest`, in a fixed order."""
    if ":" in definition.adapter:
        return sorted(_modules(definition.adapter.partition(":")[0]))
    command = definition.settings.get("command")
    if not isinstance(command, list):
        return []
    folder = Path(str(definition.settings.get("cwd", "")))
    words = [str(word).replace("{here}", str(definition.folder)) for word in command]
    named = {path for word in words for part in _parts(word) if _is_script(path := folder / part)}
    for before, word in pairwise(words):
        if before == "-m":  # python -m package.module
            named |= _file_of(folder, word.split(".")) | {p for p in [folder / word / "__main__.py"] if p.is_file()}
    inside = (other for path in named if path.suffix == ".py" for other in _imported(path))
    return sorted({path.resolve() for path in (*named, *inside)})


def _parts(word: str) -> set[str]:
    """Possible files in an argument: itself, VALUE of --option=VALUE, and the words of a shell command."""
    return {word, word.partition("=")[2], *word.split()} - {""}


def not_covered(definition: Definition) -> Iterator[str]:
    """Sentences about causes of changed clips that no digest covers."""
    if made_of := catalogue.parts(definition):
        for part in made_of:
            yield from not_covered(part)
        return
    if definition.adapter == "http":
        yield f'"{definition.name}": the service may change its model at any time'
    elif definition.adapter == "command" and not code_files(definition):
        yield f'"{definition.name}": the program is not a file of the working folder'
    elif definition.adapter == "command":
        yield f'"{definition.name}": libraries and weights of the program\'s own environment'
    elif definition.model and not Path(definition.model).exists() and not definition.revision:
        is_id = re.fullmatch(r"[\w-][\w.-]*(/[\w.-]+)?", definition.model)
        what = f"the hub id {definition.model} without a revision" if is_id else f"{definition.model}, which is missing"
        yield f'"{definition.name}": {what}'


def file_digest(path: Path) -> str:
    """sha256 of a file. That of a large file is cached by path, size and times of change."""
    facts = path.stat()
    if facts.st_size <= SMALL:
        return _hashed(path)
    times = f"{facts.st_mtime_ns}\n{facts.st_ctime_ns}"
    key = hashlib.sha256(f"{path.resolve()}\n{facts.st_size}\n{times}".encode()).hexdigest()
    stored = cache_folder() / "digests" / f"{key}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(stored.read_text("utf-8"))["sha256"])
    found = _hashed(path)
    with suppress(Exception):  # without a writable cache the digest is only slower
        write_whole(stored, json.dumps({"sha256": found}))
    return found


def _is_script(path: Path) -> bool:
    """Whether a word of a command is a text file, such as a script, and not an interpreter or a model."""
    with suppress(OSError):
        if path.is_file() and path.stat().st_size <= SMALL:
            with path.open("rb") as file:
                return b"\0" not in file.read(8192)
    return False


def _hashed(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _modules(name: str) -> set[Path]:
    """The file of a module, and the files of its folder that it imports."""
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return set()
    if spec is None or not spec.origin or not Path(spec.origin).is_file():
        return set()
    return {Path(spec.origin).resolve(), *_imported(Path(spec.origin))}


def _imported(path: Path, seen: frozenset[Path] = frozenset()) -> set[Path]:
    """Files of the same folder or its subfolders that a Python file imports, directly or indirectly."""
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return set()
    found: set[Path] = set()
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module, *(f"{module}.{alias.name}".strip(".") for alias in node.names)]
        for name in filter(None, names):
            found |= _file_of(path.parent, name.split("."))
    fresh = {each for each in found if each not in seen and each != path.resolve()}
    for each in fresh:
        found |= _imported(each, seen | fresh | {path.resolve()})
    return found


def _file_of(folder: Path, parts: list[str]) -> set[Path]:
    """The file of a module below a folder; leading parts that name the package of the folder are dropped."""
    for start in range(len(parts)):
        place = folder.joinpath(*parts[start:])
        for candidate in (place.with_suffix(".py"), place / "__init__.py"):
            if candidate.is_file():
                return {candidate.resolve()}
    return set()
