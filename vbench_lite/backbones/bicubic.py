"""Bicubic resizing of one frame to a square: the pixels of torch's `interpolate`, at a fraction of its time.

Without antialiasing an output pixel depends on four rows and four columns only, with weights that are
the same for every frame of a clip. So resizing is two products with sparse matrices, made once for a
frame size, over just those rows and columns that the square shows: a frame is never turned into floats
as a whole, and a frame of one pixel by thousands costs no more than its square.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float32]

SHARPNESS = np.float32(-0.75)
"""The cubic's one parameter, as torch has it."""


class Axis(NamedTuple):
    """Which inputs make each output along one axis, and how much of each: (outputs, 4) both."""

    places: NDArray[np.int64]
    weights: Floats

    def span(self) -> slice:
        """The inputs that any output needs."""
        return slice(int(self.places.min()), int(self.places.max()) + 1)


class Plan(NamedTuple):
    rows: slice
    columns: slice
    vertical: csr_array
    horizontal: csr_array


def resize_bicubic(frame: NDArray[np.uint8], size: int, *, crop: bool) -> Floats:
    """A frame, uint8 (height, width, 3), as float32 (3, size, size) from 0 to 255, neither rounded nor clamped.

    Args:
        frame: Any size from one pixel on.
        size: Side of the square.
        crop: The short side to `size` and the centre of the long one; else both sides squashed.

    Returns:
        What `interpolate(mode="bicubic", align_corners=False, antialias=False)` and a centre crop
        give, up to the rounding of float32 sums.
    """
    height, width = frame.shape[:2]
    plan = _plan(height, width, size, crop)
    needed = frame[plan.rows, plan.columns].astype(np.float32)
    narrow = plan.vertical @ needed.reshape(len(needed), -1)
    square = plan.horizontal @ np.ascontiguousarray(narrow.T)
    return np.ascontiguousarray(square.reshape(3, size, size).transpose(0, 2, 1))


@lru_cache(maxsize=16)
def _plan(height: int, width: int, size: int, crop: bool) -> Plan:
    short = min(height, width)
    to = (size * height // short, size * width // short) if crop else (size, size)
    down, across = (_axis(old, new, size) for old, new in zip((height, width), to, strict=True))
    rows, columns = down.span(), across.span()
    vertical = _matrix(down.places - rows.start, down.weights, rows.stop - rows.start)
    # a row of the frame holds red, green, blue of its first pixel, then of the next one
    channel = np.arange(3).reshape(3, 1, 1)
    places = (3 * (across.places - columns.start) + channel).reshape(-1, 4)
    horizontal = _matrix(places, np.tile(across.weights, (3, 1)), 3 * (columns.stop - columns.start))
    return Plan(rows, columns, vertical, horizontal)


def _axis(old: int, new: int, size: int) -> Axis:
    """The middle `size` outputs of an axis that goes from `old` to `new` pixels."""
    outputs = np.arange(size) + round((new - size) / 2)
    scale = float(np.float32(old) / np.float32(new))
    centre = (scale * (outputs + 0.5) - 0.5).astype(np.float32)  # rounded once, as a fused multiply-add does
    before = np.floor(centre)
    past = (centre - before)[:, None] + np.array([1, 0, -1, -2], np.float32)
    places = np.clip(before.astype(np.int64)[:, None] + np.arange(-1, 3), 0, old - 1)
    return Axis(places, _cubic(np.abs(past)))


def _cubic(distance: Floats) -> Floats:
    """Keys' kernel at distances from 0 to 2."""
    a = SHARPNESS
    near = ((a + 2) * distance - (a + 3)) * distance * distance + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, far).astype(np.float32)


def _matrix(places: NDArray[np.int64], weights: Floats, inputs: int) -> csr_array:
    starts = np.arange(0, places.size + 1, places.shape[1])
    return csr_array((weights.ravel(), places.ravel(), starts), shape=(len(places), inputs))
