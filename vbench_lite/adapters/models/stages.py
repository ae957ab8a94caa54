"""Times the stages of one pipeline call: text encoding, denoising steps, autoencoder decoding.

The pipeline is not changed permanently: its methods are wrapped during one call, and its denoising network has a
forward hook. On a GPU each time is taken after synchronisation, so that a stage contains only its own work. This costs
microseconds per step.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import torch

DENOISERS = ("transformer", "transformer_2", "unet", "prior")


class StageClock:
    """Seconds and counts of one call.

    Attributes:
        seconds: `text_encode`, `denoise`, `vae_decode`. A stage that did not occur is absent.
        counts: `denoising_steps`, and `denoiser_calls` (guidance may need two calls per step).
    """

    def __init__(self, device: torch.device | str) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.counts: dict[str, float] = defaultdict(float)
        self._device = torch.device(device)
        self._step_since: float | None = None

    def now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()

    def step_begins(self) -> None:
        """Record a call of the denoiser. The first call of a step starts its time."""
        self.counts["denoiser_calls"] += 1
        if self._step_since is None:
            self._step_since = self.now()

    def step_ends(self) -> None:
        self.counts["denoising_steps"] += 1
        if self._step_since is not None:
            self.seconds["denoise"] += self.now() - self._step_since
            self._step_since = None

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap `function` so that its seconds are added to a stage."""

        @wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            start = self.now()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds[stage] += self.now() - start

        return wrapped

    @contextmanager
    def watching(self, pipeline: Any) -> Iterator[None]:
        """Time the stages of every call of `pipeline` inside the block."""
        with ExitStack() as undo:
            for owner, name, stage in (
                (pipeline, "encode_prompt", "text_encode"),
                (getattr(pipeline, "vae", None), "decode", "vae_decode"),
            ):
                if callable(getattr(owner, name, None)):
                    _replace(undo, owner, name, self.timed(stage, getattr(owner, name)))
            for name in DENOISERS:
                module = getattr(pipeline, name, None)
                if isinstance(module, torch.nn.Module):
                    hook = module.register_forward_pre_hook(lambda *_: self.step_begins())
                    undo.callback(hook.remove)
            yield

    @contextmanager
    def counting_scheduler_steps(self, scheduler: Any) -> Iterator[None]:
        """Count steps of pipelines without a step callback: a step ends with the scheduler's step."""
        original = scheduler.step

        @wraps(original)
        def step(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            self.step_ends()
            return result

        with ExitStack() as undo:
            _replace(undo, scheduler, "step", step)
            yield


def _replace(undo: ExitStack, owner: Any, name: str, value: Any) -> None:
    """Override a method of one object until the stack is closed."""
    owner.__dict__[name] = value
    undo.callback(owner.__dict__.pop, name, None)
