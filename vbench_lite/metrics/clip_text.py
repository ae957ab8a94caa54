"""Similarity of the frames of a clip and its prompt."""

from __future__ import annotations

from collections.abc import Sequence

from vbench_lite.features.image_text import ImageText, unit_rows
from vbench_lite.metrics.base import ClipContext, ClipMetric
from vbench_lite.metrics.functional import Clips, Networks, Values, score_each
from vbench_lite.records import ReasonCode, Score


class ClipText(ClipMetric):
    """Mean over all frames of the cosine between frame and prompt, not scaled and not clipped."""

    name = "clip_text"
    title = "CLIP text similarity"
    unit = "cosine"
    higher_is_better = True
    range = (-1.0, 1.0)
    version = "1"
    description = (
        "Mean over all frames of the cosine between frame and prompt, from -1 to 1, in a network trained on captioned "
        "pictures."
    )
    pitfalls = (
        "Values of different networks are not comparable. The network may miss motion, counts, order and small objects."
    )
    question, rank = "prompt", 1
    source = "CLIPScore (Hessel et al., EMNLP 2021, arXiv:2104.08718) without its factor and without clipping"
    extractors = (ImageText,)
    sets = ("builtin",)
    falls_with = ("colour drift", "object swap", "caption swap", "hue", "desaturation")
    unmoved_by = ("shuffle", "reversal")

    def score(self, context: ClipContext) -> Score:
        if context.text is None:
            return Score(None, context.text_problem, ReasonCode.PROMPT_UNREADABLE)
        value = float(context["image_text"]["mean"] @ unit_rows(context.text))
        if context.text_truncated:
            return Score(value, context.text_truncated, ReasonCode.PROMPT_TRUNCATED)
        return Score(value)


def clip_text(clips: Clips, prompts: str | Sequence[str], backbones: Networks = "builtin") -> Values:
    """Mean over all frames of the cosine between frame and prompt, not scaled and not clipped.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        prompts: One per clip, or one for all.
        backbones: Name or file of a set of networks, or a loaded set; its image-and-text network is used.

    Returns:
        (clips,) values from -1 to 1, higher is better; a float for one clip.

    Raises:
        ValueError: The network cannot read a prompt, or the clips have a wrong shape or type.
        WeightsError: Weights are missing.

    Example:
        >>> import numpy as np
        >>> value = clip_text(np.zeros((3, 32, 32, 3), np.uint8), "a red sneaker spins on a white background")
        >>> -1 <= value <= 1
        True
    """
    return score_each(ClipText(), clips, prompts=prompts, backbones=backbones)
