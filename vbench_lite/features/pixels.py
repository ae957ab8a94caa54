"""Brightness, contrast, change and fine structure of frames, from pixels alone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vbench_lite.features.extractor import Arrays, ClipStream, Frame

Luma = NDArray[np.float32]

SIGMA = 1.0
"""Of the Gaussian, in pixels, that is subtracted: what remains lies mostly above half of the finest frequency."""


def frame_difference(first: Frame, second: Frame) -> float:
    """Mean absolute difference of two frames, uint8 (height, width, 3), as a fraction of full scale: 0 to 1."""
    return float(cv2.norm(first, second, cv2.NORM_L1)) / (255.0 * first.size)


def fine_energy(frame: Frame) -> tuple[Luma, float]:
    """The luma of a frame, and the energy of its fine structure.

    The band is what a Gaussian of one pixel's standard deviation removes: luma minus blurred luma,
    at the clip's own size, edges mirrored. The energy is that difference's mean square.

    Args:
        frame: uint8, (height, width, 3).

    Returns:
        Luma, float32 (height, width), 0 to 255 (BT.601), and the energy, 0 to 1, of luma in [0, 1].
    """
    luma: Luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = luma - cv2.GaussianBlur(luma, (0, 0), SIGMA, borderType=cv2.BORDER_REFLECT_101)
    return luma, float(cv2.norm(fine, cv2.NORM_L2SQR)) / (luma.size * 255.0**2)


class Pixels:
    """Per frame: `brightness` and `contrast` (mean and standard deviation of luma, 0 to 1) and `fine_energies`.

    Per pair of neighbouring frames: `differences` (mean absolute difference, 0 to 1). Holds one earlier frame.
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
