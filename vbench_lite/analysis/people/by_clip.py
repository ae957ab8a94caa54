"""The votes on each clip: numbers of keep and reject, reasons of rejection, and results of comparisons."""

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
    """The valid votes on one clip. Repeated questions are left out, as in all results of votes."""

    kept: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Reason of rejection > number of votes."""
    better: int = 0
    """Number of comparisons of overall quality that the clip won; `equal`: without a winner."""
    equal: int = 0
    worse: int = 0
    simulated: bool = False
    """Whether at least one vote is from a simulated rater."""

    def add(self, vote: Vote, place: int) -> None:
        """Count a vote. `place` is 0 for the only or the left clip, 1 for the right clip."""
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
    """(generator, prompt id, index) > the votes on that clip; empty if the run has no votes.

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
