"""Scores a run: every stored clip is decoded once, and all metrics are computed from its features.

A requested clip that is missing, failed or cannot be read gets a score of None with a reason.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from vbench_lite.analysis.commands import renew_command
from vbench_lite.backbones import KINDS, Backbones
from vbench_lite.backbones.cache import Store
from vbench_lite.errors import StoreError
from vbench_lite.features.extract import Compute, extract_each
from vbench_lite.features.extractor import ClipFeatures, NoFeatures
from vbench_lite.metrics.base import Metric, SetMetric
from vbench_lite.metrics.registry import extractors_of, load_networks, networks_of, select
from vbench_lite.progress import progress
from vbench_lite.records import ClipKey, ClipSpec, Score, Scored
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import Manifest
from vbench_lite.run.view import Run
from vbench_lite.scoring import anchors
from vbench_lite.scoring.clip_scores import ClipScorer
from vbench_lite.scoring.judge_program import check_judges, judges_of
from vbench_lite.scoring.judging import judge_run
from vbench_lite.scoring.pictures import Pictures
from vbench_lite.scoring.pool import ScorerPool
from vbench_lite.scoring.reference import Reference, clip_files, folder_reference, world_reference
from vbench_lite.scoring.sets import SetScores, score_sets
from vbench_lite.scoring.stored_clips import common_form, find_file
from vbench_lite.userfile import is_folder

log = logging.getLogger("vbench_lite.scoring")


def score_run(
    folder: RunFolder, manifest: Manifest | None = None, *, workers: int | None = None, device: str | None = None,
    pool: ScorerPool | None = None,
) -> Scored:
    """Score every requested clip of a run.

    Args:
        folder: The run. Its clips are read; its summary is not written.
        manifest: Networks, metrics and reference to use. None uses the manifest of the run.
        workers: Number of clips that are read in parallel; default one per core. The scores do not depend on it.
        device: Device of the networks; default the first CUDA device, else the CPU.
        pool: Processes that compute features; None computes them in this process.

    Raises:
        StoreError: The run does not exist, or is a baseline without clips.
        UnknownName: A metric does not exist.
        MetricError: A user-defined metric is not valid, or returned an invalid score.
        WeightsError: Weights of the backbones are missing. If they are altered, their metrics have no scores.
    """
    return _scorer(folder, manifest or folder.manifest(), workers, device, pool).score()


def score_part(
    folder: RunFolder, manifest: Manifest, part: tuple[int, int], *, workers: int | None = None,
    device: str | None = None, pool: ScorerPool | None = None,
) -> int:
    """Compute the features and the judges' answers of every n-th clip, so that a later scoring only reads them.

    Args:
        folder: The run. Features are stored in its `cache/`, answers of judges in its `judges/`.
        manifest: Networks, metrics and reference to use.
        part: (place, parts): the clips whose number modulo `parts` is `place`.
        workers, device, pool: As for `score_run`.

    Returns:
        Number of readable clips in the part.
    """
    return _scorer(folder, manifest, workers, device, pool).prepare(part)


def _scorer(
    folder: RunFolder, manifest: Manifest, workers: int | None, device: str | None, pool: ScorerPool | None
) -> Scorer:
    backbones = manifest.plan.backbones
    chosen = select(manifest.plan.metrics, backbones, images=any(prompt.image for prompt in manifest.prompts))
    if folder.table_path.exists() and not folder.keeps_clips():
        raise StoreError(
            f"{folder.path} is a baseline: it has scores but no clips, so it cannot be scored again. "
            f"Make it again with: {renew_command(Run(folder))}"
        )
    check_judges(chosen)
    device = device or device_for(chosen)
    nets = load_networks(chosen, backbones, device)
    for kind, why in nets.missing.items():
        log.warning("metrics of the %s are not scored: %s", KINDS[kind], why)
    return Scorer(folder, manifest, nets, chosen, workers=workers, device=device, pool=pool)


def device_for(metrics: Sequence[Metric]) -> str:
    """The first CUDA device; the CPU if there is none or no metric uses it."""
    if not networks_of(metrics) and not judges_of(metrics):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


class Scorer:
    """One scoring of a run: its metrics, networks, requested clips and reference."""

    def __init__(
        self, folder: RunFolder, manifest: Manifest, nets: Backbones, metrics: Sequence[Metric], *,
        workers: int | None, device: str, pool: ScorerPool | None,
    ) -> None:
        self.folder, self.nets, self.metrics, self.device = folder, nets, metrics, device
        self.compute: Compute | None = pool.compute if pool else None
        self.workers = pool.size if pool else workers
        self.reference, self.plan = manifest.reference, manifest.plan
        self.prompts = {prompt.id: prompt for prompt in manifest.prompts}
        self.forms = {name: definition.asked_form for name, definition in manifest.generators.items()}
        self.keys = {name: list(manifest.keys(name)) for name in manifest.generators}
        self.judges = judges_of(metrics)
        self.per_set = [metric for metric in metrics if isinstance(metric, SetMetric)]
        self.extractors = extractors_of(metrics)
        compared = any(metric.for_images for metric in metrics)
        self.pictures = Pictures(folder.path, nets, [*self.prompts.values()], compared)
        self.of_clips = ClipScorer(metrics, nets, self.prompts, self.pictures)

    def score(self) -> Scored:
        """Score every requested clip. Only the scores and the features for set metrics are kept in memory."""
        references = self._references({}) if all(self.forms.values()) else None
        scores: dict[ClipKey, dict[str, Score]] = {}

        def score(key: ClipKey, clip: ClipFeatures | NoFeatures, reference: Reference) -> dict[str, Score]:
            return self.of_clips.score(clip, key.prompt_id, self.forms[key.generator], reference)

        def finish(key: ClipKey, clip: ClipFeatures | NoFeatures) -> ClipFeatures | NoFeatures:
            if references is None:  # the reference gets the most common form of clip, so all clips are read first
                return clip
            scores[key] = score(key, clip, references[key.generator])
            return self._for_sets(clip)

        clips = self._features(chain.from_iterable(self.keys.values()), finish)
        if references is None:
            references = self._references(clips)
            scores = {key: score(key, clip, references[key.generator]) for key, clip in clips.items()}
        sets = {name: self._score_sets(name, clips, references[name]) for name in self.forms}
        for key, judged in judge_run(self.judges, self.folder, clips, self.prompts, device=self.device).items():
            scores[key] |= judged
        return Scored(
            metrics={metric.name: metric.info(self._backbone(metric)) for metric in self.metrics},
            clips={key: scores[key] for key in clips}, sets={name: found.estimates for name, found in sets.items()},
            reference=self.of_clips.score_real(references.values()),
            features={name: found.features.content() for name, found in sets.items() if found.features},
            notes=self._notes(references),
        )

    def prepare(self, part: tuple[int, int]) -> int:
        """Store features and judges' answers of a part of the clips in the run folder. Returns the readable clips."""
        place, parts = part
        keys = [*chain.from_iterable(self.keys.values())][place::parts]
        store = Store(self.folder.path / "cache", writes=True)
        clips = self._features(keys, lambda _, clip: self._for_sets(clip), store)
        label = f"-{place + 1}of{parts}"
        judge_run(self.judges, self.folder, clips, self.prompts, device=self.device, part=label)
        return sum(isinstance(clip, ClipFeatures) for clip in clips.values())

    def _for_sets(self, clip: ClipFeatures | NoFeatures) -> ClipFeatures | NoFeatures:
        """A clip with only the arrays that set metrics read."""
        if isinstance(clip, NoFeatures):
            return clip
        wanted = {extractor.name for extractor in extractors_of(self.per_set)}
        return dataclasses.replace(clip, arrays={n: arrays for n, arrays in clip.arrays.items() if n in wanted})

    def _backbone(self, metric: Metric) -> str | None:
        kind = metric.backbone()
        net = getattr(self.nets, kind) if kind else None
        return net.name if net else None

    def _features(
        self, keys: Iterable[ClipKey],
        finish: Callable[[ClipKey, ClipFeatures | NoFeatures], ClipFeatures | NoFeatures], store: Store | None = None,
    ) -> dict[ClipKey, ClipFeatures | NoFeatures]:
        """Read the features of each clip, and return the result of `finish` for each."""
        found: dict[ClipKey, ClipFeatures | NoFeatures] = {}
        paths: dict[ClipKey, Path] = {}
        for key in keys:
            source = find_file(self.folder, key)
            found[key] = source if isinstance(source, NoFeatures) else NoFeatures("")
            if isinstance(source, NoFeatures):
                finish(key, source)
            else:
                paths[key] = source
        with progress("scoring clips", len(paths)) as tick:
            decoded = extract_each(
                [*paths.values()], self.extractors, self.nets, workers=self.workers, tick=tick, compute=self.compute,
                store=store or Store(self.folder.path / "cache"),
            )
            for key, clip in zip(paths, decoded, strict=True):
                found[key] = finish(key, clip)
        return found

    def _references(self, clips: Mapping[ClipKey, ClipFeatures | NoFeatures]) -> dict[str, Reference]:
        """The reference of each generator. Generators with the same form of clip share one."""
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
            return Reference(problems={"": f"the suite's reference folder {source} does not exist"})
        count = min(sum(map(self.plan.clips, self.prompts)), len(clip_files(Path(source))))
        with progress("scoring real clips", count) as tick:
            return folder_reference(
                Path(source), count, self.extractors, self.nets, workers=self.workers, tick=tick
            )

    def _score_sets(
        self, generator: str, clips: Mapping[ClipKey, ClipFeatures | NoFeatures], reference: Reference
    ) -> SetScores:
        keys = self.keys[generator]
        protocol = self._protocol() or ""
        unavailable = {metric.name: why for metric in self.per_set if (why := metric.unavailable(self.nets))}
        return score_sets(self.per_set, keys, clips, reference, protocol=protocol, unavailable=unavailable)

    def _protocol(self) -> str | None:
        video = self.nets.video
        return f"{video.protocol}; unbiased covariance, float64" if video else None

    def _notes(self, references: Mapping[str, Reference]) -> dict[str, Any]:
        return {
            "backbones": self.nets.name,
            "protocol": self._protocol(),
            "anchors": anchors.drift(self.nets),
            "truncated_prompts": tuple(self.of_clips.truncated),
            "reference": {name: reference.description for name, reference in references.items()},
        }
