"""The votes on each single clip: who keeps it, why it was rejected, and how its comparisons ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from vbench_lite.analysis.people.judged import read_judged
from vbench_lite.analysis.people.raters import FIRST
from vbench_lite.analysis.people.tables import POINTS
from vbench_lite.run.view import Run
from vbench_lite.run.votes import Vote, votes_path


@dataclass
class ClipVotes:
    """The votes that count on one clip; repeated questions are left out, as in every result of people."""

    kept: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Why it was rejected > number of votes."""
    better: int = 0
    """Comparisons of overall quality that it won; `equal` ones had no winner."""
    equal: int = 0
    worse: int = 0
    simulated: bool = False
    """A program gave at least one of the votes."""

    def add(self, vote: Vote, place: int) -> None:
        """Counts a vote in which the clip has this place: 0 for the only or the left clip, 1 for the right one."""
        self.simulated |= vote.simulated
        answer = vote.answers[FIRST[vote.mode]]
        if vote.mode == "usable":
            self.kept += answer == "keep"
            self.rejected += answer == "reject"
            self.reasons.update(vote.reasons)
        else:
            points = abs(place - POINTS[answer])  # of the left clip, so one minus that for the right one
            self.better += points == 1
            self.equal += points == 0.5
            self.worse += points == 0


def votes_by_clip(run: Run) -> Mapping[tuple[str, str, int], ClipVotes]:
    """(generator, prompt id, index) > the votes on that clip; empty where the run has none.

    Raises:
        StoreError: The run is not scored.
    """
    found = defaultdict[tuple[str, str, int], ClipVotes](ClipVotes)
    if any(votes_path(run.path).glob("*/*.json")):
        for vote in read_judged(run.folder, run.summary).counted:
            for place, clip in enumerate(vote.clips):
                if clip.run == run.name and not vote.repeat:
                    found[clip.generator, vote.prompt_id, clip.index].add(vote, place)
    return found
