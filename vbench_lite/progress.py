"""Progress of a long job: a bar with the remaining time on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

LINE_EVERY_S = 10.0
"""Without a terminal: minimum seconds between two lines, except for the first and the last."""


@contextmanager
def progress(label: str, total: int, stream: TextIO | None = None) -> Iterator[Callable[..., None]]:
    """Shows progress on stderr while the block runs.

    Args:
        label: Name of the job, e.g. a generator's name.
        total: Total number of steps. 0 shows nothing.
        stream: Output stream instead of stderr.

    Yields:
        `tick(n=1)`: call it after n steps. For steps that end together call it once, so that the time per step is
        right. Cheap, and thread-safe.

    >>> with progress("scoring", 3) as tick:
    ...     for _ in range(3):
    ...         tick()
    """
    stream = stream or sys.stderr
    if total <= 0:
        yield lambda n=1: None
    elif stream.isatty():
        with _bar(label, total, stream) as tick:
            yield tick
    else:
        lines = _Lines(label, total, stream)
        yield lines.tick
        lines.close()


@contextmanager
def _bar(label: str, total: int, stream: TextIO) -> Iterator[Callable[..., None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    # The speed of generators is steady, so an estimate over minutes is better than one over seconds.
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(file=stream), speed_estimate_period=300) as bar:
        task = bar.add_task(label, total=total)
        yield lambda n=1: bar.advance(task, n)


class _Lines:
    """Progress as lines of text, for logs."""

    def __init__(self, label: str, total: int, stream: TextIO) -> None:
        self._label, self._total, self._stream = label, total, stream
        self._start = self._last = time.monotonic()
        self._done = 0
        self._say(f"{label}: 0/{total}")

    def tick(self, n: int = 1) -> None:
        self._done += n
        now = time.monotonic()
        if now - self._last >= LINE_EVERY_S and self._done < self._total:
            self._last = now
            share = self._done / self._total
            left = (now - self._start) * (1 / share - 1)
            self._say(f"{self._label}: {self._done}/{self._total}, about {duration(left)} left")

    def close(self) -> None:
        self._say(f"{self._label}: {self._done}/{self._total} in {duration(time.monotonic() - self._start)}")

    def _say(self, text: str) -> None:
        with suppress(OSError):  # a full disk behind stderr must not end the work
            print(text, file=self._stream, flush=True)


def duration(seconds: float) -> str:
    """A duration in words.

    >>> [duration(s) for s in (0.4, 42, 200, 7320, 200000)]
    ['0.4 s', '42 s', '3 min 20 s', '2 h 2 min', '55 h 33 min']
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
