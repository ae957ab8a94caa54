"""The load of the machine beside a generator: what other processes take is seen, the generator's own work is not."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time

from vbench_lite.measuring.load import LoadMeter
from vbench_lite.records import MachineLoad

BUSY = "import time; end = time.monotonic() + 30\nwhile time.monotonic() < end: pass"


def load_beside(meter: LoadMeter, seconds: float = 1.2) -> float:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.05)
    load = meter.read().other_cpus
    assert load is not None
    return load


def test_work_of_children_is_the_generators_own() -> None:
    meter = LoadMeter()
    with subprocess.Popen([sys.executable, "-c", BUSY]) as child:
        own, end = meter._sample().own_s, time.monotonic() + 25
        while meter._sample().own_s - own < 0.1 and time.monotonic() < end:  # a busy machine gives it little time
            time.sleep(0.1)
        grown = meter._sample().own_s - own
        child.kill()
    assert grown >= 0.1


def test_a_reading_is_used_again_for_a_second_and_has_what_the_system_gives() -> None:
    meter = LoadMeter()
    time.sleep(0.3)
    first = meter.read()
    assert meter.read() is first
    assert isinstance(first, MachineLoad)
    assert first.other_cpus is not None
    assert first.other_cpus >= 0
    assert first.average is None or first.average >= 0
    assert first.throttled in (True, False)
    assert first.mhz is None or first.mhz > 100


def test_time_of_other_processes_is_what_is_left_of_the_machines_busy_time() -> None:
    meter = LoadMeter()
    before = meter._sample()
    now = dataclasses.replace(before, at=before.at + 2, busy_s=before.busy_s + 3, own_s=before.own_s + 1)
    assert meter._between(before, now).other_cpus == 1.0
    short = dataclasses.replace(now, at=before.at + 0.1, throttled=before.throttled + 1)
    assert meter._between(before, short).other_cpus is None, "too short for the clock of the system"
    assert meter._between(before, short).throttled
