"""Load of the machine while clips are generated: other processes, clock frequency, throttling.

Times of two runs are comparable only if the machine was equally busy. Each reading covers the time since the previous
reading, and at least a second, so its cost is negligible.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vbench_lite.records import MachineLoad

SECONDS = 1.0
"""A reading is reused for this time, in seconds."""
_CPUS = Path("/sys/devices/system/cpu")
_CGROUP = Path("/sys/fs/cgroup/cpu.stat")
_IDLE = ("idle", "iowait", "guest", "guest_nice")
_SLOWED = 0x8 | 0x20 | 0x40 | 0x80
"""NVML's throttle reasons that no user setting causes: hardware, heat (software, hardware), power supply."""


@dataclass(frozen=True)
class _Sample:
    at: float
    busy_s: float
    """Processor time of the whole machine."""
    own_s: float
    """Processor time of this process and its children."""
    throttled: int
    """Throttle events since the machine or the container was started."""


class LoadMeter:
    """Reads the load of the machine, without that of this process and its children.

    Args:
        uuids: UUIDs of the GPUs whose clocks are read.
    """

    def __init__(self, uuids: Sequence[str] = ()) -> None:
        import psutil

        self._process = psutil.Process()
        self._handles = _handles(uuids)
        self._last = self._sample()
        self._load: MachineLoad | None = None

    def read(self) -> MachineLoad:
        """The load since the last reading."""
        if self._load is not None and time.perf_counter() - self._last.at < SECONDS:
            return self._load
        before, now = self._last, self._sample()
        self._last, self._load = now, self._between(before, now)
        return self._load

    def _sample(self) -> _Sample:
        import psutil

        whole = psutil.cpu_times()
        busy = sum(seconds for name, seconds in whole._asdict().items() if name not in _IDLE)
        own = 0.0
        for process in [self._process, *self._process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):  # a child that has just ended
                times = process.cpu_times()
                own += times.user + times.system
        ended = self._process.cpu_times()
        own += ended.children_user + ended.children_system
        return _Sample(time.perf_counter(), busy, own, _throttle_events())

    def _between(self, before: _Sample, now: _Sample) -> MachineLoad:
        elapsed = now.at - before.at
        other = (now.busy_s - before.busy_s - (now.own_s - before.own_s)) / elapsed
        return MachineLoad(
            average=_average(), other_cpus=round(max(0.0, other), 3) if elapsed >= SECONDS / 4 else None,
            mhz=_frequency(), throttled=now.throttled > before.throttled or any(map(_slowed, self._handles)),
        )


def _average() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def _frequency() -> float | None:
    """Mean clock of the processors in MHz; None if the system does not report it."""
    import psutil

    try:
        found = psutil.cpu_freq()
    except (OSError, NotImplementedError, AttributeError):
        return None
    return round(float(found.current), 1) if found and found.current else None


def _throttle_events() -> int:
    """Number of times that heat throttled a processor, or that the quota of the container stopped this process."""
    events = 0
    for path in _CPUS.glob("cpu[0-9]*/thermal_throttle/*_throttle_count"):
        with contextlib.suppress(OSError, ValueError):
            events += int(path.read_text())
    with contextlib.suppress(OSError, ValueError):
        stopped = [line for line in _CGROUP.read_text().splitlines() if line.startswith("nr_throttled")]
        events += sum(int(line.split()[1]) for line in stopped)
    return events


def _handles(uuids: Sequence[str]) -> list[object]:
    if not uuids:
        return []
    try:
        import pynvml

        pynvml.nvmlInit()
        return [pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid.removeprefix('GPU-')}") for uuid in uuids]
    except Exception:  # any failure means that no driver works
        return []


def _slowed(handle: object) -> bool:
    import pynvml

    try:
        return bool(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle) & _SLOWED)
    except pynvml.NVMLError:
        return False
