"""Checks that the metrics react as they claim: damages clips in levels and compares the scores.

For each damage and metric, the rank correlation of level and score is computed over the undamaged clips and `LEVELS`
levels. 1 or -1 means that every level changed the score further. The file of a metric states which damages raise it
(`rises_with`), lower it (`falls_with`) or do not change it (`unmoved_by`). If a claim does not hold, the test fails.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from vbench_lite.backbones import Backbones
from vbench_lite.features.extract import extract_all
from vbench_lite.features.extractor import ClipFeatures, Extractor
from vbench_lite.metrics.base import (
    ClipContext,
    ClipMetric,
    Metric,
    RealClips,
    SetContext,
    SetMetric,
    score_clip,
    score_set,
)
from vbench_lite.metrics.functional import picture_vector
from vbench_lite.metrics.registry import extractors_of
from vbench_lite.records import ClipSpec, Prompt
from vbench_lite.scoring.damage import DAMAGES, LEVELS
from vbench_lite.video import Frames
from vbench_lite.world import BACKGROUNDS, COLOURS, MOTIONS, THINGS, Composition, held_out_compositions, render

REACTS = 0.95
"""Lowest rank correlation at which a metric counts as having reacted."""
SPEC = ClipSpec()

@dataclass(frozen=True)
class SelftestResult:
    """One metric under one damage."""

    damage: str
    metric: str
    values: tuple[float | None, ...]
    """Score of the undamaged clips, then of each level."""
    correlation: float | None
    """Rank correlation of level and score; 0 if the score did not change, None if a score is missing."""
    claim: Literal["up", "down", "unmoved"] | None
    holds: bool | None
    """Whether the claim holds; None if the metric makes no claim or has no score."""


def run(
    nets: Backbones, metrics: Sequence[Metric], clips: int = 16, workers: int | None = None,
    tick: Callable[[], object] = lambda: None,
) -> list[SelftestResult]:
    """Test metrics on clips of the built-in world, with damages of pixels and of content.

    Args:
        nets: The networks to test with.
        metrics: The metrics to test.
        clips: Number of clips that are damaged. Distances between sets need 8 or more.
        workers: Number of clips that are read in parallel.
        tick: Called after each clip, `observations(clips)` times.
    """
    chosen = _compositions(clips)
    originals = [render(c, seed=1) for c in chosen]
    see = _Seer(nets, extractors_of(metrics), workers, tick)
    real = see.all([render(c, seed=2) for c in chosen])
    clean = see.all(originals)
    judge = _Judge(nets, metrics, real, [picture_vector(nets, clip[0]) for clip in originals])
    asked = [_prompt(c) for c in chosen]
    cells = _of_pixels(metrics, see, judge, originals, clean, asked)
    swapped = [clean, *(see.all([_swapped(c, clip, n) for c, clip in zip(chosen, originals, strict=True)])
                        for n in range(1, LEVELS + 1))]
    cells += _cells(metrics, "object swap", [judge.values(step, asked) for step in swapped])
    captions = [[_prompt(_other_caption(c, n, level)) for n, c in enumerate(chosen)] for level in range(LEVELS + 1)]
    cells += _cells(metrics, "caption swap", [judge.values(clean, caption) for caption in captions])
    return cells


def run_on(
    nets: Backbones, metrics: Sequence[Metric], clips: Sequence[Frames], workers: int | None = None,
    tick: Callable[[], object] = lambda: None,
) -> list[SelftestResult]:
    """Test metrics on given clips, with damages of pixels only. Without prompts, some metrics have no score.

    Args:
        nets: The networks to test with.
        metrics: The metrics to test.
        clips: Every second clip is damaged. The others are the real clips for comparison.
        workers: Number of clips that are read in parallel.
        tick: Called after each clip, `observations_on(len(clips))` times.
    """
    see = _Seer(nets, extractors_of(metrics), workers, tick)
    originals, real = list(clips[::2]), see.all(clips[1::2])
    clean = see.all(originals)
    count = min(len(originals), len(real))
    originals, clean, real = originals[:count], clean[:count], real[:count]
    judge = _Judge(nets, metrics, real, [picture_vector(nets, clip[0]) for clip in originals])
    return _of_pixels(metrics, see, judge, originals, clean, [Prompt("", "", tags=("loop",))] * count)


def _of_pixels(
    metrics: Sequence[Metric], see: _Seer, judge: _Judge, originals: Sequence[Frames], clean: Sequence[ClipFeatures],
    asked: Sequence[Prompt],
) -> list[SelftestResult]:
    """Results for every damage of pixels, and for clips that are played backwards."""
    cells = []
    for name, damage in DAMAGES.items():
        steps = [clean, *(see.all([damage(clip, level) for clip in originals]) for level in range(1, LEVELS + 1))]
        cells += _cells(metrics, name, [judge.values(step, asked) for step in steps])
    backwards = see.all([clip[::-1].copy() for clip in originals])
    played = [_turned(clean, backwards, level) for level in range(LEVELS + 1)]
    cells += _cells(metrics, "reversal", [judge.values(step, asked) for step in played])
    return cells + _cells(metrics, "opposite motion", [judge.values(step, asked) for step in played])


def observations(clips: int) -> int:
    """Number of clips that `run` reads."""
    return clips * (3 + LEVELS * (len(DAMAGES) + 1))


def observations_on(clips: int) -> int:
    """Number of clips that `run_on` reads."""
    return clips + (clips + 1) // 2 * (1 + LEVELS * len(DAMAGES))


def _compositions(count: int) -> list[Composition]:
    """Compositions at equal distances in the held-out list, so that all things, colours and motions occur."""
    every = held_out_compositions()
    return [every[int(place)] for place in np.linspace(0, len(every) - 1, count).round()]


def _turned(clips: Sequence[ClipFeatures], backwards: Sequence[ClipFeatures], level: int) -> list[ClipFeatures]:
    """At level n, n fifths of the clips are played backwards."""
    pairs = zip(clips, backwards, strict=True)
    return [back if place % LEVELS < level else clip for place, (clip, back) in enumerate(pairs)]


def _swapped(composition: Composition, clip: Frames, level: int) -> Frames:
    """The last sixth to the last five sixths of the clip show another thing of another colour."""
    other = dataclasses.replace(
        composition, thing=(composition.thing + 3) % len(THINGS), colour=(composition.colour + 2) % len(COLOURS)
    )
    start = round(len(clip) * (1 - level / (LEVELS + 1)))
    return np.concatenate([clip[:start], render(other, seed=1)[start:]])


def _other_caption(composition: Composition, place: int, level: int) -> Composition:
    """At level n, n fifths of the clips are scored with a caption of another thing, colour and background."""
    if place % LEVELS >= level:
        return composition
    thing, colour, background = composition.thing, composition.colour, composition.background
    return dataclasses.replace(
        composition, thing=(thing + 3) % len(THINGS), colour=(colour + 1) % len(COLOURS),
        background=(background + 2) % len(BACKGROUNDS),
    )


_ASKED = {"zooms in on": "zoom in", "zooms out from": "zoom out"}
"""Motion of the world -> its name in a prompt, if they differ."""


def _prompt(composition: Composition) -> Prompt:
    """The prompt of a world clip. The tag "loop" gives the metric `loop_seam` a score."""
    name = MOTIONS[composition.motion].name
    return Prompt("", composition.caption, tags=("loop",), motion=_ASKED.get(name, name))


class _Seer:
    """Extracts features of frames, at the frame rate of the world."""

    def __init__(
        self, nets: Backbones, extractors: Sequence[Extractor], workers: int | None, tick: Callable[[], object]
    ) -> None:
        self.nets, self.extractors, self.workers, self.tick = nets, extractors, workers, tick

    def all(self, clips: Sequence[Frames]) -> list[ClipFeatures]:
        found = extract_all(list(clips), self.extractors, self.nets, workers=self.workers, tick=self.tick)
        return [dataclasses.replace(clip, fps=SPEC.fps) for clip in found if isinstance(clip, ClipFeatures)]


class _Judge:
    """Computes the score of every metric for a list of clips."""

    def __init__(
        self, nets: Backbones, metrics: Sequence[Metric], real: Sequence[ClipFeatures],
        pictures: Sequence[NDArray[np.float64] | None],
    ) -> None:
        self.nets, self.metrics, self.real = nets, metrics, real
        self.pictures = pictures
        """Embeddings of the undamaged first frames, for metrics that compare clips with an image."""

    def values(self, clips: Sequence[ClipFeatures], asked: Sequence[Prompt]) -> dict[str, float | None]:
        texts: Sequence[NDArray[np.float64] | None] = [None] * len(clips)
        if self.nets.image:
            texts = [self.nets.image.embed_texts([each.text])[0] if each.text else None for each in asked]
        contexts = [
            ClipContext(clip, prompt, text, spec=SPEC, real=RealClips([real]), picture=picture)
            for clip, prompt, text, real, picture in zip(clips, asked, texts, self.real, self.pictures, strict=True)
        ]
        return {metric.name: self._value(metric, contexts) for metric in self.metrics}

    def _value(self, metric: Metric, contexts: Sequence[ClipContext]) -> float | None:
        """The mean over clips, or the distance of the set; None if a network is missing."""
        if metric.unavailable(self.nets):
            return None
        if isinstance(metric, ClipMetric):
            scores = [score_clip(metric, context).value for context in contexts]
            known = [value for value in scores if value is not None]
            return float(np.mean(known)) if known else None
        assert isinstance(metric, SetMetric)
        prompts = [""] * len(contexts)
        return score_set(metric, SetContext([c.clip for c in contexts], self.real, prompts, prompts)).estimate.value


def _cells(metrics: Sequence[Metric], damage: str, steps: Sequence[dict[str, float | None]]) -> list[SelftestResult]:
    return [_cell(damage, metric, tuple(step[metric.name] for step in steps)) for metric in metrics]


def _cell(damage: str, metric: Metric, values: tuple[float | None, ...]) -> SelftestResult:
    known = [value for value in values if value is not None]
    correlation = rank_correlation(known) if len(known) == len(values) else None
    if way := (damage in metric.rises_with) - (damage in metric.falls_with):
        holds = None if correlation is None else way * correlation >= REACTS
        return SelftestResult(damage, metric.name, values, correlation, "up" if way > 0 else "down", holds)
    if damage in metric.unmoved_by:
        holds = None if correlation is None else bool(np.ptp(known) <= 1e-9 * max(1.0, abs(known[0])))
        return SelftestResult(damage, metric.name, values, correlation, "unmoved", holds)
    return SelftestResult(damage, metric.name, values, correlation, None, None)


def rank_correlation(values: Sequence[float]) -> float:
    """Spearman's rank correlation of level and score; 0 if the score does not change."""
    if np.ptp(values) <= 1e-9 * max(1.0, abs(values[0])):
        return 0.0
    return float(stats.spearmanr(range(len(values)), values).statistic)
