"""Batches of world clips for training, and the loss that the autoencoders share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vbench_lite.world.render import training_clips, training_clips_from_pictures
from vbench_lite.world.vocabulary import BACKGROUNDS, MOTIONS, THINGS, Composition


class Batch(NamedTuple):
    compositions: list[Composition]
    captions: list[str]  # one wording of each, drawn at random
    clips: Tensor  # float32, (batch, 3, frames, height, width), in [-1, 1]
    things: Tensor  # float32, (batch, 1, frames, height, width), 1 where the picture is not background
    from_picture: Tensor  # bool, (batch,), whether the first frame is given to the generator


WIDE_THINGS = ("sneaker", "car", "bag", "boat", "house")


def hard_ones_oftener(compositions: list[Composition]) -> list[Composition]:
    """The compositions, with spins twice and spins of wide things three times, because they are harder to learn."""

    def share(composition: Composition) -> int:
        if not MOTIONS[composition.motion].turn_deg:
            return 1
        return 3 if THINGS[composition.thing] in WIDE_THINGS else 2

    return [c for c in compositions for _ in range(share(c))]


def world_batches(
    compositions: list[Composition], size: int, seed: int, frames: int = 17, *, from_picture: int = 0
) -> Iterator[Batch]:
    """An endless iterator of random batches. The last `from_picture` clips of each batch start from an image."""
    usual = training_clips(compositions, seed, frames)
    posed = training_clips_from_pictures(compositions, seed, frames)
    wording = np.random.default_rng([seed, 1])
    given = torch.arange(size) >= size - from_picture
    while True:
        drawn = [*islice(usual, size - from_picture), *islice(posed, from_picture)]
        chosen, pixels = zip(*drawn, strict=True)
        grounds = np.array([BACKGROUNDS[c.background].rgb for c in chosen], np.uint8)[:, None, None, None]
        stack = np.stack(pixels)
        things = torch.from_numpy((stack != grounds).any(-1)).float().unsqueeze(1)
        captions = [c.captions[wording.integers(len(c.captions))] for c in chosen]
        yield Batch(list(chosen), captions, to_model(torch.from_numpy(stack)), things, given)


def to_model(clips: Tensor) -> Tensor:
    """Convert uint8 (batch, frames, height, width, 3) to float (batch, 3, frames, height, width) in [-1, 1]."""
    return clips.permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def picture_loss(made: Tensor, real: Tensor, things: Tensor, thing_weight: float = 5.0) -> Tensor:
    """2 MSE + L1 + half an edge term, with a higher weight for things than for the background.

    All tensors are (batch, channels, frames, height, width), in [-1, 1]. 0 is the best value.
    """
    weight = 1 + (thing_weight - 1) * things
    weight = weight / weight.mean()
    error = made - real
    loss = (weight * (2 * error.square() + error.abs())).mean()
    for axis in (-1, -2):
        edges = made.diff(dim=axis) - real.diff(dim=axis)
        loss = loss + 0.5 * (weight.narrow(axis, 1, edges.shape[axis]) * edges.abs()).mean()
    return loss


def psnr_db(made: Tensor, real: Tensor) -> Tensor:
    """Peak signal-to-noise ratio over all values, in dB; both in [-1, 1]."""
    return 10 * torch.log10(4 / F.mse_loss(made.float().clamp(-1, 1), real.float()).clamp_min(1e-10))
