"""Generates the clips of a plan into a run folder, and continues where an earlier run stopped.

The runner knows neither metrics nor models. It checks which clips exist, lets an engine generate the others,
and stores each clip as soon as it is finished.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from vbench_lite.errors import GeneratorError, StoreError, WeightsError
from vbench_lite.inputs.accepted import gets_image
from vbench_lite.measuring.devices import Device
from vbench_lite.measuring.rates import clip_cost_usd
from vbench_lite.progress import progress
from vbench_lite.records import ClipRecord, Definition, Price, Request
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.images import check_images, load_picture, store_images
from vbench_lite.run.manifest import Manifest, Typed, build_manifest
from vbench_lite.run.plan import Plan, clip_seed, setting
from vbench_lite.run.plan_changes import extended, refuse_other_plan
from vbench_lite.running.attempts import Finished
from vbench_lite.running.batches import WHOLE, Batch, Shard, batches, spread
from vbench_lite.running.engines import Made, Phase, Work, WorkerLost, load_engine
from vbench_lite.running.equal_clips import EqualClips, equal_clips
from vbench_lite.running.inventory import batches_of, take_inventory
from vbench_lite.running.lock import locked
from vbench_lite.running.phases import PhaseLog

__all__ = ["Options", "Outcome", "clip_seed", "run"]

log = logging.getLogger("vbench_lite.running.runner")

STOP_AFTER_FAILURES = 10
"""Equal failures in a row after which no more clips of a generator are tried, unless its settings say otherwise."""
SIDE_BY_SIDE = 8
"""Clips of a batch that are written at the same time. A flushed write mostly waits for the disk."""

class Budget(Protocol):
    """What may be spent; see `budget.py`."""

    def allows(self, definition: Definition, batch: Batch, at_hand: int) -> bool: ...

    def spent(self, definition: Definition, record: ClipRecord) -> None: ...

    def spent_before(self, records: Sequence[ClipRecord]) -> None: ...

    def affordable_s(self, definition: Definition) -> float: ...

    def overdrawn(self, definition: Definition, device_s: float) -> None: ...


class Stop(Protocol):
    """Whether the user asked to end; see `interrupt.py`."""

    @property
    def requested(self) -> bool: ...


@dataclass(frozen=True)
class Options:
    """Options that change no clip."""

    engine: str = "local"
    shard: Shard = WHOLE
    fresh: bool = False
    retry_failed: bool = False
    prices: Mapping[str, Price] = field(default_factory=dict)
    """By generator: for run.json, and for the record of each clip."""
    typed: Typed = field(default_factory=Typed)
    """What the user typed, for run.json."""
    budget: Budget | None = None
    stop: Stop | None = None
    quiet: bool = False
    """Failed clips are not logged one by one: they are counted afterwards."""
    pilot: int | None = None
    """Only this many batches of each generator, spread over the plan, to forecast the rest from."""


@dataclass
class Outcome:
    """What happened to the clips of the plan, or of this shard."""

    asked: int = 0
    ready: int = 0
    """Clips that existed and are valid."""
    tried: int = 0
    """Clips that this run tried, generated or failed."""
    made: int = 0
    failed: list[ClipRecord] = field(default_factory=list)
    """Failed clips that are stored now."""
    wholly_failed: list[str] = field(default_factory=list)
    """Generators without any good clip."""
    distrusted: list[str] = field(default_factory=list)
    equal: list[EqualClips] = field(default_factory=list)
    """Generators that made equal clips for different seeds."""
    errors: dict[str, str] = field(default_factory=dict)
    """Why a generator could not be run, by its name."""
    over_budget: bool = False
    interrupted: bool = False

    @property
    def missing(self) -> int:
        return self.asked - self.ready - self.made - len(self.failed)

    @property
    def worked(self) -> bool:
        """Whether anything was generated, or tried."""
        return self.tried > 0 or bool(self.errors)


def run(plan: Plan, folder: RunFolder, device: Device, options: Options | None = None) -> Outcome:
    """Generates every clip of the plan that does not exist yet.

    Args:
        plan: What is asked for.
        folder: The run folder. It may hold a part of the same plan.
        device: The device to run on.
        options: Everything else that a run can be given.

    Returns:
        The outcome. A generator that cannot run is in `errors`; the others have run.

    Raises:
        PlanConflict: The folder holds another plan; nothing was changed.
        FolderLocked: Another process works on the folder.
        StoreError: The folder cannot be written.
        UsageError: The image of a prompt cannot be decoded; nothing was changed.
    """
    options = options or Options()
    check_images(plan.prompts)
    with locked(folder.path, options.shard):
        _prepare(plan, folder, device, options)
        outcome = Outcome()
        parts = [GeneratorRun(plan, folder, device, options, definition, outcome) for definition in plan.definitions]
        for part in parts:
            part.look()
        for part in parts:
            part.run()
        if not folder.exists():
            raise StoreError(f"{folder.path} was removed while the run used it. Start again with the same command.")
        return outcome


def _prepare(plan: Plan, folder: RunFolder, device: Device, options: Options) -> None:
    """Prepares the folder for clips of this plan."""
    wanted = build_manifest(plan, device, options.prices, folder.name, typed=options.typed)
    if options.fresh:
        folder.clear()
    if folder.exists():
        stored = folder.manifest()
        if any(folder.record_paths()):
            refuse_other_plan(folder.path, stored, wanted)
            _update(folder, stored, wanted)
        else:  # a run without clips claims nothing
            folder.write_manifest(wanted)
    elif (folder.path / "clips").exists():
        raise StoreError(
            f"{folder.path} holds clips but no run.json, so their plan is not known. Choose another folder with "
            "--out DIR, or delete them with --fresh."
        )
    else:
        folder.write_manifest(wanted)
    store_images(folder.path, plan.prompts)
    if options.shard.parts == 1:
        for part in folder.path.glob("clips/*/*/.*.part"):
            part.unlink(missing_ok=True)  # left by a run that was killed while writing


def _update(folder: RunFolder, stored: Manifest, wanted: Manifest) -> None:
    """Extends the stored plan, and updates what changes no clip: prices, thresholds, backbones, typed arguments."""
    new = extended(stored, wanted)
    if new != stored:
        folder.write_manifest(new)
    if (stored.prices, stored.plan, stored.suite) != (new.prices, new.plan, new.suite):
        folder.summary_path.unlink(missing_ok=True)
    if stored.prices != new.prices:
        _reprice(folder, new)
    gone = len(set(stored.plan.prompts) - set(new.plan.prompts))
    if gone:
        log.warning("%d prompts are not in the suite any more: their clips stay in the folder, unscored", gone)
    for name in sorted({*stored.software, *wanted.software}):
        if name != "threads" and stored.software.get(name) != wanted.software.get(name):
            log.warning(
                "this run began with %s %s and goes on with %s: clips of the two may differ",
                name, stored.software.get(name), wanted.software.get(name),
            )
    if stored.device.name != wanted.device.name:
        log.warning(
            "this run began on %s and goes on on %s: times and costs of the two do not compare",
            stored.device.name, wanted.device.name,
        )


def _reprice(folder: RunFolder, wanted: Manifest) -> None:
    """Applies new prices to the stored clips of this device; clips of other machines keep theirs."""
    for record in folder.records():
        price = wanted.prices.get(record.generator)
        if price and record.price not in (None, price) and record.device == wanted.device:
            cost = _cost(record, price, record.retried_usd)
            folder.write_record(dataclasses.replace(record, price=price, cost_usd=cost))


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
        self._images = {p.id: p.image for p in plan.prompts if gets_image(definition, p)}
        self._batches: Iterator[Batch] = iter(())
        self._next: Batch | None = None
        self._wanted: set[Request] = set()
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
        """The request with the pixels of its prompt's image, where the generator is given images."""
        image = self._images.get(request.prompt_id)
        if image is None:
            return request
        spec = request.spec
        picture = load_picture(self._folder.path, image, spec.height, spec.width)
        return dataclasses.replace(request, image=picture)

    def look(self) -> None:
        """Loads stored clips and charges their cost to the budget."""
        outcome, definition, options = self._outcome, self._definition, self._options
        found = take_inventory(self._folder, self._plan, definition, options.shard)
        retried = found.failed if options.retry_failed else []
        planned = batches(self._plan, definition, options.shard)
        planned = planned if options.pilot is None else spread(planned, options.pilot)
        self._batches = iter(planned)
        self._wanted = set(found.missing) | _requests_of(self._plan, definition, retried)
        self._wanted &= {request for batch in planned for request in batch.requests}
        self._good = list(found.made)
        outcome.asked += len(found.made) + len(found.failed) + len(found.missing)
        outcome.ready += len(found.made)
        outcome.failed += [record for record in found.failed if record not in retried]
        outcome.distrusted += found.distrusted
        for reason in found.distrusted:
            log.warning("%s; it is made again", reason, extra={"generator": definition.name})
        self._retried_usd = {record.key: record.cost_usd for record in retried}
        self._charge([*found.made, *found.failed])
        if options.budget:
            options.budget.spent_before([*found.made, *found.failed])

    def run(self) -> None:
        """Generates the missing clips."""
        outcome, name = self._outcome, self._definition.name
        if self._wanted and not self.stopped:
            self._batches = batches_of(self._batches, self._wanted)
            self._folder.summary_path.unlink(missing_ok=True)  # it covers fewer clips than there will be
            self._generate(len(self._wanted))
        if self._hopeless:
            reason, count = self._equal_failures
            outcome.errors[name] = (
                f'"{name}" failed {count} times in a row with the same reason, so no more clips were tried: {reason}. '
                "Remove the cause and run again with --retry-failed, or raise stop_after_failures under [settings]"
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
        """Generates and stores clips."""
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
            price=price, cost_usd=_cost(clip.record, price, earlier), retried_usd=earlier,
        )
        return self._folder.write_clip(record, clip.clip, clip.suffix)

    def _count(self, record: ClipRecord) -> None:
        """Counts a clip that is stored now."""
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


def _cost(record: ClipRecord, price: Price | None, earlier_usd: float | None) -> float | None:
    """What a clip cost together with the failed attempts before it."""
    cost = clip_cost_usd(record, price) if price else record.usd_charged
    return None if cost is None or earlier_usd is None else cost + earlier_usd


def _rounded(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds:.3g}"


def _requests_of(plan: Plan, definition: Definition, records: Sequence[ClipRecord]) -> set[Request]:
    wanted = {(record.prompt_id, record.index) for record in records}
    return {r for r in plan.requests(definition) if (r.prompt_id, r.index) in wanted}
