"""Bicubic resizing of one frame to a square. It gives the pixels of torch's `interpolate` in a fraction of the time.

Without antialiasing, an output pixel depends on four rows and four columns only, and the weights are equal for all
frames of a clip. So resizing is two products with sparse matrices, which are computed once per frame size. They cover
only the rows and columns that the square shows. So a frame is not converted to floats as a whole.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float32]

SHARPNESS = np.float32(-0.75)
"""The parameter of the cubic kernel, as in torch."""


class Axis(NamedTuple):
    """The inputs and weights of each output along one axis, both (outputs, 4)."""

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
    """Resize a frame to a square.

    Args:
        frame: uint8, (height, width, 3), of any size.
        size: Side of the square.
        crop: Scale the short side to `size` and crop the centre; otherwise scale both sides to `size`.

    Returns:
        float32, (3, size, size), 0 to 255, not rounded or clamped. Up to rounding, it equals
        `interpolate(mode="bicubic", align_corners=False, antialias=False)` and a centre crop.
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
    # a row of the frame has red, green, blue of its first pixel, then of the next pixel
    channel = np.arange(3).reshape(3, 1, 1)
    places = (3 * (across.places - columns.start) + channel).reshape(-1, 4)
    horizontal = _matrix(places, np.tile(across.weights, (3, 1)), 3 * (columns.stop - columns.start))
    return Plan(rows, columns, vertical, horizontal)


def _axis(old: int, new: int, size: int) -> Axis:
    """The central `size` outputs of an axis that is resized from `old` to `new` pixels."""
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
