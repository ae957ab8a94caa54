"""Measures time, memory and energy of the generation of clips. A cloud bills the measured time.

    wall time    between two points at which every device of the process has finished its work
    gpu_busy_s   a second reading, by CUDA events on the current stream. It misses other streams and includes gaps
                 within the stream, so it is never billed
    peaks        reset at the start of each window: tensors and reserved memory by torch's allocator of this process
                 (without the CUDA context and other libraries), and resident memory of the process with its
                 children. On a CPU, resident memory includes the tensors
    energy       `energy.py`
    load         other load of the machine: `load.py`
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vbench_lite.measuring.load import LoadMeter
from vbench_lite.records import MachineLoad, Measurement

MIB = 2.0**20
_CLEAR_REFS, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass(frozen=True)
class Reading:
    """The measurements of one window, for all of its clips together."""

    wall_s: float
    gpu_busy_s: float | None = None
    peak_memory_mb: float | None = None
    peak_reserved_mb: float | None = None
    peak_rss_mb: float | None = None
    load: MachineLoad | None = None

    def share(self, clips: int, devices: float, wasted_s: float = 0.0) -> Measurement:
        """One clip's share of the window; `wasted_s` is the time of an earlier failed call for the clip."""
        wall_s = self.wall_s / clips + wasted_s
        return Measurement(
            wall_s=wall_s, device_s=wall_s * devices,
            gpu_busy_s=None if self.gpu_busy_s is None else self.gpu_busy_s / clips,
            peak_memory_mb=self.peak_memory_mb, peak_reserved_mb=self.peak_reserved_mb, peak_rss_mb=self.peak_rss_mb,
            load=self.load, batch_size=clips,
        )


class Meter:
    """Measures windows on a CPU, or of work on another machine."""

    def __init__(self, uuids: Sequence[str] = ()) -> None:
        self._memory = ResidentMemory()
        self._load = LoadMeter(uuids)
        self._started = 0.0

    def open(self) -> None:
        self._memory.reset()
        self._started = time.perf_counter()

    def close(self) -> Reading:
        wall_s = time.perf_counter() - self._started
        rss = self._memory.peak_mb()
        return Reading(wall_s, peak_memory_mb=rss, peak_rss_mb=rss, load=self._load.read())

    def release_cached_memory(self) -> None:
        """Frees the allocator's cache after an out-of-memory error."""

    def now_mb(self) -> float:
        """Current resident memory of the process and its children."""
        return self._memory.now_bytes() / MIB

    def stop(self) -> None:
        self._memory.stop()


class CudaMeter(Meter):
    """Measures windows on the CUDA devices that are visible to this process."""

    def __init__(self, uuids: Sequence[str] = ()) -> None:
        super().__init__(uuids)
        import torch

        self._cuda: Any = torch.cuda
        self._devices = range(self._cuda.device_count())
        self._begin, self._end = (self._cuda.Event(enable_timing=True) for _ in range(2))

    def open(self) -> None:
        self._synchronise()
        for device in self._devices:
            self._cuda.reset_peak_memory_stats(device)
        super().open()
        self._begin.record()

    def close(self) -> Reading:
        self._end.record()
        self._synchronise()
        wall = super().close()
        return Reading(
            wall.wall_s, self._begin.elapsed_time(self._end) / 1000,
            sum(self._cuda.max_memory_allocated(d) for d in self._devices) / MIB,
            sum(self._cuda.max_memory_reserved(d) for d in self._devices) / MIB,
            wall.peak_rss_mb, wall.load,
        )

    def release_cached_memory(self) -> None:
        self._cuda.empty_cache()

    def _synchronise(self) -> None:
        for device in self._devices:
            self._cuda.synchronize(device)


class ResidentMemory:
    """Peak resident memory of this process and its children.

    The kernel keeps the peak of this process. It is reset for each window if the kernel allows it. A thread reads the
    memory of children at a rate that costs less than half a percent of one core, so it may miss a short-lived child.
    """

    def __init__(self) -> None:
        import psutil

        self._process = psutil.Process()
        self._peak = self._children = 0
        self._stopped = threading.Event()
        threading.Thread(target=self._watch, name="memory", daemon=True).start()

    def reset(self) -> None:
        with contextlib.suppress(OSError):
            _CLEAR_REFS.write_bytes(b"5")  # resets only VmHWM, the high-water mark
        self._peak = self.now_bytes()

    def peak_mb(self) -> float:
        self._peak = max(self._peak, self._own_peak_bytes() + self._children)
        return self._peak / MIB

    def now_bytes(self) -> int:
        return int(self._process.memory_info().rss) + self._children

    def stop(self) -> None:
        self._stopped.set()

    def _own_peak_bytes(self) -> int:
        try:
            status = _STATUS.read_bytes()
        except OSError:
            return 0
        _, _, after = status.partition(b"VmHWM:")
        return int(after.split(None, 1)[0]) * 1024 if after else 0

    def _watch(self) -> None:
        import psutil

        pause = 0.1
        while not self._stopped.wait(pause):
            started = time.perf_counter()
            children = 0
            with contextlib.suppress(psutil.Error):  # a child that has just ended
                for child in self._process.children(recursive=True):
                    children += int(child.memory_info().rss)
            self._children = children
            self._peak = max(self._peak, self.now_bytes())
            pause = max(0.1, 200 * (time.perf_counter() - started))


def meter(device: str, uuids: Sequence[str] = ()) -> Meter:
    """The meter for "cpu" or "cuda:0", whose GPUs have these uuids."""
    return CudaMeter(uuids) if device.startswith("cuda") else Meter()


def memory_limit_mb() -> float:
    """80 % of the memory of this machine, or of this container."""
    import psutil

    total = float(psutil.virtual_memory().total)
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, float(Path(name).read_text()))
        except (OSError, ValueError):
            continue  # not in a container, or "max"
    return 0.8 * total / MIB


