"""Escapes untrusted text (prompts, names, reasons), with one function per kind of output.

Control characters, line and paragraph separators, bidirectional overrides and unpaired surrogates are shown as escapes
such as `\\x1b`, so that a prompt cannot move the cursor, start a new line, or reorder a sentence.
"""

from __future__ import annotations

import html as html_library
import os
import re
import shlex
import unicodedata

_BIDIRECTIONAL = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_KEPT = {"\n", "\t"}
_MARKDOWN = re.compile(r"([\\`*\[\]|~<>&]|#(?=\w)|(?<!\w)_|_(?!\w))")
_AUTOLINK = re.compile(r"(?i)\b(https?|ftp|mailto)(:)|\b(www)(\.)")
_MENTION = re.compile(r"@(?=\w)")
_COMMAND = re.compile(r"(?m)^(\s*)(::|##\[)")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def visible(text: str) -> str:
    """Shows control characters as escapes, except newlines and tabs.

    >>> visible("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    return "".join(sign if sign in _KEPT or _harmless(sign) else _escape(sign) for sign in text)


def _harmless(sign: str) -> bool:
    code = ord(sign)
    if code < 0x7F:
        return code >= 0x20
    unsafe = code in _BIDIRECTIONAL or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return not unsafe and unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp")


def _escape(sign: str) -> str:
    code = ord(sign)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def vbench_command(*words: str | os.PathLike[str]) -> str:
    """A command of this program, quoted for a shell, with paths relative to the working folder.

    A path that begins with "-" is not read as an option.

    >>> from pathlib import Path
    >>> vbench_command("score", Path("my runs"))
    "vbench score 'my runs'"
    >>> vbench_command("score", Path("-x"), "--json")
    'vbench score ./-x --json'
    >>> vbench_command("score", Path("results/ads").absolute())
    'vbench score results/ads'
    """
    return shlex.join(["vbench", *(from_here(word if isinstance(word, str) else _no_option(word)) for word in words)])


def _no_option(path: os.PathLike[str]) -> str:
    text = os.fspath(path)
    return f".{os.sep}{text}" if text.startswith("-") else text


def from_here(path: str | os.PathLike[str]) -> str:
    """A path relative to the working folder if it is inside; another absolute path does not change.

    >>> from_here("/no/such/folder"), from_here(os.path.abspath("results/ads")), from_here(os.path.abspath("ads"))
    ('/no/such/folder', 'results/ads', './ads')
    """
    text = os.fspath(path)
    if not os.path.isabs(text):
        return text
    relative = os.path.relpath(text)
    if relative.split(os.sep)[0] == os.pardir:
        return text
    return relative if os.sep in relative or relative == os.curdir else os.path.join(os.curdir, relative)


def one_line(text: str) -> str:
    """Text on one line: white space becomes one space, and control characters become escapes.

    >>> one_line("a\\n::error::b")
    'a ::error::b'
    """
    return visible(" ".join(text.split()))


def terminal(text: str) -> str:
    """A message for a terminal or a CI log. Its lines cannot be commands to the CI system.

    >>> terminal("done\\n::error::forged")
    'done\\n\\\\x3a:error::forged'
    """
    return _COMMAND.sub(lambda m: f"{m[1]}\\x{ord(m[2][0]):02x}{m[2][1:]}", visible(text))


def annotation(text: str, *, of_property: bool = False) -> str:
    """The message or a property of a GitHub workflow command."""
    text = visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if of_property else text


def markdown(text: str) -> str:
    """Plain text for Markdown: no markup, tag, mention, issue number or link in it is active.

    >>> markdown("[x](http://y) @all #1 <b>")
    '\\\\[x\\\\](http&#58;//y) &#64;all \\\\#1 &lt;b&gt;'
    """
    text = _MARKDOWN.sub(_markdown_sign, one_line(text))
    text = _AUTOLINK.sub(lambda m: (m[1] or m[3]) + ("&#58;" if m[2] else "&#46;"), text)
    return _MENTION.sub("&#64;", text)


def _markdown_sign(found: re.Match[str]) -> str:
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(found[1], f"\\{found[1]}")


def code_span(text: str) -> str:
    """A code span of Markdown, also valid in a table."""
    return "`" + (one_line(text).replace("`", "'").replace("|", "¦") or " ") + "`"


def html(text: str) -> str:
    """Text for an element or a quoted attribute of HTML or SVG."""
    return html_library.escape(visible(text))


def xml(text: str) -> str:
    """Text for an XML writer, which escapes markup itself: characters forbidden in XML 1.0 become escapes."""
    return visible(text)


def latex(text: str) -> str:
    """Plain text for LaTeX.

    >>> latex("50 % of a_b")
    '50 \\\\% of a\\\\_b'
    """
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(c, f"\\{c}" if c in "&%$#_{}" else c) for c in one_line(text))


def spreadsheet(text: str) -> str:
    """A cell of a CSV for spreadsheets: it is never a formula. Not for CSV that programs read.

    >>> spreadsheet("=1+1"), spreadsheet("-0.5")
    ("'=1+1", '-0.5')
    """
    if not text.startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
