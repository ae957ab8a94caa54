"""Tests that notice a wrong number: random mutants of a folder, each run against that folder's own tests.

    pip install mutmut
    python benchmarks/mutation.py analysis gate --sample 50
    python benchmarks/mutation.py analysis --log FOLDER     goes on where it was stopped, if no file has changed since

A mutant is the package with one operator, comparison, constant or argument changed. mutmut makes them. This script
samples them and runs them fast: one run with coverage finds the tests that execute each line, and each mutant runs in
a fork of a process that has loaded torch and the other libraries, so it costs a second or two. A mutant is killed
where a test fails or needs five times its time. Only the tests that execute its line are run, the fastest first. For a
number of a module or class these are the tests that execute a line with its name, for a default value those of the
function. A mutant whose line no test executes survives. Sampled are the functions and methods without decorators
(mutmut's choice) and the numbers of a module or class. Texts are not sampled: a change of a string, or a string that an
argument loses. Nor is `strict` of zip, which only guards against unequal lengths.

benchmarks/equivalent_mutants.toml lists mutants that no test can notice. They do not count:

    [[mutant]]
    file = "distances/example.py"
    change = ["- the old line", "+ the new line"]
    reason = "why no test can notice it"
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import functools
import importlib
import itertools
import json
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import coverage
import libcst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import Mutation, create_mutations

ROOT = Path(__file__).resolve().parents[1]
COPIED = (
    "vbench_lite", "tests", "generators", "prompts", "benchmarks", "results/baseline", "docs", "README.md",
    "pyproject.toml",
)  # fmt: skip
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
FORK = multiprocessing.get_context("fork")


@dataclass(eq=False)  # pytest puts plugins into sets
class Recorder:
    """A plugin of pytest: the lines that each test executes, and how long it takes.

    What a fixture of a module or session executes counts for all tests that use the fixture."""

    watch: coverage.Coverage
    contexts: list[str] = field(default_factory=list)
    users: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: Counter[str] = field(default_factory=Counter)
    failed: set[str] = field(default_factory=set)

    @contextlib.contextmanager
    def _context(self, name: str) -> Iterator[None]:
        self.contexts.append(name)
        self.watch.switch_context(name)
        try:
            yield
        finally:
            self.contexts.pop()
            self.watch.switch_context(self.contexts[-1] if self.contexts else "")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Any:
        self.users[item.nodeid].add(item.nodeid)
        for fixtures in item._fixtureinfo.name2fixturedefs.values():
            for fixture in fixtures:
                self.users[f"{fixture.baseid} {fixture.argname}"].add(item.nodeid)
        with self._context(item.nodeid):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Any:
        if fixturedef.scope == "function":
            return (yield)
        with self._context(f"{fixturedef.baseid} {fixturedef.argname}"):
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            self.failed.add(report.nodeid)


@dataclass(eq=False)  # pytest puts plugins into sets
class Only:
    """A plugin of pytest: runs the named tests, in their order."""

    tests: list[str]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self.tests), key=lambda i: self.tests.index(i.nodeid))


@dataclass
class Mutant:
    """One change of one file, and the lines that it changes."""

    path: Path
    module: libcst.Module
    mutation: Mutation
    lines: range
    function: range
    """The lines of the function; empty outside of one."""
    constant: str
    """The name of the module or class that gets the changed number; "" inside of a function."""

    @functools.cached_property
    def text(self) -> str:
        changed = self.module.deep_replace(self.mutation.original_node, self.mutation.mutated_node)
        assert isinstance(changed, libcst.Module)
        return changed.code

    def is_more_than_strict(self) -> bool:
        """Whether it changes more than `strict` of zip."""
        lines = [re.sub(r",? *strict=\w+", "", line[2:]).replace(", )", ")") for line in self.difference()]
        return lines[: len(lines) // 2] != lines[len(lines) // 2 :]

    def difference(self) -> list[str]:
        lines = difflib.unified_diff(self.module.code.splitlines(), self.text.splitlines(), lineterm="", n=0)
        changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        return [f"{line[0]} {line[1:].strip()}" for line in changed]


def copy_to(place: Path) -> None:
    for name in COPIED:
        source, to = ROOT / name, place / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, to)


def mutants_of(path: Path) -> Iterator[Mutant]:
    module, mutations, _, _ = create_mutations(str(path), path.read_text())
    positions = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    for mutation in filter(_is_sampled, mutations):
        at = positions[mutation.original_node]
        lines, function, named = range(at.start.line, at.end.line + 1), range(0), ""
        if isinstance(around := mutation.contained_by_top_level_function, libcst.FunctionDef):
            function = range(positions[around].start.line, positions[around].end.line + 1)
        else:
            named = _assigned(module.code.splitlines()[: at.start.line])
        yield Mutant(path, module, mutation, lines, function, named)


def _assigned(lines: list[str]) -> str:
    """What the last of these lines that begins an assignment assigns to."""
    found = (re.match(r"\s*(\w+)\s*(:[^=]*)?=(?!=)", line) for line in reversed(lines))
    return next((match[1] for match in found if match), "")


def _is_sampled(mutation: Mutation) -> bool:
    old, new = mutation.original_node, mutation.mutated_node
    if isinstance(old, libcst.BaseString):
        return False
    if isinstance(old, libcst.Call) and isinstance(new, libcst.Call):
        kept = [argument.value for argument in new.args]
        lost = [argument.value for argument in old.args if argument.value not in kept]
        if any(isinstance(value, libcst.BaseString) for value in lost):
            return False
    inside = isinstance(mutation.contained_by_top_level_function, libcst.FunctionDef)
    return inside or isinstance(old, libcst.BaseNumber)


def run_pytest(place: Path, plugin: object, *arguments: str) -> int:
    """pytest in this process, which is a fork, on the copy of the repository."""
    os.setsid()
    os.chdir(place)
    os.environ["PYTHONPATH"] = sys.path[0] = str(place)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    return int(pytest.main(["-n", "0", "-p", "no:cacheprovider", *arguments], plugins=[plugin]))


def record(place: Path, folder: str, tests: list[str], to: Path) -> None:
    """Writes, for each line of the folder, the tests that execute it; and each test's time, and the loaded modules."""
    watch = coverage.Coverage(data_file=None, include=[f"{place}/vbench_lite/{folder}/*"], config_file=False)
    recorder = Recorder(watch)
    before = set(sys.modules)
    watch.start()
    run_pytest(place, recorder, *tests)
    watch.stop()
    data, passed = watch.get_data(), set(recorder.seconds) - recorder.failed
    executed = {
        str(Path(path).relative_to(place)): {
            line: sorted(set().union(*(recorder.users[name] for name in contexts if name)) & passed)
            for line, contexts in data.contexts_by_lineno(path).items()
        }
        for path in data.measured_files()
    }
    # Only libraries: a script of the repository would load the package, and its mutants would have no effect.
    new = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items() if name not in before}
    loaded = [name for name, file in new.items() if not Path(file).is_relative_to(place)]
    shown = {"seconds": recorder.seconds, "failed": sorted(recorder.failed), "executed": executed, "loaded": loaded}
    to.write_text(json.dumps(shown))


def tests_of(mutant: Mutant, place: Path, known: dict[str, Any]) -> list[str]:
    """The tests that execute the mutant, the fastest first."""
    executed, file = known["executed"], str(mutant.path.relative_to(place))
    places = {file: list(mutant.lines)}
    if mutant.constant:
        mentions = re.compile(rf"\b{mutant.constant}\b").search
        sources = {path: (place / path).read_text().splitlines() for path in executed}
        places = {path: [n for n, line in enumerate(text, 1) if mentions(line)] for path, text in sources.items()}
    names = _executing(places, executed) or _executing({file: list(mutant.function)}, executed)
    return sorted(names, key=lambda name: known["seconds"][name])


def _executing(places: dict[str, list[int]], executed: dict[str, dict[str, list[str]]]) -> set[str]:
    return {name for path, lines in places.items() for n in lines for name in executed.get(path, {}).get(str(n), [])}


def survives(place: Path, mutant: Mutant, tests: list[str], seconds: float) -> bool:
    """Whether no test fails within five times the seconds of processor time that they need without the mutant.

    Runs the tests on the mutant in a fork. The written file gets a time of its own, so no stale bytecode is used."""
    if not tests:
        return True
    files = sorted({name.split("::")[0] for name in tests})
    times = mutant.path.stat()
    mutant.path.write_text(mutant.text)
    os.utime(mutant.path, (times.st_atime, times.st_mtime + random.randrange(10**6, 10**7)))
    limit = int(30 + 5 * seconds)

    def judge() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        os._exit(run_pytest(place, Only(tests), "-x", *files))

    child = FORK.Process(target=judge)
    child.start()
    child.join(20 * limit)  # for tests that wait: the processor may be shared with others
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid or 0, signal.SIGKILL)
    child.join()
    mutant.path.write_text(mutant.module.code)
    os.utime(mutant.path, (times.st_atime, times.st_mtime))
    return child.exitcode == 0


def measure(folder: str, tests: list[str], sample: int, seed: int, log: Path | None) -> str:
    """One row of the table, after the survivors."""
    equivalent = tomllib.loads(EQUIVALENT.read_text())["mutant"] if EQUIVALENT.exists() else []
    listed = {(entry["file"], *entry["change"]) for entry in equivalent}
    with tempfile.TemporaryDirectory() as name:
        place, begun = Path(name).resolve(), time.monotonic()
        copy_to(place)
        logs = log or place
        recorded, judged = logs / f"{folder}-tests.json", logs / f"{folder}-mutants.jsonl"
        if not recorded.exists():
            logs.mkdir(parents=True, exist_ok=True)
            recording = FORK.Process(target=record, args=(place, folder, tests, recorded.resolve()))
            recording.start()
            recording.join()
        known = json.loads(recorded.read_text())
        judged.touch()
        before = {tuple(line["change"]): line["survives"] for line in map(json.loads, judged.read_text().splitlines())}
        if not known["seconds"]:
            raise SystemExit(f"no test ran: see `pytest -n 0 {' '.join(tests)}`")
        for failed in known["failed"]:
            print(f"fails without a mutant, left out: {failed}")
        for loaded in known["loaded"]:
            with contextlib.suppress(Exception):
                importlib.import_module(loaded)
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        mutants = [m for path in sorted((place / "vbench_lite" / folder).rglob("*.py")) for m in mutants_of(path)]
        random.Random(seed).shuffle(mutants)
        chosen = list(itertools.islice(filter(Mutant.is_more_than_strict, mutants), sample))
        survived = same = 0
        for mutant in chosen:
            covering = tests_of(mutant, place, known)
            file, change = str(mutant.path.relative_to(place / "vbench_lite")), mutant.difference()
            key = (file, str(mutant.lines.start), *change)
            if key not in before:
                found = survives(place, mutant, covering, sum(known["seconds"][test] for test in covering))
                before[key] = found
                with judged.open("a") as lines:
                    print(json.dumps({"change": key, "survives": found}), file=lines)
            if not before[key]:
                continue
            if (file, *change) in listed:
                same += 1
                continue
            survived += 1
            print(f"{file}:{mutant.lines.start} ({len(covering)} tests)", *change, sep="\n    ", flush=True)
        counted = len(chosen) - same
        share = (counted - survived) / counted
        return (
            f"| {folder} | {len(mutants)} | {len(chosen)} | {counted - survived} | {survived} | {same} | {share:.0%} |"
            f" {time.monotonic() - begun:.0f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", help="folders of vbench_lite, e.g. gate analysis")
    parser.add_argument("--tests", nargs="*", help="the tests to run; tests/<folder> where not given")
    parser.add_argument("--sample", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="folder that keeps what is known, to go on after an interruption")
    given = parser.parse_args()
    about = given.sample, given.seed, given.log
    rows = [measure(name, given.tests or [f"tests/{name}"], *about) for name in given.folders]
    print("| folder | mutants | sampled | killed | survived | equivalent | share |\n|---|---|---|---|---|---|---|")
    print(*rows, sep="\n")


if __name__ == "__main__":
    main()
