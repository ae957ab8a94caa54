"""The questions of a rater, in order. The same seed and rater give the same questions.

The order is random. Sides are balanced: each generator of a pair is on the left in half of the questions. About one
question in ten is repeated later; a repeated pair has its sides swapped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vbench_lite.review.material import Entry, Material
from vbench_lite.run.votes import Answer, ClipRef, Mode

REPEATED = 0.1
"""Fraction of the questions that are asked twice."""
COMMON = 1 / 3
"""Fraction of a limited number of questions that all raters get, so that their agreement can be measured."""
FIRST_PART = 0.6
"""Repeats are drawn from this first fraction of the questions and asked in the rest."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One clip, or one pair of clips, to judge."""

    id: str
    mode: Mode
    prompt_id: str
    text: str
    clips: tuple[ClipRef, ...]
    """In the order on the page: left, right."""
    repeat: bool = False
    expected: Answer | None = None
    """The known answer of a warm-up question."""
    files: tuple[Path, ...] = ()
    """The clip files of a warm-up question, which belong to no run."""


@dataclass(frozen=True)
class Asking:
    """The settings of one rater's questions."""

    mode: Mode
    rater: str
    seed: int = 0
    limit: int | None = None
    """Maximum number of questions, without repeats."""


Weights = Mapping[frozenset[Entry], float]
"""Pair of generators > weight. Questions of a pair with a larger weight come earlier."""


def make_questions(material: Material, asking: Asking, weights: Weights | None = None) -> list[Question]:
    """The questions of one rater, in order, repeats included.

    Args:
        material: The clips.
        asking: Mode, rater, seed and limit.
        weights: For pairs: the weight of each pair of generators. None: equal weights.
    """
    found = list(_pairs(material, asking, weights or {}) if asking.mode == "pairs" else _singles(material, asking))
    return _with_repeats(_limited(found, asking), asking)


def _draw(*parts: object) -> float:
    """A pseudo-random number in [0, 1) that depends only on the parts."""
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def question_id(mode: Mode, prompt_id: str, clips: Sequence[ClipRef], repeat: bool = False) -> str:
    """An id that is the same for every rater and for both orders of a pair."""
    parts = [mode, prompt_id, str(repeat), *(f"{c.run}/{c.generator}/{c.index}/{c.sha256}" for c in sorted(clips))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _singles(material: Material, asking: Asking) -> Iterator[Question]:
    items = [(question_id("usable", prompt, [clip]), prompt, clip) for prompt, clip in material.single_items()]
    for id_, prompt, clip in sorted(items, key=lambda item: _draw(asking.seed, asking.rater, item[0])):
        yield Question(id=id_, mode="usable", prompt_id=prompt, text=material.texts[prompt], clips=(clip,))


def _pairs(material: Material, asking: Asking, weights: Weights) -> Iterator[Question]:
    """Questions in rounds over the pairs of generators. Those of a pair with a larger weight come earlier."""
    placed: list[tuple[float, Question]] = []
    for pair in material.pairs():
        weight = max(weights.get(frozenset(pair), 1.0), 1e-3)
        items = [(question_id("pairs", prompt, both), prompt, both) for prompt, both in material.pair_items(pair)]
        items.sort(key=lambda item: _draw(asking.seed, asking.rater, item[0]))
        first = _draw(asking.seed, asking.rater, *pair) < 0.5
        for nth, (id_, prompt, both) in enumerate(items):
            shown = both if (nth % 2 == 0) == first else both[::-1]
            question = Question(id=id_, mode="pairs", prompt_id=prompt, text=material.texts[prompt], clips=shown)
            placed.append(((nth + _draw(asking.seed, asking.rater, "order", id_)) / weight, question))
    yield from (question for _, question in sorted(placed, key=lambda item: item[0]))


def _limited(questions: list[Question], asking: Asking) -> list[Question]:
    """Limits the questions: a third is the same for all raters, the rest differs, in the rater's order."""
    if asking.limit is None or asking.limit >= len(questions):
        return questions
    common = sorted(questions, key=lambda q: _draw(asking.seed, "common", q.id))[: round(COMMON * asking.limit)]
    kept = {question.id for question in common}
    for question in questions:
        if len(kept) == asking.limit:
            break
        kept.add(question.id)
    return [question for question in questions if question.id in kept]


def _with_repeats(questions: list[Question], asking: Asking) -> list[Question]:
    """Adds repeats among the last questions."""
    count = round(REPEATED * len(questions))
    early = questions[: int(FIRST_PART * len(questions))]
    chosen = sorted(early, key=lambda q: _draw(asking.seed, asking.rater, "repeat", q.id))[:count]
    found = list(questions)
    start = len(early)
    for nth, question in enumerate(chosen):
        again = replace(
            question, id=question_id(question.mode, question.prompt_id, question.clips, repeat=True), repeat=True,
            clips=question.clips[::-1],
        )  # fmt: skip
        room = len(questions) - start
        found.insert(start + nth + round((nth + 1) * room / (count + 1)), again)
    return found
