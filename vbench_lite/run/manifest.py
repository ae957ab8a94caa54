"""run.json as a record: what was asked for, from which generators, on what. Another plan in the folder is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vbench_lite import __version__
from vbench_lite.errors import PlanConflict
from vbench_lite.inputs import catalogue
from vbench_lite.measuring.devices import Device
from vbench_lite.records import FORMAT, ClipKey, ClipSpec, Definition, DeviceFacts, Price, Prompt, Suite
from vbench_lite.run.plan import Plan
from vbench_lite.tomlfile import digest

HASHED_BYTES = 2 * 2**30
"""A model folder without stated digests is read and hashed up to this size; beyond it, names and sizes count."""

_FREE = ("price", "about", "source", "licence", "folder", "route")
"""Keys of a definition that change no clip. Another price or note is no other plan."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@=,+-]{0,149}")
"""A generator's name and a prompt's id are names of folders."""


@dataclass(frozen=True)
class PlanRecord:
    """Which clips the run asks of every generator."""

    prompts: tuple[str, ...]
    """Prompt ids, in the suite's order."""
    clips_per_prompt: int
    seed: int = 0
    backbones: str = "builtin"
    clips_of: Mapping[str, int] = field(default_factory=dict)
    """Prompt id > number of clips, where it differs from `clips_per_prompt`."""

    def clips(self, prompt_id: str) -> int:
        """How many clips of a prompt the run asks for."""
        return self.clips_of.get(prompt_id, self.clips_per_prompt)


@dataclass(frozen=True)
class StoredDefinition:
    """A generator's definition as run.json holds it: without paths of the machine."""

    name: str
    route: str
    adapter: str
    model: str = ""
    revision: str = ""
    source: str = ""
    licence: str = ""
    clip: ClipSpec | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    price: Price | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    weights_digest: str | None = None
    """What tells two sets of weights apart; None where no weights lie on the machine (hub ids, services)."""

    @property
    def asked_form(self) -> ClipSpec | None:
        """The form of clip that was asked for. None for clips made elsewhere, unless `conform` is set."""
        return self.clip if self.settings.get("conform", self.adapter != "recorded") else None

    @property
    def sweep(self) -> Mapping[str, Any]:
        """Of a variant that `--sweep` made: "of", and each swept setting with its value; else empty."""
        found = self.about.get("sweep")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Typed:
    """What the user typed, so that a printed command can be executed. Empty where the run was not made by one."""

    suite: str = ""
    generators: Mapping[str, str] = field(default_factory=dict)
    """Generator's name > the argument of -g."""
    prices: str = ""


@dataclass(frozen=True)
class GitState:
    commit: str
    dirty: bool = False


@dataclass(frozen=True)
class Manifest:
    """run.json."""

    format: int
    name: str
    suite: Suite
    plan: PlanRecord
    generators: Mapping[str, StoredDefinition]
    created: str = ""
    """ISO 8601, UTC."""
    device: DeviceFacts = field(default_factory=DeviceFacts)
    software: Mapping[str, str | None] = field(default_factory=dict)
    git: GitState | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)
    """Generator > the price that the run was started with; each clip record holds its own."""
    typed: Typed = field(default_factory=Typed)

    def __post_init__(self) -> None:
        for kind, names in (("generator", self.generators), ("prompt", (p.id for p in self.suite.prompts))):
            for name in names:
                if not NAME.fullmatch(name):
                    raise ValueError(f"the {kind} name {name!r} cannot be the name of a folder")
        known = {prompt.id for prompt in self.suite.prompts}
        if absent := [id_ for id_ in self.plan.prompts if id_ not in known]:
            raise ValueError(f"the plan asks for the prompt {absent[0]!r}, which the suite does not hold")

    @property
    def prompts(self) -> list[Prompt]:
        """The prompts that were asked for, in the suite's order."""
        wanted = set(self.plan.prompts)
        return [prompt for prompt in self.suite.prompts if prompt.id in wanted]

    def keys(self, generator: str) -> Iterator[ClipKey]:
        """Every clip that was asked of a generator: by prompt, by index."""
        for prompt_id in self.plan.prompts:
            for index in range(self.plan.clips(prompt_id)):
                yield ClipKey(generator, prompt_id, index)


def build_manifest(
    plan: Plan, device: Device, prices: Mapping[str, Price], name: str, *,
    typed: Typed = Typed(), now: datetime | None = None,
) -> Manifest:  # fmt: skip
    """The manifest of a new run."""
    return Manifest(
        format=FORMAT, name=name, created=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
        suite=dataclasses.replace(plan.suite, reference=short_path(plan.suite.reference)),
        plan=PlanRecord(
            tuple(p.id for p in plan.prompts), plan.clips_per_prompt, plan.seed, plan.backbones, plan.clips_of
        ),
        generators={d.name: store_definition(d) for d in plan.definitions},
        device=device.facts, software=software(), git=git_state(), prices=dict(prices), typed=typed,
    )


def store_definition(definition: Definition) -> StoredDefinition:
    """A definition as plain values, with the digest of its weights and paths as short as they can be."""
    model = definition.model
    if model and Path(model).is_absolute():
        model = os.path.relpath(model, definition.folder)
    known = {f.name: getattr(definition, f.name) for f in dataclasses.fields(StoredDefinition) if f.name in _OWN}
    return StoredDefinition(
        **{key: _plain(value) if key in ("settings", "about") else value for key, value in known.items()},
        model=model, folder=short_path(str(definition.folder)), weights_digest=weights_digest(definition),
    )


_OWN = tuple(f.name for f in dataclasses.fields(Definition) if f.name not in ("model", "folder"))


def _plain(value: Any) -> Any:
    """TOML knows dates and JSON does not."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def short_path(path: str) -> str:
    """A path relative to the working folder or to the package; another absolute path is cut to its last part."""
    folder = Path(path)
    if not folder.is_absolute():
        return path
    for base in (Path.cwd(), Path(__file__).parents[2]):
        if folder.is_relative_to(base):
            return str(folder.relative_to(base))
    return folder.name


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


def git_state() -> GitState | None:
    """The commit of the working folder and whether it is changed; None outside of git."""
    try:
        return GitState(_git("rev-parse", "HEAD"), bool(_git("status", "--porcelain", "--untracked-files=no")))
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


def refuse_other_plan(path: Path, stored: Manifest, wanted: Manifest) -> None:
    """Compares the plan that a folder holds with the one asked for.

    Prices, notes and backbones change no clip, so they are no conflict; nor is another machine of
    the same kind, whose times stand beside the clips they belong to.

    Raises:
        PlanConflict: Clips of the two plans would not belong together.
    """
    found = _differences(stored, wanted)
    if found:
        raise PlanConflict(
            f"{path} holds a run of another plan: {'; '.join(found)}. Nothing was changed. "
            "Keep it and write elsewhere with --out DIR, or delete it and begin again with --fresh."
        )


def same_clips(one: StoredDefinition, other: StoredDefinition) -> bool:
    """Whether two definitions make the same clips."""
    return not _changed(one, other)


def _changed(one: StoredDefinition, other: StoredDefinition) -> list[str]:
    names = (f.name for f in dataclasses.fields(StoredDefinition) if f.name not in _FREE)
    return [name for name in names if getattr(one, name) != getattr(other, name)]


def _differences(stored: Manifest, wanted: Manifest) -> list[str]:
    found = []
    if (stored.suite.name, stored.suite.digest) != (wanted.suite.name, wanted.suite.digest):
        found.append(f'its suite is "{stored.suite.name}" with digest {stored.suite.digest[:12]}')
    old, new = stored.plan, wanted.plan
    if old.prompts != new.prompts:
        found.append(f"it has {len(old.prompts)} prompts, asked for now: {_other(len(old.prompts), len(new.prompts))}")
    if (old.clips_per_prompt, old.clips_of) != (new.clips_per_prompt, new.clips_of):
        now = _other(old.clips_per_prompt, new.clips_per_prompt)
        found.append(f"it has {old.clips_per_prompt} clips a prompt, asked for now: {now}")
    if old.seed != new.seed:
        found.append(f"it has seed {old.seed}, asked for now: {new.seed}")
    names = [sorted(each.generators) for each in (stored, wanted)]
    if names[0] != names[1]:
        found.append(f"its generators are {_list(names[0])}, asked for now: {_list(names[1])}")
    for name in sorted(set(names[0]) & set(names[1])):
        if keys := _changed(stored.generators[name], wanted.generators[name]):
            found.append(f'the definition of the generator "{name}" differs ({", ".join(keys)})')
    if stored.device.kind != wanted.device.kind:
        found.append(f'it was made on "{stored.device.kind}", asked for now: "{wanted.device.kind}"')
    return found


def _other(old: int, new: int) -> str:
    return "others" if old == new else str(new)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)
