"""Fine structure of the frames, relative to that of real clips of the same size."""

from __future__ import annotations

from vbench_lite.features.pixels import Pixels
from vbench_lite.metrics.base import ClipContext, ClipMetric
from vbench_lite.metrics.functional import Clips, Values, score_each
from vbench_lite.records import ReasonCode, Score

NOISE_FROM = 1.25
"""Ratio to the energy of real clips above which fine structure is called noise."""


class Detail(ClipMetric):
    """Energy of fine structure divided by that of real clips, or the inverse if the ratio is above 1."""

    name = "detail"
    title = "Detail"
    unit = "ratio"
    higher_is_better = True
    range = (0.0, 1.0)
    version = "1"
    description = "Fine structure of the frames relative to that of the reference clips. 1 is equal."
    pitfalls = (
        "It does not measure whether the detail is in the right place. Noise looks like detail: more energy than in "
        "real clips lowers the value, and more than 1.25 times is reported as noise."
    )
    question, rank = "detail", 1
    extractors = (Pixels,)
    sets = ("builtin",)
    falls_with = ("blur", "noise", "compression")
    unmoved_by = ("shuffle", "reversal", "caption swap")

    def score(self, context: ClipContext) -> Score:
        if not context.real.clips:
            return Score(None, context.real.problem, ReasonCode.NO_REFERENCE)
        real = context.real.mean("pixels", "fine_energies", context.clip.height, context.clip.width)
        if real is None:
            other = context.real.clips[0]
            size = f"{other.width}x{other.height}"
            return Score(None, f"the real clips are {size}: detail compares clips of one size", ReasonCode.NO_REFERENCE)
        if not real:
            return Score(None, "the real clips are flat", ReasonCode.NO_REFERENCE)
        ratio = float(context["pixels"]["fine_energies"].mean()) / real
        if ratio > NOISE_FROM:
            return Score(closeness(ratio), f"noise: {ratio:.2f} times the fine structure of real clips")
        return Score(closeness(ratio))


def closeness(ratio: float) -> float:
    """`ratio`, or its inverse if it is above 1. Both blur and noise lower the result.

    >>> [closeness(r) for r in (0.0, 0.5, 1.0, 4.0)]
    [0.0, 0.5, 1.0, 0.25]
    """
    return ratio if ratio <= 1 else 1 / ratio


def detail(clips: Clips, reference: Clips) -> Values:
    """Ratio of the energy of fine structure to that of real clips of the same size, inverted if above 1.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        reference: Real clips, in the same form.

    Returns:
        (clips,) values from 0 to 1; 1 is as much detail as in real clips. A float for one clip.

    Raises:
        ValueError: The real clips have another size or no fine structure, or the clips have a wrong shape or type.

    Example:
        >>> import numpy as np
        >>> noise = np.random.default_rng(0).integers(0, 256, (1, 2, 32, 32, 3), dtype=np.uint8)
        >>> detail(noise, reference=noise).tolist()
        [1.0]
    """
    return score_each(Detail(), clips, reference=reference)
