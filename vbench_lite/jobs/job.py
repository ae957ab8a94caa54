"""A run from its order to its page: the order as the user typed it, and the job that runs it.

`vbench run` and `vbench_lite.run` build an `Order`, turn it into a `Job`, and call its steps.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vbench_lite.errors import UsageError
from vbench_lite.jobs.judging import Judging, read_judging, require_reference
from vbench_lite.jobs.rescoring import Scale, score_as
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.people import HUMAN_METRICS
from vbench_lite.run.summary import Summary
from vbench_lite.run.view import Run

if TYPE_CHECKING:
    from vbench_lite.measuring.devices import Device
    from vbench_lite.metrics.base import Metric
    from vbench_lite.records import Definition, Price
    from vbench_lite.run.manifest import Typed
    from vbench_lite.run.plan import Plan
    from vbench_lite.running.batches import Shard
    from vbench_lite.running.budget import Budget
    from vbench_lite.running.forecast import Forecast
    from vbench_lite.running.interrupt import Stop
    from vbench_lite.running.runner import Outcome

DEFAULT_GENERATORS = ("tiny-transformer", "tiny-diffusion")


@dataclass(frozen=True)
class Order:
    """The options of a run, as the user typed them. See `vbench run --help` for each option."""

    suite: str
    generators: tuple[str, ...] = DEFAULT_GENERATORS
    sweeps: tuple[str, ...] = ()
    clips_per_prompt: int | None = None
    limit: int | None = None
    seed: int = 0
    device: str = "auto"
    backbones: str = "builtin"
    metrics: str | None = None
    out: Path | None = None
    engine: str = "local"
    shard: str | None = None
    prices: Path | None = None
    thresholds: str | None = None
    reference: str | None = None
    max_cost: float | None = None
    fresh: bool = False
    retry_failed: bool = False
    pilot: int | None = None
    only: tuple[str, ...] = ()
    """Ids of the prompts to use, in this order; () for all. `vbench run --against` runs one part at a time."""


@dataclass(frozen=True)
class Job:
    """A resolved order: its suite, generators, device and prices are known. Nothing is generated yet.

    Raises:
        UsageError: An option names something that does not exist or is not valid. Nothing was changed.
    """

    order: Order

    def __post_init__(self) -> None:
        if self.order.max_cost is not None and not self.order.max_cost > 0:
            raise UsageError(f"--max-cost {self.order.max_cost:g} allows no clip. Use an amount above 0 US dollars.")
        # resolved now, so that errors are raised before any work
        _ = self.plan, self.shard, self.device, self.prices, self.versions, self.judging

    @cached_property
    def plan(self) -> Plan:
        from vbench_lite.inputs.suites import load_suite
        from vbench_lite.run.plan import make_plan

        order = self.order
        plan = make_plan(
            load_suite(order.suite), self._definitions, order.clips_per_prompt, order.limit, order.seed,
            order.backbones,
        )
        if not order.only:
            return plan
        known = {prompt.id: prompt for prompt in plan.prompts}
        return dataclasses.replace(plan, prompts=tuple(known[id_] for id_ in order.only if id_ in known))

    @cached_property
    def _definitions(self) -> list[Definition]:
        from vbench_lite.inputs.catalogue import find_definition
        from vbench_lite.running import sweep

        chosen = [find_definition(name) for name in self.order.generators]
        return sweep.expanded(chosen, [sweep.parse(text) for text in self.order.sweeps])

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """The chosen metrics and their versions."""
        return {metric.name: metric.version for metric in self._metrics}

    @cached_property
    def _metrics(self) -> Sequence[Metric]:
        from vbench_lite.metrics.registry import select

        images = any(prompt.image for prompt in self.plan.prompts)
        return select(self.order.metrics, self.order.backbones, images=images)

    @cached_property
    def judging(self) -> Judging:
        """The thresholds and real clips that the order states."""
        return read_judging(self.order.thresholds, self.order.reference)

    @cached_property
    def shard(self) -> Shard:
        from vbench_lite.running.batches import WHOLE, Shard

        return Shard.parse(self.order.shard) if self.order.shard else WHOLE

    @cached_property
    def device(self) -> Device:
        if self.order.engine == "ray":
            from vbench_lite.running.engines import ray

            return ray.find_device(self.order.device)
        from vbench_lite.measuring import devices

        return devices.find_device(self.order.device)

    @cached_property
    def prices(self) -> Mapping[str, Price]:
        """Generator > its price."""
        from vbench_lite.measuring.prices import PriceList, price_of

        own = PriceList(self.order.prices) if self.order.prices else None
        return {d.name: price_of(d, self.device, own) for d in self.plan.definitions}

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.order.out or Path("results") / self.plan.suite.name)

    def check(self, scores: bool = True) -> None:
        """Checks everything that can be checked before a clip is generated or paid for.

        Args:
            scores: Whether the clips will be scored, which needs the weights of the metrics' networks.

        Raises:
            UsageError: A setting of a generator is not valid, the image of a prompt cannot be decoded, or the folder of
                real clips is empty.
            WeightsError: Weights are missing.
            MetricError: A program that scores clips is not installed.
        """
        from vbench_lite import backbones
        from vbench_lite.inputs.catalogue import check_definition
        from vbench_lite.metrics.registry import networks_of
        from vbench_lite.run.images import check_images

        for definition in self.plan.definitions:
            check_definition(definition)
        check_images(self.plan.prompts)
        if scores:
            from vbench_lite.scoring.judge_program import check_judges

            backbones.require_weights(self.order.backbones, networks_of(self._metrics))
            check_judges(self._metrics)
            if self.judging.reference is None and not self.folder.exists():  # a run keeps its own reference
                require_reference(self.plan.suite)

    def forecast(self) -> Forecast:
        """The clips that are left, with their time and cost. Nothing is generated."""
        from vbench_lite.running import forecast

        return forecast.forecast(self.plan, self.folder, self.device, self.prices, self.shard)

    def generate(self, stop: Stop | None = None) -> Outcome:
        """Generates the missing clips.

        Args:
            stop: Returns whether the user asked to stop.

        Raises:
            PlanConflict: The folder contains a run of another plan. Nothing was changed.
            FolderLocked: Another process uses the folder.
            StoreError: The folder cannot be written.
        """
        from vbench_lite.running import runner

        order = self.order
        options = runner.Options(
            engine=order.engine, shard=self.shard, fresh=order.fresh, retry_failed=order.retry_failed,
            prices=self.prices, typed=self._typed(), budget=self._budget(), stop=stop, pilot=order.pilot,
        )
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for results; output of libraries goes to stderr
            return runner.run(self.plan, self.folder, self.device, options)

    def _typed(self) -> Typed:
        from vbench_lite.run.manifest import Typed
        from vbench_lite.run.shareable import short_path

        names = dict(zip((d.name for d in self._definitions), self.order.generators, strict=False))
        typed = names if not self.order.sweeps else {}
        typed = {name: short_path(argument) for name, argument in typed.items()}
        return Typed(short_path(self.order.suite), typed, short_path(str(self.order.prices or "")))

    def _budget(self) -> Budget | None:
        if self.order.max_cost is None:
            return None
        from vbench_lite.running.budget import Budget
        from vbench_lite.running.forecast import highest_usd

        known = {d.name: highest_usd(d, self.device, self.folder, self.prices[d.name]) for d in self.plan.definitions}
        return Budget(self.order.max_cost, self.prices, {name: usd for name, usd in known.items() if usd is not None})

    def score(self, outcome: Outcome) -> Summary:
        """Scores the run, unless its summary has these metrics and thresholds and no clip was generated since."""
        manifest = self.folder.manifest()
        plan = replace(manifest.plan, backbones=self.order.backbones, metrics=self.order.metrics)
        wanted = self.judging.applied_to(replace(manifest, plan=plan))
        same = wanted.thresholds == manifest.thresholds and wanted.reference == manifest.reference
        if same and not outcome.tried and self.folder.summary_path.exists() and self.folder.table_path.exists():
            stored = self.folder.summary()
            own = {n: i for n, i in stored.metrics.items() if i.origin != "imported" and n not in HUMAN_METRICS}
            computed = {name: info.version for name, info in own.items()}
            if computed == self.versions and stored.suite.digest == manifest.suite.digest:
                return stored
        on_ray = self.order.engine == "ray"
        return score_as(wanted, self.folder, None, Scale("ray", self.order.device) if on_ray else Scale())

    def report(self) -> Path:
        """Writes the page of the run, unless the page already shows these results."""
        from vbench_lite.report import page_shows, write_report

        path, run = Path("reports") / f"{self.folder.name}.html", Run(self.folder)
        return path if page_shows(path, run) else write_report([run], path)
