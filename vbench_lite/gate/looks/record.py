"""looks.json of a run: the order of its prompts, the planned looks, and the verdict at each look."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vbench_lite.analysis.commands import finish_command
from vbench_lite.files import to_json, write_whole
from vbench_lite.gate.looks.boundaries import FRACTIONS, ONCE, Look, prompts_at
from vbench_lite.records import FORMAT, Prompt
from vbench_lite.run.reading import read_json, typed
from vbench_lite.run.view import Run

FILE = "looks.json"


@dataclass(frozen=True, kw_only=True)
class LookResult:
    """The verdict at one look."""

    number: int
    """From 1."""
    prompts: int
    clips: int
    """Clips that were generated or failed up to this look, over all generators."""
    outcome: str
    headline: str


@dataclass(frozen=True, kw_only=True)
class PlannedLooks:
    """looks.json."""

    format: int = FORMAT
    baseline: str
    """As the user typed it."""
    baseline_digest: str
    """sha256 of its clips.csv."""
    policy: str
    """Digest of the policy."""
    rules: str = ""
    """The policy as the user typed it; "" for that of the baseline or the default."""
    limit: int | None = None
    """Requested number of prompts from the start of the suite; None for all."""
    order: tuple[str, ...]
    """Prompt ids in the order in which they are generated."""
    fractions: tuple[float, ...] = FRACTIONS
    looks: tuple[LookResult, ...] = ()

    def prompts(self, number: int) -> tuple[str, ...]:
        """Ids of the prompts of a look."""
        return self.order[: prompts_at(self.fractions, len(self.order))[number - 1]]

    @property
    def decided(self) -> bool:
        """Whether the gate needs no more clips."""
        return bool(self.looks) and (self.looks[-1].outcome != "undecided" or len(self.looks) == len(self.fractions))


def random_order(prompts: Sequence[Prompt], seed: int) -> tuple[str, ...]:
    """Prompt ids in random order. The categories are spread evenly.

    >>> order = random_order([Prompt(f"{c}{n}", "", c) for c in "ab" for n in range(10)], seed=1)
    >>> sum(id_.startswith("a") for id_ in order[:10]) in (4, 5, 6)
    True
    """
    rng = random.Random(seed)
    by_category = defaultdict[str, list[str]](list)
    for prompt in prompts:
        by_category[prompt.category].append(prompt.id)
    places: dict[str, float] = {}
    for ids in by_category.values():
        rng.shuffle(ids)
        places |= {id_: (nth + rng.random()) / len(ids) for nth, id_ in enumerate(ids)}
    return tuple(sorted(places, key=lambda id_: places[id_]))


def read_looks(folder: Path) -> PlannedLooks | None:
    """The planned looks of a run; None for a run of fixed size.

    Raises:
        StoreError: The file is not valid.
    """
    path = folder / FILE
    return typed(read_json(path, ""), PlannedLooks, path) if path.exists() else None


def continue_command(run: Run, planned: PlannedLooks) -> str:
    """The command that continues a run at planned looks."""
    options = ["--against", planned.baseline, *(["--policy", planned.rules] if planned.rules else [])]
    return finish_command(run, *options, prompts=planned.limit or len(run.manifest.suite.prompts))


def write_looks(folder: Path, planned: PlannedLooks) -> None:
    write_whole(folder / FILE, to_json(planned))


def look_of(run: Run) -> Look:
    """The current look of a run, from its number of prompts; `ONCE` for a run of fixed size.

    Raises:
        StoreError: looks.json is not valid.
    """
    planned = read_looks(run.path)
    if planned is None:
        return ONCE
    counts = prompts_at(planned.fractions, len(planned.order))
    asked = len(run.manifest.plan.prompts)
    number = next((nth for nth, count in enumerate(counts, 1) if count >= asked), len(counts))
    return Look(number, planned.fractions)
