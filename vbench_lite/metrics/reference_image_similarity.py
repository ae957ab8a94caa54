"""Similarity of all frames of a clip and its start image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vbench_lite.features.image_text import ImageTextFrames
from vbench_lite.metrics.base import ClipContext, ClipMetric, no_picture
from vbench_lite.metrics.functional import Clips, Images, Networks, Values, score_each
from vbench_lite.records import Score


class ReferenceImageSimilarity(ClipMetric):
    """Mean over all frames of the cosine with the start image, each clipped at 0."""

    name = "reference_image_similarity"
    title = "Reference image similarity"
    unit = "cosine"
    higher_is_better = True
    range = (0.0, 1.0)
    version = "1"
    description = (
        "Mean over all frames of the cosine with the start image in an image network, each clipped at 0. Only for "
        "prompts with an image."
    )
    pitfalls = (
        "It rewards stillness: motion, rotation and growth lower it, also if the text requests them. Compare it with "
        "the value of real clips, not with 1."
    )
    question, rank = "prompt", 4
    source = "mean over frames of max(0, cosine), as VBench's i2v_subject without its weights (arXiv:2411.13503)"
    extractors = (ImageTextFrames,)
    sets = ("builtin",)
    for_images = True
    falls_with = ("object swap", "colour drift")
    unmoved_by = ("caption swap",)

    def score(self, context: ClipContext) -> Score:
        if context.picture is None:
            return no_picture(context)
        cosines = context["image_text_frames"]["frames"] @ context.picture
        return Score(float(np.clip(cosines, 0.0, 1.0).mean()))


def reference_image_similarity(
    clips: Clips, images: Images | Sequence[Images], backbones: Networks = "builtin"
) -> Values:
    """Mean over frames of the cosine with the start image, each clipped at 0.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        images: Start images, uint8, (height, width, 3): one per clip, or one for all.
        backbones: Name or file of a set of networks, or a loaded set; its image-and-text network is used.

    Returns:
        (clips,) values from 0 to 1, higher is closer; a float for one clip.

    Raises:
        ValueError: Clips or images have a wrong shape or type.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> clip = np.full((3, 32, 32, 3), 90, np.uint8)
        >>> round(reference_image_similarity(clip, clip[0]), 6)
        1.0
    """
    return score_each(ReferenceImageSimilarity(), clips, images=images, backbones=backbones)
