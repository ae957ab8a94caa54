"""Turns compositions into clips. Same composition, seed and size: same pixels, on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vbench_lite.world.pose import Pose, random_pose
from vbench_lite.world.sprites import sprite
from vbench_lite.world.vocabulary import BACKGROUNDS, COLOURS, MOTIONS, THINGS, Composition, Motion

JITTER = 2 / 64  # how far a clip's start may be off the middle, in frame widths
REST_SCALE = 0.56  # the thing's size in a picture that a clip starts from
POSED_TRAVEL = 0.625  # of a motion's travel, so that a thing that starts in the middle ends inside the frame


class Look(NamedTuple):
    """How one frame shows the thing."""

    turn_deg: float
    scale: float  # of the frame's shorter side
    x: int  # centre, in pixels
    y: int


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
    """One clip of the world that starts from a picture: its first frame shows the thing in the given pose.

    Args:
        composition: What to show.
        pose: How the first frame shows the thing. Every motion goes on from there.
        frames: Number of frames; the motion is spread over all of them. With 1, the picture itself.
        height, width: Size of a frame in pixels.

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
    """Moments from 0 to 1, a frame each; a single frame shows moment `only`."""
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


def training_clips_from_pictures(
    compositions: list[Composition], seed: int, frames: int = 17
) -> Iterator[tuple[Composition, NDArray[np.uint8]]]:
    """Endless random clips of the given compositions, each from a random pose, by seed."""
    rng = np.random.default_rng([seed, 2])
    while True:
        composition = compositions[int(rng.integers(len(compositions)))]
        yield composition, render_from(composition, random_pose(rng), frames)
