"""Similarity of the frames of a clip, by the CLIP network of VBench."""

from __future__ import annotations

from vbench_lite.backbones import Backbones
from vbench_lite.features.image_text import ImageText
from vbench_lite.metrics.base import SINGLE_FRAME, ClipContext, ClipMetric, mean_score
from vbench_lite.metrics.functional import Clips, Networks, Values, score_each
from vbench_lite.records import Score


class BackgroundConsistency(ClipMetric):
    """`clip_frames` with the network and the preprocessing of VBench: OpenAI's CLIP ViT-B/32."""

    name = "background_consistency"
    title = "Background consistency"
    unit = "cosine"
    higher_is_better = True
    range = (0.0, 1.0)
    version = "1"
    description = (
        "Similarity of the frames in OpenAI's CLIP ViT-B/32: each frame is compared with the previous frame and with "
        "the first. 1 is a still picture."
    )
    pitfalls = (
        "It measures the whole frame, not only the background. It rewards stillness: read it together with motion."
    )
    question, rank = "coherence", 5
    source = "VBench background_consistency (Huang et al., arXiv:2311.17982), per clip"
    licence = "OpenAI CLIP: MIT"
    extractors = (ImageText,)
    default_backbones = "vbench"
    sets = ("vbench",)
    falls_with = ("colour drift", "object swap")
    unmoved_by = ("caption swap",)

    @classmethod
    def unavailable(cls, nets: Backbones) -> str | None:
        if (why := super().unavailable(nets)) or getattr(nets.image, "vbench", False):
            return why
        return (
            f'the image-and-text network of "{nets.name}" is not the one of VBench; score with --backbones vbench '
            '(clip_frames has the same formula for any network)'
        )

    def score(self, context: ClipContext) -> Score:
        return mean_score(context["image_text"]["likeness"], SINGLE_FRAME)


def background_consistency(clips: Clips, backbones: Networks = "vbench") -> Values:
    """Mean CLIP cosine of each frame with the previous frame and with the first, each clipped at 0.

    It rewards stillness: a frozen clip has the best value, 1.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        backbones: Name or file of a set of networks, or a loaded set; its image network must be declared as VBench's.

    Returns:
        (clips,) values from 0 to 1, higher is more consistent; a float for one clip. Equals VBench's per-clip value.

    Raises:
        ValueError: Fewer than two frames, a wrong shape or type, or a network that is not VBench's.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> try:
        ...     background_consistency(np.zeros((3, 32, 32, 3), np.uint8), backbones="builtin")
        ... except ValueError as error:
        ...     print("is not the one of VBench" in str(error))
        True
    """
    return score_each(BackgroundConsistency(), clips, backbones=backbones)
