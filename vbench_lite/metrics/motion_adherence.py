"""Whether the motion of a clip is the motion that the prompt requests."""

from __future__ import annotations

import numpy as np

from vbench_lite.features.flow import Flow
from vbench_lite.features.motion_fit import Array, MotionFit
from vbench_lite.metrics.base import NO_FPS, SINGLE_FRAME, ClipContext, ClipMetric
from vbench_lite.metrics.functional import Clips, Values, score_each
from vbench_lite.records import MOTIONS, Prompt, ReasonCode, Score

NOT_ASKED = Score(None, 'the prompt states no motion (key "motion")', ReasonCode.NOT_APPLICABLE)
LEAST = 0.02
"""Motion over the whole clip, in short sides of the frame, below which there is no motion."""
ARM = 0.3
"""Distance from the centre, in short sides, at which zoom and roll are converted to shifts."""
CALM = 0.1
"""Speed of the fastest 5 % of the picture, in short sides per second, at which a still prompt scores 0."""


class MotionAdherence(ClipMetric):
    """The requested motion as a fraction of all motion, -1 to 1."""

    name = "motion_adherence"
    title = "Motion as requested"
    unit = "fraction"
    higher_is_better = True
    range = (-1.0, 1.0)
    version = "1"
    description = (
        "Fraction of the clip's motion that is the requested motion: 1 is only that motion, 0 none of it, -1 the "
        "opposite. Only for prompts with a motion."
    )
    pitfalls = (
        "On a plain background, optical flow cannot distinguish a panning camera from a sliding subject. A rotation "
        "out of the picture's plane is not detected. Spins, bounces and rolls have no opposite."
    )
    question, rank = "prompt", 5
    source = "Similarity transforms fitted to optical flow, as in robust video stabilisation"
    extractors = (MotionFit, Flow)
    sets = ("scenario",)
    falls_with = ("opposite motion", "ping-pong")
    unmoved_by = ("caption swap",)

    def score(self, context: ClipContext) -> Score:
        asked = context.prompt.motion
        if not asked:
            return NOT_ASKED
        if context.clip.frames < 2:
            return SINGLE_FRAME
        if asked == "still":
            return _stillness(context)
        fits = context["motion_fit"]
        return adherence(asked, fits["camera"], fits["object"])


def adherence(asked: str, camera: Array, moving: Array) -> Score:
    """The requested motion as a fraction of all motion.

    Args:
        asked: One of `records.MOTIONS`, not "still".
        camera: Dominant motion of each pair of frames, (pairs, 4): right, down, zoom and roll.
        moving: Motion of the other parts relative to the dominant motion, (pairs, 4).

    >>> adherence("slides left", np.array([[0.1, 0, 0, 0]]), np.zeros((1, 4))).value
    -1.0
    """
    both = camera + moving
    if asked == "bounces":
        return Score(_back_and_forth(both))
    of_camera = asked.startswith(("pan", "tilt", "roll"))
    right, down, zoom, roll = (camera if of_camera else both).sum(0) * (1, 1, ARM, ARM)
    whole = float(np.linalg.norm(both.sum(0) * (1, 1, ARM, ARM)))
    if of_camera:
        whole = max(whole, float(np.linalg.norm((right, down, zoom, roll))))
    if whole < LEAST:
        return Score(0.0)
    if asked == "spins" and abs(roll) < 0.2 * whole and float(np.abs(moving).sum()) > LEAST:
        return Score(None, "flow cannot detect a rotation out of the picture's plane", ReasonCode.NOT_MEASURED)
    part = {
        "pan left": right, "pan right": -right, "tilt up": down, "tilt down": -down, "zoom in": zoom, "zoom out": -zoom,
        "roll": abs(roll), "slides left": -right, "slides right": right, "moves up": -down, "moves down": down,
        "spins": abs(roll),
    }[asked]
    return Score(float(part / whole))


def _back_and_forth(both: Array) -> float:
    """The fraction of all shifts that goes up and comes down again, 0 to 1."""
    shifts = np.where(np.abs(both[:, :2]) > LEAST / 4, both[:, :2], 0.0)
    whole = float(np.abs(shifts).sum())
    if whole < LEAST:
        return 0.0
    down = shifts[:, 1]
    return float((np.abs(down).sum() - abs(down.sum())) / whole)


def _stillness(context: ClipContext) -> Score:
    if not context.clip.fps:
        return NO_FPS
    speed = float(context["flow"]["motions"].mean()) * context.clip.fps
    return Score(max(-1.0, 1 - speed / CALM))


def motion_adherence(clips: Clips, motion: str, fps: float = 0.0) -> Values:
    """The requested motion as a fraction of all motion of a clip.

    Args:
        clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
        motion: One of `vbench_lite.records.MOTIONS`, such as "slides left" or "zoom in".
        fps: Frames per second. Only "still" needs it.

    Returns:
        (clips,) values from -1 to 1, higher is better; a float for one clip. 0 if nothing moves.

    Raises:
        ValueError: Fewer than two frames, an unknown motion, or one that flow cannot detect.

    Example:
        >>> motion_adherence(np.zeros((3, 32, 32, 3), np.uint8), "slides left")
        0.0
    """
    if motion not in MOTIONS:
        raise ValueError(f"motion is {motion!r}: expected one of {', '.join(MOTIONS)}")
    return score_each(MotionAdherence(), clips, prompts=Prompt("", "", motion=motion), fps=fps)
