"""Runs the program in this process."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

import pytest

from vbench_lite.cli import main


class Result(NamedTuple):
    code: int
    stdout: str
    output: str
    """Both streams."""


def call(*arguments: str) -> Result:
    """`vbench ARGUMENTS`: its exit code and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["vbench", *arguments])
        try:
            main()
        except SystemExit as end:
            code = end.code
    return Result(code if isinstance(code, int) else 0, out.getvalue(), out.getvalue() + err.getvalue())


def vbench(*arguments: str, code: int = 0) -> Result:
    """As `call`, and the exit code must be this one."""
    result = call(*arguments)
    assert result.code == code, result.output
    return result
