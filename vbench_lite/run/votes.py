"""People's votes: one small file per vote, `votes/<rater>/<question>.json` in the run folder.

Votes are never written partly. To merge votes of two machines, copy their folders into one. Each vote names its clips
by run, generator and sha256, so that a vote on a clip that was replaced later is recognised and not counted.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple

from vbench_lite.errors import StoreError, UsageError
from vbench_lite.files import to_json, write_whole
from vbench_lite.run.reading import read_json, typed

FORMAT = 1
"""Version of the file of a vote."""
Mode = Literal["usable", "pairs"]
Answer = Literal["keep", "reject", "left", "same", "right", "neither"]
CHOICES: Mapping[Mode, tuple[Answer, ...]] = {
    "usable": ("keep", "reject"), "pairs": ("left", "same", "right", "neither"),
}
QUESTIONS: Mapping[Mode, Mapping[str, str]] = {
    "usable": {"usable": "Could this clip be used as it is?"},
    "pairs": {"quality": "Which clip is better overall?", "prompt": "Which clip follows the prompt better?"},
}
"""Mode > key of a question > its text. The first question of a mode is always asked."""
RATER = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


@dataclass(frozen=True, order=True)
class ClipRef:
    """One clip of a vote."""

    run: str
    """Name of the run folder."""
    generator: str
    index: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Vote:
    """One rater's answer to one question."""

    id: str
    """Id of the question: letters and digits."""
    rater: str
    mode: Mode
    prompt_id: str
    clips: tuple[ClipRef, ...]
    """One clip; for a pair the left and the right clip, as shown."""
    answers: Mapping[str, Answer]
    """Key of the question, as in `QUESTIONS` > the answer."""
    reasons: tuple[str, ...] = ()
    """Reasons for rejecting a clip."""
    seconds: float | None = None
    """Seconds from the display of the clips to the vote, while the page was visible."""
    at: str = ""
    """ISO 8601, UTC."""
    repeat: bool = False
    """Whether the rater saw the same clips before; a pair had its sides swapped."""
    warm_up: bool = False
    """Whether the answer is known. Such a vote only shows whether a rater is attentive."""
    expected: Answer | None = None
    """The known answer of a warm-up question."""
    simulated: bool = False
    """Whether a program gave the answer, not a person."""
    format: int = FORMAT

    def __post_init__(self) -> None:
        if not RATER.fullmatch(self.rater) or not re.fullmatch(r"[a-z0-9]{4,64}", self.id):
            raise ValueError("the rater or the id is not a valid file name")
        if len(self.clips) != (1 if self.mode == "usable" else 2):
            raise ValueError(f'a vote of the mode "{self.mode}" names {len(self.clips)} clips')
        first = next(iter(QUESTIONS[self.mode]))
        if first not in self.answers:
            raise ValueError(f'the answer to "{first}" is missing')
        for question, answer in self.answers.items():
            if question not in QUESTIONS[self.mode] or answer not in CHOICES[self.mode]:
                raise ValueError(f'"{answer}" is not an answer to "{question}" in the mode "{self.mode}"')


def check_rater(label: str) -> str:
    """Checks a rater's label and converts it to the name of a folder.

    Raises:
        UsageError: The label contains other characters.

    >>> check_rater("Anna")
    'anna'
    """
    name = label.strip().lower().replace(" ", "-")
    if not RATER.fullmatch(name):
        raise UsageError(f'the rater label "{label[:60]}" cannot be used: 1 to 40 letters, digits, ".", "_" or "-".')
    return name


def votes_path(run: Path) -> Path:
    """The folder of the votes of a run."""
    return run / "votes"


def vote_path(run: Path, rater: str, id_: str) -> Path:
    return votes_path(run) / rater / f"{id_}.json"


def write_vote(run: Path, vote: Vote) -> None:
    """Stores a vote, and replaces an earlier answer of the rater to the question."""
    write_whole(vote_path(run, vote.rater, vote.id), to_json(vote))


def read_vote(path: Path) -> Vote:
    """Reads one vote.

    Raises:
        StoreError: The file is not a vote.
    """
    vote = typed(read_json(path, "there is no such vote."), Vote, path)
    if (vote.rater, vote.id) != (path.parent.name, path.stem):
        raise StoreError(f"{path} contains the vote {vote.rater}/{vote.id}, which does not match its file name.")
    return vote


class Drop(NamedTuple):
    """A vote that does not count."""

    path: str
    reason: str


@dataclass(frozen=True)
class Votes:
    """The votes of a run."""

    counted: tuple[Vote, ...] = ()
    """Sorted by rater and id."""
    warm_ups: tuple[Vote, ...] = ()
    dropped: tuple[Drop, ...] = ()

    def of(self, mode: Mode) -> list[Vote]:
        return [vote for vote in self.counted if vote.mode == mode]

    @property
    def raters(self) -> list[str]:
        return sorted({vote.rater for vote in self.counted})

    @property
    def drop_counts(self) -> dict[str, int]:
        """Reason > number of votes."""
        return dict(sorted(Counter(drop.reason for drop in self.dropped).items()))


Present = Mapping[tuple[str, str, str, int], str]
"""(run, generator, prompt, index) > sha256 of the current clip."""
REPLACED = "the clip was replaced or deleted after the vote"
NOT_SCORED = "the clip was made after the run was scored, so score the run again"


@dataclass
class _Sorting:
    counted: list[Vote] = field(default_factory=list)
    warm_ups: list[Vote] = field(default_factory=list)
    dropped: list[Drop] = field(default_factory=list)


def read_votes(
    run: Path, present: Present, runs: Iterable[str], home: str = "", made: Collection[str | None] = ()
) -> Votes:
    """The votes of a run folder, without votes on clips that have changed since.

    Args:
        run: The run folder.
        present: The current clips.
        runs: Names of the runs in `present`. Clips of other runs cannot be checked, and their votes count.
        home: The current name of the run. Its clips are recognised even if the folder was renamed after the vote.
        made: sha256 of clips in the folder. A clip that is not in `present` is not scored.
    """
    found, known = _Sorting(), set(runs)
    for path in sorted(votes_path(run).glob("*/*.json")):
        try:
            vote = _at_home(read_vote(path), present, home)
        except StoreError:
            found.dropped.append(Drop(f"{path.parent.name}/{path.name}", "the file is not a vote"))
            continue
        if vote.warm_up:
            found.warm_ups.append(vote)
        elif stale := _stale(vote, present, known):
            why = NOT_SCORED if all(clip.sha256 in made for clip in stale) else REPLACED
            found.dropped.append(Drop(f"{path.parent.name}/{path.name}", why))
        else:
            found.counted.append(vote)
    return Votes(tuple(found.counted), tuple(found.warm_ups), tuple(found.dropped))


def _at_home(vote: Vote, present: Present, home: str) -> Vote:
    here = [present.get((home, clip.generator, vote.prompt_id, clip.index)) == clip.sha256 for clip in vote.clips]
    clips = tuple(replace(clip, run=home) if own else clip for clip, own in zip(vote.clips, here, strict=True))
    return vote if clips == vote.clips else replace(vote, clips=clips)


def _stale(vote: Vote, present: Present, known: set[str]) -> list[ClipRef]:
    """Clips of the vote that were changed or deleted after the vote."""
    keys = [((clip.run, clip.generator, vote.prompt_id, clip.index), clip) for clip in vote.clips]
    return [clip for key, clip in keys if clip.run in known and present.get(key) != clip.sha256]


@dataclass(frozen=True)
class ReviewRate:
    """The hourly rate of a reviewer: `votes/rate.json`."""

    usd_per_hour: float
    date: str = ""
    source: str = ""
    format: int = FORMAT


def write_rate(run: Path, rate: ReviewRate) -> None:
    """Stores the rate with the votes."""
    write_whole(votes_path(run) / "rate.json", to_json(rate))


def read_rate(run: Path) -> ReviewRate | None:
    """The rate; None if none was stated.

    Raises:
        StoreError: The file is not valid.
    """
    path = votes_path(run) / "rate.json"
    return typed(read_json(path, "no rate is stated."), ReviewRate, path) if path.exists() else None


def copy_votes(run: Path, to: Path) -> None:
    """Copies a run's votes to another folder, such as a baseline, and replaces its votes."""
    shutil.rmtree(votes_path(to), ignore_errors=True)
    for path in sorted(votes_path(run).rglob("*.json")):
        write_whole(to / path.relative_to(run), path.read_bytes())
