"""Real clips to compare generated ones with: rendered by the procedural world, or a folder of files.

World clips pass through the encoder that generated clips pass through, so that its losses are on
both sides of every comparison.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import av

from vbench_lite.backbones import Backbones
from vbench_lite.features.extract import AnySource, extract_all
from vbench_lite.features.extractor import ClipFeatures, Extractor
from vbench_lite.metrics.base import RealClips
from vbench_lite.records import ClipSpec, Prompt
from vbench_lite.video import CLIP_SUFFIXES, ENCODER, Frames, encode_mp4
from vbench_lite.world import Composition, find_composition, render
from vbench_lite.world.pose import Pose
from vbench_lite.world.render import render_from

SEEDS = range(1_000, 1_004)
"""Of the world clips of a prompt: four, or as many as the run has clips a prompt if that is more."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Real clips of one form, with their features."""

    clips: tuple[ClipFeatures, ...] = ()
    prompts: tuple[str, ...] = ()
    """The prompt of each clip; "" where it has none (a folder)."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """Prompts without real clips, and why."""
    description: str = "none"

    @cached_property
    def _by_prompt(self) -> dict[str, RealClips]:
        found: dict[str, list[ClipFeatures]] = {}
        for clip, prompt in zip(self.clips, self.prompts, strict=True):
            found.setdefault(prompt, []).append(clip)
        return {prompt: RealClips(clips) for prompt, clips in found.items()}

    def of_prompt(self, prompt_id: str) -> RealClips:
        """The real clips that a prompt's clips are compared with: its own, or all of a folder."""
        found = self._by_prompt.get(prompt_id) or self._by_prompt.get("")
        return found or RealClips(problem=self.problem(prompt_id))

    def problem(self, prompt_id: str) -> str:
        return self.problems.get(prompt_id) or self.problems.get("", "the suite names no reference of real clips")


@dataclass(frozen=True)
class WorldClip:
    """One reference clip, not encoded yet: its key says what the file would hold."""

    frames: Frames
    fps: float

    @property
    def key(self) -> str:
        recipe = f"{self.frames.shape} {self.fps} {av.__version__} {ENCODER}".encode()
        return hashlib.sha256(recipe + self.frames.tobytes()).hexdigest()

    def encode(self) -> bytes:
        return encode_mp4(self.frames, self.fps)


def world_reference(
    prompts: Sequence[Prompt], spec: ClipSpec, clips_per_prompt: int, extractors: Sequence[Extractor], nets: Backbones,
    *, poses: Mapping[str, Pose] | None = None, workers: int | None = None, tick: Callable[[], object] = lambda: None,
) -> Reference:
    """World clips of every prompt that the world can show.

    Args:
        prompts: A prompt with an image has real clips only where the world drew it: they start from it.
        spec: The form of the clips.
        clips_per_prompt: How many the run has; at least `SEEDS` are rendered. From an image there is one clip alone,
            which is repeated for each of the run's.
        extractors, nets, workers, tick: As for `extract_all`.
        poses: Prompt id > the pose that its image shows.
    """
    seeds = range(SEEDS.start, SEEDS.start + max(len(SEEDS), clips_per_prompt))
    sources: list[AnySource] = []
    owners: list[str] = []
    problems: dict[str, str] = {}
    for prompt in prompts:
        composition = find_composition(prompt.text)
        if composition is None:
            problems[prompt.id] = "the built-in world cannot show this prompt, so there are no real clips of it"
            continue
        pose = poses.get(prompt.id) if poses else None
        if prompt.image and pose is None:
            problems[prompt.id] = "the built-in world did not draw this image, so there are no real clips that start so"
            continue
        for seed in seeds[: clips_per_prompt if pose else len(seeds)]:
            sources.append(partial(_world_clip, composition, seed, spec, pose))
            owners.append(prompt.id)
    found = extract_all(sources, extractors, nets, workers=workers, tick=tick)
    kept = [(clip, owner) for clip, owner in zip(found, owners, strict=True) if isinstance(clip, ClipFeatures)]
    description = f"the built-in world, {len(seeds)} clips a prompt, {spec.frames} frames {spec.width}x{spec.height}"
    return Reference(
        tuple(clip for clip, _ in kept), tuple(owner for _, owner in kept), problems, description
    )


def _world_clip(composition: Composition, seed: int, spec: ClipSpec, pose: Pose | None = None) -> WorldClip:
    size = spec.frames, spec.height, spec.width
    return WorldClip(render_from(composition, pose, *size) if pose else render(composition, seed, *size), spec.fps)


def clip_files(folder: Path) -> list[Path]:
    """The clips under a folder, in a fixed order that is not the order of their names."""
    paths = [p for p in folder.rglob("*") if p.suffix.lower() in CLIP_SUFFIXES and (p.is_file() or p.is_symlink())]
    return sorted(paths, key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode()).hexdigest())


def folder_reference(
    folder: Path, count: int, extractors: Sequence[Extractor], nets: Backbones, *, workers: int | None = None,
    tick: Callable[[], object] = lambda: None,
) -> Reference:
    """Up to `count` real clips of a folder; unreadable ones are passed over, and counted in the description."""
    given = clip_files(folder)
    paths = given[:count]
    if not paths:
        return Reference(problems={"": f"the suite's reference {folder} holds no clips"})
    found = extract_all(paths, extractors, nets, workers=workers, tick=tick)
    clips = tuple(clip for clip in found if isinstance(clip, ClipFeatures))
    broken = f", {len(found) - len(clips)} unreadable" if len(clips) < len(found) else ""
    return Reference(clips, ("",) * len(clips), {}, f"{len(clips)} of the {len(given)} clips in {folder.name}{broken}")
