"""Whether a clip is what was asked for, and shows anything at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vbench_lite.metrics.base import ClipContext, ClipMetric
from vbench_lite.records import ClipSpec, Score

if TYPE_CHECKING:
    from vbench_lite.features.extract import Observation

BLACK_BELOW = 0.08
"""Mean luma, 0 to 1, under which a flat frame is black; limited-range black decodes to 0."""
FLAT_BELOW = 0.008
"""Standard deviation of luma under which a frame shows nothing: two of 255 levels."""
STILL_BELOW = 5e-3
"""Motion, in short sides a second, under which a clip is frozen. Twenty frozen clips of a real generator, as x264 left
them, moved by 0.001 to 0.003; the stillest of its moving clips by 0.23."""
FPS_TOLERANCE = 0.01
REPEATED_SHARE = 0.5


def problems(clip: Observation, spec: ClipSpec | None, still_asked: bool = False) -> list[str]:
    """What is wrong with a clip, in words; empty when it conforms.

    Args:
        clip: As observed.
        spec: What was asked for; None checks only what any clip must be.
        still_asked: The prompt asks for a clip in which nothing moves.
    """
    found = [] if spec is None else _unlike(clip, spec)
    if clip.frames < 2:
        found.append("it has a single frame")
    if clip.uneven:
        found.append("its frames are shown for unlike times")
    if (clip.contrast < FLAT_BELOW).all():
        found.append("it is black" if (clip.brightness < BLACK_BELOW).all() else "it is blank")
    elif clip.frames >= 2 and not still_asked:
        repeated = float((clip.motions == 0).mean())
        if float(clip.motions.mean()) * (clip.fps or 1) < STILL_BELOW:
            found.append("it is frozen")
        elif repeated >= REPEATED_SHARE:
            found.append(f"{repeated:.0%} of its frames repeat the one before")
    return found


def _unlike(clip: Observation, spec: ClipSpec) -> list[str]:
    found = []
    if clip.frames != spec.frames:
        found.append(f"{clip.frames} frames instead of {spec.frames}")
    even = (spec.height + spec.height % 2, spec.width + spec.width % 2)  # 4:2:0 files hold even sizes
    if (clip.height, clip.width) not in (even, (spec.height, spec.width)):
        found.append(f"{clip.width}x{clip.height} instead of {spec.width}x{spec.height}")
    if not clip.fps:
        found.append("the file does not say how many frames it shows a second")
    elif abs(clip.fps / spec.fps - 1) > FPS_TOLERANCE:
        found.append(f"{clip.fps:.4g} frames a second instead of {spec.fps:.4g}")
    return found


class Conformance(ClipMetric):
    """Share of clips that conform: 1 or 0 a clip, the problems in its reason. Broken clips count as 0."""

    higher_is_better = True

    def score(self, case: ClipContext) -> Score:
        found = problems(case.clip, case.spec, case.still_asked)
        return Score(0.0, "; ".join(found)) if found else Score(1.0)
