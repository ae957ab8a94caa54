"""The record of run.json: the plan, the generators and the machine of a run."""

from __future__ import annotations

import dataclasses
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vbench_lite import __version__
from vbench_lite.measuring.devices import Device
from vbench_lite.records import FORMAT, ClipKey, ClipSpec, Definition, DeviceFacts, Price, Prompt, Suite, Threshold
from vbench_lite.run.identity import code_digest, weights_digest
from vbench_lite.run.images import as_stored
from vbench_lite.run.plan import Plan
from vbench_lite.run.shareable import relative_path, shareable, short_path

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@=,+-]{0,149}")
"""Names of generators and ids of prompts are names of folders."""


@dataclass(frozen=True)
class PlanRecord:
    """The clips that the run requests from every generator."""

    prompts: tuple[str, ...]
    """Prompt ids, in the order of the suite."""
    clips_per_prompt: int
    seed: int = 0
    backbones: str = "builtin"
    metrics: str | None = None
    """As `--metrics`; None for the built-in metrics and the user's own."""
    thresholds: Mapping[str, Threshold] | None = None
    """The thresholds of a usable clip from `--thresholds`; None takes those of the suite."""
    reference: str | None = None
    """The real clips from `--reference`: a folder, "world", or "" for none; None takes those of the suite."""
    clips_of: Mapping[str, int] = field(default_factory=dict)
    """Prompt id > number of clips, if it differs from `clips_per_prompt`."""

    def clips(self, prompt_id: str) -> int:
        """Number of requested clips of a prompt."""
        return self.clips_of.get(prompt_id, self.clips_per_prompt)


@dataclass(frozen=True)
class StoredDefinition:
    """A generator's definition as stored in run.json: without absolute paths."""

    name: str
    route: str
    adapter: str
    model: str = ""
    revision: str = ""
    source: str = ""
    licence: str = ""
    clip: ClipSpec | None = None
    inputs: tuple[tuple[str, ...], ...] = (("text",),)
    settings: Mapping[str, Any] = field(default_factory=dict)
    price: Price | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    weights_digest: str | None = None
    """Digest of the weights; None if no weights are on the machine (hub ids, services)."""
    code_digest: str | None = None
    """Digest of the user's code; None for the adapters of this package."""

    @property
    def asked_form(self) -> ClipSpec | None:
        """The requested form of clip. None for clips made elsewhere, unless `conform` is set."""
        return self.clip if self.settings.get("conform", self.adapter != "recorded") else None

    @property
    def sweep(self) -> Mapping[str, Any]:
        """For a variant of `--sweep`: "of", and each swept setting with its value; else empty."""
        found = self.about.get("sweep")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Typed:
    """The options that the user typed, for printed commands. Empty if no command made the run."""

    suite: str = ""
    generators: Mapping[str, str] = field(default_factory=dict)
    """Generator's name > the argument of -g."""
    prices: str = ""
    thresholds: str = ""


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
    """Generator > its price at the start of the run; each clip record has its own price."""
    typed: Typed = field(default_factory=Typed)

    def __post_init__(self) -> None:
        for kind, names in (("generator", self.generators), ("prompt", (p.id for p in self.suite.prompts))):
            for name in names:
                if not NAME.fullmatch(name):
                    raise ValueError(f"the {kind} name {name!r} cannot be the name of a folder")
        for prompt in self.suite.prompts:
            if prompt.image and not re.fullmatch(r"[0-9a-f]{64}", prompt.image.sha256):
                raise ValueError(f"the image of the prompt {prompt.id!r} has no sha256 in hexadecimal digits")
        known = {prompt.id for prompt in self.suite.prompts}
        if absent := [id_ for id_ in self.plan.prompts if id_ not in known]:
            raise ValueError(f"the plan has the prompt {absent[0]!r}, which is not in the suite")

    @property
    def prompts(self) -> list[Prompt]:
        """The requested prompts, in the order of the suite."""
        wanted = set(self.plan.prompts)
        return [prompt for prompt in self.suite.prompts if prompt.id in wanted]

    @property
    def thresholds(self) -> Mapping[str, Threshold]:
        """Metric > threshold of a usable clip, from `--thresholds`, else from the suite."""
        return self.suite.usable if self.plan.thresholds is None else self.plan.thresholds

    @property
    def reference(self) -> str:
        """The real clips: "world", a folder, or "" for none."""
        return self.suite.reference if self.plan.reference is None else self.plan.reference

    def keys(self, generator: str) -> Iterator[ClipKey]:
        """Every requested clip of a generator, by prompt and index."""
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
        suite=dataclasses.replace(
            plan.suite, reference=relative_path(plan.suite.reference), prompts=tuple(map(as_stored, plan.suite.prompts))
        ),
        plan=PlanRecord(
            tuple(p.id for p in plan.prompts), plan.clips_per_prompt, plan.seed, plan.backbones, clips_of=plan.clips_of
        ),
        generators={d.name: store_definition(d) for d in plan.definitions},
        device=device.facts, software=software(), git=git_state(), prices=dict(prices), typed=typed,
    )


def store_definition(definition: Definition) -> StoredDefinition:
    """A definition as plain values, with the digest of its weights and shortened paths."""
    model = definition.model
    if model and Path(model).is_relative_to(definition.folder):
        model = str(Path(model).relative_to(definition.folder))
    known = {f.name: getattr(definition, f.name) for f in dataclasses.fields(StoredDefinition) if f.name in _OWN}
    return StoredDefinition(
        **{key: shareable(value) if key in _FREE_TEXT else value for key, value in known.items()},
        model=short_path(model), folder=short_path(str(definition.folder)),
        weights_digest=weights_digest(definition), code_digest=code_digest(definition),
    )


_FREE_TEXT = ("settings", "about", "source", "licence")
_OWN = tuple(f.name for f in dataclasses.fields(Definition) if f.name not in ("model", "folder"))
def software() -> dict[str, str | None]:
    """Versions of the software that affects the numbers, read without importing it."""
    found: dict[str, str | None] = {"vbench_lite": __version__, "python": platform.python_version()}
    for name in ("torch", "diffusers", "transformers", "numpy", "av"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return found | {
        "threads": os.environ.get("OMP_NUM_THREADS") or str(cores),  # affects the last bits on a CPU
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def git_state() -> GitState | None:
    """The commit of the working folder, and whether it has changes; None outside a git repository."""
    try:
        return GitState(_git("rev-parse", "HEAD"), bool(_git("status", "--porcelain", "--untracked-files=no")))
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()
