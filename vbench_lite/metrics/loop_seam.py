"""Difference between the last and the first frame of a loop."""

from __future__ import annotations

from vbench_lite.features.ends import Ends
from vbench_lite.features.pixels import Pixels
from vbench_lite.metrics.base import SINGLE_FRAME, ClipContext, ClipMetric
from vbench_lite.metrics.functional import Clips, Values, score_each
from vbench_lite.records import Prompt, ReasonCode, Score

NO_LOOP = Score(None, 'the prompt does not request a loop (tag "loop")', ReasonCode.NOT_APPLICABLE)


class LoopSeam(ClipMetric):
    """Difference of the last and the first frame minus the mean difference of neighbouring frames, 0 to 1."""

    name = "loop_seam"
    title = "Loop seam"
    unit = "fraction"
    higher_is_better = False
    range = (0.0, 1.0)
    version = "1"
    description = (
        "Mean difference of the last and the first frame, minus the mean difference of neighbouring frames, clipped at "
        "0. Only for prompts with the tag loop."
    )
    pitfalls = (
        "A frozen clip has the best value, 0. A change of the direction of motion between equal frames is not detected."
    )
    source = "Mean absolute frame difference, as in VBench temporal_flickering"
    extractors = (Ends, Pixels)
    sets = ("scenario",)
    falls_with = ("ping-pong",)

    def score(self, context: ClipContext) -> Score:
        if "loop" not in context.prompt.tags:
            return NO_LOOP
        if context.clip.frames < 2:
            return SINGLE_FRAME
        seam = float(context["ends"]["seam"][0]) - float(context["pixels"]["differences"].mean())
        return Score(max(0.0, seam))


def loop_seam(clips: Clips) -> Values:
    """Difference of the last and the first frame minus the mean difference of neighbouring frames, clipped at 0.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.

    Returns:
        (clips,) values from 0 to 1, lower is better; a float for one clip.

    Raises:
        ValueError: Fewer than two frames, or a wrong shape or type.

    Example:
        >>> import numpy as np
        >>> ramp = np.arange(0, 250, 50, dtype=np.uint8)[:, None, None, None]
        >>> round(loop_seam(np.broadcast_to(ramp, (5, 4, 4, 3)).copy()), 3)
        0.588
    """
    return score_each(LoopSeam(), clips, prompts=Prompt("", "", tags=("loop",)))
