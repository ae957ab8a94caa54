"""Handles Ctrl-C: the first lets running clips finish, the second ends the run at once."""

from __future__ import annotations

import signal
import sys
from types import FrameType, TracebackType
from typing import Any, Protocol


class Stop(Protocol):
    """Whether the user asked the run to end."""

    @property
    def requested(self) -> bool: ...


class Interrupts:
    """Inside the block, SIGINT and SIGTERM (sent by job schedulers) request a stop of the run."""

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._before[number] = signal.signal(number, self._on_signal)
            except ValueError:
                break  # signals can be handled in the main thread only
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        print("\nFinishing the running clips. Press Ctrl-C again to drop them.", file=sys.stderr, flush=True)
