"""Mutations of files: of their bytes, and of the words and values that they hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

HOSTILE = (
    "nan", "-inf", "Infinity", "1e999", "9" * 5000, "-1", "0", "1.5", "\u00b2", "null", "true", "[]", "{}", '""',
    "[" * 3000, "{" * 3000, '"' + "x" * 5000 + '"', '"\\u0000"', '"\\ud800"', '"../../evil"', "a\x1b[2J", "\u2028",
    "\0", "2099-13-45", '"' + "\u202e" + '"', "[[", "=", ",,,,", "'''", str(2**64), "0x10", "1_000",
)
"""Words that have broken readers of such files."""
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 2**70, 1.5, 1e308, "", "x" * 3000, "\x1b[2J\n", "../evil", [], {}, [[]], {"a": 1}, [None], "nan",
)


def mutate(data: bytes, rng: Random) -> bytes:
    """One to three random changes of a file."""
    for _ in range(rng.randint(1, 3)):
        data = rng.choice(MUTATIONS)(data, rng)
    return data


def _flip(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 4, 32)) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut(data: bytes, rng: Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def _remove(data: bytes, rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + data[start + rng.choice((1, 8, 64, 512)) :]


def _blank(data: bytes, rng: Random) -> bytes:
    start, length = rng.randint(0, len(data)), rng.choice((4, 64, 300))
    return data[:start] + bytes(len(data[start : start + length])) + data[start + length :]


def _repeat(data: bytes, rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    end = start + rng.choice((8, 64, 512))
    return data[:end] + data[start:end] * rng.choice((1, 3)) + data[end:]


def _insert(data: bytes, rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + rng.choice(HOSTILE).encode("utf-8", "surrogatepass") + data[start:]


def _word(data: bytes, rng: Random) -> bytes:
    """Another word or number in the place of one."""
    found = list(re.finditer(rb'"[^"\n]*"|[\w.+-]+', data[:200_000]))
    if not found:
        return data
    place = rng.choice(found)
    return data[: place.start()] + rng.choice(HOSTILE).encode("utf-8", "surrogatepass") + data[place.end() :]


def _lines(data: bytes, rng: Random) -> bytes:
    lines = data.split(b"\n")
    rng.shuffle(lines) if rng.random() < 0.3 else lines.pop(rng.randrange(len(lines)))
    return b"\n".join(lines)


def _encoding(data: bytes, rng: Random) -> bytes:
    """A byte order mark, other line ends, or another encoding."""
    text = data.decode("utf-8", "replace")
    return rng.choice((
        b"\xef\xbb\xbf" + data, data.replace(b"\n", b"\r\n"), data.replace(b"\n", b"\r"), text.encode("utf-16"),
        text.encode("cp1252", "replace"), b"",
    ))  # fmt: skip


def _json_value(data: bytes, rng: Random) -> bytes:
    """Another value, or none, in a place of a JSON document."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return _word(data, rng)
    here = value
    while isinstance(here, dict | list) and here:
        key = rng.choice(list(here)) if isinstance(here, dict) else rng.randrange(len(here))
        if not isinstance(here[key], dict | list) or rng.random() < 0.3:
            if rng.random() < 0.3:
                del here[key]
            else:
                here[key] = rng.choice(VALUES)
            break
        here = here[key]
    return json.dumps(value).encode()


MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip, _cut, _remove, _blank, _repeat, _insert, _word, _word, _lines, _json_value, _encoding,
)
