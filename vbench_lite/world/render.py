"""Renders compositions as clips. The same composition, seed and size give the same pixels on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vbench_lite.world.pose import Pose, random_pose
from vbench_lite.world.sprites import sprite
from vbench_lite.world.vocabulary import BACKGROUNDS, COLOURS, MOTIONS, THINGS, Composition, Motion

JITTER = 2 / 64
"""Largest offset of a clip's start from the centre, as a fraction of the frame's shorter side."""
REST_SCALE = 0.56
"""Size of the thing in an image from which a clip starts, as a fraction of the frame's shorter side."""
POSED_TRAVEL = 0.625
"""Part of a motion's travel in clips from an image, so that the thing ends inside the frame."""


class Look(NamedTuple):
    """Angle, size and place of the thing in one frame."""

    turn_deg: float
    scale: float  # of the frame's shorter side
    x: int  # centre, in pixels
    y: int


def render(
    composition: Composition, seed: int, frames: int = 17, height: int = 64, width: int = 64
) -> NDArray[np.uint8]:
    """Render one clip of the world.

    Args:
        composition: The thing, colour, background and motion to show.
        seed: Determines where the thing starts. Clips of one caption differ in nothing else.
        frames: Number of frames. The motion extends over all of them.
        height: Height of a frame in pixels.
        width: Width of a frame in pixels.

    Returns:
        uint8, (frames, height, width, 3), RGB.

    >>> from vbench_lite.world import find_composition
    >>> render(find_composition("a red sneaker slides right on a white background"), seed=0, frames=5).shape
    (5, 64, 64, 3)
    """
    rng = np.random.default_rng([seed, *_key(composition)])
    reach = round(JITTER * min(height, width))
    off_x, off_y = rng.integers(-reach, reach + 1, 2)
    motion = MOTIONS[composition.motion]

    def look(t: float) -> Look:
        scale = motion.scale_from * (motion.scale_to / motion.scale_from) ** t
        x = width // 2 + off_x + round((t - 0.5) * motion.travel_x * width)
        y = height // 2 + off_y + round(_rise(motion, t) * motion.travel_y * height)
        return Look(motion.turn_deg * t, scale, int(x), int(y))

    return _draw(composition, [look(t) for t in _times(frames, only=0.5)], height, width)


def render_from(
    composition: Composition, pose: Pose, frames: int = 17, height: int = 64, width: int = 64
) -> NDArray[np.uint8]:
    """Render one clip that starts from an image: its first frame shows the thing in the given pose.

    Args:
        composition: The thing, colour, background and motion to show.
        pose: Angle, size and place of the thing in the first frame.
        frames: Number of frames. The motion extends over all of them. With 1, the result is the image.
        height: Height of a frame in pixels.
        width: Width of a frame in pixels.

    Returns:
        uint8, (frames, height, width, 3), RGB.
    """
    motion = MOTIONS[composition.motion]

    def look(t: float) -> Look:
        scale = pose.size * REST_SCALE * (motion.scale_to / REST_SCALE) ** t
        x = width * (0.5 + pose.x + POSED_TRAVEL * motion.travel_x * t)
        y = height * (0.5 + pose.y + POSED_TRAVEL * motion.travel_y * (_rise(motion, t) - _rise(motion, 0.0)))
        return Look(pose.turn_deg + motion.turn_deg * t, scale, round(x), round(y))

    return _draw(composition, [look(t) for t in _times(frames, only=0.0)], height, width)


def _times(frames: int, only: float) -> list[float]:
    """The time from 0 to 1 of each frame; `only` for a single frame."""
    return [float(t) for t in np.linspace(0.0, 1.0, frames)] if frames > 1 else [only]


def _draw(composition: Composition, looks: list[Look], height: int, width: int) -> NDArray[np.uint8]:
    clip = np.empty((len(looks), height, width, 3), np.uint8)
    clip[:] = BACKGROUNDS[composition.background].rgb
    thing, colour = THINGS[composition.thing], COLOURS[composition.colour].rgb
    for frame, look in zip(clip, looks, strict=True):
        half_px = round(look.scale * min(height, width) / 2, 3)
        _paste(frame, sprite(thing, colour, round(look.turn_deg, 3), half_px), look.x, look.y)
    return clip


def _rise(motion: Motion, t: float) -> float:
    """Place of the thing on its vertical travel at time t in [0, 1]: -0.5 to 0.5, where 0.5 is the end or the
    ground."""
    return 0.5 - abs(float(np.sin(np.pi * motion.hops * t))) if motion.hops else t - 0.5


def _key(composition: Composition) -> tuple[int, int, int, int]:
    return composition.thing, composition.colour, composition.background, composition.motion


def _paste(frame: NDArray[np.uint8], stamp: NDArray[np.uint8], x: int, y: int) -> None:
    """Draw a stamp over a frame, centred on pixel (x, y) and clipped at the frame's edges."""
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
    """An endless iterator of random clips of the given compositions. The seed determines the sequence."""
    rng = np.random.default_rng(seed)
    while True:
        composition = compositions[int(rng.integers(len(compositions)))]
        yield composition, render(composition, int(rng.integers(2**31)), frames)


def training_clips_from_pictures(
    compositions: list[Composition], seed: int, frames: int = 17
) -> Iterator[tuple[Composition, NDArray[np.uint8]]]:
    """An endless iterator of random clips that start from random poses. The seed determines the sequence."""
    rng = np.random.default_rng([seed, 2])
    while True:
        composition = compositions[int(rng.integers(len(compositions)))]
        yield composition, render_from(composition, random_pose(rng), frames)
