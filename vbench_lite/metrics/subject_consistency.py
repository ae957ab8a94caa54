"""Similarity of the subject of a clip from frame to frame, by DINO."""

from __future__ import annotations

from vbench_lite.features.dino import DinoFrames
from vbench_lite.metrics.base import SINGLE_FRAME, ClipContext, ClipMetric, mean_score
from vbench_lite.metrics.functional import Clips, Networks, Values, score_each
from vbench_lite.records import Score


class SubjectConsistency(ClipMetric):
    """Mean DINO cosine of each frame with the previous frame and with the first."""

    name = "subject_consistency"
    title = "Subject consistency"
    unit = "cosine"
    higher_is_better = True
    range = (0.0, 1.0)
    version = "1"
    description = (
        "Similarity of the frames in DINO, whose features represent the identity of objects: each frame is compared "
        "with the previous frame and with the first. 1 is a still picture."
    )
    pitfalls = (
        "It rewards stillness: read it together with motion. VBench's total weights clips by their number of frames, "
        "this metric does not."
    )
    question, rank = "coherence", 4
    source = "VBench subject_consistency (Huang et al., arXiv:2311.17982), per clip"
    licence = "DINO ViT-B/16: Apache-2.0"
    extractors = (DinoFrames,)
    default_backbones = "vbench"
    sets = ("vbench",)
    falls_with = ("object swap",)
    unmoved_by = ("caption swap",)

    def score(self, context: ClipContext) -> Score:
        return mean_score(context["dino"]["likeness"], SINGLE_FRAME)


def subject_consistency(clips: Clips, backbones: Networks = "vbench") -> Values:
    """Mean DINO cosine of each frame with the previous frame and with the first, each clipped at 0.

    It rewards stillness: a frozen clip has the best value, 1.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        backbones: Name or file of a set of networks, or a loaded set; its DINO network is used.

    Returns:
        (clips,) values from 0 to 1, higher is more consistent; a float for one clip. Equals VBench's per-clip value.

    Raises:
        ValueError: Fewer than two frames, a wrong shape or type, or a set that has no DINO network.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> subject_consistency(np.zeros((3, 32, 32, 3), np.uint8), backbones="builtin")
        Traceback (most recent call last):
        ValueError: clip 0 has no subject_consistency: this set of backbones has no DINO network; score with \
--backbones vbench
    """
    return score_each(SubjectConsistency(), clips, backbones=backbones)
