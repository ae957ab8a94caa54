"""`vbench doctor`: checks the installation and prints a fix for each problem."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from vbench_lite import environment
from vbench_lite.cli.terminal.wrapping import COLUMNS, command_lines, sentence_lines
from vbench_lite.errors import VbenchError


@dataclass(frozen=True)
class Finding:
    """The result of one check. Those with `needed` must be ok for the default run."""

    what: str
    ok: bool
    found: str
    fix: str = ""
    needed: bool = False


def python_and_packages() -> Iterator[Finding]:
    tested, pythons = environment.python_tested(), ", ".join(environment.tested_pythons())
    yield Finding("python", tested, f"{platform.python_version()} (tested: {pythons})",
                  "" if tested else f"use Python {environment.tested_pythons()[-1]} if something fails")
    for library in environment.libraries():
        yield _library(library)
    for extra, libraries in environment.extras().items():
        absent = [lib for lib in libraries if lib.state in (environment.State.MISSING, environment.State.REFUSED)]
        names = ", ".join(lib.name for lib in absent)
        yield Finding(f"extra: {extra}", not absent, f"not installed: {names}" if absent else "installed",
                      environment.pip_install(f"{lib.name}{lib.requirement.specifier}" for lib in absent))


def _library(library: environment.Library) -> Finding:
    words = {
        environment.State.TESTED: f"{library.installed} (tested: {library.tested})",
        environment.State.NEWER: f"{library.installed}, warning: newer than the tested versions, {library.tested}",
        environment.State.REFUSED: f"{library.installed}, needed: {library.requirement.specifier}",
        environment.State.MISSING: f"not installed, needed: {library.requirement.specifier}",
    }
    needed = library.state is not environment.State.NEWER
    if library.installed and (unmet := environment.unmet_needs(library.name)):
        found = f"{library.installed}, warning: it needs {', '.join(unmet)}"
        return Finding(library.name, False, found, environment.pip_install([library.name]))
    return Finding(library.name, library.state is environment.State.TESTED, words[library.state], library.fix, needed)


def other_vbench() -> Iterator[Finding]:
    try:
        found = version("vbench")
    except PackageNotFoundError:
        yield Finding("the name `vbench`", True, "installed by vbench-lite only")
        return
    yield Finding("the name `vbench`", False, f"the distribution vbench {found} installs a program of this name too",
                  "use vbench-lite instead of vbench, or: pip uninstall vbench")


def devices() -> Iterator[Finding]:
    import torch

    cpu = f"{os.cpu_count()} cores, {torch.get_num_threads()} torch threads"
    yield Finding("cpu", True, cpu, needed=True)
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            facts = torch.cuda.get_device_properties(index)
            yield Finding(f"cuda:{index}", True, f"{facts.name}, {facts.total_memory / 2**30:.0f} GiB")
    else:
        yield Finding("cuda", False, "no CUDA device", "the built-in generators need none")
    yield energy_counter()


def energy_counter() -> Finding:
    try:
        import pynvml

        pynvml.nvmlInit()
        pynvml.nvmlDeviceGetTotalEnergyConsumption(pynvml.nvmlDeviceGetHandleByIndex(0))
    except Exception as error:
        return Finding("energy (NVML)", False, f"no counter: {error}", "energy columns stay empty, with this reason")
    return Finding("energy (NVML)", True, "total energy counter")


def video() -> Iterator[Finding]:
    import av

    uses = (
        ("libx264", "w", "clips are written with it"), ("h264", "r", "most clips are read with it"), ("vp9", "r", ""),
        ("libdav1d", "r", "AV1 clips"),
    )
    for codec, mode, use in uses:
        try:
            av.codec.Codec(codec, mode)
            doing = {"w": "write", "r": "read"}[mode]
            yield Finding(f"codec {codec} ({doing})", True, use or "there", needed=bool(use))
        except Exception:
            fix = "pip install --force-reinstall av"
            yield Finding(f"codec {codec}", False, "missing", fix, needed=codec != "vp9")


def weights() -> Iterator[Finding]:
    from vbench_lite.inputs.catalogue import check_weights, find_definition

    for name in ("tiny-transformer", "tiny-diffusion"):
        try:
            definition = find_definition(name)
            check_weights(definition)
            yield Finding(f"generator {name}", True, f"{len(definition.weights)} files, digests correct", needed=True)
        except VbenchError as error:
            yield Finding(f"generator {name}", False, str(error), "git checkout -- generators", needed=True)


def backbones() -> Iterator[Finding]:
    from vbench_lite.backbones import availability

    for row in availability():
        yield Finding(f"backbone {row.name}", row.present, row.found, row.fetch, needed=row.name.startswith("builtin"))


def folders_and_keys() -> Iterator[Finding]:
    target = Path("results") if Path("results").is_dir() else Path()
    try:
        with tempfile.NamedTemporaryFile(dir=target):
            free = shutil.disk_usage(target).free / 2**30
        yield Finding("results folder", free > 1, f"writable, {free:.0f} GiB free", "free some space", needed=True)
    except OSError as error:
        yield Finding("results folder", False, f"not writable: {error}", "choose another with --out", needed=True)
    from vbench_lite.adapters.hosted.settings import KEY_EXAMPLE, key_in

    for key, generators in keys_of_services().items():
        there = bool(key_in(key))
        found = f"{'set (not shown)' if there else 'not set'}, for {', '.join(generators)}"
        yield Finding(f"key {key}", there, found, f"export {key}={KEY_EXAMPLE}")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    yield Finding("browser for tests", browser is not None, browser or "none", "apt-get install chromium")


def keys_of_services() -> dict[str, list[str]]:
    """Environment variable > the hosted generators that read their key from it."""
    from vbench_lite.inputs.catalogue import definition_paths, read_definition

    found: dict[str, list[str]] = {}
    for name, path in sorted(definition_paths().items()):
        try:
            definition = read_definition(path)
        except VbenchError:  # `vbench list generators` shows the error
            continue
        for setting in ("key_env", "secret_env"):
            if definition.adapter == "http" and (key := definition.settings.get(setting)):
                found.setdefault(str(key), []).append(name)
    return found


CHECKS: list[Callable[[], Iterator[Finding]]] = [
    python_and_packages, other_vbench, devices, video, weights, backbones, folders_and_keys,
]


def _findings(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of a check; a finding about the library if the check cannot import one."""
    try:
        yield from check()
    except Exception as error:
        problem = environment.import_problem(error)
        if problem is None:
            raise
        yield Finding(check.__name__.replace("_", " "), False, str(problem), needed=True)


def _lines(finding: Finding, width: int) -> Iterator[str]:
    """A finding for the terminal, with its fix below."""
    mark = "ok  " if finding.ok else ("FAIL" if finding.needed else "-   ")
    lines = sentence_lines(finding.found, COLUMNS - width - 7)
    if any(len(line) > COLUMNS - width - 7 for line in lines):  # for example a long path
        yield f"{mark} {finding.what}"
        yield from (f"        {line}" for line in sentence_lines(finding.found, COLUMNS - 8))
    else:
        yield f"{mark} {finding.what:{width}}  {lines[0]}"
        yield from (f"{'':{width + 5}}  {line}" for line in lines[1:])
    if finding.fix and not finding.ok:
        first, *others = command_lines(finding.fix, COLUMNS - 8)
        yield f"     -> {first}"
        yield from (f"        {line}" for line in others)


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> None:
    """Check the installation, and print a fix for each problem.

    The exit code is 1 if something that the default run needs is missing.

    \b
    Example:  vbench doctor
    """
    findings = [finding for check in CHECKS for finding in _findings(check)]
    if as_json:
        click.echo(json.dumps([asdict(f) for f in findings], indent=2))
    else:
        width = max(len(f.what) for f in findings)
        for f in findings:
            click.echo("\n".join(_lines(f, width)))
    if any(f.needed and not f.ok for f in findings):
        raise SystemExit(1)
