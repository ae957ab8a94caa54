"""The engine for Ray: one resident actor per device of a cluster.

Clips are returned through Ray and stored by the run, so workers need no shared disk. They need this package, and the
weights at the path of the definition. RAY_ADDRESS names a running cluster. Without it, a cluster is started on this
machine. It serves all looks and the scoring of one command, and ends with the process.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from vbench_lite import environment
from vbench_lite.errors import DeviceError, GeneratorError, UsageError
from vbench_lite.measuring.devices import CPU_UNMEASURED, Device
from vbench_lite.records import ReasonCode
from vbench_lite.run.plan import setting
from vbench_lite.running.attempts import Failure, Finished
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
    strike_off,
    timeout_s,
)
from vbench_lite.running.engines.ray_actor import Actor, describe_device
from vbench_lite.running.session import WorkerPlacement

LOOK_EVERY_S = 0.5
END_WITHIN_S = 30.0
WAY_S = 10.0
"""Seconds added to a clip's time limit for the transport of the call and its clips on a busy cluster."""
STARTS = 3
"""Number of consecutive actors that die before they are ready after which the generator counts as not runnable."""


def connect() -> Any:
    """Connect to the cluster and return the module `ray`.

    Raises:
        LibraryError: Ray is not installed.
        UsageError: The cluster cannot be reached.
    """
    with environment.extra("ray"):
        import ray
    if ray.is_initialized():
        return ray
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if not os.environ.get("RAY_ADDRESS"):
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's 15 would make times differ from local ones
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # the cluster listens on this machine only
        options |= {"address": "local", "include_dashboard": False, "object_store_memory": 200 * 2**20}
    try:
        ray.init(**options)
    except Exception as error:  # Ray raises plain exceptions if a node does not start
        where = os.environ.get("RAY_ADDRESS") or "this machine"
        raise UsageError(f"no Ray cluster at {where}: {error} Check RAY_ADDRESS, or use --engine local.") from error
    return ray


def find_device(wanted: str) -> Device:
    """Find the device for "auto", "cpu" or "cuda" on the cluster.

    Raises:
        DeviceError: The cluster has no such device.
    """
    kind, _, index = wanted.partition(":")
    if kind not in ("auto", "cpu", "cuda") or index:
        raise UsageError(f'"{wanted}" is not a device for --engine ray. Use auto, cpu or cuda. Ray chooses the device.')
    ray = connect()
    gpus = int(ray.cluster_resources().get("GPU", 0))
    if kind == "cuda" and not gpus:
        raise DeviceError("the Ray cluster has no GPU. Use --device cpu, or add a node that has one.")
    resolved: Literal["cpu", "cuda"] = "cuda" if gpus and kind != "cpu" else "cpu"
    describe = ray.remote(num_cpus=0, num_gpus=int(resolved == "cuda"))(describe_device)
    facts = ray.get(describe.remote(resolved))
    count = gpus if resolved == "cuda" else 1
    unmeasured = CPU_UNMEASURED if resolved == "cpu" else {}
    return Device(
        resolved, facts["name"], tuple(range(count)), ("",) * count if resolved == "cuda" else (),
        facts["memory_mb"], facts["vcpus"], unmeasured,
    )


@dataclass
class _Seat:
    """The state of one actor in the run."""

    name: str
    life: int = 0
    actor: Any = None
    starting: Any = None
    calls: dict[Any, Batch] = field(default_factory=dict)
    """Running calls, oldest first."""
    owed: dict[int, Batch] = field(default_factory=dict)
    """Generated batches that were not returned yet, because energy is measured over at least one second of work."""
    alone: bool = False
    """Whether the actor generates a suspect batch and so may have no other batch."""
    first: Batch | None = None
    """The batch for the time when the actor is ready."""
    since: float = 0.0
    """When the oldest running call became the oldest."""
    useless: int = 0


class RayEngine:
    """Runs a pool of actors for each generator."""

    def run(self, work: Work, feed: BatchSource) -> Iterator[Event]:
        """See `Engine.run`."""
        pool = _Pool(connect(), work, feed)
        try:
            yield from pool.run()
        finally:
            pool.end()


class _Pool:
    def __init__(self, ray: Any, work: Work, feed: BatchSource) -> None:
        self._ray, self._work, self._feed = ray, work, feed
        self._orders = RetryQueue(work, feed)
        self._suspects: list[Batch] = []
        """Batches that were lost with an actor. Each runs alone, so that a further loss identifies the cause."""
        definition, device = work.definition, work.device
        self._each = setting(definition, "devices", 1)
        wanted = setting(definition, "workers", 1) if device.kind == "cpu" else device.count // self._each
        if not wanted:
            raise DeviceError(f'"{definition.name}" needs {self._each} devices, but the cluster has {device.count}.')
        if device.kind == "cpu":
            wanted = min(wanted, max(1, int(ray.cluster_resources().get("CPU", 1))))
        self._seats = [_Seat(f"{definition.name}-{n}") for n in range(wanted)]
        nodes = sum(bool(node["Alive"]) for node in ray.nodes())
        self._held = float(self._each) if device.kind == "cuda" else min(1.0, nodes / wanted)

    def run(self) -> Iterator[Event]:
        for seat in self._seats:
            self._supply(seat)
        while watched := self._watched():
            patience_s = min(LOOK_EVERY_S, max(0.0, self._affordable_s()))
            done, _ = self._ray.wait(list(watched), num_returns=1, timeout=patience_s)
            for call in done:
                yield from self._answered(watched[call], call)
            for seat in self._seats:
                yield from self._check_time(seat)
                self._supply(seat)
            yield from self._check_money()
        for seat in self._seats:
            if seat.actor and seat.starting is None:
                timings = self._ray.get(seat.actor.close.remote(), timeout=END_WITHIN_S)
                yield Phase(seat.name, seat.life, {"state": "finished"} | timings)

    def end(self) -> None:
        for seat in self._seats:
            self._discard(seat)

    def _watched(self) -> dict[Any, _Seat]:
        """Running calls. After a stop request, actors that are still loading are ended."""
        for seat in self._seats if self._feed.stopped else ():
            if seat.starting is not None:
                self._discard(seat)
        calls = {call: seat for seat in self._seats for call in seat.calls}
        return calls | {seat.starting: seat for seat in self._seats if seat.starting is not None}

    def _supply(self, seat: _Seat) -> None:
        if seat.actor is None:
            self._start(seat)
        elif seat.starting is None:
            while len(seat.calls) < AHEAD and not seat.alone and (batch := self._next(seat)):
                self._call(seat, batch)

    def _next(self, seat: _Seat) -> Batch | None:
        """The next batch of an actor. It takes a suspect batch only if it has no other batch."""
        if self._feed.stopped:
            return None
        if seat.first:
            batch, seat.first = seat.first, None
            return batch
        if self._suspects and not seat.calls:
            seat.alone = True
            return self._suspects.pop()
        return None if self._suspects else self._orders.take()

    def _start(self, seat: _Seat) -> None:
        """Start an actor if there is work for it."""
        if self._feed.stopped:
            return
        if seat.first is None and not self._suspects:
            seat.first = self._orders.take()
        if seat.first is None and not self._suspects:
            return
        cuda = self._work.device.kind == "cuda"
        options = {
            "num_gpus": self._each if cuda else 0, "num_cpus": 0 if cuda else 1, "max_concurrency": AHEAD + 1,
            "scheduling_strategy": "SPREAD",
        }
        work, device = self._work, "cuda:0" if cuda else "cpu"
        place = WorkerPlacement(device, None, (), self._held, work.state, work.prompts)
        seat.actor = self._ray.remote(**options)(Actor).remote(work.definition, place)
        first = seat.first or self._suspects[-1]
        seat.starting = seat.actor.start.remote(first.requests)
        seat.life += 1

    def _call(self, seat: _Seat, batch: Batch) -> None:
        if not seat.calls:
            seat.since = time.monotonic()
        seat.calls[seat.actor.make.remote(batch.requests)] = batch

    def _answered(self, seat: _Seat, call: Any) -> Iterator[Event]:
        try:
            answer: dict[str, Any] = self._ray.get(call)
        except self._ray.exceptions.RayError as error:
            yield from self._gone(seat, _reason(error))
            return
        if "refused" in answer:
            raise GeneratorError(answer["refused"])
        if call == seat.starting:
            seat.starting, seat.useless = None, 0
            yield Phase(seat.name, seat.life, {"state": "ready"} | answer)
            return
        batch, seat.since, seat.alone = seat.calls.pop(call), time.monotonic(), False
        clips: list[Finished] = answer["clips"]
        seat.owed[id(batch)] = batch
        strike_off(seat.owed, clips)
        if clips:
            yield Made(clips)
        if "broken" in answer:
            del seat.owed[id(batch)]
            yield from self._gone(seat, answer["broken"], batch)
        elif "renew" in answer:
            yield from self._gone(seat, "")

    def _check_time(self, seat: _Seat) -> Iterator[Event]:
        if not seat.calls or seat.starting is not None:
            return
        limit = timeout_s(self._work.definition, max(len(batch.requests) for batch in seat.calls.values()))
        if time.monotonic() - seat.since > limit + WAY_S:  # either of two calls may be the one that hangs
            yield from self._gone(seat, f"no answer within {limit:g} s", code=ReasonCode.TIMEOUT)

    def _affordable_s(self) -> float:
        """Seconds until the running clips reach the cost limit, if none of them is returned before."""
        making = [seat for seat in self._seats if seat.calls]
        spent = self._held * sum(time.monotonic() - seat.since for seat in making)
        return (self._feed.affordable_s() - spent) / (self._held * len(making)) if making else math.inf

    def _check_money(self) -> Iterator[Event]:
        """Drop running clips when the cost limit is reached."""
        for seat in self._seats:
            if seat.calls and self._affordable_s() <= 0:
                seconds = time.monotonic() - seat.since
                self._discard(seat)
                self._feed.overdrawn(seconds * self._held)
                text = f"{seat.name}: ended after {seconds:.1f} s, because the cost limit is reached"
                yield WorkerLost(text)

    def _gone(
        self, seat: _Seat, reason: str, blamed: Batch | None = None, code: ReasonCode = ReasonCode.CRASHED
    ) -> Iterator[Event]:
        """Handle a lost actor. Another actor generates its batches."""
        seconds = time.monotonic() - seat.since
        innocent = list(seat.calls.values())
        if reason and blamed is None and len(innocent) == 1:
            blamed, innocent = innocent[0], []
        innocent += seat.owed.values()
        seat.useless += seat.starting is not None
        self._discard(seat)
        if self._feed.stopped:
            return
        if reason:
            yield WorkerLost(f"{seat.name}: {reason}; it is started again")
        if seat.useless >= STARTS:
            raise GeneratorError(f'"{self._work.definition.name}" cannot be started on Ray: {reason}')
        failed = self._orders.lost(blamed, innocent, Failure(reason, code), seconds)
        self._suspects += self._orders.returned()
        if failed:
            yield Made(failed)

    def _discard(self, seat: _Seat) -> None:
        if seat.actor is not None:
            self._ray.kill(seat.actor)
        seat.actor = seat.starting = None
        seat.calls, seat.owed, seat.alone = {}, {}, False


def _reason(error: Exception) -> str:
    """One line from Ray's long error messages.

    >>> _reason(Exception("The actor died. Worker exit detail: End of file. Some common causes include: many"))
    'its process died: End of file.'
    """
    text = " ".join(str(error).split())
    if "SYSTEM_ERROR" in text or "died" in text or "exit" in text:
        detail = text.partition("exit detail:")[2] or text
        return f"its process died: {detail.partition('Some common causes')[0].strip()[:200]}"
    return text[:300]
