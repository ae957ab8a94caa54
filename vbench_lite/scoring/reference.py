"""Reference clips that generated clips are compared with: rendered by the built-in world, or read from a folder.

World clips are encoded with the same encoder as generated clips, so that both sides of a comparison have its losses.
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
"""Seeds of the world clips of a prompt. A run with more clips per prompt uses as many further seeds."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Real clips of one form, with their features."""

    clips: tuple[ClipFeatures, ...] = ()
    prompts: tuple[str, ...] = ()
    """The prompt of each clip; "" for clips of a folder, which have no prompt."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """Prompt id -> why it has no real clips; "" for all prompts."""
    description: str = "none"

    @cached_property
    def _by_prompt(self) -> dict[str, RealClips]:
        found: dict[str, list[ClipFeatures]] = {}
        for clip, prompt in zip(self.clips, self.prompts, strict=True):
            found.setdefault(prompt, []).append(clip)
        return {prompt: RealClips(clips) for prompt, clips in found.items()}

    def of_prompt(self, prompt_id: str) -> RealClips:
        """The real clips for the clips of a prompt: those of the prompt, or all clips of the folder."""
        found = self._by_prompt.get(prompt_id) or self._by_prompt.get("")
        return found or RealClips(problem=self.problem(prompt_id))

    def problem(self, prompt_id: str) -> str:
        return self.problems.get(prompt_id) or self.problems.get("", "the suite names no reference of real clips")


@dataclass(frozen=True)
class WorldClip:
    """A rendered reference clip that is not encoded yet. Its key identifies the content of the encoded file."""

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
    """Render reference clips of every prompt that the built-in world can show.

    Args:
        prompts: Prompts of the run. A prompt with an image has real clips only if the world drew the image. They start
            with the image.
        spec: Number of frames, frame rate and size of the clips.
        clips_per_prompt: Clips per prompt of the run. At least `len(SEEDS)` clips are rendered. From an image there is
            only one possible clip. It is repeated.
        extractors, nets, workers, tick: As for `extract_all`.
        poses: Prompt id -> pose of the object in the prompt's image.
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
            problems[prompt.id] = "the built-in world did not draw this image, so no real clips start with it"
            continue
        for seed in seeds[: clips_per_prompt if pose else len(seeds)]:
            sources.append(partial(_world_clip, composition, seed, spec, pose))
            owners.append(prompt.id)
    found = extract_all(sources, extractors, nets, workers=workers, tick=tick)
    kept = [(clip, owner) for clip, owner in zip(found, owners, strict=True) if isinstance(clip, ClipFeatures)]
    description = f"the built-in world, {len(seeds)} clips per prompt, {spec.frames} frames {spec.width}x{spec.height}"
    return Reference(
        tuple(clip for clip, _ in kept), tuple(owner for _, owner in kept), problems, description
    )


def _world_clip(composition: Composition, seed: int, spec: ClipSpec, pose: Pose | None = None) -> WorldClip:
    size = spec.frames, spec.height, spec.width
    return WorldClip(render_from(composition, pose, *size) if pose else render(composition, seed, *size), spec.fps)


def clip_files(folder: Path) -> list[Path]:
    """The clips in a folder and its subfolders, in a fixed pseudo-random order (by digest of the path)."""
    paths = [p for p in folder.rglob("*") if p.suffix.lower() in CLIP_SUFFIXES and (p.is_file() or p.is_symlink())]
    return sorted(paths, key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode()).hexdigest())


def folder_reference(
    folder: Path, count: int, extractors: Sequence[Extractor], nets: Backbones, *, workers: int | None = None,
    tick: Callable[[], object] = lambda: None,
) -> Reference:
    """Up to `count` real clips of a folder. Unreadable clips are skipped and counted in the description."""
    given = clip_files(folder)
    paths = given[:count]
    if not paths:
        return Reference(problems={"": f"the suite's reference folder {folder} contains no clips"})
    found = extract_all(paths, extractors, nets, workers=workers, tick=tick)
    clips = tuple(clip for clip in found if isinstance(clip, ClipFeatures))
    broken = f", {len(found) - len(clips)} unreadable" if len(clips) < len(found) else ""
    return Reference(clips, ("",) * len(clips), {}, f"{len(clips)} of the {len(given)} clips in {folder.name}{broken}")
