"""Reads TOML files of users. Errors name the file, the line, and the expected value."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from vbench_lite.errors import BadFile
from vbench_lite.userfile import DEEPEST, lines_of, number_problem, read_text, shown

_NAMES = {
    str: "a string", int: "a whole number", float: "a number", bool: "true or false", list: "a list", dict: "a table",
}
_LONG_KEY = re.compile(rf"(?:[\w\"'-]{{1,100}}[ \t]*\.[ \t]*){{{DEEPEST}}}")


class TomlFile:
    """A parsed TOML file that knows the lines of its keys.

    >>> # file = TomlFile(Path("prompts/ads.toml")); file.get("title", str)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = read_text(path)
        if _LONG_KEY.search(self.text):  # the parser needs quadratic time in the number of parts
            raise BadFile(path, None, f"is not readable TOML: a key has {DEEPEST} parts or more.")
        try:
            self.data: dict[str, Any] = tomllib.loads(self.text)
        except RecursionError:
            raise BadFile(path, None, "is not readable TOML: it is nested too deeply.") from None
        except ValueError as error:  # also raised for whole numbers with thousands of digits
            line = re.search(r"line (\d+)", str(error))
            raise BadFile(path, int(line[1]) if line else None, f"is not valid TOML: {error}") from None
        if why := number_problem(self.data):
            raise self.error(why[0], f'"{why[0]}" cannot be used: {why[1]}.')

    def error(self, key: str, message: str, nth: int = 0) -> BadFile:
        """An error at a key: "title", "clip.frames", or the nth "[[prompt]]" table's "prompt.id"."""
        return BadFile(self.path, self.line_of(key, nth), message)

    def line_of(self, key: str, nth: int = 0) -> int | None:
        """The line of `table.key` (in the nth table of that name), or of the table if the key is missing."""
        *tables, name = key.split(".")
        here, seen, table_line = "", -1, None
        key_line = re.compile(rf'\s*"?{re.escape(name)}"?\s*[=.]')
        for number, line in enumerate(lines_of(self.text), 1):
            header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?", line)
            if header:
                here = header[1].replace('"', "")
                if here in (".".join(tables), key):
                    seen += 1
                    table_line = number if seen == nth else table_line
            elif here == ".".join(tables) and (not tables or seen == nth) and key_line.match(line):
                return number
        return table_line or (self.line_of(".".join(tables)) if tables else None)  # of an inline table

    def get(self, key: str, kind: type, default: Any = ...) -> Any:
        """The value at "a.b", with its type checked. A key without a default is required."""
        value: Any = self.data
        for part in key.split("."):
            value = value.get(part, ...) if isinstance(value, dict) else ...
        return self.check(value, kind, key, default)

    def check(self, value: Any, kind: type, key: str, default: Any = ..., nth: int = 0) -> Any:
        if value is ...:
            if default is ...:
                raise self.error(key, f'"{key}" is missing: expected {_NAMES[kind]}.', nth)
            return default
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(key, f'"{key}" is {shown(value)}: expected {_NAMES[kind]}.', nth)
        return value

    def texts(self, value: Any, key: str, default: Any = ..., nth: int = 0) -> list[str]:
        """A list of strings."""
        found: list[str] = self.check(value, list, key, default, nth)
        if wrong := [item for item in found if not isinstance(item, str)]:
            raise self.error(key, f'"{key}" contains {shown(wrong[0])}: expected strings.', nth)
        return found

    def only(self, known: Collection[str], table: str = "", data: dict[str, Any] | None = None, nth: int = 0) -> None:
        """Refuses unknown keys, such as misspelt ones."""
        for key in self.data if data is None else data:
            if key not in known:
                where = f"{table}.{key}" if table else key
                raise self.error(where, f'"{key}" is not known here. Known: {", ".join(sorted(known))}.', nth)


def digest(value: Any) -> str:
    """sha256 of a JSON value, independent of its layout."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
