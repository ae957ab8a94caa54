"""Code that runs inside a Ray worker: a session, and queries of the worker's device."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from vbench_lite.errors import VbenchError
from vbench_lite.measuring.devices import cpu_name, vcpus
from vbench_lite.records import Definition, Request
from vbench_lite.running.session import BrokenProcessError, Session, WorkerPlacement


class Actor:
    """A session inside a Ray worker.

    Two calls may run at the same time: one generates (always on the same thread), while the clips of the other are
    encoded.
    """

    def __init__(self, definition: Definition, place: WorkerPlacement) -> None:
        self._session, self._place = Session(definition, place), place
        self._generating, self._encoding = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._waiting, self._counting = 0, threading.Lock()

    def start(self, requests: Sequence[Request]) -> dict[str, Any]:
        """Load the generator and warm it up. Returns its timings, or why it cannot run."""
        if self._place.device != "cpu":
            self._session.place = dataclasses.replace(self._place, uuids=own_uuids())
        try:
            self._generating.submit(self._session.start).result()
            self._generating.submit(self._session.warm_up, requests).result()
        except (VbenchError, BrokenProcessError) as error:
            return {"refused": str(error)}
        return self.timings()

    def make(self, requests: Sequence[Request]) -> dict[str, Any]:
        """Generate one batch. Returns the finished clips, and whether this process can still be used."""
        with self._counting:
            self._waiting += 1
        return self._generating.submit(self._make, requests).result()()

    def _make(self, requests: Sequence[Request]) -> Any:
        """Generate on the generating thread. Returns a function that waits for the encoded clips."""
        ending = {}
        with self._counting:
            self._waiting -= 1
        try:
            takes = self._session.generate(requests)
        except BrokenProcessError as error:
            takes, ending = [], {"broken": str(error)}
        if ending or not self._waiting:
            takes = [*takes, *self._session.settle()]
        if not ending and self._session.too_large():
            ending = {"renew": "it has grown too large"}
        clips = self._encoding.submit(lambda: [self._session.encode(take) for take in takes])
        return lambda: {"clips": clips.result()} | ending

    def timings(self) -> dict[str, Any]:
        return dataclasses.asdict(self._session.timings)

    def close(self) -> dict[str, Any]:
        """Close the generator and return the last timings."""
        self._generating.submit(self._session.close).result()
        return self.timings()


def describe_device(kind: str) -> dict[str, Any]:
    """Name, memory and processors of the worker's device. It runs on the worker."""
    if kind == "cuda":
        import torch

        facts = torch.cuda.get_device_properties(0)
        return {"name": facts.name, "memory_mb": round(facts.total_memory / 2**20), "vcpus": vcpus()}
    import psutil

    return {"name": cpu_name(), "memory_mb": round(psutil.virtual_memory().total / 2**20), "vcpus": vcpus()}


def own_uuids() -> tuple[str, ...]:
    """UUIDs of the devices that Ray assigned to the worker. It runs on the worker."""
    import torch

    return tuple(str(torch.cuda.get_device_properties(i).uuid) for i in range(torch.cuda.device_count()))
