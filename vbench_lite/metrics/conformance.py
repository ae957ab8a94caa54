"""Whether a clip has the requested form and is not black, blank, frozen or broken."""

from __future__ import annotations

from typing import NamedTuple

from vbench_lite.features.extractor import ClipFeatures
from vbench_lite.features.flow import Flow
from vbench_lite.features.pixels import Pixels
from vbench_lite.metrics.base import ClipContext, ClipMetric
from vbench_lite.metrics.functional import Clips, Values, score_each
from vbench_lite.records import ClipSpec, ReasonCode, Score

BLACK_BELOW = 0.08
"""Mean luma, 0 to 1, below which a flat frame is black. Limited-range black decodes to 0."""
FLAT_BELOW = 0.008
"""Standard deviation of luma below which a frame is flat: two of 255 levels."""
STILL_BELOW = 5e-3
"""Motion, in short frame sides per second, below which a clip is frozen. Twenty frozen clips of a real generator,
encoded by x264, had a motion of 0.001 to 0.003. The lowest motion of its other clips was 0.23."""
FPS_TOLERANCE = 0.01
REPEATED_FRACTION = 0.5


class Conformance(ClipMetric):
    """1 for a clip of the requested form that is not black, blank, frozen, stuttering or broken, else 0."""

    name = "conformance"
    title = "Conformance"
    unit = "fraction"
    higher_is_better = True
    range = (0.0, 1.0)
    version = "2"
    description = (
        "Fraction of the clips that have the requested number of frames, size and frame rate, and are not black, "
        "frozen or broken."
    )
    pitfalls = "It does not measure quality."
    extractors = (Pixels, Flow)
    sets = ("builtin",)
    unmoved_by = ("caption swap",)
    undecodable = 0.0

    def score(self, context: ClipContext) -> Score:
        found = problems(context.clip, context.spec, context.still_requested)
        return Score(0.0, "; ".join(p.text for p in found), found[0].code) if found else Score(1.0)


class Problem(NamedTuple):
    """One reason why a clip does not conform."""

    code: ReasonCode
    text: str


def problems(clip: ClipFeatures, spec: ClipSpec | None, still_requested: bool = False) -> list[Problem]:
    """The defects of a clip; empty if it conforms.

    Args:
        clip: A clip with the arrays of `pixels` and `flow`.
        spec: The requested form. None: the form is not checked.
        still_requested: Whether the prompt requests a clip without motion.
    """
    pixels, motions = clip["pixels"], clip["flow"]["motions"]
    found = [] if spec is None else [Problem(ReasonCode.WRONG_FORM, text) for text in _differences(clip, spec)]
    if clip.frames < 2:
        found.append(Problem(ReasonCode.ONE_FRAME, "it has a single frame"))
    if clip.uneven:
        found.append(Problem(ReasonCode.UNEVEN, "its frames are shown for unequal times"))
    if (pixels["contrast"] < FLAT_BELOW).all():
        black = bool((pixels["brightness"] < BLACK_BELOW).all())
        found.append(Problem(ReasonCode.BLACK, "it is black") if black else Problem(ReasonCode.BLANK, "it is blank"))
    elif clip.frames >= 2 and not still_requested:
        repeated = float((motions == 0).mean())
        if float(motions.mean()) * (clip.fps or 1) < STILL_BELOW:
            found.append(Problem(ReasonCode.FROZEN, "it is frozen"))
        elif repeated >= REPEATED_FRACTION:
            text = f"{repeated:.0%} of its frames repeat the previous frame"
            found.append(Problem(ReasonCode.REPEATED_FRAMES, text))
    return found


def _differences(clip: ClipFeatures, spec: ClipSpec) -> list[str]:
    found = []
    if clip.frames != spec.frames:
        found.append(f"{clip.frames} frames instead of {spec.frames}")
    even = (spec.height + spec.height % 2, spec.width + spec.width % 2)  # 4:2:0 files have even sizes
    if (clip.height, clip.width) not in (even, (spec.height, spec.width)):
        found.append(f"{clip.width}x{clip.height} instead of {spec.width}x{spec.height}")
    if not clip.fps:
        found.append("the file does not state its frame rate")
    elif abs(clip.fps / spec.fps - 1) > FPS_TOLERANCE:
        found.append(f"{clip.fps:.4g} frames per second instead of {spec.fps:.4g}")
    return found


def conformance(clips: Clips, fps: float = 0.0, spec: ClipSpec | None = None) -> Values:
    """1 for each clip of the requested form that is not black, blank, frozen, stuttering or broken, else 0.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        fps: Frames per second.
        spec: The requested form. None: the form is not checked.

    Returns:
        (clips,) values, 0 or 1; a float for one clip.

    Raises:
        ValueError: Another shape or type.

    Example:
        >>> import numpy as np
        >>> conformance(np.zeros((3, 32, 32, 3), np.uint8))
        0.0
    """
    return score_each(Conformance(), clips, fps=fps, spec=spec)
