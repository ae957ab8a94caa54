"""A review without HTTP: serves questions to raters, and stores their votes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import statistics
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vbench_lite.errors import StoreError, UnreadableClip, UsageError
from vbench_lite.review.clips import Shown, equalise
from vbench_lite.review.material import Material
from vbench_lite.review.questions import Asking, Question, Weights, make_questions
from vbench_lite.run.votes import QUESTIONS, Mode, Vote, check_rater, read_vote, vote_path, votes_path, write_vote

LONGEST = 300.0
"""Maximum seconds counted for one vote. After a longer time, the rater was away."""


@dataclass(frozen=True)
class Settings:
    """Settings that are the same for every rater."""

    mode: Mode
    seed: int = 0
    limit: int | None = None
    prompt_adherence: bool = False
    """Whether to ask also which clip follows the prompt better."""
    warm_up: tuple[Question, ...] = ()
    weights: Weights = field(default_factory=dict)

    @property
    def questions(self) -> dict[str, str]:
        """Key > text of each question about a clip or pair."""
        asked = QUESTIONS[self.mode]
        return {key: text for key, text in asked.items() if key != "prompt" or self.prompt_adherence}


class Review:
    """Serves the questions of a run. Several raters may answer at the same time."""

    def __init__(self, material: Material, settings: Settings, now: Callable[[], datetime] | None = None) -> None:
        self.material, self.settings = material, settings
        self._now = now or (lambda: datetime.now(UTC))
        self._secret = secrets.token_bytes(16)
        self._lock = threading.RLock()
        self._asked: dict[str, list[Question]] = {}
        self._shown: dict[str, Shown] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="vbench-review-")
        self._by_address: dict[str, tuple[Question, int]] = {}
        self._unreadable: set[str] = set()

    def next(self, rater: str) -> dict[str, Any]:
        """The next open question of a rater, or the state that all are answered."""
        rater = check_rater(rater)
        with self._lock:
            return self._state(rater, self._votes(rater))

    def vote(self, rater: str, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Stores an answer and returns the next question.

        Args:
            rater: The label of the rater.
            answer: "id" of the question, "answers", optional "reasons" and "seconds".

        Raises:
            UsageError: The rater was not asked this question, or the answer is not valid.
        """
        rater = check_rater(rater)
        with self._lock:
            question = next((q for q in self._questions(rater) if q.id == answer.get("id")), None)
            if question is None:
                raise UsageError("this question was not asked.")
            write_vote(self.material.folder, self._vote(question, rater, answer))
            return self._state(rater, self._votes(rater)) | self._feedback(question, answer)

    def undo(self, rater: str) -> dict[str, Any]:
        """Deletes the rater's last vote and asks its question again."""
        rater = check_rater(rater)
        with self._lock:
            votes = self._votes(rater)
            if votes:
                last = max(votes.values(), key=lambda vote: vote.at)
                vote_path(self.material.folder, rater, last.id).unlink(missing_ok=True)
                votes.pop(last.id)
                first = next((q for q in self._questions(rater) if q.id == last.id), None)
                return self._state(rater, votes, first)
            return self._state(rater, votes)

    def clip(self, address: str) -> Path:
        """The file of an address that the page was given.

        Raises:
            StoreError: The address is unknown.
        """
        with self._lock:
            if address not in self._by_address:
                raise StoreError("there is no such clip.")
            question, place = self._by_address[address]
            return self._prepared(question).paths[place]

    def _questions(self, rater: str) -> list[Question]:
        if rater not in self._asked:
            settings = self.settings
            asking = Asking(settings.mode, rater, settings.seed, settings.limit)
            made = make_questions(self.material, asking, settings.weights)
            self._asked[rater] = [*settings.warm_up, *made]
        return [question for question in self._asked[rater] if question.id not in self._unreadable]

    def _votes(self, rater: str) -> dict[str, Vote]:
        """Question > this rater's vote in this mode, read from the files, so that a reload or a crash loses nothing."""
        found = {}
        for path in (votes_path(self.material.folder) / rater).glob("*.json"):
            try:
                vote = read_vote(path)
            except StoreError:
                continue
            if vote.mode == self.settings.mode:
                found[vote.id] = vote
        return found

    def _state(self, rater: str, votes: Mapping[str, Vote], first: Question | None = None) -> dict[str, Any]:
        questions = self._questions(rater)
        done = sum(question.id in votes for question in questions)
        seconds = [vote.seconds for vote in votes.values() if vote.seconds is not None]
        question = first or self._open_question(questions, votes)
        return {
            "rater": rater, "done": done, "total": len(questions), "question": question and self._described(question),
            "seconds": statistics.median(seconds) if seconds else None, "undo": bool(votes),
        }  # fmt: skip

    def _open_question(self, questions: list[Question], votes: Mapping[str, Vote]) -> Question | None:
        """The first question without an answer whose clips can be shown."""
        for question in questions:
            if question.id in votes:
                continue
            try:
                self._prepared(question)
                return question
            except UnreadableClip:
                self._unreadable.add(question.id)
        return None

    def _described(self, question: Question) -> dict[str, Any]:
        """The question with only the data that the rater may see."""
        return {
            "id": question.id, "text": question.text, "warmUp": question.expected is not None,
            "clips": [f"clip/{self._address(question, place)}.mp4" for place in range(len(question.clips))],
            "step": 1 / self._prepared(question).fps,
        }  # fmt: skip

    def _address(self, question: Question, place: int) -> str:
        """An opaque id that differs in every session and does not identify the clip."""
        address = hmac.new(self._secret, f"{question.id}/{place}/{question.clips}".encode(), hashlib.sha256).hexdigest()
        self._by_address[address[:32]] = question, place
        return address[:32]

    def _prepared(self, question: Question) -> Shown:
        key = f"{question.id}/{question.clips}"
        if key not in self._shown:
            paths = question.files or tuple(self.material.paths[clip] for clip in question.clips)
            self._shown[key] = equalise(paths, Path(self._folder.name), review_cache(self.material.folder))
        return self._shown[key]

    def _vote(self, question: Question, rater: str, answer: Mapping[str, Any]) -> Vote:
        return answered(
            question, rater, answer, tuple(self.settings.questions), self.material.reasons,
            self._now().isoformat(timespec="microseconds"),
        )

    @staticmethod
    def _feedback(question: Question, answer: Mapping[str, Any]) -> dict[str, Any]:
        """For a warm-up question: whether the answer was correct."""
        if question.expected is None:
            return {}
        return {"right": next(iter(answer["answers"].values())) == question.expected}


def answered(
    question: Question, rater: str, answer: Mapping[str, Any], asked: tuple[str, ...], reasons: tuple[str, ...],
    at: str, simulated: bool = False,
) -> Vote:  # fmt: skip
    """Checks an answer and converts it to a vote.

    Raises:
        UsageError: The answer is not valid for the question.
    """
    answers, given, seconds = (answer.get(key) for key in ("answers", "reasons", "seconds"))
    if not isinstance(answers, dict) or set(answers) != set(asked) or not isinstance(given or [], list):
        raise UsageError(f"expected an answer to {', '.join(asked)}.")
    timed = float(seconds) if isinstance(seconds, (int, float)) and 0 <= seconds < float("inf") else None
    try:
        return Vote(
            id=question.id, rater=rater, mode=question.mode, prompt_id=question.prompt_id, clips=question.clips,
            answers=answers, reasons=tuple(reason for reason in reasons if reason in (given or [])),
            seconds=None if timed is None else round(min(timed, LONGEST), 2), at=at, repeat=question.repeat,
            warm_up=question.expected is not None, expected=question.expected, simulated=simulated,
        )
    except (ValueError, TypeError) as error:
        raise UsageError(f"the answer is not valid: {error}.") from None


def review_cache(run: Path) -> Path:
    """The folder of clips that were encoded again for the page."""
    return run / "cache" / "review"
