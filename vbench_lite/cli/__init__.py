"""The command line. Each command has its own file, which is imported on use, so that `--help` is fast."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

from vbench_lite import __version__, environment, escaping
from vbench_lite.errors import StoreError, UnknownName, VbenchError, system_reason

COMMANDS = {
    "run": "Generate the clips of a suite, score them, and write the report.",
    "score": "Score a run again, or clips that were made elsewhere.",
    "report": "Render the report of one or more runs.",
    "compare": "Compare two runs, or two generators, pair by pair.",
    "gate": "Decide whether a candidate may be released, compared with a baseline.",
    "check": "Check a run for signs that its numbers are unreliable.",
    "review": "Serve a local page where people judge clips without seeing which generator made them.",
    "baseline": "Manage the runs that releases are compared with.",
    "history": "Show how each generator changed over its releases.",
    "list": "List suites, generators, metrics or runs.",
    "doctor": "Check the installation, and print a fix for each problem.",
    "selftest": "Damage reference clips and check that the metrics react.",
    "init": "Create a workspace for your own generator.",
}


class OneFileEach(click.Group):
    """Loads `vbench NAME` from `vbench_lite/cli/NAME_command.py`, where it is called `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            raise UnknownName("command", cmd_name, COMMANDS, "See them with: vbench --help")
        if cmd_name != "doctor":  # doctor reports all libraries itself
            environment.check_libraries()
        module = importlib.import_module(f"vbench_lite.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=OneFileEach, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vbench-lite")
def group() -> None:
    """Evaluate and benchmark text-to-video generators: token transformers, diffusion, and hybrids.

    \b
    Exit codes: 0 done or passed, 1 error, 2 usage, 3 gate failed, 4 undecided or incomplete.
    """


def main() -> None:
    """Runs the program. A VbenchError becomes one sentence and an exit code; other errors keep their traceback.

    A failed import of a library becomes one sentence too. A traceback is followed by the libraries that are newer than
    the tested versions.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a character that the terminal cannot encode becomes "?"
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout is sys.__stdout__:
        sys.stdout = _Results(sys.stdout)
    try:
        try:
            group()
        except SystemExit:
            if sys.stdout is not None:
                sys.stdout.flush()
            raise
    except VbenchError as error:
        _stop(error)
    except Exception as error:
        if problem := environment.import_problem(error):
            _stop(problem)
        if advice := environment.advice():
            error.add_note(advice)
        raise


def _stop(error: VbenchError) -> NoReturn:
    click.echo(escaping.terminal(f"Error: {error}"), err=True)
    raise SystemExit(error.exit_code) from None


class _Results(io.TextIOWrapper):
    """Standard output. A failed write, for example on a full disk, raises StoreError."""

    def __init__(self, stdout: io.TextIOWrapper) -> None:
        super().__init__(stdout.buffer, stdout.encoding, "replace", write_through=True)

    def write(self, text: str) -> int:
        if text == "":  # click writes "" to test the stream, and this fails on a full device
            return 0
        with self._own_error():
            return super().write(text)

    def flush(self) -> None:
        with self._own_error():
            super().flush()

    @contextmanager
    def _own_error(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:  # the reader, such as `head`, closed the pipe; click ends the command
            raise
        except OSError as error:
            with open(os.devnull, "wb") as nothing:  # otherwise the interpreter flushes again at exit
                os.dup2(nothing.fileno(), self.fileno())
            raise StoreError(
                f"cannot write to standard output: {system_reason(error)}. Files that were written are kept."
            ) from None
