"""Runs a program: fills its command template, and ends its whole process tree on time."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from vbench_lite.errors import ProgramError, ProgramFailed, UsageError, system_reason
from vbench_lite.records import ReasonCode

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\w*)\}")
GRACE_S = 5.0
"""Seconds between SIGTERM and SIGKILL."""
MARKER = "VBENCH_PROGRAM"
"""Environment variable that marks the processes of a program, so that they are found without their parent or session.
"""
PR_SET_CHILD_SUBREAPER = 36
TAIL_BYTES = 1 << 16


def fill(template: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """Fills the placeholders of the arguments. Inserted values are not filled again.

    >>> fill(["--text", "{prompt}", "--size={width}x{height}", "{{}}"], {"prompt": "{width}", "width": 4, "height": 3})
    ['--text', '{width}', '--size=4x3', '{}']

    Raises:
        UsageError: A placeholder is unknown.
    """

    def value_of(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] not in values:
            known = ", ".join(f"{{{name}}}" for name in values)
            raise UsageError(
                f'"{match[0]}" in the command is not known. Known: {known}. Write a literal brace twice.'
            )
        return str(values[match[1]])

    return [_PLACEHOLDER.sub(value_of, argument) for argument in template]


class Start:
    """Starts programs in a folder and an environment, and finds all processes that they started.

    Args:
        cwd: The folder; "" for the current one.
        env: Variables to add to this process's environment.
        log: An open file for the output of the programs; None for this process's stderr.
    """

    def __init__(self, cwd: str, env: Mapping[str, str], log: IO[bytes] | None = None) -> None:
        self.log = log
        self._marker = uuid.uuid4().hex
        self._options: dict[str, Any] = {"cwd": cwd or None, "env": {**os.environ, **env, MARKER: self._marker}}
        self._adopts = _adopt_orphans()

    def __call__(self, command: Sequence[str], **streams: Any) -> subprocess.Popen[bytes]:
        # No shell, so that any prompt is one argument. No new session, so that the program ends with its run.
        streams.setdefault("stderr", self.log)
        try:
            return subprocess.Popen(list(command), **self._options, **streams)
        except (OSError, ValueError) as error:  # ValueError: an argument with a NUL character
            raise ProgramError(f'"{command[0]}" cannot be started: {system_reason(error)}.') from None

    def require(self, program: str) -> None:
        """Checks that a program exists.

        Raises:
            ProgramError: It is neither on the PATH nor in the folder in which programs start.
        """
        if not shutil.which(program) and not (Path(self._options["cwd"] or "") / program).exists():
            raise ProgramError(f'the program "{program}" is not installed on this machine')

    def echo(self, text: bytes) -> None:
        """Writes to the log, or to stderr, which is the generator's log in a run."""
        if self.log is not None:
            with contextlib.suppress(OSError, ValueError):
                self.log.write(text)
                self.log.flush()
            return
        buffer = getattr(sys.stderr, "buffer", None)
        with contextlib.suppress(OSError, ValueError):
            if buffer is None:
                sys.stderr.write(text.decode("utf-8", "replace"))
            else:
                buffer.write(text)
            sys.stderr.flush()

    def end(self, process: subprocess.Popen[Any]) -> None:
        """Ends a program and all processes that it started, in any session: SIGTERM first, SIGKILL later."""
        import psutil

        tree = self._started(process)
        for each in tree:
            with contextlib.suppress(psutil.Error):
                each.terminate()
        _, alive = psutil.wait_procs(tree, timeout=GRACE_S)
        for each in [*alive, *self._started(process)]:
            with contextlib.suppress(psutil.Error):
                each.kill()
        process.wait()

    def _started(self, process: subprocess.Popen[Any]) -> list[Any]:
        """Processes that still run: children of the program, and processes with its marker in their environment."""
        import psutil

        found = {}
        with contextlib.suppress(psutil.Error):
            top = psutil.Process(process.pid)
            found = {each.pid: each for each in (*top.children(recursive=True), top)}
        others = psutil.Process().children(recursive=True) if self._adopts else psutil.process_iter()
        for each in others:
            with contextlib.suppress(psutil.Error, OSError):
                if each.pid not in found and each.environ().get(MARKER) == self._marker:
                    found[each.pid] = each
        return list(found.values())


def _adopt_orphans() -> bool:
    """Makes this process the parent of orphans of its programs, so that they can be found (Linux only)."""
    try:
        return sys.platform == "linux" and ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    except (OSError, AttributeError):
        return False


class _Log:
    """Copies the output of a program to the log, and keeps its end: the answer, or the reason of a failure."""

    def __init__(self, stream: IO[bytes], echo: Callable[[bytes], None]) -> None:
        self._stream, self._echo, self._tail = stream, echo, b""
        self._reader = threading.Thread(target=self._read, name="log", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while piece := self._stream.read1(1 << 16):  # type: ignore[attr-defined]
            self._tail = (self._tail + piece)[-TAIL_BYTES:]
            self._echo(piece)

    def tail(self) -> str:
        """The end of the output. Call it after the program and all its processes have ended."""
        self._reader.join(GRACE_S)
        return self._tail.decode("utf-8", "replace")


def run_once(start: Start, command: Sequence[str], limit_s: float) -> str:
    """Runs a program to its end. Its output is copied to the log at once.

    Returns:
        The end of its output, stdout and stderr together.

    Raises:
        ProgramError: It cannot be started.
        ProgramFailed: It exceeded the time limit, or ended with an error. The message contains its last line.
    """
    process = start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    log = _Log(process.stdout, start.echo)
    try:
        code = process.wait(limit_s)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        start.end(process)
    tail = log.tail()
    if code is None:
        raise ProgramFailed(f"the program exceeded its limit of {limit_s:g} s and was ended", ReasonCode.TIMEOUT)
    if code != 0:
        message = f"the program ended with {describe_code(code)}: {last_line(tail)}"
        raise ProgramFailed(message, ReasonCode.CRASHED if code < 0 else ReasonCode.FAILED)
    return tail


def describe_code(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it printed nothing"
