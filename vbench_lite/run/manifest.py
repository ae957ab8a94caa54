"""run.json: what was asked, of what, on what. Written once; another plan in the same folder is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vbench_lite import __version__
from vbench_lite.errors import PlanConflict
from vbench_lite.inputs import catalogue
from vbench_lite.measuring.devices import Device
from vbench_lite.records import FORMAT, Definition
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.plan import Plan
from vbench_lite.tomlfile import digest

HASHED_BYTES = 2 * 2**30
"""A model folder without stated digests is read and hashed up to this size; beyond it, names and sizes count."""

_FREE = ("price", "about", "source", "licence", "folder", "route")
"""Of a definition: what changes no clip. Another price or note is no other plan."""


def build_manifest(
    plan: Plan, device: Device, prices: Mapping[str, Mapping[str, Any]], name: str, now: datetime | None = None
) -> dict[str, Any]:
    """The manifest of a new run."""
    suite = plan.suite
    return {
        "format": FORMAT,
        "name": name,
        "created": (now or datetime.now(UTC)).isoformat(timespec="seconds"),
        "suite": {
            "name": suite.name, "title": suite.title, "digest": suite.digest, "licence": suite.licence,
            "reference": suite.reference, "source": suite.source,
            "usable": {metric: dataclasses.asdict(limit) for metric, limit in suite.usable.items()},
            "prompts": [dataclasses.asdict(p) | {"tags": list(p.tags)} for p in suite.prompts],
        },
        "plan": {
            "prompts": [p.id for p in plan.prompts], "clips_per_prompt": plan.clips_per_prompt, "seed": plan.seed,
            "backbones": plan.backbones,
        },
        "generators": {d.name: definition_json(d) for d in plan.definitions},
        "device": device.as_json(),
        "software": software(),
        "git": git_state(),
        "prices": {name: dict(price) for name, price in prices.items()},
    }


def definition_json(definition: Definition) -> dict[str, Any]:
    """A definition as plain values, with the digest of its weights and paths as short as they can be."""
    entry = dataclasses.asdict(definition)
    entry["folder"] = _short(definition.folder)
    if definition.model and Path(definition.model).is_absolute():
        entry["model"] = os.path.relpath(definition.model, definition.folder)
    entry["weights_digest"] = weights_digest(definition)
    plain: dict[str, Any] = _plain(entry)
    return plain


def _plain(value: Any) -> Any:
    """TOML knows dates and JSON does not."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def _short(folder: Path) -> str:
    for base in (Path.cwd(), Path(__file__).parents[2]):
        if folder.is_relative_to(base):
            return str(folder.relative_to(base))
    return str(folder)


def weights_digest(definition: Definition) -> str | None:
    """What tells two sets of weights apart; None where there are none on this machine (hub ids, services)."""
    if made_of := catalogue.parts(definition):
        return digest([weights_digest(part) for part in made_of])
    if definition.weights:
        return digest(dict(definition.weights))
    folder = Path(definition.model)
    if not definition.model or not folder.is_absolute() or not folder.exists():
        return None
    files = sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else [folder]
    small = sum(p.stat().st_size for p in files) <= HASHED_BYTES
    return digest({str(p.relative_to(folder)): _file_digest(p) if small else p.stat().st_size for p in files})


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def software() -> dict[str, str | None]:
    """Versions of what numbers depend on, read without importing any of it."""
    found: dict[str, str | None] = {"vbench_lite": __version__, "python": platform.python_version()}
    for name in ("torch", "diffusers", "transformers", "numpy", "av"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return found | {
        "threads": os.environ.get("OMP_NUM_THREADS") or str(cores),  # another number, other last bits on a CPU
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def git_state() -> dict[str, Any] | None:
    """The commit of the working folder and whether it is changed; None outside of git."""
    try:
        commit = _git("rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


def refuse_other_plan(folder: RunFolder, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Compares the plan that a folder holds with the one asked for.

    Prices, notes and backbones change no clip, so they are no conflict; nor is another machine of
    the same kind, whose times stand beside the clips they belong to.

    Raises:
        PlanConflict: Clips of the two plans would not belong together.
    """
    found = _differences(stored, wanted)
    if found:
        raise PlanConflict(
            f"{folder.path} holds a run of another plan: {'; '.join(found)}. Nothing was changed. "
            "Keep it and write elsewhere with --out DIR, or delete it and begin again with --fresh."
        )


def same_clips(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two definitions, as run.json holds them, make the same clips."""
    return not _changed(one, other)


def _changed(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [key for key in sorted(set(one) | set(other)) if key not in _FREE and one.get(key) != other.get(key)]


def _differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    found = []
    for key in ("name", "digest"):
        if stored["suite"][key] != wanted["suite"][key]:
            found.append(f'its suite is "{stored["suite"]["name"]}" with digest {stored["suite"]["digest"][:12]}')
            break
    for key, words in (("prompts", "{} prompts"), ("clips_per_prompt", "{} clips a prompt"), ("seed", "seed {}")):
        old, new = stored["plan"][key], wanted["plan"][key]
        if old != new:
            old, new = (len(old), len(new)) if key == "prompts" else (old, new)
            found.append(f"it has {words.format(old)}, asked for now: {new if old != new else 'others'}")
    old_names, new_names = sorted(stored["generators"]), sorted(wanted["generators"])
    if old_names != new_names:
        found.append(f"its generators are {', '.join(old_names)}, asked for now: {', '.join(new_names)}")
    for name in sorted(set(old_names) & set(new_names)):
        if keys := _changed(stored["generators"][name], wanted["generators"][name]):
            found.append(f'the generator "{name}" was defined otherwise ({", ".join(keys)})')
    if stored["device"]["kind"] != wanted["device"]["kind"]:
        found.append(f'it was made on "{stored["device"]["kind"]}", asked for now: "{wanted["device"]["kind"]}"')
    return found
