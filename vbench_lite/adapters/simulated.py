"""A generator without a model, with chosen durations, failures and quality. Equal seeds give equal clips.

It is for tests of everything except models: large runs, gate policies, clusters. Prompts of the built-in world get
clips of the world, with errors according to `accuracy` and `noise`. An image drawn by the world is continued as the
text states. Any other prompt gets a moving square, in front of its image if it has one.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vbench_lite.adapters.settings import read_settings
from vbench_lite.errors import ClipFailed
from vbench_lite.generator import Output
from vbench_lite.records import Definition, Request

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Behaviour:
    """The adapter's [settings]. Fractions of clips are chosen by their seeds."""

    seconds: float = 0.0
    """Median time of a clip in seconds."""
    spread: float = 0.0
    """Standard deviation of the logarithm of the time, between clips."""
    prompt_spread: float = 0.0
    """Standard deviation of the logarithm of the time, between prompts."""
    wait: Literal["sleep", "compute", "claim"] = "sleep"
    """compute: uses one core. claim: does not wait, and only reports the device time."""
    load_seconds: float = 0.0
    accuracy: float = 1.0
    """Fraction of clips that show what was requested. The others show another composition of the world."""
    noise: float = 0.0
    """Standard deviation (of 255) of noise on every pixel."""
    variety: int = 0
    """Number of different clips, each encoded once, for runs of thousands of clips; 0 for one clip per seed."""
    fail_share: float = 0.0
    """Fraction of clips that fail, each with a reason."""
    answer: Literal["clip", "few", "float", "nan", "shape", "nothing"] = "clip"
    """What `generate` returns: a clip, or an invalid output."""
    fail_prompts: tuple[str, ...] = ()
    """Prompt ids whose clips fail, end their process, hang, or run out of memory."""
    die_prompts: tuple[str, ...] = ()
    hang_prompts: tuple[str, ...] = ()
    starve_prompts: tuple[str, ...] = ()
    die_at_call: int = 0
    """The call of `generate` in which each process ends itself; 0 for none."""
    leak_mb: int = 0
    """Memory in MiB that each call does not release."""


class Simulated:
    """The `simulated` adapter."""

    def __init__(self, definition: Definition) -> None:
        self._behaviour = read_settings(Behaviour, definition)
        self._calls = 0
        self._kept: list[bytearray] = []
        self._files: dict[int, bytes] = {}

    def load(self, device: str) -> None:
        """Wait for `load_seconds`, and import modules now, so that the first clip is not slower."""
        for module in ("vbench_lite.video", "vbench_lite.world"):
            importlib.import_module(module)
        time.sleep(self._behaviour.load_seconds)

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """Render clips, and wait as the settings say."""
        self._calls += 1
        how = self._behaviour
        if self._calls == how.die_at_call:
            _die()
        if how.leak_mb:
            self._kept.append(bytearray(os.urandom(1024) * (how.leak_mb * 1024)))
        outputs = [self._one(request) for request in requests]
        if how.wait == "claim":
            return outputs
        _wait(sum(self._seconds(r) for r in requests), busy=how.wait == "compute")
        return outputs[:-1] if how.answer == "few" else outputs

    def close(self) -> None:
        """Release the memory of `leak_mb`."""
        self._kept.clear()

    def _one(self, request: Request) -> Output:
        how = self._behaviour
        if request.prompt_id in how.die_prompts:
            _die()
        if request.prompt_id in how.hang_prompts:
            time.sleep(1e6)
        if request.prompt_id in how.starve_prompts:
            raise MemoryError(f"simulated for {request.prompt_id}")
        if request.prompt_id in how.fail_prompts:
            raise ClipFailed(f'simulated failure for the prompt "{request.prompt_id}"')
        seconds = self._seconds(request)
        claimed = seconds if how.wait == "claim" else None
        if _draw(request, "fail") < how.fail_share:
            return Output(failure="simulated failure", device_s=claimed)
        stages = {"simulated": seconds}
        if how.variety:
            return Output(file=self._file(request), stages_s=stages, counts={"steps": 1}, device_s=claimed)
        return Output(self._spoil(self._frames(request)), stages_s=stages, counts={"steps": 1}, device_s=claimed)

    def _file(self, request: Request) -> bytes:
        """One of the `variety` encoded files."""
        from vbench_lite.video import encode_mp4

        number = request.seed % self._behaviour.variety
        if number not in self._files:
            self._files[number] = encode_mp4(moving_square(replace(request, seed=number)), request.spec.fps)
        return self._files[number]

    def _seconds(self, request: Request) -> float:
        how = self._behaviour
        clip, prompt = _normal(request, "seconds"), _normal(replace(request, seed=0, index=0), "prompt seconds")
        return how.seconds * float(np.exp(how.spread * clip + how.prompt_spread * prompt))

    def _frames(self, request: Request) -> Frames:
        from vbench_lite.world import compositions, find_composition, render
        from vbench_lite.world.pictures import find_pose
        from vbench_lite.world.render import render_from

        spec, how = request.spec, self._behaviour
        size = spec.frames, spec.height, spec.width
        asked = find_composition(request.prompt)
        pose = None if asked is None or request.image is None else find_pose(request.prompt_id, asked, request.image)
        if asked is None or (request.image is not None and pose is None):
            frames = moving_square(request)
        else:
            shown = asked
            if _draw(request, "accuracy") >= how.accuracy:
                others = [c for c in compositions() if c != asked]
                shown = others[int(_draw(request, "other") * len(others))]
            frames = render_from(shown, pose, *size) if pose else render(shown, request.seed, *size)
        if not how.noise:
            return frames
        noise = np.random.default_rng(request.seed).normal(0.0, how.noise, frames.shape)
        return np.clip(frames + noise, 0, 255).astype(np.uint8)

    def _spoil(self, frames: Frames) -> Any:
        """Change the output to an invalid one, if `answer` asks for it."""
        match self._behaviour.answer:
            case "nothing":
                return None
            case "float":
                return frames.astype(np.float32)
            case "nan":
                return np.full(frames.shape, np.nan, np.float32)
            case "shape":
                return frames.transpose(0, 3, 1, 2)
        return frames


def moving_square(request: Request) -> Frames:
    """A bright square that crosses a dark picture, or the request's image. The seed chooses colours and path."""
    spec = request.spec
    rng = np.random.default_rng(request.seed)
    side = max(1, min(spec.height, spec.width) // 3)
    clip = np.empty((spec.frames, spec.height, spec.width, 3), np.uint8)
    ground = rng.integers(0, 100, 3, np.uint8)
    clip[:] = ground if request.image is None else request.image
    colour = rng.integers(150, 256, 3, np.uint8)
    top = int(rng.integers(0, spec.height - side + 1))
    for frame, t in zip(clip, np.linspace(0.0, 1.0, spec.frames), strict=True):
        left = round(float(t) * (spec.width - side))
        frame[top : top + side, left : left + side] = colour
    return clip


def _draw(request: Request, purpose: str) -> float:
    """A random number in [0, 1) that depends only on the clip and the purpose."""
    return float(_rng(request, purpose).random())


def _normal(request: Request, purpose: str) -> float:
    return float(_rng(request, purpose).normal())


def _rng(request: Request, purpose: str) -> np.random.Generator:
    return np.random.default_rng([request.seed, *purpose.encode(), *request.prompt_id.encode()])


def _wait(seconds: float, busy: bool) -> None:
    if not busy:
        time.sleep(seconds)
        return
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def _die() -> None:
    sys.stdout.flush()
    os._exit(9)
