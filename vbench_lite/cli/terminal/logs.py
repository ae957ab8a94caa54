"""Log messages of a command: sentences on stderr, and with --log-json JSON lines in a file."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from vbench_lite import escaping
from vbench_lite.errors import StoreError, system_reason

FIELDS = ("generator", "prompt_id", "index")


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to the current sys.stderr, which a progress bar may replace."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class _Sentences(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = escaping.terminal(super().format(record))
        return text if record.levelno < logging.WARNING else f"{record.levelname.capitalize()}: {text}"


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entry = {"time": time, "level": record.levelname.lower(), "message": record.getMessage()}
        entry |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        return json.dumps(entry, ensure_ascii=False)


class _JsonFile(logging.FileHandler):
    """A failed write is reported once and the work continues; `check` raises the error at the end."""

    problem = ""

    def emit(self, record: logging.LogRecord) -> None:
        if not self.problem:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        self.problem = f"--log-json {self.baseFilename} is not complete: {system_reason(error)}."
        print(escaping.terminal(f"Warning: {self.problem} The command continues."), file=sys.stderr)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


def set_up(verbose: int, json_file: Path | None) -> None:
    """Warnings and errors are always printed; -v adds one line per clip.

    Raises:
        StoreError: The file for JSON lines cannot be written.
    """
    logger = logging.getLogger("vbench_lite")
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    logger.setLevel(logging.INFO)
    logger.propagate = False
    sentences = _Stderr()
    sentences.setLevel(logging.INFO if verbose else logging.WARNING)
    sentences.setFormatter(_Sentences())
    logger.addHandler(sentences)
    if json_file:
        try:
            lines = _JsonFile(json_file, encoding="utf-8")
        except OSError as error:
            raise StoreError(f"--log-json {json_file} cannot be written: {system_reason(error)}.") from None
        lines.setFormatter(_JsonLines())
        logger.addHandler(lines)


def check() -> None:
    """Raises an error if a message could not be written to the file.

    Raises:
        StoreError: The file for JSON lines is not complete.
    """
    for handler in logging.getLogger("vbench_lite").handlers:
        if isinstance(handler, _JsonFile) and handler.problem:
            raise StoreError(handler.problem)
