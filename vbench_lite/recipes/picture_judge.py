"""Judges clips that start from an image: whether they keep its thing and colour, and move as the text says.

No network is used. Real clips from the same image are rendered for each motion, thing or colour. The generated clip
gets the name of the nearest real clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vbench_lite.world.pose import Pose, random_pose
from vbench_lite.world.render import render_from
from vbench_lite.world.silhouettes import named_by_frame
from vbench_lite.world.vocabulary import BACKGROUNDS, COLOURS, MOTIONS, THINGS, Composition, held_out_compositions

Frames = NDArray[np.uint8]
SEEN = 20
"""Lowest difference from the background (of 255) of a pixel of the thing."""


class PictureCase(NamedTuple):
    """A text, and the image from which the clip starts."""

    asked: Composition
    """The composition of the text."""
    caption: str
    shown: Composition
    """The composition of the image, with the motion of the text."""
    pose: Pose

    @property
    def picture(self) -> Frames:
        """uint8, (64, 64, 3)."""
        return render_from(self.shown, self.pose, frames=1)[0]


class Kept(NamedTuple):
    """Properties of a case that one clip keeps, by frame."""

    thing: NDArray[np.bool_]
    """Whether each frame shows the image's thing."""
    colour: NDArray[np.bool_]
    """Whether each frame shows the image's colour."""
    asked_thing: NDArray[np.bool_]
    """Whether each frame shows the text's thing."""
    motion: bool
    """Whether the clip has the text's motion."""


def picture_cases(count: int, seed: int, *, contradict: bool = False) -> list[PictureCase]:
    """Held-out compositions in random order with random poses. Each occurs once before any is repeated.

    Args:
        count: Number of cases.
        seed: Seed of the order, wordings and poses.
        contradict: Whether the image shows another thing and another colour than the text.
    """
    rng = np.random.default_rng(seed)
    every = held_out_compositions()
    order = rng.permutation(len(every))
    cases = []
    for i in range(count):
        asked = every[order[i % len(order)]]
        shown = _another(asked, rng) if contradict else asked
        cases.append(PictureCase(asked, str(rng.choice(asked.captions)), shown, random_pose(rng)))
    return cases


def _another(asked: Composition, rng: np.random.Generator) -> Composition:
    thing = (asked.thing + int(rng.integers(1, len(THINGS)))) % len(THINGS)
    colour = (asked.colour + int(rng.integers(1, len(COLOURS)))) % len(COLOURS)
    return replace(asked, thing=thing, colour=colour)


def kept(clip: Frames, case: PictureCase) -> Kept:
    """Which properties of the image and the text a clip, uint8 (frames, 64, 64, 3), shows."""
    named = named_by_frame(clip, case.shown, case.pose)
    return Kept(
        named == case.shown.thing,
        colour_by_frame(clip, case.shown, case.pose) == case.shown.colour,
        named == case.asked.thing,
        nearest_motion(clip, case.shown, case.pose) == case.asked.motion,
    )


def colour_by_frame(clip: Frames, shown: Composition, pose: Pose) -> NDArray[np.int64]:
    """The colour of the thing in each frame, as index in `COLOURS`; -1 for an empty frame."""
    ground = np.array(BACKGROUNDS[shown.background].rgb, np.float32)
    every = [replace(shown, colour=colour) for colour in range(len(COLOURS))]
    known = np.stack([_mean_colours(render_from(c, pose), ground).mean(0) for c in every])
    seen = _mean_colours(clip, ground)
    nearest = np.linalg.norm(seen[:, None] - known, axis=2)
    return np.where(np.isnan(seen).any(1), -1, nearest.argmin(1))


def _mean_colours(clip: Frames, ground: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean RGB of the pixels that differ from the background, by frame; NaN for an empty frame."""
    pixels = clip.astype(np.float32)
    off = np.abs(pixels - ground).max(-1) > SEEN
    return np.stack([
        frame[seen].mean(0) if seen.any() else np.full(3, np.nan, np.float32)
        for frame, seen in zip(pixels, off, strict=True)
    ])


def nearest_motion(clip: Frames, shown: Composition, pose: Pose) -> int:
    """The motion of the real clip from the same image that has the smallest mean difference."""
    real = [render_from(replace(shown, motion=motion), pose, len(clip)) for motion in range(len(MOTIONS))]
    return int(np.argmin([np.abs(clip.astype(np.int16) - r).mean() for r in real]))


def shares(cases: Sequence[PictureCase], clips: Sequence[Frames]) -> dict[str, float]:
    """Fractions of frames with the image's thing and colour, and of clips with the requested motion, over all clips."""
    found = [kept(clip, case) for clip, case in zip(clips, cases, strict=True)]
    thing, colour, asked_thing = (np.stack([getattr(k, key) for k in found]) for key in Kept._fields[:3])
    spins = np.array([MOTIONS[case.asked.motion].turn_deg > 0 for case in cases])
    both = thing & colour
    figures = {
        "thing kept, frames": thing,
        "colour kept, frames": colour,
        "both kept, frames": both,
        "the text's thing, frames": asked_thing,
        "motion as asked, clips": np.array([k.motion for k in found]),
    }
    if spins.any():
        figures["both kept in spins, frames"] = both[spins]
    return {name: round(float(values.mean()), 4) for name, values in figures.items()}
