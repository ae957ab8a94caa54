"""The process of one generator in a local run: a session behind a pipe.

It receives batches and sends `ready`, `started`, `generated`, `clips`, and at the end `ended`. The main thread
generates, and a second thread encodes. A third thread receives messages, so that this process ends at once if the run
has ended.
"""

from __future__ import annotations

import dataclasses
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from vbench_lite.errors import VbenchError
from vbench_lite.records import Definition
from vbench_lite.running.attempts import Attempt
from vbench_lite.running.batches import Batch
from vbench_lite.running.session import BrokenProcessError, Session, WorkerPlacement

BACKLOG = 3
"""Highest number of batches that wait to be encoded. With more, generation waits, to limit memory."""

STOP = b"stop"
"""The message that asks the process to finish its batch and end. Every other message is a pickled `Batch` or None."""


def main(definition: Definition, place: WorkerPlacement, pipe: Connection) -> None:
    """Work until the run asks the process to end. Child processes are in its process group and are ended with it."""
    if hasattr(os, "setsid"):
        os.setsid()  # Ctrl-C goes to the run only, which decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave_to_the_run)  # a handler: an ignored signal would be ignored by programs too
    _redirect(place)
    Worker(definition, place, pipe).run()


def _leave_to_the_run(number: int, frame: object) -> None:
    """Ignore SIGTERM, which may reach every process of a job: the run decides, and the running clip is finished."""


def _redirect(place: WorkerPlacement) -> None:
    """Redirect the generator's output to its log, because stdout is for the results of the run."""
    if place.log:
        place.log.parent.mkdir(parents=True, exist_ok=True)
        log = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(log, 1)
        os.dup2(log, 2)


class Worker:
    """The threads of one process."""

    def __init__(self, definition: Definition, place: WorkerPlacement, pipe: Connection) -> None:
        self._session = Session(definition, place)
        self._pipe, self._sending = pipe, threading.Lock()
        self._inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._encoder = ThreadPoolExecutor(1, "encode")
        self._room = threading.Semaphore(BACKLOG)

    def run(self) -> None:
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        try:
            self._session.start()
        except (VbenchError, BrokenProcessError) as error:
            self._send("refused", str(error))
            return
        self._send("ready", self._timings())
        try:
            ending = self._work()
        except BrokenProcessError as error:
            ending = ("broken", str(error))
        except VbenchError as error:
            ending = ("refused", str(error))
        self._encode(self._session.settle())
        self._encoder.shutdown()
        self._send(*ending)
        self._session.close()
        self._send("ended", self._timings())

    def _work(self) -> tuple[Any, ...]:
        """Generate batches until there are no more. Returns the last message."""
        warm = False
        while batch := self._next():
            if not warm:
                self._session.warm_up(batch.requests)
                warm = True
            self._send("started", batch.number)
            takes = self._session.generate(batch.requests)
            self._send("generated", batch.number)
            self._encode(takes)
            if self._session.too_large():
                return ("renew",)
        return ("finished",)

    def _next(self) -> Batch | None:
        """The next batch. If no batch is waiting, close the energy window."""
        try:
            batch = self._inbox.get_nowait()
        except queue.Empty:
            self._encode(self._session.settle())
            batch = self._inbox.get()
        return None if self._stopped.is_set() else pickle.loads(batch)

    def _encode(self, takes: Sequence[Attempt]) -> None:
        if takes:
            self._room.acquire()
            self._encoder.submit(self._encode_and_send, takes)

    def _encode_and_send(self, takes: Sequence[Attempt]) -> None:
        try:
            self._send("clips", [self._session.encode(take) for take in takes])
        except BaseException:  # the run would wait for these clips forever; another process generates them
            traceback.print_exc()
            end_group()
        self._room.release()

    def _timings(self) -> dict[str, Any]:
        return dataclasses.asdict(self._session.timings)

    def _send(self, *message: Any) -> None:
        with self._sending:
            try:
                self._pipe.send(message)
            except OSError:
                end_group()

    def _listen(self) -> None:
        """Receive batches. If the run has ended, end the process.

        Batches are unpickled by the main thread: this can import numpy, which fails while another thread imports it."""
        while True:
            try:
                message = self._pipe.recv_bytes()
            except (EOFError, OSError):
                end_group()
            if message == STOP:
                self._stopped.set()
            self._inbox.put(message)


def end_group() -> None:
    """End this process and its child processes at once."""
    if hasattr(os, "getpgrp") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
