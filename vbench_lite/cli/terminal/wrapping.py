"""Wraps lines for a terminal: words are not cut, and a wrapped command still runs when copied."""

from __future__ import annotations

import textwrap

COLUMNS = 80
"""Width of output into a file or a pipe."""


def sentence_lines(text: str, width: int = COLUMNS) -> list[str]:
    """A sentence in lines. A word that is longer than a line, such as a path, gets its own line.

    >>> sentence_lines("one two three", width=8)
    ['one two', 'three']
    """
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def command_lines(command: str, width: int = COLUMNS) -> list[str]:
    r"""A shell command in lines that can be copied as one command: all but the last end with a backslash.

    Lines are broken only at spaces outside quotes.

    >>> command_lines("make --one 1 --two '2 3'", width=16)
    ['make --one 1 \\', "  --two '2 3'"]
    """
    lines, line = [], ""
    for word in _words(command):
        if line.strip() and len(f"{line} {word} \\") > width:
            lines.append(f"{line} \\")
            line = f"  {word}"
        else:
            line = f"{line} {word}" if line.strip() else line + word
    return [*lines, line]


def _words(command: str) -> list[str]:
    """The parts of a command between spaces outside quotes."""
    words: list[str] = []
    open_quote = ""
    for part in command.split(" "):
        if open_quote:
            words[-1] += f" {part}"
        else:
            words.append(part)
        for sign in part:
            if sign == open_quote:
                open_quote = ""
            elif not open_quote and sign in "'\"":
                open_quote = sign
    return words
