"""Finds the device of a run. torch is queried in a separate process, so that this one does not import it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vbench_lite.errors import DeviceError, UsageError
from vbench_lite.records import DeviceFacts

_PROBE = """
import json, torch
found = []
for i in range(torch.cuda.device_count()):
    p = torch.cuda.get_device_properties(i)
    found.append({"name": p.name, "uuid": str(getattr(p, "uuid", "")), "memory_mb": p.total_memory / 2**20})
print(json.dumps({"torch": torch.__version__, "devices": found}))
"""

CPU_UNMEASURED = {
    "gpu_busy_s": "CUDA events need a CUDA device",
    "peak_reserved_mb": "only the CUDA allocator reserves memory",
    "energy_j": "on a CPU, users may not read an energy counter",
}


@dataclass(frozen=True)
class Device:
    """The device of a run: `count` equal devices, which several processes may use."""

    kind: Literal["cpu", "cuda"]
    name: str
    indices: tuple[int, ...] = (0,)
    """Indices of the devices in torch; (0,) for a CPU."""
    uuids: tuple[str, ...] = ()
    memory_mb: float | None = None
    """Memory of one device."""
    vcpus: int = 0
    """Number of processors that this process may use."""
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    """Column that is empty on this device > the reason."""

    @property
    def count(self) -> int:
        return len(self.indices)

    def visible_name(self, place: int) -> str:
        """The value of CUDA_VISIBLE_DEVICES that shows a process only the device at this index."""
        given = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
        if given:
            return given[self.indices[place]]
        return f"GPU-{self.uuids[place]}" if self.uuids[place] else str(self.indices[place])

    @property
    def facts(self) -> DeviceFacts:
        """The facts that records store."""
        return DeviceFacts(self.kind, self.name, self.count, self.vcpus, self.memory_mb)

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "name": self.name, "count": self.count, "uuids": list(self.uuids),
            "memory_mb": self.memory_mb, "vcpus": self.vcpus, "unmeasured": dict(self.unmeasured),
        }


def vcpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def find_device(wanted: str) -> Device:
    """The device of this machine for "auto", "cpu", "cuda" (all CUDA devices) or "cuda:1".

    Raises:
        DeviceError: This machine does not have it.
    """
    kind, _, index = wanted.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (index and (kind != "cuda" or not index.isdigit())):
        raise UsageError(f'"{wanted}" is not a device. Use auto, cpu, cuda or cuda:0.')
    if kind == "cpu" or (kind == "auto" and not _may_have_gpu()):
        return _cpu()
    found = _cuda_devices()
    if not found:
        if kind == "auto":
            return _cpu()
        raise DeviceError(
            "there is no CUDA device that torch can use on this machine. Use --device cpu, or see what is missing "
            "with: vbench doctor"
        )
    if index and int(index) >= len(found):
        last = f"cuda:{len(found) - 1}"
        raise DeviceError(f'there is no device "{wanted}" on this machine. The last one is "{last}": --device {last}')
    indices = (int(index),) if index else tuple(range(len(found)))
    names = sorted({found[i]["name"] for i in indices})
    if len(names) > 1:
        raise DeviceError(
            f"the devices of this machine differ ({', '.join(names)}), so their times are not comparable. "
            "Choose one with --device cuda:0."
        )
    uuids = tuple(found[i]["uuid"] for i in indices)
    return Device("cuda", names[0], indices, uuids, round(found[indices[0]]["memory_mb"]), vcpus())


def _cpu() -> Device:
    import psutil

    memory_mb = round(psutil.virtual_memory().total / 2**20)
    return Device("cpu", cpu_name(), memory_mb=memory_mb, vcpus=vcpus(), unmeasured=CPU_UNMEASURED)


def cpu_name() -> str:
    """The name of the processor, if known."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _may_have_gpu() -> bool:
    """Whether there may be a GPU: NVML answers, or AMD's driver exists. Only then is torch queried (two seconds)."""
    if Path("/dev/kfd").exists():
        return True
    try:
        import pynvml

        pynvml.nvmlInit()
        return int(pynvml.nvmlDeviceGetCount()) > 0
    except Exception:  # any failure means that no driver works
        return False


def _cuda_devices() -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise DeviceError(f"torch cannot look for devices: {last[0]}. See what is missing with: vbench doctor")
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    devices: list[dict[str, Any]] = answer["devices"]
    return devices
