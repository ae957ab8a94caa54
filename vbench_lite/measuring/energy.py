"""Energy of a GPU: from NVML's energy counter if there is one, else by integrating the power.

The counter covers the whole device, including idle power and the work of other processes, so the number of other
processes is stored too. The counter is updated every 20 to 100 ms, so a window shorter than a second is not accurate.
Therefore clips share a window of at least a second. Its energy is divided in proportion to their wall time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from vbench_lite.records import Measurement

WINDOW_S = 1.0


class Counter(Protocol):
    """Counts the joules of all devices of a process."""

    method: str

    def read_j(self) -> float: ...

    def stop(self) -> None: ...


class NvmlCounter:
    """The sum of NVML's counters (Volta and newer). The driver counts in millijoules."""

    method = "nvml_counter"

    def __init__(self, handles: Sequence[Any]) -> None:
        import pynvml

        self._read: Callable[[Any], int] = pynvml.nvmlDeviceGetTotalEnergyConsumption
        self._handles = handles
        self.read_j()  # raises if the device has no counter

    def read_j(self) -> float:
        return sum(self._read(handle) for handle in self._handles) / 1000

    def stop(self) -> None:
        pass


class PowerIntegral:
    """Integrates the power, which is read every 50 ms. Less accurate; for devices without a counter."""

    method = "power_integral"

    def __init__(self, handles: Sequence[Any]) -> None:
        import pynvml

        self._read: Callable[[Any], int] = pynvml.nvmlDeviceGetPowerUsage
        self._handles = handles
        self._joules = 0.0
        self._watts()
        self._stopped = threading.Event()
        threading.Thread(target=self._integrate, name="power", daemon=True).start()

    def read_j(self) -> float:
        return self._joules

    def stop(self) -> None:
        self._stopped.set()

    def _watts(self) -> float:
        return sum(self._read(handle) for handle in self._handles) / 1000

    def _integrate(self) -> None:
        last = time.perf_counter()
        while not self._stopped.wait(0.05):
            now = time.perf_counter()
            self._joules += self._watts() * (now - last)
            last = now


def handles(uuids: Sequence[str]) -> list[Any]:
    """NVML's handles of devices. They are found by UUID, because NVML ignores CUDA_VISIBLE_DEVICES."""
    import pynvml

    pynvml.nvmlInit()
    names = [uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}" for uuid in uuids]
    return [pynvml.nvmlDeviceGetHandleByUUID(name) for name in names]


def counter(uuids: Sequence[str]) -> tuple[Counter | None, str]:
    """The most accurate counter of these devices, or None with the reason."""
    if not uuids:
        return None, "no device with a counter"
    try:
        found = handles(uuids)
    except Exception as error:  # NVML does not work
        return None, f"NVML: {error}"
    for kind in (NvmlCounter, PowerIntegral):
        try:
            return kind(found), ""
        except Exception as error:  # the device does not support this counter
            reason = f"NVML: {error}"
    return None, reason


def device_state(uuids: Sequence[str]) -> dict[str, Any]:
    """Current power, clocks, temperature, throttling and number of other processes; {} without NVML."""
    try:
        import pynvml

        found = handles(uuids)
        return {
            "watts": [pynvml.nvmlDeviceGetPowerUsage(h) / 1000 for h in found],
            "sm_clock_mhz": [pynvml.nvmlDeviceGetClockInfo(h, pynvml.NVML_CLOCK_SM) for h in found],
            "temperature_c": [pynvml.nvmlDeviceGetTemperature(h, pynvml.NVML_TEMPERATURE_GPU) for h in found],
            "throttle_reasons": [hex(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(h)) for h in found],
            "processes": [len(pynvml.nvmlDeviceGetComputeRunningProcesses(h)) for h in found],
            "driver": pynvml.nvmlSystemGetDriverVersion(),
        }
    except Exception:  # readings that the device does not support are left out
        return {}


def worst_of(seen: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Combines two states of a device: lowest clocks, highest temperature, all throttle reasons, most processes.

    >>> worst_of({"sm_clock_mhz": [1900]}, {"sm_clock_mhz": [1200]})
    {'sm_clock_mhz': [1200]}
    >>> worst_of({"throttle_reasons": ["0x1"]}, {"throttle_reasons": ["0x4"]})
    {'throttle_reasons': ['0x5']}
    """
    rules: dict[str, Callable[[Any, Any], Any]] = {
        "sm_clock_mhz": min, "temperature_c": max, "watts": max, "processes": max,
        "throttle_reasons": lambda one, other: hex(int(one, 16) | int(other, 16)),
    }
    return now | {
        key: [rule(one, other) for one, other in zip(seen[key], now[key], strict=True)]
        for key, rule in rules.items() if key in seen and key in now
    }


class Measured(Protocol):
    """Any frozen dataclass with a field `measurement`."""

    @property
    def measurement(self) -> Measurement: ...


Item = TypeVar("Item", bound=Measured)


@dataclass
class EnergyWindows(Generic[Item]):
    """Keeps clips until a window has lasted a second, then assigns each clip its share of the energy."""

    counter: Counter | None

    def __post_init__(self) -> None:
        self._held: list[Item] = []
        self._from_j = self._from_s = 0.0

    def open(self) -> None:
        """Opens a window unless one is open. Called before each batch."""
        if self.counter and not self._held:
            self._from_j, self._from_s = self.counter.read_j(), time.perf_counter()

    def add(self, items: Sequence[Item]) -> list[Item]:
        """Adds the clips of a batch. Returns the clips whose energy is known now."""
        if self.counter is None:
            return list(items)
        self._held += items
        return self.settle() if time.perf_counter() - self._from_s >= WINDOW_S else []

    def settle(self) -> list[Item]:
        """Closes the window, even if it is shorter than a second."""
        held, self._held = self._held, []
        if self.counter is None or not held:
            return held
        joules = self.counter.read_j() - self._from_j
        total_s = sum(item.measurement.wall_s or 0.0 for item in held)
        short = time.perf_counter() - self._from_s < WINDOW_S
        batches = len({id(item.measurement) for item in held}) > 1 or held[0].measurement.batch_size != len(held)
        method = self.counter.method + ("_short" if short else "_amortised" if batches else "")
        return [_with_energy(item, joules, total_s, method) for item in held]


def _with_energy(item: Item, joules: float, total_s: float, method: str) -> Item:
    measurement = item.measurement
    share = joules * (measurement.wall_s or 0.0) / total_s if total_s else None
    with_energy = replace(measurement, energy_j=share, energy_method=method if share is not None else None)
    return replace(item, measurement=with_energy)  # type: ignore[type-var]
