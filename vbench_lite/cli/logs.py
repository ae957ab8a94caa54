"""What a command says while it works: sentences on stderr, and JSON lines in a file if asked for."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from vbench_lite import escaping
from vbench_lite.errors import UsageError

FIELDS = ("generator", "prompt_id", "index")


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to whatever stderr is at that moment, so that a progress bar can make room."""

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


def set_up(verbose: int, json_file: Path | None) -> None:
    """Warnings and errors are always said; with -v each clip too.

    Raises:
        UsageError: The file for JSON lines cannot be written.
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
            lines = logging.FileHandler(json_file, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--log-json {json_file} cannot be written: {error.strerror}.") from None
        lines.setFormatter(_JsonLines())
        logger.addHandler(lines)
