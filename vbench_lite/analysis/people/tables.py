"""Votes as arrays: one table of kept and rejected clips, and one of compared pairs for each question."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vbench_lite.analysis.people.crossed import Clusters, Codes
from vbench_lite.run.votes import Answer, ClipRef, Vote
from vbench_lite.stats import Array

POINTS: dict[Answer, float] = {"left": 1.0, "right": 0.0, "same": 0.5, "neither": 0.5}
"""Points of the left clip. If both clips are unusable, neither is preferred."""

ClipKey = tuple[str, str, str, int]
"""(run, generator, prompt, index)."""


def clip_key(vote: Vote, clip: ClipRef) -> ClipKey:
    return clip.run, clip.generator, vote.prompt_id, clip.index


def item_of(vote: Vote) -> Hashable:
    """The clips of a vote, without their sides."""
    return tuple(sorted(clip_key(vote, clip) for clip in vote.clips))


def value_of(vote: Vote, question: str) -> float:
    """The answer as a number that does not depend on sides. Of a pair: the points of the first clip in sorted order."""
    answer = vote.answers[question]
    if vote.mode == "usable":
        return float(answer == "keep")
    points = POINTS[answer]
    return points if list(vote.clips) == sorted(vote.clips) else 1 - points


@dataclass(frozen=True, eq=False)
class UsableTable:
    """Votes to keep or reject a clip; one row per vote."""

    clips: tuple[ClipKey, ...]
    """All clips, without duplicates."""
    clip: Codes
    """The clip of each vote."""
    keep: Array
    """1 to keep, 0 to reject."""
    seconds: Array
    """NaN if unknown."""
    clusters: Clusters

    def of_generator(self, run: str, generator: str) -> NDArray[np.bool_]:
        """Which votes are on clips of this generator."""
        mine = np.array([key[:2] == (run, generator) for key in self.clips], bool)
        return mine[self.clip] if len(self.clip) else np.zeros(0, bool)


def usable_table(votes: Sequence[Vote]) -> UsableTable:
    """The votes of the mode "usable", without repeated questions."""
    chosen = [vote for vote in votes if vote.mode == "usable" and not vote.repeat]
    keys = [clip_key(vote, vote.clips[0]) for vote in chosen]
    clips = tuple(sorted(set(keys)))
    place = {key: nth for nth, key in enumerate(clips)}
    return UsableTable(
        clips=clips, clip=np.array([place[key] for key in keys], np.intp),
        keep=np.array([vote.answers["usable"] == "keep" for vote in chosen], float),
        seconds=np.array([np.nan if vote.seconds is None else vote.seconds for vote in chosen]),
        clusters=Clusters.of([v.prompt_id for v in chosen], [v.rater for v in chosen]),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class PairTable:
    """Votes on pairs for one question; one row per vote."""

    entries: tuple[str, ...]
    """Generators, those of another run as "run:generator"."""
    left: Codes
    """The entry of the left clip."""
    right: Codes
    points: Array
    """Points of the left clip: 1, 0.5 or 0."""
    both: Array
    """1 if the vote calls both clips unusable."""
    pair: tuple[tuple[ClipKey, ClipKey], ...]
    """The clips of each vote, left and right."""
    clusters: Clusters

    @property
    def decided(self) -> NDArray[np.bool_]:
        """Votes for one of the two clips."""
        return self.points != 0.5


def pair_table(votes: Sequence[Vote], question: str, home: str) -> PairTable:
    """The votes of the mode "pairs" on a question, without repeated questions.

    Args:
        votes: The votes of a run.
        question: "quality" or "prompt".
        home: Name of the run. The names of its generators have no prefix.
    """
    chosen = [vote for vote in votes if vote.mode == "pairs" and not vote.repeat and question in vote.answers]
    names = [tuple(entry_name(clip, home) for clip in vote.clips) for vote in chosen]
    entries = tuple(sorted({name for both in names for name in both}))
    place = {name: nth for nth, name in enumerate(entries)}
    return PairTable(
        entries=entries, left=np.array([place[both[0]] for both in names], np.intp),
        right=np.array([place[both[1]] for both in names], np.intp),
        points=np.array([POINTS[vote.answers[question]] for vote in chosen]),
        both=np.array([vote.answers[question] == "neither" for vote in chosen], float),
        pair=tuple((clip_key(vote, vote.clips[0]), clip_key(vote, vote.clips[1])) for vote in chosen),
        clusters=Clusters.of([v.prompt_id for v in chosen], [v.rater for v in chosen]),
    )  # fmt: skip


def entry_name(clip: ClipRef, home: str) -> str:
    return clip.generator if clip.run == home else f"{clip.run}:{clip.generator}"
