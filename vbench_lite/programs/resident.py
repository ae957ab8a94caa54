"""A program that stays loaded and answers requests with lines of JSON."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from vbench_lite.errors import ProgramError, ProgramFailed
from vbench_lite.programs.process import GRACE_S, Start, describe_code
from vbench_lite.records import ReasonCode

LONGEST_LINE = 1 << 20
LONGEST_SHOWN = 150
"""Maximum number of characters of an answer in a message or the log."""
MOST_BRACES = 1000
"""Maximum number of braces in a line that are tried as the start of an object."""


def last_object(line: str) -> dict[str, Any] | None:
    """The last JSON object in a line. A progress bar without a line break may precede it.

    >>> last_object('\\rstep 10/10 {50%} {"id": "p/0"}')
    {'id': 'p/0'}
    """
    decoder, found, place = json.JSONDecoder(), None, line.find("{")
    for _ in range(MOST_BRACES):
        if place < 0:
            break
        try:
            value, end = decoder.raw_decode(line, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            found = value
        place = line.find("{", end)
    return found


class Resident:
    """A program that stays loaded. It reads a line of JSON per request, and prints a line of JSON as the answer.

    It prints {"ready": true} when its model is loaded. The last JSON object of a line is the answer. Lines without an
    object go to the log, like the program's stderr.
    """

    def __init__(self, start: Start, command: Sequence[str], ready_limit_s: float) -> None:
        self._start = start
        self._process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, name="answers", daemon=True).start()
        try:
            self._wait("ready", True, ready_limit_s)
        except ProgramFailed as error:
            self.end()
            raise ProgramError(f'"{command[0]}" did not print {{"ready": true}}: {error}') from None

    def ask(self, request: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
        """Sends a request and returns the answer with its id.

        Raises:
            ProgramFailed: The program died or did not answer in time. It cannot be used again.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise ProgramFailed(f"the program has ended ({self._ending()})", ReasonCode.CRASHED) from None
        return self._wait("id", request["id"], limit_s)

    def _wait(self, key: str, value: Any, limit_s: float) -> dict[str, Any]:
        """The next object whose `key` has this value, of the same type. Other objects go to the log."""
        deadline, other = time.monotonic() + limit_s, ""
        while True:
            try:
                answer = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                why = f"the program did not answer within {limit_s:g} s{other}"
                raise ProgramFailed(why, ReasonCode.TIMEOUT) from None
            if answer is None:
                why = f"the program ended before it answered ({self._ending()}){other}"
                raise ProgramFailed(why, ReasonCode.CRASHED)
            found = answer.get(key)
            if type(found) is type(value) and found == value:
                return answer
            printed = json.dumps(answer)[:LONGEST_SHOWN]
            other = f': it printed {printed}, whose "{key}" is not {json.dumps(value)}'
            self._start.echo(f'ignored, because "{key}" is not {json.dumps(value)}: {printed}\n'.encode())

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in iter(lambda: self._process.stdout.readline(LONGEST_LINE), b""):  # type: ignore[union-attr]
            answer = last_object(line.decode("utf-8", "replace"))
            if answer is None:
                self._start.echo(line)
            else:
                self._answers.put(answer)
        self._answers.put(None)

    def _ending(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return describe_code(self._process.wait(GRACE_S))
        return "it closed its output"

    def end(self, patience_s: float = GRACE_S) -> None:
        """Closes its input, and ends it if it does not end by itself."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience_s)
        self._start.end(self._process)
