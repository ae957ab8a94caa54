"""What the harness costs: a run against a bare loop over the same generator, and how long the device waits.

    python benchmarks/overhead.py [--seconds 1.0] [--clips 30]

The generator works for the given time a clip (it sleeps, so that other work on this machine weighs
little) and returns a clip of 33 frames at 256x256, which has to be encoded and stored beside the next
one. Printed, in percent of the bare loop's or the run's time:

    overhead   how much longer a call of `generate` takes in a run than in the bare loop: of medians, so that a
               moment when the machine was busy with something else does not decide, and of sums
    window     CPU time that opening and closing one measuring window takes: what the harness adds inside of what
               it bills, and the figure to read where the machine is busy with other work
    idle       the time between one call and the next, in which a device would wait
    held       from the first call to the last answer, against the whole bare loop: calls, measuring and waiting
    whole run  the same from the start of the run to its end: with the start of a process, which is paid once a
               generator, and with what is encoded and written after the last call
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

from vbench_lite.inputs import catalogue
from vbench_lite.measuring.devices import find_device
from vbench_lite.measuring.measure import Meter
from vbench_lite.records import ClipSpec, Definition, Prompt, Request, Suite
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.plan import make_plan
from vbench_lite.running.runner import run


def bare_loop(definition: Definition, requests: list[Request]) -> list[float]:
    """Seconds of each call in the plainest possible loop: no measuring, no storing."""
    generator = catalogue.build(definition)
    generator.load("cpu")
    ends = [time.perf_counter()]
    for request in requests:
        generator.generate([request])
        ends.append(time.perf_counter())
    generator.close()
    return [end - start for start, end in pairwise(ends)]


def window_us() -> float:
    """CPU microseconds of one empty measuring window."""
    meter, times = Meter(), 300
    started = time.thread_time()
    for _ in range(times):
        meter.open()
        meter.close()
    taken = time.thread_time() - started
    meter.stop()
    return 1e6 * taken / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="of work a clip")
    parser.add_argument("--clips", type=int, default=30)
    arguments = parser.parse_args()
    prompts = tuple(Prompt(f"p{n:04d}", f"square {n}") for n in range(arguments.clips))
    suite = Suite("overhead", "Overhead", prompts, "overhead")
    definition = Definition(
        "loop", "undisclosed", "simulated", clip=ClipSpec(33, 8.0, 256, 256), settings={"seconds": arguments.seconds}
    )
    plan = make_plan(suite, [definition], 1, None, 0, "builtin")
    bare = bare_loop(definition, list(plan.requests(definition)))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        run(plan, RunFolder(folder), find_device("cpu"))
        whole_s = time.perf_counter() - started
        billed = [record.measurement.wall_s or 0.0 for record in RunFolder(folder).records()]
        timings = json.loads((Path(folder) / "timings" / "loop.json").read_text())["processes"][-1]
    idle_s, encode_s = timings["idle_s"], timings["encode_s"]
    print(f"{arguments.clips} clips of {arguments.seconds:g} s")
    for name, figure in (("median", median), ("sum", sum)):
        loop_s, run_s = figure(bare), figure(billed)
        overhead = 100 * (run_s / loop_s - 1)
        print(f"{name:7} bare loop {loop_s:8.3f} s   billed {run_s:8.3f} s   overhead {overhead:+.2f} %")
    own_us = window_us()
    print(f"window  {own_us:8.0f} us of CPU, {own_us / 1e4 / arguments.seconds:.3f} % of a clip")
    held_s = sum(billed) + idle_s
    print(f"idle    {idle_s:8.3f} s, {100 * idle_s / held_s:.2f} % of the time that the device is held")
    for name, run_s in (("held", held_s), ("whole run", whole_s)):
        print(f"{name:9} {run_s:8.3f} s   overhead {100 * (run_s / sum(bare) - 1):+.2f} %")
    print(f"encoded {encode_s:8.3f} s, beside generation")


if __name__ == "__main__":
    main()
