"""Similarity of the first frame of a clip and its start image."""

from __future__ import annotations

from collections.abc import Sequence

from vbench_lite.features.image_text import ImageTextFrames
from vbench_lite.metrics.base import ClipContext, ClipMetric, no_picture
from vbench_lite.metrics.functional import Clips, Images, Networks, Values, score_each
from vbench_lite.records import Score


class FirstFrameSimilarity(ClipMetric):
    """Cosine between the first frame and the start image."""

    name = "first_frame_similarity"
    title = "First frame similarity"
    unit = "cosine"
    higher_is_better = True
    range = (-1.0, 1.0)
    version = "1"
    description = (
        "Cosine between the first frame and the start image in an image network. Only for prompts with an image."
    )
    pitfalls = (
        "A still picture of the image has the best value, 1: read it together with motion. Small texture has little "
        "influence. Values of different networks are not comparable."
    )
    question, rank = "prompt", 3
    source = "the image conditioning of image-to-video models; the network is that of the chosen set of backbones"
    extractors = (ImageTextFrames,)
    sets = ("builtin",)
    for_images = True
    falls_with = ("blur",)
    unmoved_by = ("object swap", "caption swap", "jitter")

    def score(self, context: ClipContext) -> Score:
        if context.picture is None:
            return no_picture(context)
        return Score(float(context["image_text_frames"]["frames"][0] @ context.picture))


def first_frame_similarity(clips: Clips, images: Images | Sequence[Images], backbones: Networks = "builtin") -> Values:
    """Cosine between the first frame and the start image.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        images: Start images, uint8, (height, width, 3): one per clip, or one for all.
        backbones: Name or file of a set of networks, or a loaded set; its image-and-text network is used.

    Returns:
        (clips,) values from -1 to 1, higher is closer; a float for one clip.

    Raises:
        ValueError: Clips or images have a wrong shape or type.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> clip = np.full((3, 32, 32, 3), 90, np.uint8)
        >>> round(first_frame_similarity(clip, clip[0]), 6)
        1.0
    """
    return score_each(FirstFrameSimilarity(), clips, images=images, backbones=backbones)
