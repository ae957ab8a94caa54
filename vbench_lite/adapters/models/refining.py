"""Diffusion that does not begin with noise alone: a draft, noised to a chosen level, is denoised again.

This is SDEdit (Meng et al., 2022, arXiv:2108.01073) on latents. Where diffusers has a stock
video-to-video pipeline for a family, that one is called. LTX's stock conditioning pipeline places
frames at other times than its text-to-video pipeline does, so LTX goes on in its own pipeline for
texts or images, with the stock scheduler begun late. Pipelines from video to video take no image:
there the draft alone starts from it.
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
    """Denoises drafts again, from `strength` (1 is noise alone) down."""

    def refine(self, requests: Sequence[Request], drafts: Sequence[Frames], strength: float) -> list[Output]: ...


def refiner_of(loaded: DiffusersPipeline) -> Refiner:
    """How pipelines of this family go on from a draft.

    Raises:
        GeneratorError: There is no way for this family yet.
    """
    name = loaded.family.refine
    if name == "LTXPipeline":
        return LateStart(loaded)
    if not name:
        raise GeneratorError(
            f'"{loaded.definition.name}" is a {type(loaded.pipeline).__name__}, which has no stock pipeline that goes '
            f'on from a clip: give it as "refine" in families.toml, or choose another refiner.'
        )
    return VideoToVideo(loaded, name)


class VideoToVideo:
    """A family's stock video-to-video pipeline, on the weights that are loaded already."""

    def __init__(self, loaded: DiffusersPipeline, name: str) -> None:
        import diffusers

        self._loaded = loaded
        self._pipeline = same_weights(loaded.pipeline, getattr(diffusers, name))
        self._accepted = call_arguments(type(self._pipeline))

    def refine(self, requests: Sequence[Request], drafts: Sequence[Frames], strength: float) -> list[Output]:
        """One call a clip: these pipelines are not all meant for several different ones."""
        outputs = []
        for request, draft in zip(requests, drafts, strict=True):
            arguments = {k: v for k, v in self._loaded.arguments([request]).items() if k in self._accepted}
            pictures = [Image.fromarray(frame) for frame in fitted(draft, request.spec)]
            arguments |= {"video": pictures, "strength": strength}
            outputs += self._loaded.run(self._pipeline, arguments, 1)
        return outputs


class LateStart:
    """LTX: its own pipeline, given the draft's noised latents and the rest of its schedule.

    With images, its pipeline that starts from an image: the latents of the image stay clean.
    """

    def __init__(self, loaded: DiffusersPipeline) -> None:
        self._loaded = loaded

    def refine(self, requests: Sequence[Request], drafts: Sequence[Frames], strength: float) -> list[Output]:
        """All clips in one call, each with the noise that its seed gives plain diffusion.

        Args:
            requests: All with an image, or none.
            drafts: One for each.
            strength: Share of the steps that are done.
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
            latents[:, given:] = noisy[:, given:]  # the pipeline holds this very tensor

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
    """Inside the block the scheduler's schedule begins at `strength` of its steps before the end.

    Args:
        scheduler: A stock flow-matching scheduler: `sigmas` from 1 (noise) to 0, one more than `timesteps`.
        strength: Share of the steps that are done, in (0, 1]; at least one is.
        begun: Called with the first remaining sigma when the schedule is made.
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
    """A draft in the form that is asked for: frames picked evenly, pictures scaled."""
    if len(draft) != spec.frames:
        draft = draft[np.linspace(0, len(draft) - 1, spec.frames).round().astype(int)]
    if draft.shape[1:3] == (spec.height, spec.width):
        return draft
    pixels = torch.from_numpy(draft).movedim(-1, 1).float()
    scaled = F.interpolate(pixels, (spec.height, spec.width), mode="bilinear", antialias=True, align_corners=False)
    return scaled.round().clamp(0, 255).to(torch.uint8).movedim(1, -1).contiguous().numpy()


def summed(draft: Output, refined: Output) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Stage seconds and counts of both, the draft's stages by their own names."""
    stages = {**{f"draft_{name}": value for name, value in draft.stages_s.items()}, **refined.stages_s}
    return stages, {**draft.counts, **refined.counts}
