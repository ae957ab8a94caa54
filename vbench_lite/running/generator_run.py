"""One generator's part of a run: finds its existing clips, and generates, prices and stores the others."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

from vbench_lite.errors import GeneratorError, WeightsError
from vbench_lite.inputs.accepted import gets_image
from vbench_lite.measuring.devices import Device
from vbench_lite.measuring.rates import cost_with_attempts
from vbench_lite.progress import progress
from vbench_lite.records import ClipKey, ClipRecord, Definition, Price, Request
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.images import load_picture
from vbench_lite.run.manifest import Typed
from vbench_lite.run.plan import Plan, setting
from vbench_lite.running.attempts import Finished
from vbench_lite.running.batches import WHOLE, Batch, Shard, batches, spread
from vbench_lite.running.budget import Budget
from vbench_lite.running.engines import Made, Phase, Work, WorkerLost, load_engine
from vbench_lite.running.equal_clips import EqualClips, equal_clips
from vbench_lite.running.interrupt import Stop
from vbench_lite.running.inventory import batches_of, take_inventory
from vbench_lite.running.phases import PhaseLog

log = logging.getLogger("vbench_lite.running.generator_run")

STOP_AFTER_FAILURES = 10
"""Default number of consecutive equal failures after which no more clips of a generator are tried."""
SIDE_BY_SIDE = 8
"""Number of clips that are written in parallel. A flushed write mostly waits for the disk."""


@dataclass(frozen=True)
class Options:
    """Options that do not affect the clips."""

    engine: str = "local"
    shard: Shard = WHOLE
    fresh: bool = False
    retry_failed: bool = False
    prices: Mapping[str, Price] = field(default_factory=dict)
    """Prices by generator, for run.json and for the record of each clip."""
    typed: Typed = field(default_factory=Typed)
    """The arguments that the user typed, for run.json."""
    budget: Budget | None = None
    stop: Stop | None = None
    quiet: bool = False
    """Do not log each failed clip; they are counted afterwards."""
    pilot: int | None = None
    """Generate only this many batches of each generator, spread over the plan, for a forecast."""


@dataclass
class Outcome:
    """The outcome for the clips of the plan, or of this shard."""

    asked: int = 0
    ready: int = 0
    """Number of valid clips that existed before."""
    tried: int = 0
    """Number of clips that were attempted, generated or failed."""
    made: int = 0
    failed: list[ClipRecord] = field(default_factory=list)
    """Failed clips that are stored now."""
    wholly_failed: list[str] = field(default_factory=list)
    """Generators without a generated clip."""
    distrusted: list[str] = field(default_factory=list)
    equal: list[EqualClips] = field(default_factory=list)
    """Generators that made equal clips for different seeds."""
    errors: dict[str, str] = field(default_factory=dict)
    """Generator -> why it could not run."""
    over_budget: bool = False
    interrupted: bool = False

    @property
    def missing(self) -> int:
        return self.asked - self.ready - self.made - len(self.failed)

    @property
    def worked(self) -> bool:
        """Whether any clip was attempted, or a generator could not run."""
        return self.tried > 0 or bool(self.errors)


class GeneratorRun:
    """One generator's part of a run. It is the `BatchSource` of the engine."""

    def __init__(
        self, plan: Plan, folder: RunFolder, device: Device, options: Options, definition: Definition, outcome: Outcome
    ) -> None:
        self._plan, self._folder, self._options = plan, folder, options
        self._definition, self._outcome = definition, outcome
        self._work = Work(
            definition, device, plan.prompts, folder.path / "state" / definition.name, folder.path / "logs"
        )
        self._phases = PhaseLog(folder.path, definition.name, options.shard, device)
        self._images = {p.id: p.image for p in plan.prompts if gets_image(definition.inputs, p)}
        self._batches: Iterator[Batch] = iter(())
        self._next: Batch | None = None
        self._wanted: set[Request] = set()
        self._retried_usd: dict[ClipKey, float | None] = {}
        self._good: list[ClipRecord] = []
        self._at_hand = 0
        self._equal_failures: tuple[str | None, int] = (None, 0)
        self._overdrawn = False

    @property
    def stopped(self) -> bool:
        """See `BatchSource`."""
        return self._interrupted or self._overdrawn or self._hopeless

    @property
    def _hopeless(self) -> bool:
        """Every clip fails for the same reason."""
        return self._equal_failures[1] >= setting(self._definition, "stop_after_failures", STOP_AFTER_FAILURES)

    @property
    def _interrupted(self) -> bool:
        return bool(self._options.stop and self._options.stop.requested)

    def affordable_s(self) -> float:
        """See `BatchSource`."""
        return self._options.budget.affordable_s(self._definition) if self._options.budget else math.inf

    def overdrawn(self, device_s: float) -> None:
        """See `BatchSource`."""
        assert self._options.budget
        self._options.budget.overdrawn(self._definition, device_s)
        self._overdrawn = self._outcome.over_budget = True

    def take(self) -> Batch | None:
        """The next batch, if the budget allows it; see `BatchSource`."""
        self._next = self._next or next(self._batches, None)
        budget = self._options.budget
        if self._next is None or self.stopped:
            return None
        if budget and not budget.allows(self._definition, self._next, self._at_hand):
            self._outcome.over_budget = self._at_hand == 0 or self._outcome.over_budget
            return None
        batch, self._next = self._next, None
        self._at_hand += len(batch.requests)
        return batch._replace(requests=tuple(map(self._with_image, batch.requests)))

    def _with_image(self, request: Request) -> Request:
        """The request with the pixels of its prompt's image, if the generator accepts images."""
        image = self._images.get(request.prompt_id)
        if image is None:
            return request
        spec = request.spec
        picture = load_picture(self._folder.path, image, spec.height, spec.width)
        return dataclasses.replace(request, image=picture)

    def look(self) -> None:
        """Load stored clips and charge their cost to the budget."""
        outcome, definition, options = self._outcome, self._definition, self._options
        found = take_inventory(self._folder, self._plan, definition, options.shard)
        retried = found.failed if options.retry_failed else []
        planned = batches(self._plan, definition, options.shard)
        planned = planned if options.pilot is None else spread(planned, options.pilot)
        self._batches = iter(planned)
        self._retried_usd = {record.key: record.cost_usd for record in retried}
        wanted = {(r.prompt_id, r.index) for r in found.missing} | {(r.prompt_id, r.index) for r in retried}
        self._wanted = {r for batch in planned for r in batch.requests if (r.prompt_id, r.index) in wanted}
        self._good = list(found.made)
        outcome.asked += len(found.made) + len(found.failed) + len(found.missing)
        outcome.ready += len(found.made)
        outcome.failed += [record for record in found.failed if record not in retried]
        outcome.distrusted += found.distrusted
        for reason in found.distrusted:
            log.warning("%s; it is generated again", reason, extra={"generator": definition.name})
        self._charge([*found.made, *found.failed])
        if options.budget:
            options.budget.spent_before([*found.made, *found.failed])

    def run(self) -> None:
        """Generate the missing clips."""
        outcome, name = self._outcome, self._definition.name
        if self._wanted and not self.stopped:
            self._batches = batches_of(self._batches, self._wanted)
            self._folder.summary_path.unlink(missing_ok=True)  # it covers fewer clips than there will be
            self._generate(len(self._wanted))
        if self._hopeless:
            reason, count = self._equal_failures
            outcome.errors[name] = (
                f'"{name}" failed {count} times in a row with the same reason, so no more clips were tried: {reason}. '
                "Remove the cause and run again with --retry-failed, or increase stop_after_failures under [settings]"
            )
            log.error("%s", outcome.errors[name], extra={"generator": name})
        outcome.interrupted = outcome.interrupted or (self._interrupted and bool(self._wanted))
        if found := equal_clips(name, self._good):
            outcome.equal.append(found)
            log.warning("%s", found.sentence(), extra={"generator": name})
        if not self._good and any(record.generator == name for record in outcome.failed):
            outcome.wholly_failed.append(name)

    def _charge(self, records: Sequence[ClipRecord]) -> None:
        if self._options.budget:
            for record in records:
                self._options.budget.spent(self._definition, record)

    def _generate(self, count: int) -> None:
        """Generate and store clips."""
        name = self._definition.name
        try:
            with progress(name, count) as tick, ThreadPoolExecutor(SIDE_BY_SIDE, "store") as pool:
                for event in load_engine(self._options.engine).run(self._work, self):
                    self._on(event, pool, tick)
        except (GeneratorError, WeightsError) as error:
            self._outcome.errors[name] = str(error)
            log.error("%s", error, extra={"generator": name})

    def _on(self, event: Made | Phase | WorkerLost, pool: Executor, tick: Callable[..., None]) -> None:
        if isinstance(event, Made):
            for record in pool.map(self._write, event.clips):
                self._count(record)
            tick(len(event.clips))
        elif isinstance(event, Phase):
            self._phases.add(event)
        else:
            log.warning("%s", event.text, extra={"generator": self._definition.name})

    def _write(self, clip: Finished) -> ClipRecord:
        price = self._options.prices.get(clip.record.generator)
        earlier = self._retried_usd.get(clip.record.key, 0.0)
        record = dataclasses.replace(
            clip.record, device=self._work.device.facts if clip.record.measurement.device_s is not None else None,
            price=price, cost_usd=cost_with_attempts(clip.record, price, earlier), retried_usd=earlier,
        )
        return self._folder.write_clip(record, clip.clip, clip.suffix)

    def _count(self, record: ClipRecord) -> None:
        """Count a stored clip."""
        self._at_hand -= 1
        self._outcome.tried += 1
        where = {"generator": record.generator, "prompt_id": record.prompt_id, "index": record.index}
        if record.status == "ok":
            self._outcome.made += 1
            self._good.append(record)
            self._equal_failures = (None, 0)
            log.info("%s: %s #%d made in %s s", *where.values(), _rounded(record.measurement.wall_s), extra=where)
        else:
            self._outcome.failed.append(record)
            before, count = self._equal_failures
            self._equal_failures = (record.reason, count + 1 if before == record.reason else 1)
            level = logging.DEBUG if self._options.quiet else logging.WARNING
            log.log(level, "%s: %s #%d failed: %s", *where.values(), record.reason, extra=where)
        self._charge([record])


def _rounded(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds:.3g}"
