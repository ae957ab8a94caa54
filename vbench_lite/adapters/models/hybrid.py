"""Combines two generators: one makes a draft of the clip, such as a token transformer, and diffusion refines it.

    [settings]
    draft = "tiny-transformer"      # any generator that runs on this machine: a name, or a TOML file beside this one
    refiner = "tiny-diffusion"      # a diffusers definition
    strength = 0.6                  # initial noise of the refinement: 0 gives the draft, 1 plain diffusion
    num_inference_steps = 16        # settings of the refiner that differ from its definition

Both run one after the other in one process, so device time and energy of a clip are the sums of both. Its memory is the
larger peak, with both models loaded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vbench_lite.adapters.models.diffusers import DiffusersPipeline
from vbench_lite.adapters.models.refining import Refiner, refiner_of, summed
from vbench_lite.adapters.models.settings import check_hybrid, refiner_definition
from vbench_lite.adapters.pictures import apart
from vbench_lite.generator import Generator, Output, RunContext
from vbench_lite.records import Definition, Request


class Hybrid:
    """Two generators with the interface of one.

    Args:
        definition: Definition of the hybrid.
        parts: The definitions of the draft and of the refiner.
        build: Creates the generator of a definition.
        check_weights: Checks the digests of a definition's weights.
    """

    def __init__(
        self, definition: Definition, *, parts: tuple[Definition, ...], build: Callable[[Definition], Generator],
        check_weights: Callable[[Definition], None],
    ) -> None:
        drafted, refining = parts
        check_hybrid(definition, drafted, refining)
        self.strength = float(definition.settings.get("strength", 0.6))
        self._parts = drafted, refining
        self._draft, self._check_weights = build(drafted), check_weights
        self._diffusion = DiffusersPipeline(refiner_definition(definition, refining))
        self._refiner: Refiner | None = None

    def begin(self, context: RunContext) -> None:
        if begin := getattr(self._draft, "begin", None):
            begin(dataclasses.replace(context, state=context.state / "draft"))

    def load(self, device: str) -> None:
        """Check the weights of both parts, and load both."""
        for part in self._parts:
            self._check_weights(part)
        self._draft.load(device)
        self._diffusion.load(device)
        self._refiner = refiner_of(self._diffusion)

    def warm_up(self, requests: Sequence[Request]) -> None:
        if warm_up := getattr(self._draft, "warm_up", None):
            warm_up(requests)
        self._diffusion.warm_up(requests)

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """Generate all drafts, then refine the successful ones. Both parts receive the image of a request."""
        return apart(requests, self._generate)

    def _generate(self, requests: Sequence[Request]) -> list[Output]:
        drafts = self._draft.generate(requests)
        frames = [_frames(draft) for draft in drafts]
        good = [i for i, picture in enumerate(frames) if picture is not None]
        outputs = {i: dataclasses.replace(d, failure=f"the draft: {d.failure}") for i, d in enumerate(drafts)}
        if good and self.strength == 0:
            outputs |= {i: dataclasses.replace(drafts[i], frames=frames[i], file=None) for i in good}
        elif good:
            assert self._refiner is not None
            chosen = [picture for picture in frames if picture is not None]
            refined = self._refiner.refine([requests[i] for i in good], chosen, self.strength)
            outputs |= {i: _both(drafts[i], output) for i, output in zip(good, refined, strict=True)}
        return [outputs[i] for i in range(len(requests))]

    def close(self) -> None:
        self._draft.close()
        self._diffusion.close()


def _frames(draft: Output) -> NDArray[np.uint8] | None:
    if draft.failure:
        return None
    if draft.frames is not None:
        return draft.frames
    if draft.file:
        from vbench_lite.video import read_clip

        return read_clip(draft.file)[0]
    return None


def _both(draft: Output, refined: Output) -> Output:
    stages, counts = summed(draft, refined)
    return dataclasses.replace(refined, stages_s=stages, counts=counts)
