"""Running a program: its command line from a template, its whole process tree ended in time."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vbench_lite.errors import ClipFailed, GeneratorError, UsageError

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\w*)\}")
GRACE_S = 5.0
"""Between asking a process tree to end and ending it."""


def fill(template: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """The arguments with their placeholders filled in; a filled-in value is never looked at again.

    >>> fill(["--text", "{prompt}", "--size={width}x{height}", "{{}}"], {"prompt": "{width}", "width": 4, "height": 3})
    ['--text', '{width}', '--size=4x3', '{}']

    Raises:
        UsageError: A placeholder that means nothing.
    """

    def value_of(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] not in values:
            known = ", ".join(f"{{{name}}}" for name in values)
            raise UsageError(
                f'"{match[0]}" in the command means nothing. Known: {known}; a brace itself is written twice.'
            )
        return str(values[match[1]])

    return [_PLACEHOLDER.sub(value_of, argument) for argument in template]


def end_tree(process: subprocess.Popen[Any]) -> None:
    """Ends a process and everything that it started: asked first, made to after a while."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        top = psutil.Process(process.pid)
        tree = [*top.children(recursive=True), top]
        for each in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.terminate()
        _, alive = psutil.wait_procs(tree, timeout=GRACE_S)
        for each in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait()


class Start:
    """How a program is started: its folder and environment; what cannot be started is named."""

    def __init__(self, cwd: str, env: Mapping[str, str]) -> None:
        self._options: dict[str, Any] = {"cwd": cwd or None, "env": {**os.environ, **env}}

    def __call__(self, command: Sequence[str], **streams: Any) -> subprocess.Popen[bytes]:
        # No shell: a prompt is one argument whatever it holds. No new session: the program ends with its run.
        try:
            return subprocess.Popen(list(command), **self._options, **streams)
        except OSError as error:
            raise GeneratorError(f'"{command[0]}" cannot be started: {error.strerror or error}.') from None


def run_once(start: Start, command: Sequence[str], limit_s: float) -> None:
    """Runs a program to its end; what it prints goes to this process's stderr.

    Raises:
        ClipFailed: It ran too long, or ended with an error; its last line is in the message.
    """
    with tempfile.TemporaryFile() as log:
        process = start(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            end_tree(process)
        log.seek(0)
        text = log.read().decode("utf-8", "replace")
    print(text, end="", file=sys.stderr)
    if code is None:
        raise ClipFailed(f"the program did not end within {limit_s:g} s and was ended")
    if code != 0:
        raise ClipFailed(f"the program ended with {describe_code(code)}: {last_line(text)}")


def describe_code(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it printed nothing"


class Resident:
    """A program that stays: a line of JSON in for each request, a line of JSON back.

    It says {"ready": true} when its model is loaded. What it prints that is no JSON object goes to
    this process's stderr, as its own stderr does, so that chatty libraries do no harm.
    """

    def __init__(self, start: Start, command: Sequence[str], ready_limit_s: float) -> None:
        self._process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, name="answers", daemon=True).start()
        try:
            self._wait("ready", True, ready_limit_s)
        except ClipFailed as error:
            self.end()
            raise GeneratorError(f'"{command[0]}" never said {{"ready": true}}: {error}') from None

    def ask(self, request: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
        """The answer with the request's id.

        Raises:
            ClipFailed: The program died or did not answer in time; it is of no use any more.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise ClipFailed(f"the program is gone ({self._ending()})") from None
        return self._wait("id", request["id"], limit_s)

    def _wait(self, key: str, value: Any, limit_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + limit_s
        while True:
            try:
                answer = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise ClipFailed(f"the program did not answer within {limit_s:g} s") from None
            if answer is None:
                raise ClipFailed(f"the program ended in the midst of it ({self._ending()})")
            if answer.get(key) == value:
                return answer

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                answer = json.loads(line)
            except ValueError:
                answer = None
            if isinstance(answer, dict):
                self._answers.put(answer)
            else:
                print(line.decode("utf-8", "replace"), end="", file=sys.stderr)
        self._answers.put(None)

    def _ending(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return describe_code(self._process.wait(GRACE_S))
        return "it closed its output"

    def end(self, patience_s: float = GRACE_S) -> None:
        """Lets it end by closing its input, then makes it."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience_s)
        end_tree(self._process)


def only_clip(folder: Path, expected: Path, suffixes: Sequence[str]) -> Path:
    """The clip that a program wrote: where it was told to, or the only one in its folder.

    Raises:
        ClipFailed: There is none, more than one, or it is empty.
    """
    found = [expected] if expected.exists() else sorted(p for p in folder.rglob("*") if p.suffix.lower() in suffixes)
    if not found:
        raise ClipFailed(f"the program wrote no clip to {{out}} ({expected.name})")
    if len(found) > 1:
        raise ClipFailed(f"the program wrote {len(found)} clips: {', '.join(p.name for p in found[:5])}")
    if not found[0].is_file() or not found[0].stat().st_size:
        raise ClipFailed(f"the program wrote an empty file: {found[0].name}")
    return found[0]
