"""Installed libraries: the accepted and the tested versions.

The lowest versions come from the metadata of the package (`pyproject.toml`), the newest tested versions from
`tested_versions.toml`. This module does not import the libraries that it examines.
"""

from __future__ import annotations

import platform
import shlex
import sys
import tomllib
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata, packages_distributions, requires, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

from vbench_lite.errors import LibraryError

DISTRIBUTION = "vbench-lite"
REPOSITORY = "https://github.com/OWNER/vbench-lite"
"""The address of the published repository. OWNER stands for its owner until it is published: `make repository`."""
TESTED = Path(__file__).with_name("tested_versions.toml")


class State(StrEnum):
    """The state of the installed version of a library."""

    TESTED = "tested"
    NEWER = "newer"
    REFUSED = "refused"
    MISSING = "missing"


@dataclass(frozen=True)
class Library:
    """One direct dependency: the versions accepted, the version installed, and the newest version tested."""

    requirement: Requirement
    installed: str | None
    newest_tested: str | None = None

    @property
    def name(self) -> str:
        return self.requirement.name

    @property
    def state(self) -> State:
        """The state, without regard to local labels (`2.14.1+cu130`)."""
        if self.installed is None:
            return State.MISSING
        public = Version(Version(self.installed).public)
        if not self.requirement.specifier.contains(public, prereleases=True):
            return State.REFUSED
        return State.NEWER if self.newest_tested and public > Version(self.newest_tested) else State.TESTED

    @property
    def tested(self) -> str:
        """The tested versions in words, such as "18.0 to 19.0.2"."""
        lowest = [bound.version for bound in self.requirement.specifier if bound.operator == ">="]
        return " to ".join([*lowest, *([self.newest_tested] if self.newest_tested else [])])

    @property
    def fix(self) -> str:
        """The command that installs an accepted and tested version; "" if none is needed."""
        if self.state is State.NEWER:
            return pip_install([f"{self.name}<={self.newest_tested}"])
        return "" if self.state is State.TESTED else pip_install([f"{self.name}{self.requirement.specifier}"])


def libraries() -> list[Library]:
    """The direct dependencies without extras, by name; [] if the package itself is not installed."""
    return [_library(requirement) for requirement in _requirements() if _applies(requirement, "")]


def extras() -> dict[str, list[Library]]:
    """Extra > the libraries that it adds, by name; {} if the package itself is not installed."""
    names = (metadata(DISTRIBUTION).get_all("Provides-Extra") or []) if _installed(DISTRIBUTION) else []
    return {
        name: [
            _library(requirement) for requirement in _requirements()
            if _applies(requirement, name) and not _applies(requirement, "") and requirement.name != DISTRIBUTION
        ]
        for name in sorted(names)
    }


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Imports libraries of an extra: `with extra("parquet"): import pyarrow`.

    Raises:
        LibraryError: A library cannot be imported. The message has the command that installs the extra.
    """
    try:
        yield
    except ImportError as error:
        wanted = [f"{lib.name}{lib.requirement.specifier}" for lib in extras().get(name, [])]
        command = pip_install(wanted or [str(error.name)])
        raise LibraryError(f'{error.name} cannot be imported. The extra "{name}" installs it: {command}') from None


def check_libraries(found: Iterable[Library] | None = None) -> None:
    """Checks that every library is installed in an accepted version.

    Raises:
        LibraryError: The message names each unsuitable library, and the command that fixes all of them.
    """
    wrong = [lib for lib in (libraries() if found is None else found) if lib.state in (State.MISSING, State.REFUSED)]
    if not wrong:
        return
    problems = [f"{lib.name} is {lib.installed or 'missing'}, needed {lib.requirement.specifier}" for lib in wrong]
    command = pip_install([f"{lib.name}{lib.requirement.specifier}" for lib in wrong])
    raise LibraryError(f"unsuitable versions of libraries: {'; '.join(problems)}. Fix: {command}")


def import_problem(error: BaseException) -> LibraryError | None:
    """The error for a library that cannot be imported, for any exception that it raised.

    None for other errors, and for imports of this package or of the user's code.
    """
    module, raised = _failed_import(error)
    distributions = packages_distributions().get(module, [])
    if module in ("", "vbench_lite") or not (distributions or getattr(raised, "name", None)):
        return None
    unmet = [f"{name} needs {need}" for name in distributions for need in unmet_needs(name)]
    text = "; ".join([str(raised).partition("\n")[0].rstrip("."), *unmet])
    again = distributions if unmet else ["--force-reinstall", "--no-deps", *distributions]
    command = pip_install(again if distributions else [module])
    return LibraryError(f"{module} cannot be imported: {text}. Fix: {command}. All libraries: vbench doctor")


def _failed_import(error: BaseException) -> tuple[str, BaseException]:
    """The library whose import failed, and its exception; "" if the error did not come from an import.

    The error of a missing module has its name. Any other error came from the module that was executed last.
    """
    if error.__cause__ and (cause := _failed_import(error.__cause__))[0]:
        return cause
    if isinstance(error, ImportError) and error.name:
        return error.name.partition(".")[0], error
    found = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if module in ("vbench_lite", "__main__"):
            found = ""
        elif frame.f_code.co_name == "<module>":
            found = module
    return found, error


def unmet_needs(name: str) -> list[str]:
    """Requirements of an installed library that are not met, such as "torch==2.13.0 (installed: 2.14.1)"."""
    wanted = [Requirement(text) for text in (requires(name) if _installed(name) else None) or []]
    needs = [(each, _installed(each.name)) for each in wanted if _applies(each, "")]
    return [
        f"{need.name}{need.specifier} (installed: {found or 'none'})" for need, found in needs
        if not (found and need.specifier.contains(Version(found).public, prereleases=True))
    ]


def advice() -> str:
    """A note for an unexpected error: the libraries that are newer than the tested versions; "" if there is none."""
    newer = [lib for lib in libraries() if lib.state is State.NEWER]
    if not newer:
        return ""
    names = ", ".join(f"{lib.name} {lib.installed} (tested: {lib.tested})" for lib in newer)
    command = pip_install([f"{lib.name}<={lib.newest_tested}" for lib in newer])
    return f"Newer than the tested versions: {names}. If the error comes from one of them: {command}"


def python_tested() -> bool:
    """Whether this Python's minor version was tested."""
    return ".".join(platform.python_version_tuple()[:2]) in tested_pythons()


def tested_pythons() -> list[str]:
    """Minor versions of Python that were tested, such as "3.12"."""
    return list(_tested()["pythons"])


def pip_install(arguments: Iterable[str]) -> str:
    """A command that installs into the running Python, quoted for a shell."""
    return shlex.join([sys.executable, "-m", "pip", "install", *arguments])


def _requirements() -> list[Requirement]:
    try:
        texts = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return []
    return sorted(map(Requirement, texts), key=lambda requirement: requirement.name)


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _library(requirement: Requirement) -> Library:
    name = requirement.name
    return Library(requirement, _installed(name), _tested()["newest"].get(name))


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@cache
def _tested() -> dict[str, Any]:
    return tomllib.loads(TESTED.read_text("utf-8"))
