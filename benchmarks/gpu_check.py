"""What can only be checked where there is a GPU. Run it once on each kind of machine that bills are made for.

    python benchmarks/gpu_check.py [--seconds 3]

Each line says what was expected, what was found, and whether it holds; the exit code is 1 if one does not, or if there
is no GPU. About two minutes; the device should have nothing else to do.

    device     torch's device is found again by NVML, by its UUID
    time       billed seconds against torch.profiler's seconds in kernels, for clips that are nothing but kernels
    events     CUDA events against billed seconds, the same
    energy     NVML's counter against power integrated over the same window
    memory     peak of a known allocation, and that it is reset for the next clip
    reserved   not below the peak of tensors
    out of     a clip that asks for more memory than there is fails alone, and is named so
    idle       time between clips in which the device waits, while clips are encoded and stored
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vbench_lite.errors import VbenchError
from vbench_lite.generator import Output
from vbench_lite.measuring import energy
from vbench_lite.measuring.devices import find_device
from vbench_lite.records import ClipRecord, ClipSpec, Definition, Prompt, Request, Suite
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.plan import make_plan
from vbench_lite.running.runner import run

HELD_MIB = 512


class Matmuls:
    """A generator of nothing but kernels: the prompt says what a clip does."""

    def __init__(self, definition: Definition) -> None:
        self._seconds = float(definition.settings["seconds"])

    def load(self, device: str) -> None:
        import torch

        self._torch = torch
        self._a = torch.randn(8192, 8192, device=device, dtype=torch.float16)
        self._work(200)  # clocks rise first
        self._one_s = self._profiled(200) / 200

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        torch, (request,) = self._torch, requests
        if request.prompt == "hold":
            held = torch.zeros(HELD_MIB * 2**20, dtype=torch.uint8, device=self._a.device)
            del held
        elif request.prompt == "too much":
            torch.zeros(2**50, dtype=torch.uint8, device=self._a.device)
        else:
            times = max(1, round(self._seconds / self._one_s))
            self._work(times)
            return [Output(clip(request), stages_s={"kernels": times * self._one_s})]
        return [Output(clip(request))]

    def close(self) -> None:
        del self._a

    def _work(self, times: int) -> None:
        for _ in range(times):
            self._a @ self._a

    def _profiled(self, times: int) -> float:
        """Seconds in kernels, by the profiler; once, while loading, so that its own work is not in any clip."""
        from torch.profiler import ProfilerActivity, profile

        with profile(activities=[ProfilerActivity.CUDA]) as seen:
            self._work(times)
            self._torch.cuda.synchronize()
        return sum(float(event.device_time_total) for event in seen.key_averages()) / 1e6


def clip(request: Request) -> np.ndarray[Any, np.dtype[np.uint8]]:
    spec = request.spec
    shape = (spec.frames, spec.height, spec.width, 3)
    return np.random.default_rng(request.seed).integers(0, 256, shape, np.uint8)


def clips_of(prompts: Sequence[str], seconds: float, folder: Path) -> list[ClipRecord]:
    """Makes one clip of each prompt on the first GPU, through the whole runner."""
    asked = tuple(Prompt(f"p{n:02d}", text) for n, text in enumerate(prompts))
    definition = Definition(
        "matmuls", "undisclosed", "gpu_check:Matmuls", clip=ClipSpec(33, 8.0, 256, 256), settings={"seconds": seconds}
    )
    plan = make_plan(Suite("gpu", "GPU", asked, "gpu"), [definition], 1, None, 0, "builtin")
    outcome = run(plan, RunFolder(folder), find_device("cuda:0"))
    if outcome.errors:
        sys.exit(f"the check itself does not run: {outcome.errors}")
    return RunFolder(folder).records()


class Verdicts:
    """The lines, and whether all hold."""

    def __init__(self) -> None:
        self.all_hold = True

    def line(self, name: str, holds: bool, text: str) -> None:
        self.all_hold = self.all_hold and holds
        print(f"{'ok  ' if holds else 'FAIL'}  {name:9} {text}", flush=True)

    def near(self, name: str, found: float, expected: float, tolerance: float, unit: str) -> None:
        off = abs(found / expected - 1) if expected else float("inf")
        text = f"{found:.3f} {unit}, expected {expected:.3f} within {tolerance:.0%}, off by {off:.2%}"
        self.line(name, off <= tolerance, text)


def check_clips(verdicts: Verdicts, seconds: float) -> None:
    """Time, events, memory, running out, idle: by clips made through the runner."""
    with tempfile.TemporaryDirectory() as folder:
        records = clips_of(["work"] * 8 + ["hold", "work", "too much", "work"], seconds, Path(folder))
        timings = json.loads((Path(folder) / "timings" / "matmuls.json").read_text())["processes"]
    work = [record.measurement for record in records[1:8]]
    billed = sum(m.wall_s or 0.0 for m in work)
    kernels = sum(m.stages_s["kernels"] for m in work)
    verdicts.near("time", billed, kernels, 0.05, "s")
    verdicts.near("events", sum(m.gpu_busy_s or 0.0 for m in work), billed, 0.02, "s")
    methods = sorted({str(m.energy_method) for m in work})
    watts = sum(m.energy_j or 0.0 for m in work) / billed
    verdicts.line("energy", bool(watts), f"{watts:.0f} W while clips were made, by {', '.join(methods)}")
    plain, held = records[7].measurement, records[8].measurement
    after = records[9].measurement.peak_memory_mb or 0.0
    verdicts.near("memory", (held.peak_memory_mb or 0.0) - 128, HELD_MIB, 0.05, "MiB beside the weights")
    verdicts.line("memory", after <= (plain.peak_memory_mb or 0.0) * 1.01, f"{after:.0f} MiB in the clip after: reset")
    reserved = held.peak_reserved_mb or 0.0
    verdicts.line("reserved", reserved >= (held.peak_memory_mb or 0.0), f"{reserved:.0f} MiB")
    starved = records[10]
    named = starved.status == "failed" and (starved.reason or "").startswith("out of GPU memory")
    verdicts.line("out of", named and records[11].status == "ok", str(starved.reason))
    idle = sum(t["idle_s"] for t in timings) / sum(t["idle_s"] + t["generate_s"] for t in timings)
    verdicts.line("idle", idle <= 0.02, f"{idle:.2%} of the time that the device is held")
    print(f"      before    {timings[0]['device_before']}")


def check_energy(verdicts: Verdicts, uuids: tuple[str, ...], seconds: float) -> None:
    """The two ways to energy, over one window of load."""
    import torch

    handles = energy.handles(uuids)
    counter, integral = energy.NvmlCounter(handles), energy.PowerIntegral(handles)
    a = torch.randn(8192, 8192, device="cuda", dtype=torch.float16)
    counter_from, integral_from, end = counter.read_j(), integral.read_j(), time.perf_counter() + 3 * seconds
    while time.perf_counter() < end:
        for _ in range(20):
            a @ a
        torch.cuda.synchronize()
    counted, integrated = counter.read_j() - counter_from, integral.read_j() - integral_from
    integral.stop()
    verdicts.near("energy", counted, integrated, 0.15, "J by the counter")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="of kernels a clip")
    arguments = parser.parse_args()
    try:
        device = find_device("cuda:0")
    except VbenchError as error:
        sys.exit(f"Nothing is checked: {error}")
    print(f"{device.name}, {device.memory_mb} MiB, {device.uuids[0]}")
    verdicts = Verdicts()
    state = energy.device_state(device.uuids)
    verdicts.line("device", bool(state), f"NVML answers for it: driver {state.get('driver')}")
    check_clips(verdicts, arguments.seconds)
    check_energy(verdicts, device.uuids, arguments.seconds)
    sys.exit(0 if verdicts.all_hold else 1)


if __name__ == "__main__":
    main()
