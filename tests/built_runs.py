"""Builds small but complete run folders for tests: manifest, records, real mp4 clips, and scores.

The clips are renderings of the built-in world, worsened a little per generator. The scores are drawn
from a seeded model (a prompt's difficulty, a generator's skill, chance), not computed from the clips,
so that a test can set what is true:

    run = build_run(tmp_path / "a", prompts=8, generators=(Fake("one"), Fake("two", skill=-0.5)))
    summarise(run.folder, run.scored)
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from vbench_lite.metrics import shipped_metrics
from vbench_lite.records import (
    FORMAT,
    ClipKey,
    ClipRecord,
    ClipSpec,
    DeviceFacts,
    Estimate,
    Measurement,
    MetricInfo,
    Price,
    Prompt,
    ReasonCode,
    Score,
    Scored,
    Suite,
)
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import GitState, Manifest, PlanRecord, StoredDefinition
from vbench_lite.video import encode_mp4
from vbench_lite.world import compositions, render

SPEC = ClipSpec()


class Shape(NamedTuple):
    """How a metric's values are drawn: typical value, spread, and what skill 1 adds."""

    mean: float
    sd: float
    per_skill: float
    higher_is_better: bool | None
    backbone: str | None = None
    unit: str = ""


METRICS: dict[str, Shape] = {
    "conformance": Shape(1.0, 0.0, 0.0, True),
    "temporal_flickering": Shape(0.965, 0.008, 0.006, True),
    "clip_frames": Shape(0.94, 0.015, 0.01, True, "builtin/clip@0123abcd"),
    "warp_error": Shape(0.004, 0.0008, -0.0006, False),
    "detail": Shape(0.82, 0.08, 0.06, True),
    "clip_text": Shape(0.55, 0.06, 0.05, True, "builtin/clip@0123abcd"),
    "motion": Shape(0.12, 0.03, 0.0, None, unit="frame sides/s"),
}
SETS: dict[str, Shape] = {
    "fvd": Shape(9.0, 1.0, -2.0, False, "builtin/video@4567cdef"),
    "kvd": Shape(0.8, 0.1, -0.2, False, "builtin/video@4567cdef"),
}


@dataclass(frozen=True)
class Fake:
    """A generator that never was."""

    name: str = "tiny-diffusion"
    route: Literal["transformer", "diffusion"] = "diffusion"
    skill: float = 0.0
    """In units of `Shape.per_skill`: +1 is clearly better on every metric."""
    skills: Mapping[str, float] = field(default_factory=dict)
    """Added to `skill` for single metrics."""
    device_s: float = 0.4
    """Per clip."""
    failed: Sequence[tuple[int, int]] = ()
    """(number of the prompt, index) of clips recorded as failed."""
    missing: Sequence[tuple[int, int]] = ()
    """(number of the prompt, index) of clips without a record."""
    usd_per_device_hour: float | None = 0.10
    gpu: bool = False


DEFAULT = (
    Fake(
        "tiny-transformer", "transformer", device_s=0.25,
        skills={"detail": -0.9, "clip_frames": 0.8, "temporal_flickering": 0.6},
    ),
    Fake("tiny-diffusion", "diffusion", skills={"detail": 0.5, "clip_text": 0.3}, device_s=0.7),
)


class Built(NamedTuple):
    folder: RunFolder
    scored: Scored


def build_run(
    path: Path,
    prompts: int = 6,
    clips: int = 2,
    generators: Sequence[Fake] = DEFAULT,
    seed: int = 0,
    texts: Mapping[int, str] | None = None,
    created: str = "2026-11-20T10:00:00Z",
    video: bool = True,
) -> Built:
    """Writes a run folder and draws its scores.

    Args:
        path: The folder to write.
        prompts, clips: Size of the plan: every generator is asked for prompts x clips.
        generators: Who made them.
        seed: Of the drawn scores and measurements; the same seed gives the same bytes.
        texts: Prompt texts to put in place of the world's captions, by number.
        created: Goes into the manifest.
        video: False leaves the mp4 files out (records stay), for large runs.
    """
    folder = RunFolder(path)
    asked = _prompts(prompts, texts or {})
    folder.write_manifest(_manifest(asked, clips, generators, created))
    scores: dict[ClipKey, dict[str, Score]] = {}
    for fake in generators:
        for nth, prompt in enumerate(asked):
            for index in range(clips):
                if (nth, index) in fake.missing:
                    continue
                record = _record(fake, nth, prompt.id, index, seed)
                made = record.status == "ok"
                folder.write_clip(record, _clip(nth, fake.route, index) if made and video else None)
                if made:
                    scores[record.key] = _scores(fake, nth, index, seed)
    sets = {fake.name: _set_scores(fake, prompts * clips, seed) for fake in generators}
    return Built(folder, Scored(_infos(), scores, sets, _reference(), notes={"frames_for_fvd": 9}))


def _prompts(count: int, texts: Mapping[int, str]) -> list[Prompt]:
    world = list(compositions())
    chosen = [world[(37 * nth) % len(world)] for nth in range(count)]
    categories = ("footwear", "drinks", "home")
    return [Prompt(f"p{nth:03d}", texts.get(nth, c.caption), categories[nth % 3]) for nth, c in enumerate(chosen)]


def _manifest(asked: list[Prompt], clips: int, generators: Sequence[Fake], created: str) -> Manifest:
    digest = hashlib.sha256(repr(asked).encode()).hexdigest()
    return Manifest(
        format=FORMAT, name="ads", created=created,
        suite=Suite("ads", "Product shots", tuple(asked), digest, licence="Apache-2.0", reference="world"),
        plan=PlanRecord(tuple(p.id for p in asked), clips),
        generators={
            fake.name: StoredDefinition(
                fake.name, fake.route, "simulated", clip=SPEC,
                weights_digest=hashlib.sha256(fake.name.encode()).hexdigest(),
            )
            for fake in generators
        },
        device=DeviceFacts("cpu", "Test CPU"),
        software={"vbench_lite": "0.1.0", "python": "3.12.0", "torch": "2.9.0"}, git=GitState("0" * 40),
        prices={fake.name: _price(fake) for fake in generators},
    )


def _price(fake: Fake) -> Price:
    if fake.usd_per_device_hour is None:
        return Price(reason="no price is known for this device")
    return Price(usd_per_device_hour=fake.usd_per_device_hour, date="2026-11-01", source="a test")


def _draws(*key: object) -> np.random.Generator:
    return np.random.default_rng(list(hashlib.sha256(repr(key).encode()).digest()[:8]))


def _record(fake: Fake, nth: int, prompt_id: str, index: int, seed: int) -> ClipRecord:
    rng = _draws("cost", seed, fake.name, nth, index)
    seconds = round(fake.device_s * float(rng.lognormal(0, 0.08)), 4)
    record = ClipRecord(
        generator=fake.name, route=fake.route, prompt_id=prompt_id, index=index, seed=1000 * nth + index, status="ok",
        frames=SPEC.frames, height=SPEC.height, width=SPEC.width, fps=SPEC.fps,
        measurement=Measurement(
            wall_s=seconds, device_s=seconds, gpu_busy_s=0.9 * seconds if fake.gpu else None,
            peak_memory_mb=round(180 + float(rng.uniform(0, 9)), 1) if fake.gpu else None,
            peak_rss_mb=round(900 + float(rng.uniform(0, 40)), 1),
            energy_j=round(250 * seconds, 2) if fake.gpu else None,
            energy_method="nvml" if fake.gpu else None,
            stages_s={"denoise": 0.8 * seconds, "vae_decode": 0.2 * seconds}
            if fake.route == "diffusion" else {"prefill": 0.05 * seconds, "decode": 0.95 * seconds},
            counts={"denoising_steps": 20} if fake.route == "diffusion" else {"tokens": 576},
        ),
    )
    if (nth, index) in fake.failed:
        spent = dataclasses.replace(record.measurement, stages_s={}, counts={})
        return dataclasses.replace(
            record, status="failed", reason="the generator gave no frames", reason_code=ReasonCode.BAD_OUTPUT,
            frames=None, height=None, width=None, fps=None, measurement=spent,
        )
    return record


@lru_cache(maxsize=256)
def _clip(nth: int, route: str, index: int) -> bytes:
    """A real, small clip: the transformer's is a little soft, the others' a little noisy."""
    world = list(compositions())
    frames = render(world[(37 * nth) % len(world)], seed=index).astype(np.int16)
    if route == "transformer":
        frames = (frames + np.roll(frames, 1, 2) + np.roll(frames, 1, 1)) // 3
    else:
        frames = frames + _draws("noise", nth, index).integers(-9, 10, frames.shape)
    return encode_mp4(frames.clip(0, 255).astype(np.uint8), SPEC.fps)


def _scores(fake: Fake, nth: int, index: int, seed: int) -> dict[str, Score]:
    scores = {}
    for name, shape in METRICS.items():
        hard = _draws("prompt", seed, name, nth).normal()
        here = 0.5 * _draws("pair", seed, name, nth, fake.name).normal()
        chance = 0.6 * _draws("clip", seed, name, nth, fake.name, index).normal()
        skill = fake.skill + fake.skills.get(name, 0.0)
        scores[name] = Score(round(shape.mean + shape.per_skill * skill + shape.sd * 0.8 * (hard + here + chance), 6))
    return scores


def _set_scores(fake: Fake, clips: int, seed: int) -> dict[str, Estimate]:
    found = {}
    for name, shape in SETS.items():
        chance = 0.3 * shape.sd * float(_draws(name, seed, fake.name).normal())
        value = shape.mean + shape.per_skill * fake.skill + chance
        found[name] = Estimate(round(value, 4), round(value - shape.sd, 4), round(value + shape.sd, 4), clips, 0)
    return found


def _infos() -> dict[str, MetricInfo]:
    shipped = shipped_metrics()
    return {
        name: dataclasses.replace(
            shipped[name].info(shape.backbone), unit=shape.unit, higher_is_better=shape.higher_is_better, version="1"
        )
        for name, shape in (METRICS | SETS).items()
    }


def _reference() -> dict[str, tuple[Score, ...]]:
    """Real clips: a good deal better than skill 0, so that the worst 5 % of them lies just below it."""
    rng = _draws("reference")
    return {
        name: tuple(
            Score(float(v)) for v in np.round(shape.mean + shape.per_skill + shape.sd * rng.normal(size=200), 6)
        )
        for name, shape in METRICS.items()
        if name != "conformance"
    }


DEADLY_METRIC = """
import multiprocessing, os, pathlib
import numpy as np
from vbench_lite.metrics import ClipMetric

class Means:
    name, version = "means", "1"
    def start(self, clip): self.means = []
    def see(self, frame):
        if {dies}:
            pathlib.Path({marker!r}).touch()
            os.kill(os.getpid(), 9)
        self.means.append(frame.mean())
    def finish(self): return {{"means": np.array(self.means)}}

class Mean(ClipMetric):
    name, version, title, unit, range = "own_mean", "1", "Mean", "level", (0, 255)
    description, higher_is_better, extractors = "Mean of all frames.", None, (Means,)
    def score(self, context): return context["means"]["means"].mean()
"""


def write_deadly_metric(path: Path, marker: Path, dies: str) -> None:
    """Writes a metric that kills its process, and makes the file `marker`, where the expression `dies` is true.

    The expression may use `frame`, `os`, `multiprocessing`, and `first`: that the marker does not exist yet.
    """
    dies = dies.replace("first", f"not pathlib.Path({str(marker)!r}).exists()")
    path.write_text(DEADLY_METRIC.format(dies=dies, marker=str(marker)))
