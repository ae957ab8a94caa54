"""Poses for clips that start from an image: the angle, size and place of the thing in the first frame.

All motions start from the same poses. So the first frame does not reveal the motion, and a model must read the text.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

TURN_DEG = 25.0
SIZES = (0.8, 1.15)
PLACE = 3 / 64


class Pose(NamedTuple):
    """Angle, size and place of the thing in the first frame."""

    turn_deg: float = 0.0
    """Clockwise rotation in the picture's plane, in degrees."""
    size: float = 1.0
    """Relative size; 1 is the usual size of 0.56 of the frame's shorter side."""
    x: float = 0.0
    """Offset of its centre to the right of the frame's centre, in frame widths."""
    y: float = 0.0
    """Offset of its centre below the frame's centre, in frame heights."""


def random_pose(rng: np.random.Generator) -> Pose:
    """A pose with up to 25 degrees, 0.8 to 1.15 of the usual size, and up to 3/64 of the frame off its centre."""
    turn, size = rng.uniform(-TURN_DEG, TURN_DEG), rng.uniform(*SIZES)
    x, y = rng.uniform(-PLACE, PLACE, 2)
    return Pose(round(float(turn), 1), round(float(size), 2), round(float(x), 4), round(float(y), 4))
