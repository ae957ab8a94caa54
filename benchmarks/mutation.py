"""Tests that notice a wrong number: a random sample of mutants of a folder, each run against that folder's own tests.

    pip install mutmut
    python benchmarks/mutation.py analysis gate --sample 50

A mutant is a copy of the package in which one operator, comparison, constant or argument is changed (mutmut's
operators). It is killed where a test of the same folder fails. The work is done in a copy of the repository, so the
working tree stays as it is. Mutants that no test of the folder reaches count as survivors.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("vbench_lite", "tests", "generators", "prompts", "results/baseline", "docs", "README.md", "pyproject.toml")
CONFIG = """
[tool.mutmut]
source_paths = ["vbench_lite"]
only_mutate = ["vbench_lite/{folder}/*"]
also_copy = ["generators", "prompts", "results", "docs", "README.md"]
pytest_add_cli_args = ["-n", "0", "-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = {tests}
mutate_only_covered_lines = false
track_dependencies = false
use_git_change_detection = false
"""
KILLED = (1, 3)
"""pytest's exit codes for failed tests; a mutant that runs into the time limit counts as killed too."""
TIMED_OUT = (24, 36, 152, -24)


def prepare(folder: str, tests: list[str], place: Path) -> None:
    """A copy of the repository in which only this folder is mutated."""
    for name in COPIED:
        source, to = ROOT / name, place / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, to)
    with (place / "pyproject.toml").open("a") as file:
        file.write(CONFIG.format(folder=folder, tests=json.dumps(tests)))


def mutmut(place: Path, *names: str) -> None:
    """`mutmut run`: writes mutants and runs the tests of those named."""
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    (place / "mutmut.log").write_text(done.stdout + done.stderr)


def outcomes(place: Path) -> Iterator[tuple[str, int | None]]:
    """Each mutant with the exit code of its tests; None where it was not run."""
    for path in sorted((place / "mutants").rglob("*.meta")):
        yield from json.loads(path.read_text())["exit_code_by_key"].items()


def measure(folder: str, tests: list[str], sample: int, seed: int) -> str:
    """One row of the table, and the survivors below it."""
    with tempfile.TemporaryDirectory() as name:
        place, begun = Path(name), time.monotonic()
        prepare(folder, tests, place)
        mutmut(place, "none-of-them")
        known = [mutant for mutant, _ in outcomes(place)]
        if not known:
            raise SystemExit((place / "mutmut.log").read_text()[-3000:])
        chosen = sorted(random.Random(seed).sample(known, min(sample, len(known))))
        mutmut(place, *chosen)
        codes = dict(outcomes(place))
        if any(codes[mutant] is None for mutant in chosen):
            raise SystemExit((place / "mutmut.log").read_text()[-3000:])
        alive = [mutant for mutant in chosen if codes[mutant] not in (*KILLED, *TIMED_OUT)]
        killed = len(chosen) - len(alive)
        row = f"| {folder} | {len(known)} | {len(chosen)} | {killed} | {killed / len(chosen):.0%} |"
        shown = "\n".join(f"{mutant} (exit code {codes[mutant]})\n{_difference(place, mutant)}" for mutant in alive)
        return f"{row} {time.monotonic() - begun:.0f} s\n{shown}"


def _difference(place: Path, mutant: str) -> str:
    command = [sys.executable, "-m", "mutmut", "show", mutant]
    text = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False).stdout
    lines = [line for line in text.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return "\n".join(f"    {line}" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", help="folders of vbench_lite, e.g. gate analysis")
    parser.add_argument("--tests", nargs="*", help="the tests to run; tests/<folder> where not given")
    parser.add_argument("--sample", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print("| folder | mutants | sampled | killed | share |\n|---|---|---|---|---|")
    for folder in given.folders:
        print(measure(folder, given.tests or [f"tests/{folder}"], given.sample, given.seed), flush=True)


if __name__ == "__main__":
    main()
