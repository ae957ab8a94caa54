"""Run cards: the facts that are needed to reproduce the numbers of a run, and the differences of two cards."""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vbench_lite.analysis.commands import finish_command, score_command
from vbench_lite.escaping import vbench_command
from vbench_lite.measuring.rates import describe
from vbench_lite.records import ClipRecord, Prompt
from vbench_lite.run.manifest import StoredDefinition
from vbench_lite.run.plan import clip_seed
from vbench_lite.run.summary import Floor
from vbench_lite.run.view import Run, Side
from vbench_lite.tomlfile import digest

CARD_FORMAT = 1
SEED_RULE = "the first 31 bits of the sha256 of run seed, prompt id and index, one per line"
STEPS = ("num_inference_steps", "steps", "sampling_steps")
GUIDANCE = ("guidance_scale", "guidance", "cfg_scale", "cfg")


@dataclass(frozen=True)
class PromptCard:
    """The digests of one prompt."""

    id: str
    text_sha256: str
    sent_sha256: str
    """Digest of the text that generators got."""
    image_sha256: str = ""


@dataclass(frozen=True)
class SuiteCard:
    """The suite and the plan."""

    name: str
    digest: str
    source: str
    prompts: int
    clips_per_prompt: int
    text_digest: str
    """Digest of all texts that metrics use."""
    sent_digest: str
    """Digest of all texts that generators got."""
    expanded: int
    """Number of prompts with a separate text for generators."""
    images: int
    seed: int
    seed_rule: str
    seeds_digest: str
    """Digest of the seeds of all clips."""


@dataclass(frozen=True)
class GeneratorCard:
    """How the clips of one generator were generated. None means "not stated"."""

    route: str
    adapter: str
    model: str
    revision: str
    weights_digest: str | None
    code_digest: str | None
    frames: int | None
    fps: float | None
    height: int | None
    width: int | None
    steps: float | None
    """The number in the settings, else the mean of the counted denoising steps."""
    guidance: float | None
    settings: Mapping[str, Any]
    licence: str
    price: str
    devices: tuple[str, ...]
    clips: int
    failed: int
    missing: int


@dataclass(frozen=True)
class ScorerCard:
    """The facts that define the values of a metric."""

    version: str
    origin: str
    backbone: str | None
    unit: str
    higher_is_better: bool | None
    source: str


@dataclass(frozen=True)
class RunCard:
    """The facts that are needed to reproduce the numbers of a run."""

    format: int
    name: str
    created: str
    suite: SuiteCard
    generators: Mapping[str, GeneratorCard]
    scorers: Mapping[str, ScorerCard]
    backbones: str | None
    protocol: str | None
    reference: Mapping[str, str]
    """Generator > description of the real clips."""
    thresholds: Mapping[str, str]
    hardware: str
    software: Mapping[str, str | None]
    commit: str
    commands: tuple[str, ...]
    prompts: tuple[PromptCard, ...] = field(default=())


def run_card(run: Run, *, with_records: bool = True) -> RunCard:
    """The card of a scored run, or of one generator of it.

    Args:
        run: The run.
        with_records: Whether to read the record of each clip, for devices and counted steps.

    Raises:
        StoreError: The run is not scored, or a file of it is not valid.
    """
    manifest, summary = run.manifest, run.summary
    git = manifest.git
    return RunCard(
        CARD_FORMAT, run.name, manifest.created, _suite(run),
        {name: _generator(Side(run, name), run.records(name) if with_records else []) for name in run.generators},
        {
            name: ScorerCard(m.version, m.origin, m.backbone, m.unit, m.higher_is_better, m.source)
            for name, m in summary.metrics.items()
        },
        summary.notes.backbones, summary.notes.protocol, summary.notes.reference,
        {name: _threshold(floor) for name, floor in summary.usable.thresholds.items()},
        str(manifest.device), manifest.software,
        f"{git.commit}{' with changes' if git.dirty else ''}" if git else "",
        (*_commands(run),), tuple(map(_prompt, manifest.prompts)),
    )  # fmt: skip


def _commands(run: Run) -> Iterator[str]:
    yield finish_command(run)
    tables = dict.fromkeys(m.source.rpartition("@")[0] for m in run.metrics.values() if m.origin == "imported")
    yield " ".join([score_command(run), *(f"--import {shlex.quote(table)}" for table in tables)])
    yield vbench_command("report", run.label, "--format", "run-card")


def _threshold(floor: Floor) -> str:
    sides = ((name, value) for name, value in (("min", floor.min), ("max", floor.max)) if value is not None)
    return f"{' and '.join(f'{name} {value:.6g}' for name, value in sides)} ({floor.source})"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _prompt(prompt: Prompt) -> PromptCard:
    image = prompt.image.sha256 if prompt.image else ""
    return PromptCard(prompt.id, _sha256(prompt.text), _sha256(prompt.sent), image)


def _suite(run: Run) -> SuiteCard:
    suite, plan, prompts = run.manifest.suite, run.manifest.plan, run.manifest.prompts
    seeds = [clip_seed(plan.seed, p.id, index) for p in prompts for index in range(plan.clips(p.id))]
    return SuiteCard(
        suite.name, suite.digest, suite.source, len(prompts), plan.clips_per_prompt,
        digest([[p.id, p.text] for p in prompts]), digest([[p.id, p.sent] for p in prompts]),
        sum(bool(p.generator_text) for p in prompts), sum(p.image is not None for p in prompts),
        plan.seed, SEED_RULE, digest(seeds),
    )


def _generator(side: Side, records: Sequence[ClipRecord]) -> GeneratorCard:
    definition, figures = side.definition, side.figures
    clip = definition.clip
    frames, fps, height, width = (clip.frames, clip.fps, clip.height, clip.width) if clip else (None,) * 4
    counted = [r.measurement.counts["denoising_steps"] for r in records if "denoising_steps" in r.measurement.counts]
    steps = _setting(definition, STEPS)
    devices = dict.fromkeys(str(r.device) for r in records if r.device)
    price = side.run.manifest.prices.get(side.generator)
    return GeneratorCard(
        definition.route, definition.adapter, definition.model, definition.revision, definition.weights_digest,
        definition.code_digest, frames, fps, height, width,
        float(np.mean(counted)) if steps is None and counted else steps, _setting(definition, GUIDANCE),
        definition.settings, definition.licence, (describe(price) or price.reason) if price else "",
        tuple(devices), figures.clips, figures.failed, figures.missing,
    )


def _setting(definition: StoredDefinition, names: Sequence[str]) -> float | None:
    """The first of these settings with a number as value."""
    values = (definition.settings.get(name) for name in names)
    return next((float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)), None)


@dataclass(frozen=True)
class CardDifference:
    """One entry that differs between two cards."""

    entry: str
    baseline: str
    candidate: str

    def __str__(self) -> str:
        return f"{self.entry}: {self.baseline} in the baseline, {self.candidate} in the candidate"


OF_A_RUN = ("name", "created", "commands", "prompts", "generators", "reference", "format")
"""Entries that always differ between runs, or that are compared per generator."""
SHORT = 12
"""Number of characters of a digest that are shown."""


def card_differences(baseline: Side, candidate: Side) -> list[CardDifference]:
    """The entries that differ between the cards of two generators and of their runs.

    Raises:
        StoreError: A run is not scored.
    """
    cards = [run_card(side.run.selecting(side.generator), with_records=False)
             for side in (baseline, candidate)]  # fmt: skip
    flat = [
        dict(_flat({k: v for k, v in dataclasses.asdict(card).items() if k not in OF_A_RUN}))
        | dict(_flat({"generator": dataclasses.asdict(card.generators[side.generator])}))
        | {"reference": card.reference.get(side.generator)}
        for card, side in zip(cards, (baseline, candidate), strict=True)
    ]
    names = dict.fromkeys((*flat[0], *flat[1]))
    return [
        CardDifference(name, old, new)
        for name in names
        if (old := _shown(flat[0].get(name))) != (new := _shown(flat[1].get(name)))
    ]  # fmt: skip


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Nested tables as "a.b" > value."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _shown(value: Any) -> str:
    text = "none" if value in (None, "", (), [], {}) else str(value)
    return text[:SHORT] if len(text) == 64 and text.isalnum() else text if len(text) <= 200 else f"{text[:200]}..."
