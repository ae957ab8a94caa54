"""The image mode of the world: a first frame that shows the thing at an angle, size and place of its own.

A clip in a pose starts from that frame and moves on from it. The frame alone says nothing about the
motion: every motion starts from the same poses, so that the text has to be read for it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

TURN_DEG = 25.0
SIZES = (0.8, 1.15)
PLACE = 3 / 64


class Pose(NamedTuple):
    """How the first frame shows the thing."""

    turn_deg: float = 0.0  # clockwise, in the picture's plane
    size: float = 1.0  # 1 is the size at which the thing slides and spins: 0.56 of a frame's side
    x: float = 0.0  # its centre off the middle of the frame, in frame widths, to the right
    y: float = 0.0  # likewise in frame heights, downwards


def random_pose(rng: np.random.Generator) -> Pose:
    """A pose within 25 degrees, 0.8 to 1.15 of the usual size, and 3 pixels of 64 off the middle each way."""
    turn, size = rng.uniform(-TURN_DEG, TURN_DEG), rng.uniform(*SIZES)
    x, y = rng.uniform(-PLACE, PLACE, 2)
    return Pose(round(float(turn), 1), round(float(size), 2), round(float(x), 4), round(float(y), 4))
