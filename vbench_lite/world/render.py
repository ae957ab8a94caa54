"""Turns compositions into clips. Same composition, seed and size: same pixels, on every machine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vbench_lite.world.sprites import sprite
from vbench_lite.world.vocabulary import BACKGROUNDS, COLOURS, MOTIONS, THINGS, Composition, Motion

JITTER = 2 / 64  # how far a clip's start may be off the middle, in frame widths


def render(
    composition: Composition, seed: int, frames: int = 17, height: int = 64, width: int = 64
) -> NDArray[np.uint8]:
    """One clip of the world.

    Args:
        composition: What to show.
        seed: Chooses where the thing starts; nothing else varies between two clips of a caption.
        frames: Number of frames; the motion is spread over all of them.
        height, width: Size of a frame in pixels.

    Returns:
        uint8, (frames, height, width, 3), RGB.
    """
    rng = np.random.default_rng([seed, *_key(composition)])
    side = min(height, width)
    reach = round(JITTER * side)
    off_x, off_y = rng.integers(-reach, reach + 1, 2)
    motion = MOTIONS[composition.motion]
    clip = np.empty((frames, height, width, 3), np.uint8)
    clip[:] = BACKGROUNDS[composition.background].rgb
    for frame, t in zip(clip, np.linspace(0.0, 1.0, frames) if frames > 1 else [0.5], strict=True):
        scale = motion.scale_from * (motion.scale_to / motion.scale_from) ** t
        stamp = sprite(
            THINGS[composition.thing],
            COLOURS[composition.colour].rgb,
            round(motion.turn_deg * float(t), 3),
            round(scale * side / 2, 3),
        )
        x = width // 2 + off_x + round((t - 0.5) * motion.travel_x * width)
        y = height // 2 + off_y + round(_rise(motion, t) * motion.travel_y * height)
        _paste(frame, stamp, int(x), int(y))
    return clip


def _rise(motion: Motion, t: float) -> float:
    """Where the thing is on its vertical travel at time t in [0, 1], from -0.5 to 0.5, the end or the ground."""
    return 0.5 - abs(float(np.sin(np.pi * motion.hops * t))) if motion.hops else t - 0.5


def _key(composition: Composition) -> tuple[int, int, int, int]:
    return composition.thing, composition.colour, composition.background, composition.motion


def _paste(frame: NDArray[np.uint8], stamp: NDArray[np.uint8], x: int, y: int) -> None:
    """Draws a stamp over a frame, centred on pixel (x, y), cut at the frame's edges."""
    height, width = frame.shape[:2]
    radius = stamp.shape[0] // 2
    top, bottom = max(0, y - radius), min(height, y + radius + 1)
    left, right = max(0, x - radius), min(width, x + radius + 1)
    if top >= bottom or left >= right:
        return
    part = stamp[top - y + radius : bottom - y + radius, left - x + radius : right - x + radius]
    alpha = part[..., 3:].astype(np.uint16)
    below = frame[top:bottom, left:right]
    below[:] = (part[..., :3] * alpha + below * (255 - alpha) + 127) // 255


def training_clips(
    compositions: list[Composition], seed: int, frames: int = 17
) -> Iterator[tuple[Composition, NDArray[np.uint8]]]:
    """Endless random clips of the given compositions, by seed."""
    rng = np.random.default_rng(seed)
    while True:
        composition = compositions[int(rng.integers(len(compositions)))]
        yield composition, render(composition, int(rng.integers(2**31)), frames)
