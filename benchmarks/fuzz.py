"""A long fuzz run over every kind of file that a user supplies; prints counts by kind, and each fault with its seed.

    python benchmarks/fuzz.py [--mutations 10000] [--first-seed 0] [--kind NAME]

Each kind runs in a process of its own: a process that dies is a fault, and the run goes on behind the file that
killed it. `tests/fuzz/kinds.py` lists the kinds. Exit code 1 where a fault was found.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.fuzz.judge import GOOD, MOST_SECONDS, Verdict, judge
from tests.fuzz.kinds import KINDS

ROOT = Path(__file__).parents[1]


@click.command()
@click.option("--mutations", default=10_000, show_default=True, help="In all.")
@click.option("--first-seed", default=0, show_default=True)
@click.option("--kind", "chosen", multiple=True, type=click.Choice(list(KINDS)), help="Default: all.")
@click.option("--worker", hidden=True, type=int)
def main(mutations: int, first_seed: int, chosen: tuple[str, ...], worker: int | None) -> None:
    """Runs and reports."""
    names = chosen or tuple(KINDS)
    if worker is not None:
        _work(names[0], first_seed, worker)
        return
    each, faults = -(-mutations // len(names)), 0
    print(f"{'kind of file':32s} {'files':>6s} {'read':>6s} {'refused':>8s} {'faults':>7s}")
    for name in names:
        counts: Counter[str] = Counter()
        for verdict in _verdicts(name, first_seed, each):
            counts[verdict.outcome] += 1
            if verdict.outcome not in GOOD:
                print(f"  {verdict.outcome}: seed {verdict.seed}: {verdict.detail}", flush=True)
        bad = sum(number for outcome, number in counts.items() if outcome not in GOOD)
        faults += bad
        print(f"{name:32s} {counts.total():6d} {counts['read']:6d} {counts['refused']:8d} {bad:7d}", flush=True)
    sys.exit(1 if faults else 0)


def _work(name: str, first: int, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            print(json.dumps(judge(name, seed, Path(folder) / "f")), flush=True)


def _verdicts(name: str, first: int, count: int) -> Iterator[Verdict]:
    """Verdicts of all seeds; a process that dies or hangs gives one for the file that it was reading."""
    seed, end = first, first + count
    while seed < end:
        words = [sys.executable, __file__, "--kind", name, "--first-seed", str(seed), "--worker", str(end - seed)]
        limit = 60 + MOST_SECONDS * (end - seed)
        try:
            done = subprocess.run(words, stdout=subprocess.PIPE, text=True, cwd=ROOT, timeout=limit)
            lines, how = done.stdout.splitlines(), f"the process ended with {done.returncode}"
        except subprocess.TimeoutExpired as error:
            printed = error.stdout or b""
            lines, how = (printed if isinstance(printed, str) else printed.decode()).splitlines(), "the process hung"
        for line in lines:
            yield Verdict(*json.loads(line))
        seed += len(lines)
        if seed < end:
            yield Verdict(name, seed, "died", how)
            seed += 1


if __name__ == "__main__":
    main()
