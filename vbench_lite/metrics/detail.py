"""Fine structure of the frames, against that of real clips of the same size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vbench_lite.metrics.base import ClipContext, ClipMetric
from vbench_lite.records import Score

Frame = NDArray[np.uint8]
Luma = NDArray[np.float32]

SIGMA = 1.0
"""Of the Gaussian, in pixels, that is taken away: what is left lies mostly above half of the finest frequency."""
NOISE_FROM = 1.25
"""From this many times the real clips' energy on, fine structure is called noise."""


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


def energy_ratio(frames: Frame, real_energy: float) -> float:
    """Mean fine energy of the frames over that of real clips: under 1 blurred, over 1 noisy or over-sharpened.

    Args:
        frames: uint8, (frames, height, width, 3).
        real_energy: Mean of `fine_energy` over the frames of real clips of the same size; more than 0.
    """
    return float(np.mean([fine_energy(frame)[1] for frame in frames])) / real_energy


def detail(ratio: float) -> float:
    """How near the fine energy is to real clips': `ratio`, or its inverse where it is over 1.

    1 means as detailed as real clips. Blur lowers it, and so does noise, which a plain ratio would
    reward. It does not see whether the fine structure is in the right places.

    >>> [detail(r) for r in (0.0, 0.5, 1.0, 4.0)]
    [0.0, 0.5, 1.0, 0.25]
    """
    return ratio if ratio <= 1 else 1 / ratio


class Detail(ClipMetric):
    """`detail` over clips. A ratio over `NOISE_FROM` is said in the score's reason, beside its value."""

    higher_is_better = True

    def score(self, case: ClipContext) -> Score:
        if not case.real_energy:
            return Score(None, case.real_problem)
        ratio = float(case.clip.fine_energies.mean()) / case.real_energy
        noise = f"noise: {ratio:.2f} times the fine structure of real clips" if ratio > NOISE_FROM else None
        return Score(detail(ratio), noise)
