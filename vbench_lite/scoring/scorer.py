"""Scores of a run: every stored clip observed once, every metric read from the observations.

What is asked for and is not there, failed or cannot be read gets a score of None with the reason,
and stays in every denominator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbench_lite import backbones as networks
from vbench_lite.backbones import Backbones
from vbench_lite.errors import StoreError
from vbench_lite.features.extract import Observation, Unreadable, observe_all
from vbench_lite.metrics import METRICS, Metric
from vbench_lite.metrics.base import ClipContext
from vbench_lite.progress import progress
from vbench_lite.records import ClipKey, ClipRecord, ClipSpec, Prompt, Score, Scored
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import Manifest
from vbench_lite.run.plan import asks_for_stillness
from vbench_lite.scoring import anchors
from vbench_lite.scoring.reference import Reference, clip_files, folder_reference, world_reference
from vbench_lite.scoring.sets import SetScores, score_sets


@dataclass(frozen=True)
class Asked:
    """What a run was asked for: the part of its manifest that scoring reads."""

    prompts: Sequence[Prompt]
    clips_per_prompt: int
    specs: Mapping[str, ClipSpec | None]
    """generator > form of clip; None where nothing was asked for."""
    reference: str
    """"world", a folder, or ""."""

    @cached_property
    def keys(self) -> list[ClipKey]:
        """Every clip that was asked for."""
        return [
            ClipKey(generator, prompt.id, index)
            for generator in self.specs for prompt in self.prompts for index in range(self.clips_per_prompt)
        ]

    @cached_property
    def by_id(self) -> dict[str, Prompt]:
        return {prompt.id: prompt for prompt in self.prompts}


def asked_of(manifest: Manifest) -> Asked:
    """What run.json asks for."""
    specs = {name: definition.asked_form for name, definition in manifest.generators.items()}
    return Asked(manifest.prompts, manifest.plan.clips_per_prompt, specs, manifest.suite.reference)


def score_run(
    folder: RunFolder, backbones: str = "builtin", *, workers: int | None = None, device: str | None = None
) -> Scored:
    """Scores every clip that a run was asked for.

    Args:
        folder: The run; its clips are read, nothing is written.
        backbones: "builtin", "standard", or a TOML that names others.
        workers: Clips that are observed side by side; one a core where not given. No number depends on it.
        device: Where the networks run; the first CUDA device or the CPU where not given.

    Raises:
        StoreError: There is no such run, or it was promoted to a baseline, which keeps no clips.
        WeightsError: Weights of the backbones are missing or altered.
    """
    asked = asked_of(folder.manifest())
    if folder.table_path.exists() and not folder.keeps_clips():
        raise StoreError(
            f"{folder.path} keeps scores but no clips, as a baseline does, so there is nothing to score again. "
            "Score the run that it came from, then: "
            f"vbench baseline promote RUN --to {folder.path} --reason ... --by ..."
        )
    nets = networks.load(backbones, device or default_device())
    records = {record.key: record for record in folder.records()}
    return Scorer(asked, nets, workers).score(folder, records)


def default_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


class Scorer:
    """One scoring: the networks, what was asked, and the real clips to hold it against."""

    def __init__(self, asked: Asked, nets: Backbones, workers: int | None = None) -> None:
        self.asked, self.nets, self.workers = asked, nets, workers
        self.per_clip = {m.name: m.load()() for m in METRICS if m.per == "clip"}
        self.texts, self.text_problems = self._read_prompts()

    def score(self, folder: RunFolder, records: Mapping[ClipKey, ClipRecord]) -> Scored:
        clips = self._observe(folder, records)
        references = self._references(clips)
        sets = {name: self._score_sets(name, clips, references[name]) for name in self.asked.specs}
        return Scored(
            metrics={m.name: m.info(self._backbone(m)) for m in METRICS},
            clips={key: self._score_clip(key, clips[key], references[key.generator]) for key in self.asked.keys},
            sets={name: found.estimates for name, found in sets.items()},
            reference=self._reference_scores(references),
            features={name: found.features.content() for name, found in sets.items() if found.features},
            notes=self._notes(references),
        )

    def _backbone(self, metric: Metric) -> str | None:
        net = getattr(self.nets, metric.backbone) if metric.backbone else None
        return net.name if net else None

    def _read_prompts(self) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
        """Each prompt's vector, or why it has none."""
        net = self.nets.image
        if net is None:
            return {}, {}
        problems = {p.id: why for p in self.asked.prompts if (why := net.cannot_read(p.text))}
        readable = [p for p in self.asked.prompts if p.id not in problems]
        vectors = net.embed_texts([p.text for p in readable]) if readable else np.zeros((0, 0))
        return {p.id: vector for p, vector in zip(readable, vectors, strict=True)}, problems

    def _observe(
        self, folder: RunFolder, records: Mapping[ClipKey, ClipRecord]
    ) -> dict[ClipKey, Observation | Unreadable]:
        """Every requested clip, or why it cannot be seen."""
        paths: dict[ClipKey, Path] = {}
        found: dict[ClipKey, Observation | Unreadable] = {}
        for key in self.asked.keys:
            record = records.get(key)
            path = folder.clip_path(record) if record and record.status == "ok" else None
            if path:
                paths[key] = path
            else:
                found[key] = Unreadable(f"not made: {record.reason or 'no reason given'}" if record else "missing")
        with progress("scoring clips", len(paths)) as tick:
            seen = observe_all([*paths.values()], self.nets, workers=self.workers, tick=tick)
        return found | dict(zip(paths, seen, strict=True))

    def _references(self, clips: Mapping[ClipKey, Observation | Unreadable]) -> dict[str, Reference]:
        """The real clips for each generator; generators of one form of clip share them."""
        forms = {name: spec or common_form(name, clips) for name, spec in self.asked.specs.items()}
        made = {form: self._reference(form) for form in dict.fromkeys(forms.values())}
        return {name: made[form] for name, form in forms.items()}

    def _reference(self, spec: ClipSpec) -> Reference:
        source, prompts, each = self.asked.reference, self.asked.prompts, self.asked.clips_per_prompt
        if source == "world":
            with progress("scoring real clips", len(prompts) * max(4, each)) as tick:
                return world_reference(prompts, spec, each, self.nets, workers=self.workers, tick=tick)
        if not source:
            return Reference()
        if not Path(source).is_dir():
            return Reference(problems={"": f"the suite's reference folder {source} is not there"})
        count = min(len(prompts) * each, len(clip_files(Path(source))))
        with progress("scoring real clips", count) as tick:
            return folder_reference(Path(source), count, self.nets, workers=self.workers, tick=tick)

    def _case(self, clip: Observation, prompt: Prompt, spec: ClipSpec | None, reference: Reference) -> ClipContext:
        energy, energy_problem = reference.real_energy(prompt.id, clip.height, clip.width)
        no_image = self.nets.missing.get("image", "this set of backbones has no image-and-text network")
        return ClipContext(
            clip, self.texts.get(prompt.id), self.text_problems.get(prompt.id, no_image), no_image, spec,
            asks_for_stillness(prompt), energy, energy_problem,
        )

    def _score_clip(self, key: ClipKey, clip: Observation | Unreadable, reference: Reference) -> dict[str, Score]:
        if isinstance(clip, Unreadable):
            return unreadable_scores(clip.reason)
        case = self._case(clip, self.asked.by_id[key.prompt_id], self.asked.specs[key.generator], reference)
        return {name: metric.score(case) for name, metric in self.per_clip.items()}

    def _reference_scores(self, references: Mapping[str, Reference]) -> dict[str, tuple[float, ...]]:
        """Per-clip values of all real clips, which say what a usable clip needs."""
        values: dict[str, list[float]] = {name: [] for name in self.per_clip}
        for reference in {id(r): r for r in references.values()}.values():
            for clip, prompt_id in zip(reference.clips, reference.prompts, strict=True):
                prompt = self.asked.by_id.get(prompt_id, Prompt("", ""))
                case = self._case(clip, prompt, None, reference)
                for name, metric in self.per_clip.items():
                    score = metric.score(case)
                    if score.value is not None:
                        values[name].append(score.value)
        return {name: tuple(found) for name, found in values.items() if found}

    def _score_sets(
        self, generator: str, clips: Mapping[ClipKey, Observation | Unreadable], reference: Reference
    ) -> SetScores:
        keys = [key for key in self.asked.keys if key.generator == generator]
        return score_sets(keys, clips, reference, self._protocol() or "", self.nets.missing.get("video"))

    def _protocol(self) -> str | None:
        video = self.nets.video
        return f"{video.protocol}; unbiased covariance, float64" if video else None

    def _notes(self, references: Mapping[str, Reference]) -> dict[str, Any]:
        return {
            "backbones": self.nets.name,
            "protocol": self._protocol(),
            "anchors": anchors.drift(self.nets),
            "reference": {name: reference.description for name, reference in references.items()},
        }


def common_form(generator: str, clips: Mapping[ClipKey, Observation | Unreadable]) -> ClipSpec:
    """The form that most clips of a generator have, for clips that were asked for in no form."""
    forms = Counter(
        ClipSpec(clip.frames, clip.fps or ClipSpec().fps, clip.height, clip.width)
        for key, clip in clips.items() if key.generator == generator and isinstance(clip, Observation)
    )
    return forms.most_common(1)[0][0] if forms else ClipSpec()


def unreadable_scores(reason: str) -> dict[str, Score]:
    """A clip that nobody can see: nothing is known of it, but that it does not conform."""
    scores = {m.name: Score(None, reason) for m in METRICS if m.per == "clip"}
    return scores | {"conformance": Score(0.0, reason)}
