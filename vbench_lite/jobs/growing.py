"""`vbench run --against`: generates and evaluates a run look by look, until the gate is decided."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from vbench_lite.errors import NotComparable, PlanConflict, UsageError
from vbench_lite.escaping import vbench_command
from vbench_lite.gate.judge import judge
from vbench_lite.gate.looks.record import LookResult, PlannedLooks, random_order, read_looks, write_looks
from vbench_lite.gate.policy import Policy, choose_policy
from vbench_lite.gate.verdict import Verdict
from vbench_lite.jobs.job import Job, Order
from vbench_lite.run.view import Run, open_run

if TYPE_CHECKING:
    from vbench_lite.records import Prompt
    from vbench_lite.running.interrupt import Stop
    from vbench_lite.running.runner import Outcome


@dataclass(frozen=True)
class Saved:
    """Clips that are not needed, because the gate was decided before the end, and their cost."""

    clips: int
    of: int
    """Number of clips in the whole plan."""
    usd: float | None
    """At the mean cost of the generated clips; None if that is not known."""
    device_s: float | None


@dataclass(frozen=True)
class Grown:
    """The result of a growing run."""

    planned: PlannedLooks
    outcome: Outcome | None
    """The outcome of the last generated part; None if all clips existed."""
    verdict: Verdict | None
    """The verdict of the last look; None if clips are missing, so that no look was reached."""
    saved: Saved | None
    elsewhere: int = 0
    """Number of missing clips of the look that belong to other shards."""


@dataclass(frozen=True)
class GrowingRun:
    """A run whose gate is evaluated at planned looks.

    Attributes:
        order: The order of the run.
        against: The baseline, as an argument such as "results/baseline:my-model".
        policy: A policy file or its name; None takes the baseline's policy, else the built-in one.

    Raises:
        UsageError: An option cannot be combined with planned looks.
        NotComparable: The suite, plan, form of clip or set of backbones differs from the baseline's. Nothing was
            generated.
    """

    order: Order
    against: str
    policy: str | None = None

    def __post_init__(self) -> None:
        for option, given in {"--pilot": self.order.pilot, "--sweep": self.order.sweeps}.items():
            if given:
                raise UsageError(f"{option} cannot be combined with --against: leave {option} out.")
        self._require_same_plan()

    @cached_property
    def job(self) -> Job:
        """The job of the whole run."""
        return Job(self.order)

    @cached_property
    def baseline(self) -> Run:
        return open_run(self.against)

    @cached_property
    def rules(self) -> Policy:
        return choose_policy(self.policy, self.baseline.path)

    @cached_property
    def prompts(self) -> list[Prompt]:
        """The prompts that both runs have with the same text."""
        texts = {prompt.id: prompt.text for prompt in self.baseline.manifest.prompts}
        return [prompt for prompt in self.job.plan.prompts if texts.get(prompt.id) == prompt.text]

    @cached_property
    def looks(self) -> PlannedLooks:
        """The planned looks, without results."""
        table = self.baseline.folder.table_path
        return PlannedLooks(
            baseline=self.against, baseline_digest=hashlib.sha256(table.read_bytes()).hexdigest(),
            policy=self.rules.digest, order=random_order(self.prompts, self.order.seed), rules=self.policy or "",
            limit=self.order.limit,
        )  # fmt: skip

    def run(self, tell: Callable[[LookResult, PlannedLooks], None], stop: Stop | None = None) -> Grown:
        """Generates, scores and evaluates look by look, until the gate is decided.

        A shard stops when its clips of a look are generated and those of other shards are missing.

        Args:
            tell: Called after each look.
            stop: Returns whether the user asked to stop.

        Raises:
            PlanConflict: The folder contains a run that was not planned with these looks.
        """
        planned, outcome = self._resume(), None
        while not planned.decided:
            number = len(planned.looks) + 1
            fresh = self.order.fresh and number == 1
            part = Job(dataclasses.replace(self.order, only=planned.prompts(number), fresh=fresh))
            if not fresh:
                write_looks(part.folder.path, planned)
            outcome = part.generate(stop)
            if outcome.missing or outcome.errors or outcome.wholly_failed or outcome.interrupted:
                write_looks(part.folder.path, planned)
                return Grown(planned, outcome, None, None)
            write_looks(part.folder.path, planned)
            if elsewhere := self._missing(part.order):
                return Grown(planned, outcome, None, None, elsewhere)
            part.score(outcome)
            verdict = judge(Run(part.folder), self.baseline, self.policy)
            clips = sum(int(grid.tried.sum()) for grid in Run(part.folder).grids.values())
            result = LookResult(
                number=number, prompts=len(planned.prompts(number)), clips=clips, outcome=verdict.outcome,
                headline=verdict.headline,
            )  # fmt: skip
            planned = dataclasses.replace(planned, looks=(*planned.looks, result))
            write_looks(part.folder.path, planned)
            tell(result, planned)
        run = Run(self.job.folder)
        return Grown(planned, outcome, judge(run, self.baseline, self.policy), self._saved(run))

    def _missing(self, part: Order) -> int:
        """Number of clips of a look that are not in this folder yet, such as those of other shards."""
        if not part.shard:
            return 0
        return sum(line.left for line in Job(dataclasses.replace(part, shard=None, fresh=False)).forecast().parts)

    def _resume(self) -> PlannedLooks:
        """The looks that were evaluated in the folder so far."""
        folder = self.job.folder
        if self.order.fresh or not folder.exists():
            return self.looks
        stored = read_looks(folder.path)
        gate = vbench_command("gate", folder.path, "--baseline", self.against)
        ways = f"Write to another folder with --out DIR, gate the stored run with: {gate}, or start again with --fresh."
        if stored is None:
            if set(folder.manifest().plan.prompts) <= set(self.looks.prompts(1)):
                return self.looks
            raise PlanConflict(f"{folder.path} contains a run that was not planned with looks. {ways}")
        for what in ("baseline_digest", "policy", "order", "fractions"):
            if getattr(stored, what) != getattr(self.looks, what):
                name = {"baseline_digest": "the baseline", "order": "the order of the prompts"}.get(what, f"the {what}")
                raise PlanConflict(f"{folder.path} was started with other looks: {name} differs. {ways}")
        return stored

    def _saved(self, run: Run) -> Saved:
        total = sum(len(self.job.plan.keys(definition)) for definition in self.job.plan.definitions)
        grids = run.grids.values()
        left = total - sum(int(grid.tried.sum()) for grid in grids)

        def cost(column: str) -> float | None:
            values = np.concatenate([grid.values(column)[grid.tried] for grid in grids])
            return float(values.mean()) * left if len(values) and np.isfinite(values).all() else None

        return Saved(left, total, cost("cost_usd"), cost("device_s"))

    def _require_same_plan(self) -> None:
        """Raises an error for a comparison that the gate would refuse, before clips are generated."""
        plan, stored = self.job.plan, self.baseline.manifest
        names, old = [definition.name for definition in plan.definitions], list(self.baseline.generators)
        if not (len(names) == len(old) == 1 or set(old) <= set(names)):
            raise NotComparable(
                f'"{self.against}" has {", ".join(old)}; this run has {", ".join(names)}. '
                f"Name one of each: -g {names[0]} --against {self.baseline.path}:{old[0]}"
            )
        wanted = {
            "set of backbones": (stored.plan.backbones, plan.backbones),
            "form of clip": tuple(str(each.clip) for each in (stored.generators[old[0]], plan.definitions[0])),
        }  # fmt: skip
        if self.rules.prompts == "all":
            counts = [{id_: stored.plan.clips(id_) for id_ in stored.plan.prompts}]
            counts += [{p.id: plan.clips_of.get(p.id, plan.clips_per_prompt) for p in plan.prompts}]
            wanted |= {
                "suite": (stored.suite.digest[:8], plan.suite.digest[:8]),
                "plan": tuple(f"{len(each)} prompts, {sum(each.values())} clips" for each in counts),
            }  # fmt: skip
        for what, (before, now) in wanted.items():
            if before != now:
                raise NotComparable(
                    f"the {what} differs: {before} in {self.against}, {now} in this run. Use the baseline's suite and "
                    "clips, or set prompts = \"common\" in its policy, to compare the common prompts."
                )
        if not self.prompts:
            raise NotComparable(f"{self.against} and this run share no prompt with the same text.")
