"""run.json as a record: what was asked for, from which generators, on what. Another plan in the folder is refused."""

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
from vbench_lite.errors import PlanConflict
from vbench_lite.measuring.devices import Device
from vbench_lite.records import FORMAT, ClipKey, ClipSpec, Definition, DeviceFacts, Price, Prompt, Suite, Threshold
from vbench_lite.run.identity import code_digest, weights_digest
from vbench_lite.run.images import as_stored
from vbench_lite.run.plan import Plan

_FREE = ("price", "about", "source", "licence", "folder", "route", "inputs")
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
    metrics: str | None = None
    """As `--metrics`; None for the built-in metrics and the user's own."""
    thresholds: Mapping[str, Threshold] | None = None
    """What a usable clip needs, as `--thresholds` gave it; None takes the suite's."""
    reference: str | None = None
    """The real clips that `--reference` named: a folder, "world", or "" for none; None takes the suite's."""
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
    inputs: tuple[tuple[str, ...], ...] = (("text",),)
    settings: Mapping[str, Any] = field(default_factory=dict)
    price: Price | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    weights_digest: str | None = None
    """What tells two sets of weights apart; None where no weights are on the machine (hub ids, services)."""
    code_digest: str | None = None
    """What tells two versions of the user's own code apart; None for the adapters of this package."""

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
    """Generator > the price that the run was started with; each clip record holds its own."""
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
            raise ValueError(f"the plan asks for the prompt {absent[0]!r}, which the suite does not hold")

    @property
    def prompts(self) -> list[Prompt]:
        """The prompts that were asked for, in the suite's order."""
        wanted = set(self.plan.prompts)
        return [prompt for prompt in self.suite.prompts if prompt.id in wanted]

    @property
    def thresholds(self) -> Mapping[str, Threshold]:
        """What a usable clip needs, by metric: as `--thresholds` gave it, else as the suite states it."""
        return self.suite.usable if self.plan.thresholds is None else self.plan.thresholds

    @property
    def reference(self) -> str:
        """The real clips: "world", a folder, or "" for none."""
        return self.suite.reference if self.plan.reference is None else self.plan.reference

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
    """A definition as plain values, with the digest of its weights and paths as short as they can be."""
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
SECRETS = ("env", "headers")
"""Tables whose values may be secrets: only their names are stored."""
_SECRET = r"(?:(?:[\w-]*[_-])?(?:secret|password|api[_-]?key|access[_-]?key)|(?:(?:hf|hub|auth|api|access)[_-])?token)"
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE)
_SECRET_OPTION = re.compile(rf"--?{_SECRET}", re.IGNORECASE)
_SECRET_VALUE = re.compile(rf"(--?{_SECRET}=|\w://(?=[^/\s]*@))[^\s@]+", re.IGNORECASE)
_PATH_INSIDE = re.compile(r"(?:(?<=file://)|(?<![\w./~}]))(?:~[\w.-]*)?/(?!/)[^\s,;:\"'{}]+")
"""An absolute path within a text; not the path of an URL."""


def shareable(value: Any, key: str = "") -> Any:
    """A setting as run.json may hold it: no secrets, no values of environment variables, no paths of this machine.

    Settings and options of a command count as secrets by their names: token, secret, password, api_key, access_key.

    >>> shareable({"env": {"HF_TOKEN": "hf_secret"}, "command": ["/opt/tools/make.py", "--data=/srv/data", "{out}"]})
    {'env': {'HF_TOKEN': '(set)'}, 'command': ['make.py', '--data=data', '{out}']}
    """
    if isinstance(value, Mapping):
        if key in SECRETS:
            return {str(name): "(set)" for name in value}
        return {str(name): shareable(item, str(name)) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        options = [isinstance(item, str) and bool(_SECRET_OPTION.fullmatch(item)) for item in ("", *value[:-1])]
        return ["(set)" if secret else shareable(item) for secret, item in zip(options, value, strict=True)]
    if isinstance(value, str):
        return _shareable_text(value, key)
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)  # TOML knows dates


def _shareable_text(text: str, key: str) -> str:
    if _SECRET_NAME.fullmatch(key):
        return "(set)"
    if text.startswith(("/", "~")):
        return short_path(text)
    return _PATH_INSIDE.sub(lambda found: short_path(found[0]), _SECRET_VALUE.sub(r"\1(set)", text))


def relative_path(reference: str) -> str:
    """A folder of real clips as seen from the working folder, so that scoring finds it."""
    return os.path.relpath(reference) if os.path.isabs(reference) else reference


def short_path(path: str) -> str:
    """A path relative to the working folder or to the package; another absolute path is cut to its last part."""
    folder = Path(os.path.expanduser(path))
    if not folder.is_absolute():
        return path
    for base in (Path.cwd(), Path(__file__).parents[2]):
        if folder.is_relative_to(base):
            return str(folder.relative_to(base))
    return folder.name


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

    More prompts and more clips of a prompt only extend the run. The text of a prompt counts as it is sent to
    generators: where a prompt has a generator_text, another text changes scores and no clip. Prices, notes, thresholds,
    categories, tags and backbones change no clip, so they are no conflict; nor is another machine of the same kind,
    whose times stand beside its clips.

    Raises:
        PlanConflict: Clips of the two plans would not belong together.
    """
    found = _differences(stored, wanted)
    if found:
        raise PlanConflict(
            f"{path} holds a run of another plan: {'; '.join(found)}. Nothing was changed. "
            "Keep it and write elsewhere with --out DIR, or delete it and begin again with --fresh."
        )


def extended(stored: Manifest, wanted: Manifest) -> Manifest:
    """The stored run with what was asked for now: every prompt and every clip of both plans.

    A prompt that the suite does not hold any more leaves the plan. Its clips stay in the folder.
    """
    asked = {*stored.plan.prompts, *wanted.plan.prompts}
    prompts = tuple(p.id for p in wanted.suite.prompts if p.id in asked)
    known = [plan for plan in (stored.plan, wanted.plan)]
    numbers = {id_: max(plan.clips(id_) for plan in known if id_ in plan.prompts) for id_ in prompts}
    most = max(numbers.values(), default=wanted.plan.clips_per_prompt)
    plan = dataclasses.replace(
        wanted.plan, prompts=prompts, clips_per_prompt=most, metrics=stored.plan.metrics,
        thresholds=stored.plan.thresholds, reference=stored.plan.reference,
        clips_of={id_: number for id_, number in numbers.items() if number != most},
    )
    typed = dataclasses.replace(wanted.typed, thresholds=stored.typed.thresholds)
    return dataclasses.replace(
        stored, suite=wanted.suite, plan=plan, prices={**stored.prices, **wanted.prices}, typed=typed,
    )


def same_clips(one: StoredDefinition, other: StoredDefinition) -> bool:
    """Whether two definitions make the same clips."""
    return not _changed(one, other)


def _changed(one: StoredDefinition, other: StoredDefinition) -> list[str]:
    names = (f.name for f in dataclasses.fields(StoredDefinition) if f.name not in _FREE)
    return [_NAMES.get(name, name) for name in names if getattr(one, name) != getattr(other, name)]


_NAMES = {"weights_digest": "weights", "code_digest": "code"}


def _differences(stored: Manifest, wanted: Manifest) -> list[str]:
    found = []
    if stored.suite.name != wanted.suite.name:
        found.append(f'its suite is "{stored.suite.name}", asked for now: "{wanted.suite.name}"')
    before = {prompt.id: prompt for prompt in stored.prompts}
    both = [(before[prompt.id], prompt) for prompt in wanted.prompts if prompt.id in before]
    for part, other in (
        ("text", [now.id for then, now in both if then.sent != now.sent]),
        ("image", [now.id for then, now in both if then.image != now.image]),
    ):
        if other:
            more = f" and {len(other) - 1} more" if len(other) > 1 else ""
            found.append(f'the {part} of the prompt "{other[0]}"{more} differs')
    if stored.plan.seed != wanted.plan.seed:
        found.append(f"it has seed {stored.plan.seed}, asked for now: {wanted.plan.seed}")
    names = [sorted(each.generators) for each in (stored, wanted)]
    if names[0] != names[1]:
        found.append(f"its generators are {', '.join(names[0])}, asked for now: {', '.join(names[1])}")
    for name in sorted(set(names[0]) & set(names[1])):
        if keys := _changed(stored.generators[name], wanted.generators[name]):
            found.append(f'the definition of the generator "{name}" differs ({", ".join(keys)})')
    if stored.device.kind != wanted.device.kind:
        found.append(f'it was made on "{stored.device.kind}", asked for now: "{wanted.device.kind}"')
    return found
