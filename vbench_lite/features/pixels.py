"""Brightness, contrast, differences and fine structure of frames, computed from pixels without a network."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vbench_lite.features.extractor import Arrays, ClipStream, Frame

Luma = NDArray[np.float32]

SIGMA = 1.0
"""Standard deviation in pixels of the Gaussian that is subtracted. The rest is mostly above half of the Nyquist
frequency."""


def frame_difference(first: Frame, second: Frame) -> float:
    """Mean absolute difference of two frames, uint8 (height, width, 3), as a fraction of 255: 0 to 1."""
    return float(cv2.norm(first, second, cv2.NORM_L1)) / (255.0 * first.size)


def fine_energy(frame: Frame) -> tuple[Luma, float]:
    """The luma of a frame, and the energy of its fine structure.

    The fine structure is luma minus luma blurred by a Gaussian with a standard deviation of one pixel, at the size of
    the clip, with mirrored edges. The energy is its mean square.

    Args:
        frame: uint8, (height, width, 3).

    Returns:
        Luma, float32 (height, width), 0 to 255 (BT.601), and the energy for luma in [0, 1], 0 to 1.
    """
    luma: Luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = luma - cv2.GaussianBlur(luma, (0, 0), SIGMA)
    return luma, float(cv2.norm(fine, cv2.NORM_L2SQR)) / (luma.size * 255.0**2)


class Pixels:
    """Arrays `brightness`, `contrast`, `fine_energies`, (frames,), and `differences`, (frames - 1,).

    `brightness` and `contrast`: mean and standard deviation of luma, 0 to 1. `fine_energies`: result of `fine_energy`.
    `differences`: mean absolute difference of consecutive frames, 0 to 1. Keeps one earlier frame.
    """

    name, version = "pixels", "1"

    def start(self, clip: ClipStream) -> None:
        self._last: Frame | None = None
        names = ("brightness", "contrast", "differences", "fine_energies")
        self._values: dict[str, list[float]] = {name: [] for name in names}

    def see(self, frame: Frame) -> None:
        luma, energy = fine_energy(frame)
        self._values["brightness"].append(float(luma.mean()) / 255)
        self._values["contrast"].append(float(luma.std()) / 255)
        self._values["fine_energies"].append(energy)
        if self._last is not None:
            self._values["differences"].append(frame_difference(self._last, frame))
        self._last = frame

    def finish(self) -> Arrays:
        return {name: np.array(values) for name, values in self._values.items()}
