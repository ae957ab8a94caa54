"""Stage times of a pipeline without a step callback, and that watching leaves no trace."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from vbench_lite.adapters.models.stages import StageClock


class Decoder(torch.nn.Module):
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        time.sleep(0.08)
        return latents


class Plain:
    """As diffusers' guider pipelines are: two denoiser calls a step, no callback, pieces decoded in between."""

    def __init__(self) -> None:
        self.scheduler = FlowMatchEulerDiscreteScheduler()
        self.transformer = torch.nn.Identity()
        self.vae = Decoder()

    def encode_prompt(self, text: str) -> str:
        time.sleep(0.02)
        return text

    def __call__(self, steps: int) -> torch.Tensor:
        self.encode_prompt("a cat")
        self.scheduler.set_timesteps(steps)
        latents = torch.zeros(1, 1)
        for t in self.scheduler.timesteps:
            for _ in range(2):
                time.sleep(0.005)
                noise = self.transformer(latents)
            latents = self.scheduler.step(noise, t, latents).prev_sample
            self.vae.decode(latents)
        return latents


def run(pipeline: Any, steps: int = 3) -> StageClock:
    clock = StageClock("cpu")
    with clock.watching(pipeline), clock.counting_scheduler_steps(pipeline.scheduler):
        pipeline(steps)
    return clock


def test_steps_and_calls_are_counted_at_the_scheduler() -> None:
    clock = run(Plain())
    assert clock.counts == {"denoiser_calls": 6, "denoising_steps": 3}


def test_decoding_between_steps_is_not_charged_to_denoising() -> None:
    clock = run(Plain())
    assert clock.seconds["text_encode"] >= 0.02
    assert clock.seconds["vae_decode"] >= 0.24
    assert 0.01 <= clock.seconds["denoise"] < 0.24, "from the first call of a step to its end, three times"


def test_a_watched_pipeline_is_left_as_it_was() -> None:
    pipeline = Plain()
    run(pipeline)
    assert "step" not in vars(pipeline.scheduler)
    assert "encode_prompt" not in vars(pipeline)
    assert "decode" not in vars(pipeline.vae)
    assert not pipeline.transformer._forward_pre_hooks


def test_a_stage_that_fails_is_still_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Plain()
    monkeypatch.setattr(pipeline.scheduler, "set_timesteps", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(pipeline)
    assert "encode_prompt" not in vars(pipeline)
