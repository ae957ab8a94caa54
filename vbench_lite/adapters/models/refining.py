"""Refines drafts by diffusion: adds noise of a chosen level to a draft and denoises it.

This is SDEdit (Meng et al., 2022, arXiv:2108.01073) on latents. If diffusers has a stock video-to-video pipeline for a
family, it is used. LTX's stock conditioning pipeline uses other frame times than its text-to-video pipeline. Therefore
LTX is refined by its pipeline for texts or images with a truncated schedule. Video-to-video pipelines accept no image,
so only the draft uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.utils.torch_utils import randn_tensor
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vbench_lite.adapters.models.diffusers import DiffusersPipeline
from vbench_lite.adapters.models.families import call_arguments
from vbench_lite.adapters.models.image_pipelines import same_weights
from vbench_lite.adapters.models.stages import StageClock
from vbench_lite.errors import GeneratorError
from vbench_lite.generator import Output
from vbench_lite.records import ClipSpec, Request

Frames = NDArray[np.uint8]


class Refiner(Protocol):
    """Refines drafts, with initial noise of level `strength` (1 is only noise)."""

    def refine(self, requests: Sequence[Request], drafts: Sequence[Frames], strength: float) -> list[Output]: ...


def refiner_of(loaded: DiffusersPipeline) -> Refiner:
    """The refiner for the family of a loaded pipeline.

    Raises:
        GeneratorError: The family has no refiner.
    """
    name = loaded.family.refine
    if name == "LTXPipeline":
        return LateStart(loaded)
    if not name:
        raise GeneratorError(
            f'"{loaded.definition.name}" is a {type(loaded.pipeline).__name__}, which has no known video-to-video '
            f'pipeline. Name one as "refine" in families.toml, or choose another refiner.'
        )
    return VideoToVideo(loaded, name)


class VideoToVideo:
    """Refines with a family's stock video-to-video pipeline, on the loaded weights."""

    def __init__(self, loaded: DiffusersPipeline, name: str) -> None:
        import diffusers

        self._loaded = loaded
        self._pipeline = same_weights(loaded.pipeline, getattr(diffusers, name))
        self._accepted = call_arguments(type(self._pipeline))

    def refine(self, requests: Sequence[Request], drafts: Sequence[Frames], strength: float) -> list[Output]:
        """Refine with one call per clip, because not all of these pipelines accept several different clips."""
        outputs = []
        for request, draft in zip(requests, drafts, strict=True):
            arguments = {k: v for k, v in self._loaded.arguments([request]).items() if k in self._accepted}
            pictures = [Image.fromarray(frame) for frame in fitted(draft, request.spec)]
            arguments |= {"video": pictures, "strength": strength}
            outputs += self._loaded.run(self._pipeline, arguments, 1)
        return outputs


class LateStart:
    """Refines with LTX's own pipeline, from the draft's noised latents and with the rest of its schedule.

    With images, it uses LTX's image-to-video pipeline. The latents of the image receive no noise.
    """

    def __init__(self, loaded: DiffusersPipeline) -> None:
        self._loaded = loaded

    def refine(self, requests: Sequence[Request], drafts: Sequence[Frames], strength: float) -> list[Output]:
        """Refine all clips in one call. Each has the noise that plain diffusion uses for its seed.

        Args:
            requests: Requests which all have an image, or all have none.
            drafts: One draft per request.
            strength: Fraction of the steps that are executed.
        """
        arguments = self._loaded.arguments(requests)
        pictures = [request.image for request in requests if request.image is not None]
        pipeline = self._loaded.image_pipeline if pictures else self._loaded.pipeline
        clips = np.stack([fitted(draft, requests[0].spec) for draft in drafts])
        clock = StageClock(self._loaded.device)
        clean = clock.timed("draft_encode", self._latents)(pipeline, clips)
        frames = clean.shape[2]
        if pictures:
            clean[:, :, :1] = self._latents(pipeline, np.stack(pictures)[:, None])
        noise = randn_tensor(clean.shape, generator=arguments["generator"], device=clean.device, dtype=clean.dtype)
        patches = (pipeline.transformer_spatial_patch_size, pipeline.transformer_temporal_patch_size)
        clean, noise = (pipeline._pack_latents(t, *patches).contiguous() for t in (clean, noise))
        latents = clean.clone()
        given = clean.shape[1] // frames if pictures else 0  # tokens of the image

        def noised(sigma: Tensor) -> None:
            noisy = torch.lerp(clean, noise, sigma.to(clean))
            latents[:, given:] = noisy[:, given:]  # in place, because the pipeline has this tensor

        with starting_late(pipeline.scheduler, strength, noised):
            outputs = self._loaded.run(pipeline, {**arguments, "latents": latents}, len(requests))
        return [replace(output, stages_s={**clock.seconds, **output.stages_s}) for output in outputs]

    @torch.no_grad()
    def _latents(self, pipeline: Any, clips: Frames) -> Tensor:
        """(clips, channels, frames, height, width), normalised, float32."""
        vae = pipeline.vae
        pixels = torch.from_numpy(clips).to(self._loaded.device).movedim(-1, 1).to(vae.dtype) / 127.5 - 1
        latents = torch.cat([vae.encode(clip[None]).latent_dist.mode() for clip in pixels]).float()
        return pipeline._normalize_latents(latents, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)


@contextmanager
def starting_late(scheduler: Any, strength: float, begun: Callable[[Tensor], None]) -> Iterator[None]:
    """Inside the block, the scheduler skips the first part of its schedule.

    Args:
        scheduler: A stock flow-matching scheduler: `sigmas` from 1 (noise) to 0, one more than `timesteps`.
        strength: Fraction of the steps that are executed, in (0, 1]; at least one step.
        begun: Called with the first remaining sigma when the schedule is set.
    """
    original = scheduler.set_timesteps

    @wraps(original)
    def set_timesteps(*args: Any, **kwargs: Any) -> None:
        original(*args, **kwargs)
        steps = len(scheduler.timesteps)
        skipped = steps - max(1, round(steps * strength))
        scheduler.timesteps, scheduler.sigmas = scheduler.timesteps[skipped:], scheduler.sigmas[skipped:]
        begun(scheduler.sigmas[0])

    scheduler.__dict__["set_timesteps"] = set_timesteps
    try:
        yield
    finally:
        del scheduler.__dict__["set_timesteps"]


def fitted(draft: Frames, spec: ClipSpec) -> Frames:
    """Convert a draft to the requested form: frames are selected at even distances, pictures are scaled."""
    if len(draft) != spec.frames:
        draft = draft[np.linspace(0, len(draft) - 1, spec.frames).round().astype(int)]
    if draft.shape[1:3] == (spec.height, spec.width):
        return draft
    pixels = torch.from_numpy(draft).movedim(-1, 1).float()
    scaled = F.interpolate(pixels, (spec.height, spec.width), mode="bilinear", antialias=True, align_corners=False)
    return scaled.round().clamp(0, 255).to(torch.uint8).movedim(1, -1).contiguous().numpy()


def summed(draft: Output, refined: Output) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Seconds and counts of both parts. The draft's stages have the prefix "draft_"."""
    stages = {**{f"draft_{name}": value for name, value in draft.stages_s.items()}, **refined.stages_s}
    return stages, {**draft.counts, **refined.counts}
