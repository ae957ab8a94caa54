"""Technical quality of the frames of a clip (blur, noise, exposure), by MUSIQ."""

from __future__ import annotations

from vbench_lite.features.imaging import ImagingFrames
from vbench_lite.metrics.base import ClipContext, ClipMetric
from vbench_lite.metrics.functional import Clips, Networks, Values, score_each
from vbench_lite.records import Score


class ImagingQuality(ClipMetric):
    """Mean over frames of MUSIQ's score, divided by 100. Needs the extra `iqa`, which allows no commercial use."""

    name = "imaging_quality"
    title = "Imaging quality"
    unit = "rating"
    higher_is_better = True
    range = (float("-inf"), float("inf"))
    version = "1"
    description = (
        "Predicted technical quality of the frames (blur, noise, exposure), by MUSIQ trained on SPAQ: a rating of 0 to "
        "100, divided by 100. The value is the mean over frames."
    )
    pitfalls = "It rates single frames. Its library pyiqa (extra iqa) allows no commercial use."
    question, rank = "detail", 5
    source = "VBench imaging_quality (Huang et al., arXiv:2311.17982); MUSIQ (Ke et al., arXiv:2108.05997)"
    licence = "pyiqa: PolyForm Noncommercial 1.0.0 and S-Lab License 1.0, no commercial use"
    extractors = (ImagingFrames,)
    default_backbones = "vbench"
    sets = ("vbench",)
    falls_with = ("blur", "noise")
    unmoved_by = ("caption swap",)

    def score(self, context: ClipContext) -> Score:
        return Score(float(context["imaging"]["scores"].mean()) / 100)


def imaging_quality(clips: Clips, backbones: Networks = "vbench") -> Values:
    """Mean over frames of MUSIQ's score, divided by 100.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        backbones: Name or file of a set of networks, or a loaded set; its network for imaging quality is used.

    Returns:
        (clips,) values, about 0 to 1, higher is better; a float for one clip. VBench's per-clip value divided by 100.

    Raises:
        ValueError: Another shape or type, or a set that has no such network.
        WeightsError: Weights or the extra `iqa` are missing.

    Example:
        >>> import numpy as np
        >>> try:
        ...     imaging_quality(np.zeros((3, 32, 32, 3), np.uint8), backbones="builtin")
        ... except ValueError as error:
        ...     print(str(error).partition(": ")[2])
        this set of backbones has no network for imaging quality; score with --backbones vbench
    """
    return score_each(ImagingQuality(), clips, backbones=backbones)
