"""Scores of a run: every stored clip decoded once, every metric read from the features that this leaves.

A requested clip that is not there, failed or cannot be read gets a score of None with the reason,
and stays in every denominator.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbench_lite import backbones as networks
from vbench_lite.analysis.commands import renew_command
from vbench_lite.backbones import Backbones
from vbench_lite.backbones.cache import Store
from vbench_lite.errors import MetricError, StoreError
from vbench_lite.features.extract import Compute, extract_each
from vbench_lite.features.extractor import ClipFeatures, Extractor, NoFeatures
from vbench_lite.metrics.base import ClipContext, ClipMetric, Metric, SetMetric, score_clip
from vbench_lite.metrics.registry import networks_of, select
from vbench_lite.progress import progress
from vbench_lite.records import ClipKey, ClipRecord, ClipSpec, Prompt, ReasonCode, Score, Scored
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import Manifest
from vbench_lite.run.plan import asks_for_stillness
from vbench_lite.run.view import Run
from vbench_lite.scoring import anchors
from vbench_lite.scoring.judge_program import check_judges, judges_of
from vbench_lite.scoring.judging import judge_run
from vbench_lite.scoring.pictures import Pictures
from vbench_lite.scoring.pool import ScorerPool
from vbench_lite.scoring.reference import Reference, clip_files, folder_reference, world_reference
from vbench_lite.scoring.sets import SetScores, score_sets
from vbench_lite.userfile import is_folder

log = logging.getLogger("vbench_lite.scoring")


def score_run(
    folder: RunFolder, manifest: Manifest | None = None, *, workers: int | None = None, device: str | None = None,
    pool: ScorerPool | None = None,
) -> Scored:
    """Scores every requested clip of a run.

    Args:
        folder: The run; its clips are read, nothing is written.
        manifest: What it is scored with: networks, metrics and real clips. None takes the run's own.
        workers: Clips that are read side by side; one a core where not given. No number depends on it.
        device: Where the networks run; the first CUDA device or the CPU where not given.
        pool: Processes that compute features; None computes them in this one.

    Raises:
        StoreError: There is no such run, or it was promoted to a baseline, which keeps no clips.
        UnknownName: There is no such metric.
        MetricError: A user's metric is not valid, or returned no valid score.
        WeightsError: Weights of the backbones are missing. Altered ones leave their metrics without scores.
    """
    return _scorer(folder, manifest or folder.manifest(), workers, device, pool).score(folder)


def score_part(
    folder: RunFolder, manifest: Manifest, part: tuple[int, int], *, workers: int | None = None,
    device: str | None = None, pool: ScorerPool | None = None,
) -> int:
    """Computes the features of every n-th clip, and asks the judges, so that a later scoring only reads them.

    Args:
        folder: The run. The features are kept in its `cache/`, the answers of judges in its `judges/`.
        manifest: What it is scored with.
        part: (place, parts): every clip whose number leaves `place` when divided by `parts`.
        workers, device, pool: As for `score_run`.

    Returns:
        How many clips of the part there are.
    """
    return _scorer(folder, manifest, workers, device, pool).prepare(folder, part)


def _scorer(
    folder: RunFolder, manifest: Manifest, workers: int | None, device: str | None, pool: ScorerPool | None
) -> Scorer:
    backbones = manifest.plan.backbones
    chosen = select(manifest.plan.metrics, backbones, images=any(prompt.image for prompt in manifest.prompts))
    if folder.table_path.exists() and not folder.keeps_clips():
        raise StoreError(
            f"{folder.path} keeps scores but no clips, as a baseline does, so there is nothing to score again. "
            f"Make it again with: {renew_command(Run(folder))}"
        )
    check_judges(chosen)
    device = device or default_device()
    needed = networks_of(chosen) | anchors.networks_of(backbones)
    nets = networks.load(backbones, device, kinds=needed, partial=True)
    for kind, why in nets.missing.items():
        log.warning("metrics of the %s are not scored: %s", networks.KINDS[kind], why)
    return Scorer(manifest, nets, chosen, workers, device, pool)


def default_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


class Scorer:
    """One scoring: the metrics, the networks, what was requested, and the real clips to compare with."""

    def __init__(
        self, manifest: Manifest, nets: Backbones, metrics: Sequence[Metric], workers: int | None = None,
        device: str = "cpu", pool: ScorerPool | None = None,
    ) -> None:
        self.nets, self.metrics, self.device = nets, metrics, device
        self.compute: Compute | None = pool.compute if pool else None
        self.workers = pool.size if pool else workers
        self.reference, self.plan = manifest.reference, manifest.plan
        self.prompts = {prompt.id: prompt for prompt in manifest.prompts}
        self.forms = {name: definition.asked_form for name, definition in manifest.generators.items()}
        self.keys = {name: list(manifest.keys(name)) for name in manifest.generators}
        self.per_clip = [metric for metric in metrics if isinstance(metric, ClipMetric)]
        self.judges = judges_of(metrics)
        self.per_set = [metric for metric in metrics if isinstance(metric, SetMetric)]
        self.extractors = extractors_of(metrics)
        self.unavailable = {metric.name: why for metric in metrics if (why := metric.unavailable(nets))}
        """Metrics that these networks cannot give, and why."""
        self.pictures = Pictures(Path(), nets, (), wanted=False)
        self.texts, self.text_problems = self._read_prompts()
        self.truncated = {
            id_: why for id_ in self.texts if nets.image and (why := nets.image.truncates(self.prompts[id_].text))
        }
        """Prompts of which the text network reads only the beginning."""

    def score(self, folder: RunFolder) -> Scored:
        """Every requested clip. Of each clip only its scores and what set metrics need stay in memory."""
        self._open_pictures(folder)
        references = self._references({}) if all(self.forms.values()) else None
        scores: dict[ClipKey, dict[str, Score]] = {}

        def finish(key: ClipKey, clip: ClipFeatures | NoFeatures) -> ClipFeatures | NoFeatures:
            if references is None:  # the real clips have the form of most clips, so all are read first
                return clip
            scores[key] = self._score_clip(key, clip, references[key.generator])
            return self._for_sets(clip)

        clips = self._features(folder, chain.from_iterable(self.keys.values()), finish)
        if references is None:
            references = self._references(clips)
            scores = {key: self._score_clip(key, clip, references[key.generator]) for key, clip in clips.items()}
        sets = {name: self._score_sets(name, clips, references[name]) for name in self.forms}
        for key, judged in judge_run(self.judges, folder, clips, self.prompts, device=self.device).items():
            scores[key] |= judged
        return Scored(
            metrics={metric.name: metric.info(self._backbone(metric)) for metric in self.metrics},
            clips={key: scores[key] for key in clips}, sets={name: found.estimates for name, found in sets.items()},
            reference=self._reference_scores(references),
            features={name: found.features.content() for name, found in sets.items() if found.features},
            notes=self._notes(references),
        )

    def prepare(self, folder: RunFolder, part: tuple[int, int]) -> int:
        """Features and judges' answers of a part of the clips, kept in the run folder. Returns their number."""
        place, parts = part
        keys = [*chain.from_iterable(self.keys.values())][place::parts]
        clips = self._features(folder, keys, lambda _, clip: self._for_sets(clip), Store(folder.path / "cache", True))
        label = f"-{place + 1}of{parts}"
        judge_run(self.judges, folder, clips, self.prompts, device=self.device, part=label)
        return sum(isinstance(clip, ClipFeatures) for clip in clips.values())

    def _open_pictures(self, folder: RunFolder) -> None:
        prompts = list(self.prompts.values())
        self.pictures = Pictures(folder.path, self.nets, prompts, any(metric.for_images for metric in self.metrics))

    def _for_sets(self, clip: ClipFeatures | NoFeatures) -> ClipFeatures | NoFeatures:
        """A clip with the arrays that set metrics read, and no others."""
        if isinstance(clip, NoFeatures):
            return clip
        wanted = {extractor.name for extractor in extractors_of(self.per_set)}
        return dataclasses.replace(clip, arrays={n: arrays for n, arrays in clip.arrays.items() if n in wanted})

    def _backbone(self, metric: Metric) -> str | None:
        kind = metric.backbone()
        net = getattr(self.nets, kind) if kind else None
        return net.name if net else None

    def _read_prompts(self) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
        """Each prompt's vector, or why it has none."""
        net = self.nets.image
        if net is None or not any(metric.backbone() == "image" for metric in self.metrics):
            return {}, {}
        problems = {p.id: why for p in self.prompts.values() if (why := net.cannot_read(p.text))}
        readable = [p for p in self.prompts.values() if p.id not in problems]
        vectors = net.embed_texts([p.text for p in readable]) if readable else np.zeros((0, 0))
        return {p.id: vector for p, vector in zip(readable, vectors, strict=True)}, problems

    def _features(
        self, folder: RunFolder, keys: Iterable[ClipKey],
        finish: Callable[[ClipKey, ClipFeatures | NoFeatures], ClipFeatures | NoFeatures], store: Store | None = None,
    ) -> dict[ClipKey, ClipFeatures | NoFeatures]:
        """What `finish` leaves of each clip."""
        found: dict[ClipKey, ClipFeatures | NoFeatures] = {}
        paths: dict[ClipKey, Path] = {}
        for key in keys:
            source = _source(folder, key)
            found[key] = source if isinstance(source, NoFeatures) else NoFeatures("")
            if isinstance(source, NoFeatures):
                finish(key, source)
            else:
                paths[key] = source
        with progress("scoring clips", len(paths)) as tick:
            decoded = extract_each(
                [*paths.values()], self.extractors, self.nets, workers=self.workers, tick=tick, compute=self.compute,
                store=store or Store(folder.path / "cache"),
            )
            for key, clip in zip(paths, decoded, strict=True):
                found[key] = finish(key, clip)
        return found

    def _references(self, clips: Mapping[ClipKey, ClipFeatures | NoFeatures]) -> dict[str, Reference]:
        """The real clips for each generator; generators of one form of clip share them."""
        forms = {name: spec or common_form(name, clips) for name, spec in self.forms.items()}
        made = {form: self._reference(form) for form in dict.fromkeys(forms.values())}
        return {name: made[form] for name, form in forms.items()}

    def _reference(self, spec: ClipSpec) -> Reference:
        source, prompts = self.reference, list(self.prompts.values())
        each = max(map(self.plan.clips, self.prompts), default=0)
        if source == "world":
            with progress("scoring real clips", len(prompts) * max(4, each)) as tick:
                return world_reference(
                    prompts, spec, each, self.extractors, self.nets, poses=self.pictures.poses(prompts),
                    workers=self.workers, tick=tick,
                )
        if not source:
            return Reference()
        if not is_folder(Path(source)):
            return Reference(problems={"": f"the suite's reference folder {source} is not there"})
        count = min(sum(map(self.plan.clips, self.prompts)), len(clip_files(Path(source))))
        with progress("scoring real clips", count) as tick:
            return folder_reference(
                Path(source), count, self.extractors, self.nets, workers=self.workers, tick=tick
            )

    def _context(self, clip: ClipFeatures, prompt: Prompt, spec: ClipSpec | None, reference: Reference) -> ClipContext:
        return ClipContext(
            clip, prompt, self.texts.get(prompt.id), self.text_problems.get(prompt.id, "there is no prompt"),
            self.truncated.get(prompt.id, ""), spec,
            still_requested=asks_for_stillness(prompt), real=reference.of_prompt(prompt.id),
            picture=self.pictures.vector(prompt.id, clip.height, clip.width),
        )

    def _score_context(self, context: ClipContext) -> dict[str, Score]:
        return {metric.name: self._score(metric, context) for metric in self.per_clip}

    def _score(self, metric: ClipMetric, context: ClipContext) -> Score:
        if why := self.unavailable.get(metric.name):
            return Score(None, why, ReasonCode.NO_BACKBONE)
        return score_clip(metric, context)

    def _score_clip(self, key: ClipKey, clip: ClipFeatures | NoFeatures, reference: Reference) -> dict[str, Score]:
        if isinstance(clip, NoFeatures):
            return {m.name: Score(m.undecodable, clip.reason, clip.reason_code) for m in self.per_clip}
        prompt, spec = self.prompts[key.prompt_id], self.forms[key.generator]
        return self._score_context(self._context(clip, prompt, spec, reference))

    def _reference_scores(self, references: Mapping[str, Reference]) -> dict[str, tuple[Score, ...]]:
        """Scores of all real clips, which say what a usable clip needs."""
        scores: dict[str, list[Score]] = {metric.name: [] for metric in self.per_clip}
        for reference in {id(r): r for r in references.values()}.values():
            for clip, prompt_id in zip(reference.clips, reference.prompts, strict=True):
                prompt = self.prompts.get(prompt_id, Prompt("", ""))
                for name, score in self._score_context(self._context(clip, prompt, None, reference)).items():
                    scores[name].append(score)
        return {name: tuple(found) for name, found in scores.items() if any(s.value is not None for s in found)}

    def _score_sets(
        self, generator: str, clips: Mapping[ClipKey, ClipFeatures | NoFeatures], reference: Reference
    ) -> SetScores:
        keys = self.keys[generator]
        protocol = self._protocol() or ""
        return score_sets(self.per_set, keys, clips, reference, protocol=protocol, unavailable=self.unavailable)

    def _protocol(self) -> str | None:
        video = self.nets.video
        return f"{video.protocol}; unbiased covariance, float64" if video else None

    def _notes(self, references: Mapping[str, Reference]) -> dict[str, Any]:
        return {
            "backbones": self.nets.name,
            "protocol": self._protocol(),
            "anchors": anchors.drift(self.nets),
            "truncated_prompts": tuple(self.truncated),
            "reference": {name: reference.description for name, reference in references.items()},
        }


def _source(folder: RunFolder, key: ClipKey) -> Path | NoFeatures:
    """The file of a clip, or why there is none."""
    record = folder.find_record(key)
    if record is None:
        return NoFeatures("missing", ReasonCode.MISSING)
    path = folder.clip_path(record) if record.status == "ok" else None
    if path is None:
        code = record.reason_code or ReasonCode.FAILED
        return NoFeatures(f"not made: {record.reason or 'no reason given'}", code)
    why = _changed(path, record)
    return NoFeatures(why, ReasonCode.CHANGED) if why else path


def _changed(path: Path, record: ClipRecord) -> str | None:
    """Why a stored file is not the clip of its record; None where it is, or where the file cannot be read."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None  # the reader says what is wrong
    if record.sha256 in (None, found):
        return None
    return f"{record.path} is not the file that was stored: its sha256 differs"


def common_form(generator: str, clips: Mapping[ClipKey, ClipFeatures | NoFeatures]) -> ClipSpec:
    """The form that most clips of a generator have, for clips that were asked for in no form."""
    forms = Counter(
        ClipSpec(clip.frames, clip.fps or ClipSpec().fps, clip.height, clip.width)
        for key, clip in clips.items() if key.generator == generator and isinstance(clip, ClipFeatures)
    )
    return forms.most_common(1)[0][0] if forms else ClipSpec()


def extractors_of(metrics: Sequence[Metric]) -> list[Extractor]:
    """The extractors that metrics read, each once.

    Raises:
        MetricError: Two different extractors share a name.
    """
    found: dict[str, Extractor] = {}
    for metric in metrics:
        for extractor in metric.extractors:
            if found.setdefault(extractor.name, extractor) is not extractor:
                raise MetricError(
                    f'two feature extractors are called "{extractor.name}": rename that of the metric "{metric.name}".'
                )
    return [*found.values()]
