"""Do the metrics notice what they claim to notice? Damage reference clips in steps and look.

For each damage and metric the rank correlation of level and value is taken over `LEVELS` steps and
the undamaged clips: 1 or -1 means that every step moved the value further. What must react and what
must not is written down in `CLAIMS` and `UNMOVED`; a metric that fails a claim fails the test.
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
from vbench_lite.features.extract import Observation, observe_all
from vbench_lite.metrics import METRICS, find
from vbench_lite.metrics.base import ClipContext
from vbench_lite.records import ClipSpec
from vbench_lite.scoring.damage import DAMAGES, LEVELS
from vbench_lite.scoring.reference import features_of
from vbench_lite.video import Frames
from vbench_lite.world import BACKGROUNDS, COLOURS, THINGS, Composition, held_out_compositions, render

REACTS = 0.95
"""Rank correlation from which on a metric has reacted."""
SPEC = ClipSpec()

CLAIMS: dict[str, dict[str, Literal[1, -1]]] = {
    "blur": {"detail": -1},
    "noise": {"detail": -1, "flicker": -1, "warp_error": 1},
    "flicker": {"flicker": -1, "warp_error": 1},
    "shuffle": {"flicker": -1, "motion": 1, "fvd": 1},
    "freeze": {"motion": -1, "fvd": 1, "kvd": 1},
    "jitter": {"flicker": -1, "motion": 1, "fvd": 1},
    "colour drift": {"clip_frames": -1, "clip_text": -1, "fvd": 1, "kvd": 1},
    "compression": {"detail": -1},
    "reversal": {"fvd": 1},
    "object swap": {"clip_frames": -1, "clip_text": -1},
    "caption swap": {"clip_text": -1},
}
"""damage > metric > the way it must go."""

UNMOVED: dict[str, tuple[str, ...]] = {
    "shuffle": ("clip_text", "detail"),
    "reversal": ("clip_text", "flicker", "detail"),
    "caption swap": ("clip_frames", "flicker", "warp_error", "motion", "detail", "conformance", "fvd", "kvd"),
}
"""damage > metrics that must not move at all: they do not look at what was damaged."""


@dataclass(frozen=True)
class SelftestResult:
    """One metric under one damage."""

    damage: str
    metric: str
    values: tuple[float | None, ...]
    """Undamaged, then by level."""
    correlation: float | None
    """Of level and value; 0 where nothing moved, None where the metric has no value."""
    claim: Literal["up", "down", "unmoved"] | None
    holds: bool | None
    """Whether the claim holds; None where there is none, or the metric cannot be read."""


def run(
    nets: Backbones, clips: int = 16, workers: int | None = None, tick: Callable[[], object] = lambda: None
) -> list[SelftestResult]:
    """The whole table.

    Args:
        nets: The networks to test on.
        clips: How many clips are damaged; the distances between sets need 8 or more.
        workers: Clips observed side by side.
        tick: Called after each observed clip; there are `observations(clips)`.
    """
    chosen = _compositions(clips)
    originals = [render(c, seed=1) for c in chosen]
    see = _Seer(nets, workers, tick)
    real = see.all([render(c, seed=2) for c in chosen])
    clean = see.all(originals)
    judge = _Judge(nets, chosen, real)
    cells = []
    for name, damage in DAMAGES.items():
        steps = [clean, *(see.all([damage(clip, level) for clip in originals]) for level in range(1, LEVELS + 1))]
        cells += _cells(name, [judge.values(step, chosen) for step in steps])
    backwards = see.all([clip[::-1].copy() for clip in originals])
    played = [_turned(clean, backwards, level) for level in range(LEVELS + 1)]
    cells += _cells("reversal", [judge.values(step, chosen) for step in played])
    swapped = [clean, *(see.all([_swapped(c, clip, n) for c, clip in zip(chosen, originals, strict=True)])
                        for n in range(1, LEVELS + 1))]
    cells += _cells("object swap", [judge.values(step, chosen) for step in swapped])
    captions = [[_other_caption(c, n, level) for n, c in enumerate(chosen)] for level in range(LEVELS + 1)]
    cells += _cells("caption swap", [judge.values(clean, asked) for asked in captions])
    return cells


def observations(clips: int) -> int:
    """How many clips `run` looks at."""
    return clips * (3 + LEVELS * (len(DAMAGES) + 1))


def _compositions(count: int) -> list[Composition]:
    """Evenly over the held-out ones, so that every thing, colour and motion takes part."""
    every = held_out_compositions()
    return [every[int(place)] for place in np.linspace(0, len(every) - 1, count).round()]


def _turned(clips: Sequence[Observation], backwards: Sequence[Observation], level: int) -> list[Observation]:
    """At level n, n fifths of the clips are played backwards."""
    pairs = zip(clips, backwards, strict=True)
    return [back if place % LEVELS < level else clip for place, (clip, back) in enumerate(pairs)]


def _swapped(composition: Composition, clip: Frames, level: int) -> Frames:
    """The last sixth to five sixths of the clip show another thing of another colour instead."""
    other = dataclasses.replace(
        composition, thing=(composition.thing + 3) % len(THINGS), colour=(composition.colour + 2) % len(COLOURS)
    )
    start = round(len(clip) * (1 - level / (LEVELS + 1)))
    return np.concatenate([clip[:start], render(other, seed=1)[start:]])


def _other_caption(composition: Composition, place: int, level: int) -> Composition:
    """At level n, n fifths of the clips are held against a caption of another thing, colour and background."""
    if place % LEVELS >= level:
        return composition
    thing, colour, background = composition.thing, composition.colour, composition.background
    return dataclasses.replace(
        composition, thing=(thing + 3) % len(THINGS), colour=(colour + 1) % len(COLOURS),
        background=(background + 2) % len(BACKGROUNDS),
    )


class _Seer:
    """Observes frames, at the world's frame rate."""

    def __init__(self, nets: Backbones, workers: int | None, tick: Callable[[], object]) -> None:
        self.nets, self.workers, self.tick = nets, workers, tick

    def all(self, clips: Sequence[Frames]) -> list[Observation]:
        found = observe_all(list(clips), self.nets, workers=self.workers, tick=self.tick)
        return [dataclasses.replace(clip, fps=SPEC.fps) for clip in found if isinstance(clip, Observation)]


class _Judge:
    """Values of every metric for a list of clips."""

    def __init__(self, nets: Backbones, chosen: Sequence[Composition], real: Sequence[Observation]) -> None:
        self.nets, self.real = nets, real
        self.per_clip = {m.name: m.load()() for m in METRICS if m.per == "clip"}
        self.energies = [float(clip.fine_energies.mean()) for clip in real]

    def values(self, clips: Sequence[Observation], asked: Sequence[Composition]) -> dict[str, float | None]:
        texts: Sequence[NDArray[np.float64] | None] = [None] * len(clips)
        if self.nets.image:
            texts = list(self.nets.image.embed_texts([c.caption for c in asked]))
        cases = [
            ClipContext(clip, text=text, spec=SPEC, real_energy=energy)
            for clip, text, energy in zip(clips, texts, self.energies, strict=True)
        ]
        found: dict[str, float | None] = {}
        for name, metric in self.per_clip.items():
            scores = [metric.score(case).value for case in cases]
            known = [value for value in scores if value is not None]
            found[name] = float(np.mean(known)) if known else None
        for metric_line in METRICS:
            if metric_line.per == "set":
                found[metric_line.name] = self._distance(metric_line.name, clips)
        return found

    def _distance(self, name: str, clips: Sequence[Observation]) -> float | None:
        if not self.nets.video:
            return None
        metric = find(name).load()()
        metric.update(generated=features_of(clips), reference=features_of(self.real))
        return float(metric.compute())


def _cells(damage: str, steps: Sequence[dict[str, float | None]]) -> list[SelftestResult]:
    return [_cell(damage, name, tuple(step[name] for step in steps)) for name in steps[0]]


def _cell(damage: str, metric: str, values: tuple[float | None, ...]) -> SelftestResult:
    known = [value for value in values if value is not None]
    correlation = rank_correlation(known) if len(known) == len(values) else None
    way = CLAIMS.get(damage, {}).get(metric)
    if way:
        holds = None if correlation is None else way * correlation >= REACTS
        return SelftestResult(damage, metric, values, correlation, "up" if way > 0 else "down", holds)
    if metric in UNMOVED.get(damage, ()):
        holds = None if correlation is None else bool(np.ptp(known) <= 1e-9 * max(1.0, abs(known[0])))
        return SelftestResult(damage, metric, values, correlation, "unmoved", holds)
    return SelftestResult(damage, metric, values, correlation, None, None)


def rank_correlation(values: Sequence[float]) -> float:
    """Of level and value; 0 where nothing moves."""
    if np.ptp(values) <= 1e-9 * max(1.0, abs(values[0])):
        return 0.0
    return float(stats.spearmanr(range(len(values)), values).statistic)
