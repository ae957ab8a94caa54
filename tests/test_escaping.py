"""Untrusted text stays text in every output."""

import csv
import io
import re
from xml.etree import ElementTree

import pytest

from vbench_lite import escaping

HOSTILE = "a\x1b[2Jb\x00c\u202ed\u2028e\ufffef\x85g\ud800h"


def test_control_characters_are_shown_as_escapes() -> None:
    shown = escaping.visible(HOSTILE)
    assert shown == r"a\x1b[2Jb\x00c\u202ed\u2028e\ufffef\x85g\ud800h"
    shown.encode()  # no unpaired surrogate is left


@pytest.mark.parametrize("text", ["naïve", "日本語", "مرحبا", "👩\u200d👩\u200d👧", "नमस्ते", "a\nb\tc"])
def test_letters_of_all_scripts_stay_as_they_are(text) -> None:
    assert escaping.visible(text) == text


def test_no_line_of_a_message_is_a_command_to_the_ci_system() -> None:
    text = escaping.terminal("ok\n::error file=x::y\n  ##[section]z\r::warning::w")
    assert not any(line.lstrip().startswith(("::", "##[")) for line in text.splitlines())


def test_annotations_are_one_line_and_their_properties_end_nowhere_early() -> None:
    assert escaping.annotation("a\n::error::b") == "a%0A::error::b"
    assert escaping.annotation("t,line=1::", of_property=True) == "t%2Cline=1%3A%3A"


@pytest.mark.parametrize(
    "text", ["@all", "#1", "[x](http://y)", "https://y", "www.y.com", "<b>", "![i](y)", "`c`", "a|b", "*a*", "_a_"]
)
def test_markdown_holds_no_active_markup(text) -> None:
    found = escaping.markdown(text)
    assert not any(active in found for active in ("@", "://", "www.", "<"))
    assert not re.search(r"(?<![\\&])[\[\]#`|*]|(?<![\w\\])_", found)


def test_code_spans_cannot_be_closed() -> None:
    assert escaping.code_span("a`b|c\nd") == "`a'b¦c d`"


def test_xml_with_forbidden_characters_parses() -> None:
    root = ElementTree.Element("a", name=escaping.xml(HOSTILE))
    root.text = escaping.xml(HOSTILE)
    assert ElementTree.fromstring(ElementTree.tostring(root, encoding="unicode")).text == escaping.visible(HOSTILE)


@pytest.mark.parametrize("text", ["=cmd()", "+1+1", "-2+3", "@SUM(A1)", "\t=1"])
def test_spreadsheet_cells_are_no_formulas(text) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([escaping.spreadsheet(text)])
    assert next(csv.reader([file.getvalue()]))[0] == f"'{text}"


@pytest.mark.parametrize("number", ["-0.5", "+3", "1e-9", "-inf"])
def test_spreadsheet_numbers_stay_numbers(number) -> None:
    assert escaping.spreadsheet(number) == number
