"""Engines generate batches in processes on this machine, or on a Ray cluster. An engine only schedules.

Engines do not write to the run folder. They take batches from the run and yield the results in any order.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple, Protocol

from vbench_lite.errors import DeviceError, UnknownName
from vbench_lite.measuring.devices import Device
from vbench_lite.records import Definition, Measurement, Prompt, Request
from vbench_lite.run.plan import setting
from vbench_lite.running.attempts import Failure, Finished, record_of
from vbench_lite.running.batches import Batch
from vbench_lite.running.session import WorkerPlacement

ENGINES = {"local": "vbench_lite.running.engines.local:LocalEngine", "ray": "vbench_lite.running.engines.ray:RayEngine"}

TIMEOUT_S = 1800.0
TRIES = 2
AHEAD = 2
"""Number of batches of a process: one runs and one waits, so that the device does not wait."""


@dataclass(frozen=True)
class Work:
    """One generator's part of a run."""

    definition: Definition
    device: Device
    prompts: tuple[Prompt, ...]
    state: Path
    """Folder of the generator for data that must survive a restart."""
    logs: Path
    """Folder for the output of generators."""


class BatchSource(Protocol):
    """The source of an engine's batches."""

    @property
    def stopped(self) -> bool:
        """Whether the run was asked to stop. Then only running batches are finished."""

    def take(self) -> Batch | None:
        """The next batch; None if there is none now. The engine asks again after each clip."""

    def affordable_s(self) -> float:
        """Device seconds that running clips may still use; infinite without a limit."""

    def overdrawn(self, device_s: float) -> None:
        """Charge the time of clips that were dropped because of the limit. From now on, `stopped` is true."""


class Made(NamedTuple):
    """Event: clips to store."""

    clips: Sequence[Finished]


class Phase(NamedTuple):
    """Event: a process was loaded or ended. Later timings of the same `worker` and `life` replace earlier ones."""

    worker: str
    life: int
    timings: dict[str, Any]


class WorkerLost(NamedTuple):
    """Event: a process was lost. The text goes into the log."""

    text: str


Event = Made | Phase | WorkerLost


class Engine(Protocol):
    def run(self, work: Work, feed: BatchSource) -> Iterator[Event]:
        """Generate the batches of the source.

        Raises:
            GeneratorError: The generator cannot be started.
        """


def load_engine(name: str) -> Engine:
    if name not in ENGINES:
        raise UnknownName("engine", name, ENGINES, "Choose one with --engine.")
    engine: Engine = resolve_name(ENGINES[name])()
    return engine


def places(work: Work) -> list[WorkerPlacement]:
    """One placement for each process. Each has as many devices as the definition's `devices`."""
    definition, device = work.definition, work.device
    log = work.logs / f"{definition.name}.log"
    if device.kind == "cpu":
        workers = setting(definition, "workers", 1)
        place = WorkerPlacement("cpu", None, (), 1 / workers, work.state, work.prompts, log)
        return [place] * workers
    each = setting(definition, "devices", 1)
    if each > device.count:
        raise DeviceError(f'"{definition.name}" needs {each} devices, but may use {device.count}. See --device.')
    groups = [range(i, i + each) for i in range(0, device.count - each + 1, each)]
    names = [device.visible_name(i) for i in range(device.count)]
    return [
        WorkerPlacement(
            "cuda:0", ",".join(names[i] for i in group), tuple(device.uuids[i] for i in group), float(each),
            work.state, work.prompts, log,
        )
        for group in groups
    ]


class RetryQueue:
    """Chooses the next batch: first batches that were lost with a process, then new ones. Counts tries."""

    def __init__(self, work: Work, feed: BatchSource) -> None:
        self._work, self._feed = work, feed
        self._again: deque[Batch] = deque()
        self._tries: Counter[Request] = Counter()
        self._spent_s: Counter[Request] = Counter()
        self._allowed = setting(work.definition, "tries", TRIES)

    def take(self) -> Batch | None:
        if self._feed.stopped:
            return None
        return self._again.popleft() if self._again else self._feed.take()

    def returned(self) -> list[Batch]:
        """Remove and return the lost batches, for an engine that schedules them itself."""
        batches, self._again = list(self._again), deque()
        return batches

    def lost(self, blamed: Batch | None, innocent: Sequence[Batch], reason: Failure, seconds: float) -> list[Finished]:
        """Record the batches of a lost process.

        Args:
            blamed: The running batch. If it has several clips, they are tried again one by one, so that only the clip
                that causes the loss fails.
            innocent: Batches that were waiting, or whose clips were not returned yet.
            reason: Why the process was lost.
            seconds: Time of the running batch so far.

        Returns:
            The failed clip, if it has no tries left.
        """
        self._again.extend(innocent)
        if blamed is None:
            return []
        for request in blamed.requests:
            self._spent_s[request] += seconds / len(blamed.requests)  # type: ignore[assignment]
        if len(blamed.requests) > 1:
            self._again.extendleft(Batch(blamed.number, (request,)) for request in reversed(blamed.requests))
            return []
        (request,) = blamed.requests
        self._tries[request] += 1
        if self._tries[request] < self._allowed:
            self._again.appendleft(blamed)
            return []
        times = "once" if self._allowed == 1 else f"{self._allowed} times"
        held = places(self._work)[0].devices_held
        failure = Failure(f"{reason.text} (tried {times})", reason.code)
        measured = Measurement(wall_s=self._spent_s[request], device_s=self._spent_s[request] * held)
        return [Finished(record_of(self._work.definition, request, failure, measured))]


def strike_off(at_hand: dict[Any, Batch], clips: Sequence[Finished]) -> None:
    """Remove clips that were returned from the running batches."""
    keys = {(clip.record.prompt_id, clip.record.index) for clip in clips}
    for name, batch in list(at_hand.items()):
        left = tuple(r for r in batch.requests if (r.prompt_id, r.index) not in keys)
        if left:
            at_hand[name] = Batch(batch.number, left)
        else:
            del at_hand[name]


def timeout_s(definition: Definition, clips: int) -> float:
    return float(definition.settings.get("timeout_s", TIMEOUT_S)) * clips
