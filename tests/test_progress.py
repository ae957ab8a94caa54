"""Progress: a bar on terminals, lines elsewhere."""

from __future__ import annotations

import io

from vbench_lite import progress as module
from vbench_lite.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_there_are_lines_and_no_control_characters(monkeypatch):
    monkeypatch.setattr(module, "LINE_EVERY_S", 0.0)
    out = io.StringIO()
    with progress("scoring", 4, out) as tick:
        tick()
        tick(3)
    lines = out.getvalue().splitlines()
    assert lines[0] == "scoring: 0/4"
    assert lines[1].startswith("scoring: 1/4, about ")
    assert lines[-1].startswith("scoring: 4/4 in ")
    assert out.getvalue().isprintable() or "\x1b" not in out.getvalue()


def test_what_is_left_is_told_from_the_first_step_on(monkeypatch):
    monkeypatch.setattr(module, "LINE_EVERY_S", 0.0)
    out = io.StringIO()
    with progress("clips", 1000, out) as tick:
        tick(2)
    assert out.getvalue().splitlines()[1].startswith("clips: 2/1000, about ")


def test_lines_are_few(monkeypatch):
    out = io.StringIO()
    with progress("scoring", 1000, out) as tick:
        for _ in range(1000):
            tick()
    assert len(out.getvalue().splitlines()) == 2


def test_on_a_terminal_there_is_a_bar_with_its_label(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    with progress("scoring [draft]", 4, out) as tick:
        tick(4)
    assert "scoring [draft]" in out.getvalue()
    assert "4/4" in out.getvalue()


def test_nothing_to_do_says_nothing():
    out = io.StringIO()
    with progress("scoring", 0, out) as tick:
        tick()
    assert out.getvalue() == ""


def test_an_error_inside_passes_through():
    out = io.StringIO()
    try:
        with progress("scoring", 2, out) as tick:
            tick()
            raise KeyError("inside")
    except KeyError:
        pass
    assert out.getvalue().startswith("scoring: 0/2")
