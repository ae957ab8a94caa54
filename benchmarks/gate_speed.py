"""Processor time of `vbench gate` on 10,000 clips a side, beside that of only reading both tables with pandas.

    python benchmarks/gate_speed.py [--times 5]
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.gate.releases import write

READ = "import pandas, sys; [pandas.read_csv(path) for path in sys.argv[1:]]"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""With files of bytecode, which the first of several times writes, as an installed package has them."""


def processor_s(command: list[str]) -> float:
    """Of the fastest way to tell: user and system time of the process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder:
        old = write(Path(folder) / "old", prompts=1250, clips=8)
        new = write(Path(folder) / "new", prompts=1250, clips=8, weights="b")
        gate = [sys.executable, "-m", "vbench_lite", "gate", str(new), "--baseline", str(old)]
        read = [sys.executable, "-c", READ, f"{old}/clips.csv", f"{new}/clips.csv"]
        pairs = [(processor_s(gate), processor_s(read)) for _ in range(times)]
    gate_s, read_s = (min(side) for side in zip(*pairs, strict=True))
    print(f"gate {gate_s:.2f} s, pandas alone {read_s:.2f} s, ratio {gate_s / read_s:.2f}, fastest of {times}")


if __name__ == "__main__":
    main()
