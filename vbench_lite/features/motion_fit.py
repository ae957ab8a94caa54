"""Splits a field of optical flow into the motion of the camera and the motion of an object.

A similarity transform moves the point (x, y), measured from the centre of the frame in short sides, by

    dx = right + zoom x - roll y        dy = down + zoom y + roll x

The dominant transform of a field is the camera's motion. Where the field differs from it, the remaining flow is the
object's motion.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vbench_lite.features.extractor import Arrays, ClipStream, Frame
from vbench_lite.features.flow import flow_size

Array = NDArray[np.float64]
GRID = 24
"""Number of points per side at which a field is sampled."""
STEPS = 4
"""Number of iterations of reweighted least squares."""
FEWEST = 8
"""Lowest number of points of an object."""
FLOOR = 0.15
"""Accuracy of the flow in pixels."""


class Fit(NamedTuple):
    """The motion between two frames. Lengths are in short sides of the frame, angles in radians, clockwise."""

    camera: Array
    """(4,): right, down, zoom, roll of the dominant motion of the picture. A camera pan to the right has right < 0."""
    object: Array
    """(4,): the same for the object, relative to the camera's motion and about the object's centre; zeros if none."""
    area: float
    """Fraction of the frame that the object covers."""


STILL = Fit(np.zeros(4), np.zeros(4), 0.0)


class MotionFit:
    """Arrays `camera` and `object`, (frames - 1, 4), and `area`, (frames - 1,); see `Fit`. Keeps one earlier frame."""

    name, version = "motion_fit", "1"

    def start(self, clip: ClipStream) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._last: Frame | None = None
        self._fits: list[Fit] = []

    def see(self, frame: Frame) -> None:
        luma: Frame = cv2.cvtColor(flow_size(frame), cv2.COLOR_RGB2GRAY)  # type: ignore[assignment]
        if self._last is not None:
            same = np.array_equal(self._last, luma)
            self._fits.append(STILL if same else fit_pair(self._dis.calc(self._last, luma, None)))
        self._last = luma

    def finish(self) -> Arrays:
        return {
            "camera": np.array([fit.camera for fit in self._fits]).reshape(-1, 4),
            "object": np.array([fit.object for fit in self._fits]).reshape(-1, 4),
            "area": np.array([fit.area for fit in self._fits]),
        }


def fit_pair(flow: NDArray[np.float32]) -> Fit:
    """Fit the motion of the camera and of the object to one field.

    Args:
        flow: (height, width, 2), pixels.
    """
    side = min(flow.shape[:2])
    rows, columns = (np.linspace(0, n - 1, min(GRID, n)).round().astype(int) for n in flow.shape[:2])
    down, right = (rows - (flow.shape[0] - 1) / 2) / side, (columns - (flow.shape[1] - 1) / 2) / side
    y, x = np.meshgrid(down, right, indexing="ij")
    points = np.column_stack([x.ravel(), y.ravel()])
    moved = flow[np.ix_(rows, columns)].reshape(-1, 2).astype(np.float64) / side
    camera = _dominant(points, moved, FLOOR / side)
    rest = moved - _at(camera, points)
    apart = np.sqrt(np.square(rest).sum(1))
    own = apart > max(2 * FLOOR / side, 4 * float(np.median(apart)))
    found, area = np.zeros(4), 0.0
    if own.sum() >= FEWEST:
        arm = points[own] - points[own].mean(0)
        found = _solve(arm, rest[own], np.ones(int(own.sum())))
        area = float(own.mean())
    return Fit(camera, found, area)


def _dominant(points: Array, moved: Array, floor: float) -> Array:
    """The similarity transform of most points, by least squares with Cauchy weights of the residuals."""
    found = np.array([*np.median(moved, 0), 0.0, 0.0])
    for _ in range(STEPS):
        apart = np.sqrt(np.square(moved - _at(found, points)).sum(1))
        scale = max(floor, 1.5 * float(np.median(apart)))
        found = _solve(points, moved, 1 / (1 + np.square(apart / scale)))
    return found


def _at(similarity: Array, points: Array) -> Array:
    right, down, zoom, roll = similarity
    x, y = points.T
    return np.column_stack([right + zoom * x - roll * y, down + zoom * y + roll * x])


def _solve(points: Array, moved: Array, weights: Array) -> Array:
    """Weighted least squares in closed form: (right, down, zoom, roll) about the origin."""
    total = weights.sum()
    middle, shift = (weights[:, None] * points).sum(0) / total, (weights[:, None] * moved).sum(0) / total
    arm, rest = points - middle, moved - shift
    spread = (weights * np.square(arm).sum(1)).sum()
    if spread <= 1e-12 * total:
        return np.array([*shift, 0.0, 0.0])
    zoom = (weights * (arm * rest).sum(1)).sum() / spread
    roll = (weights * (arm[:, 0] * rest[:, 1] - arm[:, 1] * rest[:, 0])).sum() / spread
    right = shift[0] - zoom * middle[0] + roll * middle[1]
    return np.array([right, shift[1] - zoom * middle[1] - roll * middle[0], zoom, roll])
