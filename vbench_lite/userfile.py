"""Reads text, JSON and numbers from files of users. Errors name the file and the line."""

from __future__ import annotations

import csv
import errno
import json
import math
import os
import re
import unicodedata
from pathlib import Path
from typing import Any

from vbench_lite.errors import BadFile, system_reason

MOST_BYTES = 100_000_000
DEEPEST = 50
"""Maximum depth of nested lists and tables."""
WHOLE_NUMBERS = range(-(2**63), 2**63)
"""The range of whole numbers that TOML guarantees."""
_CSV_CELL = re.compile(r'"(?:[^"]|"")*+"(?=[,\r\n]|\Z)|[^,\r\n"][^,\r\n]*|[,\r\n]')
"""One cell of a CSV file, in quotes or not, or one separator. A cell whose quote is not closed does not match."""
_INNER_SPACES = "\t\v\f\x85"
"""Control characters that are white space. A prompt may contain them."""


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises:
        BadFile: There is no such file, it is not a regular file, it is not UTF-8, or it is larger than `MOST_BYTES`.
    """
    try:
        if path.exists() and not path.is_file():
            raise BadFile(path, None, f"cannot be read: it is {'a folder' if path.is_dir() else 'not a file'}.")
        if path.stat().st_size > MOST_BYTES:
            raise BadFile(path, None, f"cannot be read: it is larger than {MOST_BYTES // 10**6} MB.")
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise BadFile(path, None, f"{link_problem(path) or 'there is no such file'}.") from None
    except (OSError, ValueError) as error:
        raise BadFile(path, None, f"cannot be read: {link_problem(path) or system_reason(error)}.") from None


def lines_of(text: str) -> list[str]:
    r"""The lines of a text. Only \n and \r\n end a line: other separators can be part of a prompt.

    >>> lines_of("a cat\u2028on a mat\r\na dog\x85barks\n")
    ['a cat\u2028on a mat', 'a dog\x85barks']
    """
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def csv_error(path: Path, text: str, line: int, error: csv.Error) -> BadFile:
    r"""The error for a text that is not CSV. It names the line of the first quote that is not closed, if there is one.

    Args:
        line: The last line that could be read, for other errors.

    >>> str(csv_error(Path("a.csv"), 'a,b\n1,2\n3,"4\n5,6\n', 2, csv.Error("unexpected end of data")))
    'a.csv:3: is not valid CSV: a cell begins with a quote that is not closed (unexpected end of data).'
    """
    end = 0
    while cell := _CSV_CELL.match(text, end):
        end = cell.end()
    if end == len(text):
        return BadFile(path, line, f"is not valid CSV: {error}.")
    why = f"is not valid CSV: a cell begins with a quote that is not closed ({error})."
    return BadFile(path, text.count("\n", 0, end) + 1, why)


def parse_json(path: Path, text: str, line: int | None = None) -> Any:
    """Parses JSON whose numbers are finite and fit into 64 bits.

    Args:
        line: The line number of the text in a file of JSON lines.

    Raises:
        BadFile: The text is not such JSON.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise BadFile(path, line, "is not readable JSON: it is nested too deeply.") from None
    except ValueError as error:
        raise BadFile(path, line or getattr(error, "lineno", None), f"is not valid JSON: {error}") from None
    if why := number_problem(value):
        raise BadFile(path, line, f"is not readable JSON: {why[1]}.")
    return value


def number_problem(value: Any) -> tuple[str, str] | None:
    """The key and the problem of the first number that is NaN, infinite or too large, or of nesting that is too deep.

    >>> number_problem({"a": [{"b": float("nan")}]})
    ('a.b', 'it contains nan, which is not a number')
    >>> number_problem({"a": [1, 2.5, "nan"]}) is None
    True
    """
    waiting: list[tuple[str, Any, int]] = [("", value, 0)]
    while waiting:
        key, item, depth = waiting.pop()
        if depth > DEEPEST:
            return key, f"it is nested more than {DEEPEST} levels deep"
        if isinstance(item, dict):
            waiting += [(f"{key}.{name}" if key else str(name), inner, depth + 1) for name, inner in item.items()]
        elif isinstance(item, list):
            waiting += [(key, inner, depth + 1) for inner in item]
        elif isinstance(item, float) and not math.isfinite(item):
            return key, f"it contains {item}, which is not a number"
        elif isinstance(item, int) and item not in WHOLE_NUMBERS:
            return key, "it contains a whole number of more than 64 bits"
    return None


def shown(value: Any, longest: int = 80) -> str:
    """A value in an error message: its repr, shortened.

    >>> shown("x" * 500, longest=10)
    "'xxxxxx..."
    """
    text = repr(value)
    return text if len(text) <= longest else text[: longest - 3] + "..."


def control_character(text: str) -> str:
    """The first character that is not allowed in a prompt, escaped; "" if there is none.

    Line breaks and other control characters would affect terminals and logs. Tabs and other spaces are allowed.

    >>> control_character("a cat\\x1b[2J")
    '\\\\x1b'
    """
    return next(
        (repr(sign)[1:-1] for sign in text if unicodedata.category(sign) in ("Cc", "Cs") and sign not in _INNER_SPACES),
        "",
    )


def is_there(path: Path) -> bool:
    """Whether the file or folder exists; False if the text is not a valid path."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_named(path: Path) -> bool:
    """Whether the file exists, or a broken symbolic link with its name, so that an error can name the link."""
    return is_there(path) or bool(link_problem(path))


def link_problem(path: Path) -> str:
    """Why the symbolic links of a path lead to no file; "" if no link is the cause."""
    for part in (*reversed(path.parents), path):
        try:
            part.stat()
        except OSError as error:
            if error.errno == errno.ELOOP:
                return f"the symbolic link {part} leads back to itself"
            missing = os.path.islink(part)
            return f"the symbolic link {part} leads to {os.readlink(part)}, which does not exist" if missing else ""
        except ValueError:
            return ""
    return ""


def is_folder(path: Path) -> bool:
    """Whether the folder exists; False if the text is not a valid path."""
    return is_there(path) and path.is_dir()
