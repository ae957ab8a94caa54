"""One generator in its process: it is loaded once, and its clips are generated, measured, checked and encoded.

This module is independent of how requests and clips are transported (by a pipe or by Ray).
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vbench_lite import environment
from vbench_lite.errors import ClipFailed, GeneratorError, VbenchError
from vbench_lite.generator import Generator, Output, RunContext
from vbench_lite.inputs import catalogue
from vbench_lite.measuring import energy
from vbench_lite.records import Definition, Prompt, ReasonCode, Request
from vbench_lite.running.attempts import Attempt, Failure, Finished, encode, record_of, take_of, wrong_answer

if TYPE_CHECKING:
    from vbench_lite.measuring.measure import Meter, Reading

LOOK_EVERY_S = 10.0


@dataclass(frozen=True)
class WorkerPlacement:
    """The devices, folders and prompts of a process."""

    device: str
    """"cpu" or "cuda:0", as seen by the process."""
    visible: str | None
    """Value of CUDA_VISIBLE_DEVICES; None to keep the current value."""
    uuids: tuple[str, ...]
    devices_held: float
    """Number of devices for billing. Each of several processes on one CPU counts as a part of it."""
    state: Path
    prompts: tuple[Prompt, ...]
    log: Path | None = None
    """The file for the generator's output; None for the terminal."""


class BrokenProcessError(Exception):
    """This process cannot continue, but a new process may. The message is the reason."""


@dataclass
class Timings:
    """Seconds of one process by phase. Only `generate_s` is billed to the model."""

    import_s: float = 0.0
    load_s: float = 0.0
    warm_up_s: float = 0.0
    compile_s: float = 0.0
    """Time of torch.compile, which is part of the warm-up if there is one, else of generation."""
    generate_s: float = 0.0
    encode_s: float = 0.0
    idle_s: float = 0.0
    """Time between two calls in which the device waited."""
    clips: int = 0
    energy: str = ""
    """How energy was measured, or why it was not measured."""
    device_before: dict[str, Any] = field(default_factory=dict)
    """Idle watts, clocks and other processes before anything was loaded."""
    device_during: dict[str, Any] = field(default_factory=dict)
    """The worst state during generation: lowest clocks, every throttle reason, most processes."""
    device_after: dict[str, Any] = field(default_factory=dict)


class Session:
    """A generator that is loaded in this process."""

    def __init__(self, definition: Definition, place: WorkerPlacement) -> None:
        self.definition, self.place = definition, place
        self.timings = Timings()
        self._generator: Generator
        self._meter: Meter
        self._ended: float | None = None
        self._looked = 0.0
        self._made = 0

    def start(self) -> None:
        """Import and load the generator. Both are timed separately.

        Raises:
            VbenchError: The generator cannot be loaded; the message states the reason.
        """
        if self.place.visible is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = self.place.visible
        self.timings.device_before = energy.device_state(self.place.uuids) if self.place.uuids else {}
        catalogue.check_weights(self.definition)
        with _Stopwatch(self.timings, "import_s"):
            self._or_sentence(self._build)
            from vbench_lite.measuring import measure

            self._meter = measure.meter(self.place.device, self.place.uuids)
        self._counter, reason = energy.counter(self.place.uuids)
        self.timings.energy = self._counter.method if self._counter else reason
        self._windows: energy.EnergyWindows[Attempt] = energy.EnergyWindows(self._counter)
        if begin := getattr(self._generator, "begin", None):
            begin(RunContext(self.place.state, self.place.prompts))
        with _Stopwatch(self.timings, "load_s"):
            self._or_sentence(lambda: self._generator.load(self.place.device))

    def warm_up(self, requests: Sequence[Request]) -> None:
        """Call the generator's `warm_up`, if it has one."""
        warm_up = getattr(self._generator, "warm_up", None)
        if warm_up:
            with _Stopwatch(self.timings, "warm_up_s"):
                self._or_sentence(lambda: warm_up(requests))
        self.timings.compile_s = compile_s()

    def generate(self, requests: Sequence[Request]) -> list[Attempt]:
        """Generate the clips of a batch. Returns clips whose measurement is complete, also of earlier batches.

        Raises:
            BrokenProcessError: The process can no longer be used.
        """
        self._windows.open()
        if self._ended is not None:
            self.timings.idle_s += time.perf_counter() - self._ended
        takes = self._attempt(requests, 0.0)
        self._ended = time.perf_counter()
        self._look_at_device()
        self.timings.clips += len(takes)
        return self._windows.add(takes)

    def settle(self) -> list[Attempt]:
        """Return the clips whose energy window is still open. Call it if no batch is waiting."""
        self._ended = None
        return self._windows.settle()

    def too_large(self) -> bool:
        """Whether this process uses more memory than its limit."""
        from vbench_lite.measuring import measure

        limit = float(self.definition.settings.get("memory_limit_mb") or measure.memory_limit_mb())
        return self._meter.now_mb() > limit

    def close(self) -> None:
        """Close the generator. An exception of its `close` is logged, and no clip is lost."""
        try:
            self._generator.close()
        except Exception:
            traceback.print_exc()
        self._meter.stop()
        self.timings.compile_s = compile_s()
        if self._counter:
            self._counter.stop()
        self.timings.device_after = energy.device_state(self.place.uuids) if self.place.uuids else {}

    def encode(self, take: Attempt) -> Finished:
        """Encode a clip and create its record. It runs in parallel with the next `generate`."""
        with _Stopwatch(self.timings, "encode_s"):
            try:
                return encode(self.definition, take)
            except Exception as error:
                failure = Failure(f"the clip cannot be encoded: {short(error)}", ReasonCode.BAD_OUTPUT)
                return Finished(record_of(self.definition, take.request, failure, take.measurement))

    def _attempt(self, requests: Sequence[Request], wasted_s: float) -> list[Attempt]:
        """Make one call. If a call for several clips fails, each clip is tried separately."""
        outputs, reading, failure = self._call(requests)
        self.timings.generate_s += reading.wall_s
        if failure and len(requests) > 1:
            wasted_s += reading.wall_s / len(requests)
            return [take for request in requests for take in self._attempt([request], wasted_s)]
        measured = reading.share(len(requests), self.place.devices_held, wasted_s)
        if failure or outputs is None:
            return [Attempt(request, measured, failure=failure) for request in requests]
        self._made += len(requests)
        return [take_of(request, output, measured) for request, output in zip(requests, outputs, strict=True)]

    def _call(self, requests: Sequence[Request]) -> tuple[list[Output] | None, Reading, Failure | None]:
        outputs: list[Output] | None = None
        failure: Failure | None = None
        self._meter.open()
        try:
            outputs = self._generator.generate(requests)
            if wrong := wrong_answer(outputs, len(requests)):
                failure = Failure(wrong, ReasonCode.BAD_OUTPUT)
        except ClipFailed as error:
            failure = Failure(str(error), ReasonCode(error.code))
        except Exception as error:
            failure = self._explain(error, len(requests))
        return outputs, self._meter.close(), failure

    def _explain(self, error: Exception, clips: int) -> Failure:
        """The reason that goes into the record.

        Raises:
            BrokenProcessError: A new process may succeed: the device is in an error state, or memory ran out
                after clips that were generated without error, which points to a leak.
        """
        if out_of_memory(error):
            where = "GPU memory" if self.place.device.startswith("cuda") else "memory"
            failure = Failure(f"out of {where}: {short(error)}", ReasonCode.OUT_OF_MEMORY)
            if clips == 1 and self._made:
                raise BrokenProcessError(failure.text) from error
            self._meter.release_cached_memory()
            return failure
        traceback.print_exception(error)
        if "CUDA error" in str(error) or "device-side assert" in str(error):
            raise BrokenProcessError(f"the device failed: {short(error)}") from error
        return Failure(short(error))

    def _look_at_device(self) -> None:
        """Check at intervals whether the device was throttled or shared."""
        if self.place.uuids and time.monotonic() - self._looked > LOOK_EVERY_S:
            self._looked, now = time.monotonic(), energy.device_state(self.place.uuids)
            self.timings.device_during = energy.worst_of(self.timings.device_during, now)

    def _build(self) -> None:
        self._generator = catalogue.build(self.definition)

    def _or_sentence(self, call: Callable[[], None]) -> None:
        try:
            call()
        except (VbenchError, BrokenProcessError):
            raise
        except Exception as error:
            traceback.print_exception(error)
            reason = environment.import_problem(error) or f"{short(error)} {environment.advice()}".rstrip()
            raise GeneratorError(f'"{self.definition.name}" cannot be loaded: {reason}') from error


class _Stopwatch:
    """Adds the time of a block to one of the timings."""

    def __init__(self, timings: Timings, name: str) -> None:
        self._timings, self._name = timings, name

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        setattr(self._timings, self._name, getattr(self._timings, self._name) + time.perf_counter() - self._start)


def compile_s() -> float:
    """Seconds that torch.compile reports for this process; 0 if it was not used."""
    dynamo = sys.modules.get("torch._dynamo.utils")
    spent = dynamo.calculate_time_spent() if hasattr(dynamo, "calculate_time_spent") else {}  # type: ignore[union-attr]
    return float(spent.get("entire_frame_compile", 0.0))


def out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "out of memory" in str(error)


def short(error: BaseException) -> str:
    """An error in one line: "ValueError: the prompt is empty"."""
    text = str(error).strip()
    line = text.splitlines()[0][:300] if text else ""
    return f"{type(error).__name__}: {line}" if line else type(error).__name__
