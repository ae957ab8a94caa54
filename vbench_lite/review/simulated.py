"""Simulated raters for tests, simulations and examples. Their votes are marked as simulated everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from vbench_lite.review.material import Material
from vbench_lite.review.questions import Asking, Question, make_questions
from vbench_lite.review.session import answered
from vbench_lite.run.votes import QUESTIONS, ClipRef, Vote


@dataclass(frozen=True)
class SimulatedRater:
    """The model of a simulated rater. Quality has no unit; 1 is a clear difference."""

    name: str
    noise: float = 0.5
    """Standard deviation of the perceived quality of a clip."""
    side: float = 0.0
    """Bias: added to the perceived quality of the left clip."""
    tie: float = 0.2
    """Smaller differences are answered with "same"."""
    bar: float = 0.0
    """Clips of at least this perceived quality are kept."""
    careless: bool = False
    """Whether the answers are random."""
    seconds: float = 5.0
    """Typical time of a vote."""


def simulate(
    material: Material, quality: Mapping[ClipRef, float], rater: SimulatedRater, asking: Asking,
    prompt_adherence: bool = False,
) -> list[Vote]:  # fmt: skip
    """The votes of a simulated rater on all questions of a person.

    Args:
        material: The clips.
        quality: Clip > true quality.
        rater: The simulated rater.
        asking: Mode, seed and limit; the rater's name is inserted.
        prompt_adherence: Whether to answer also the second question of pairs.
    """
    asking = replace(asking, rater=rater.name)
    seed = hashlib.sha256(f"{asking.seed}/{rater.name}".encode()).digest()[:8]
    rng = np.random.default_rng(int.from_bytes(seed, "big"))
    asked = list(QUESTIONS[asking.mode])[: 2 if prompt_adherence else 1]
    votes = []
    for nth, question in enumerate(make_questions(material, asking)):
        answers = {key: _answer(question, quality, rater, rng) for key in asked}
        reasons = [material.reasons[int(rng.integers(len(material.reasons)))]] if "reject" in answers.values() else []
        body = {
            "answers": answers, "reasons": reasons,
            "seconds": (0.3 if rater.careless else 1.0) * rater.seconds * float(rng.lognormal(0, 0.3)),
        }  # fmt: skip
        at = f"2026-01-01T00:00:00.{nth:06d}+00:00"
        votes.append(answered(question, rater.name, body, tuple(asked), material.reasons, at, simulated=True))
    return votes


def _answer(
    question: Question, quality: Mapping[ClipRef, float], rater: SimulatedRater, rng: np.random.Generator
) -> str:
    seen = [quality[clip] + rater.noise * float(rng.normal()) for clip in question.clips]
    if question.mode == "usable":
        return "keep" if (rng.random() < 0.5 if rater.careless else seen[0] >= rater.bar) else "reject"
    if rater.careless:
        return str(rng.choice(["left", "right"]))
    difference = seen[0] + rater.side - seen[1]
    return "same" if abs(difference) < rater.tie else "left" if difference > 0 else "right"
