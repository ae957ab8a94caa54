"""The engine for this machine: one process per device. A process that dies, hangs or grows too large is replaced."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from vbench_lite.errors import GeneratorError
from vbench_lite.records import ReasonCode
from vbench_lite.running import worker
from vbench_lite.running.attempts import Failure
from vbench_lite.running.batches import Batch
from vbench_lite.running.engines import (
    AHEAD,
    BatchSource,
    Event,
    Made,
    Phase,
    RetryQueue,
    Work,
    WorkerLost,
    places,
    strike_off,
    timeout_s,
)
from vbench_lite.running.session import WorkerPlacement

LOOK_EVERY_S = 0.5
CLOSE_S = 0.02
"""A running clip is ended this many seconds before the cost limit is reached."""
END_WITHIN_S = 30.0
USELESS_LIVES = 3
"""Number of consecutive processes without a clip after which the generator counts as not runnable."""


@dataclass
class _Process:
    """The run's side of one worker process."""

    name: str
    place: WorkerPlacement
    life: int = 0
    tickets: int = 0
    handle: Any = None
    pipe: Connection | None = None
    at_hand: dict[int, Batch] = field(default_factory=dict)
    """Sent batches by ticket, with the requests whose clips were not returned yet."""
    making: int | None = None
    since: float = 0.0
    generated: dict[int, float] = field(default_factory=dict)
    """Seconds of generated batches whose clips were not returned yet, by ticket."""
    ready: bool = False
    ending: str = ""
    """Why the worker ends, as it reports: finished, renew, broken or refused."""
    reason: str = ""
    overdue: bool = False
    """Whether it was ended because it did not answer in time."""

    def start(self, work: Work) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.handle = context.Process(target=worker.main, args=(work.definition, self.place, theirs), name=self.name)
        self.handle.start()
        theirs.close()
        self.life += 1
        self.at_hand, self.generated, self.making, self.ready, self.ending, self.reason = {}, {}, None, False, "", ""
        self.overdue = False

    def stop(self) -> None:
        assert self.pipe
        with contextlib.suppress(OSError):
            self.pipe.send_bytes(worker.STOP)

    def give(self, message: Batch | None) -> None:
        assert self.pipe
        if isinstance(message, Batch):
            self.tickets += 1
            message = Batch(self.tickets, message.requests)
            self.at_hand[message.number] = message
        with contextlib.suppress(OSError):  # the process died; the next read from the pipe reports that
            self.pipe.send(message)

    def end(self) -> None:
        """End the process and all its child processes."""
        if self.handle and self.handle.pid:
            with contextlib.suppress(OSError, AttributeError):  # it has ended, or the system has no process groups
                os.killpg(self.handle.pid, signal.SIGKILL)
            self.handle.kill()
            self.handle.join()
        if self.pipe:
            self.pipe.close()
        self.handle = self.pipe = None

    def discard(self) -> None:
        """End the process and remove its batches."""
        self.end()
        self.at_hand, self.generated, self.making, self.ending = {}, {}, None, ""

    @property
    def unbilled_s(self) -> float:
        """Seconds spent on clips that were not returned yet."""
        return sum(self.generated.values()) + (time.monotonic() - self.since if self.making is not None else 0.0)

    @property
    def lives(self) -> bool:
        return self.handle is not None

    @property
    def busy(self) -> bool:
        """Whether the process may still send messages."""
        return self.lives and bool(self.at_hand or self.ending)


class LocalEngine:
    """Runs a pool of processes. All processes of a generator end before the next generator starts."""

    def run(self, work: Work, feed: BatchSource) -> Iterator[Event]:
        """See `Engine.run`."""
        processes = [_Process(f"{work.definition.name}-{n}", place) for n, place in enumerate(places(work))]
        try:
            yield from _Pool(work, feed, processes).run()
        finally:
            for process in processes:
                process.end()


class _Pool:
    def __init__(self, work: Work, feed: BatchSource, processes: list[_Process]) -> None:
        self._work, self._feed, self._processes = work, feed, processes
        self._orders = RetryQueue(work, feed)
        self._useless = 0
        self._stop_sent = False

    def run(self) -> Iterator[Event]:
        for process in self._processes:
            self._hand_out(process)
        while busy := [p for p in self._processes if p.busy]:
            if self._feed.stopped and not self._stop_sent:
                self._stop(busy)
            for pipe in wait([p.pipe for p in busy if p.pipe], self._patience_s(busy)):
                process = next(p for p in busy if p.pipe is pipe)
                yield from self._listen(process)
            for process in busy:
                yield from self._check_time(process)
            yield from self._check_money(busy)
            for process in self._processes:
                self._hand_out(process)
        yield from self._finish()

    def _affordable_s(self, busy: list[_Process]) -> float:
        """Seconds until the running clips reach the cost limit, if none of them is returned before."""
        making = [p for p in busy if p.making is not None]
        if not making:
            return math.inf
        owed = sum(p.unbilled_s * p.place.devices_held for p in busy)
        return (self._feed.affordable_s() - owed) / sum(p.place.devices_held for p in making)

    def _patience_s(self, busy: list[_Process]) -> float:
        return min(LOOK_EVERY_S, max(0.01, self._affordable_s(busy) - CLOSE_S))

    def _check_money(self, busy: list[_Process]) -> Iterator[Event]:
        """Drop running clips when the cost limit is reached. Finished clips are kept."""
        for process in busy:
            if process.making in process.at_hand and not process.generated and self._affordable_s(busy) <= CLOSE_S:
                dropped, seconds = process.at_hand[process.making], process.unbilled_s
                process.discard()
                self._feed.overdrawn(seconds * process.place.devices_held)
                yield WorkerLost(
                    f"{process.name}: ended after {seconds:.1f} s, because the cost limit is reached; "
                    f"{_describe(dropped)}"
                )

    def _stop(self, busy: list[_Process]) -> None:
        """Let processes finish their running batch. Processes that are still loading are ended."""
        self._stop_sent = True
        for process in busy:
            if process.ready:
                process.stop()
            else:
                process.discard()

    def _hand_out(self, process: _Process) -> None:
        """Send batches to a process, and start it if necessary."""
        while not process.ending and len(process.at_hand) < AHEAD and (batch := self._orders.take()):
            if not process.lives:
                process.start(self._work)
            process.give(batch)

    def _listen(self, process: _Process) -> Iterator[Event]:
        assert process.pipe
        try:
            while process.pipe.poll():
                yield from self._heard(process, process.pipe.recv())
        except (EOFError, OSError):
            yield from self._gone(process)

    def _heard(self, process: _Process, message: tuple[Any, ...]) -> Iterator[Event]:
        kind, *rest = message
        if kind == "clips":
            strike_off(process.at_hand, rest[0])
            process.generated = {n: s for n, s in process.generated.items() if n in process.at_hand}
            self._useless = 0
            yield Made(rest[0])
        elif kind == "started":
            process.making, process.since = rest[0], time.monotonic()
        elif kind == "generated":
            process.generated[rest[0]] = time.monotonic() - process.since
            process.making = None
        elif kind in ("ready", "ended"):
            process.ready = True
            yield Phase(process.name, process.life, {"state": process.ending or kind} | rest[0])
        else:
            process.ending, process.reason = kind, rest[0] if rest else ""
            if kind == "refused":
                raise GeneratorError(process.reason)

    def _check_time(self, process: _Process) -> Iterator[Event]:
        if process.making is None or process.making not in process.at_hand:
            return
        limit = timeout_s(self._work.definition, len(process.at_hand[process.making].requests))
        if time.monotonic() - process.since > limit:
            process.reason, process.overdue = f"no answer within {limit:g} s", True
            yield from self._gone(process)

    def _gone(self, process: _Process) -> Iterator[Event]:
        """Handle a process that ended or hung. Another process generates its batches."""
        seconds = time.monotonic() - process.since if process.making is not None else 0.0
        if not process.reason:
            process.handle.join(END_WITHIN_S)
        reason = process.reason or explain_exit(process.handle.exitcode)
        willing = process.ending in ("renew", "finished")
        blamed = None if willing or process.making is None else process.at_hand.pop(process.making, None)
        innocent = list(process.at_hand.values())
        process.discard()
        if self._feed.stopped:
            return
        if not willing:
            yield WorkerLost(f"{process.name}: {reason}; {_describe(blamed)}")
            self._count_useless(blamed, process, reason)
        code = ReasonCode.TIMEOUT if process.overdue else ReasonCode.CRASHED
        failed = self._orders.lost(blamed, innocent, Failure(reason, code), seconds)
        if failed:
            yield Made(failed)

    def _count_useless(self, blamed: Batch | None, process: _Process, reason: str) -> None:
        self._useless += blamed is None
        if self._useless >= USELESS_LIVES:
            name = self._work.definition.name
            raise GeneratorError(
                f'"{name}" cannot be run: {reason}, {self._useless} times in a row. Its output is in '
                f"{process.place.log}."
            )

    def _finish(self) -> Iterator[Event]:
        """Let idle processes close their generator, and receive their last message."""
        for process in self._processes:
            if process.lives:
                process.give(None)
        deadline = time.monotonic() + END_WITHIN_S
        for process in self._processes:
            while process.handle and process.pipe and process.pipe.poll(max(0.0, deadline - time.monotonic())):
                try:
                    yield from self._heard(process, process.pipe.recv())
                except (EOFError, OSError):
                    break


def _describe(blamed: Batch | None) -> str:
    if blamed is None:
        return "it was not generating a clip"
    return "it was generating " + ", ".join(f"{r.prompt_id} #{r.index}" for r in blamed.requests)


def explain_exit(code: int | None) -> str:
    """An exit code as a sentence.

    >>> explain_exit(-9)
    'its process was killed by SIGKILL, as happens when memory runs out'
    >>> explain_exit(7)
    'its process ended with exit code 7'
    """
    if code is None:
        return "its process does not end"
    if code < 0:
        name = signal.Signals(-code).name if -code in {s.value for s in signal.Signals} else f"signal {-code}"
        return f"its process was killed by {name}" + (", as happens when memory runs out" if code == -9 else "")
    return f"its process ended with exit code {code}"
