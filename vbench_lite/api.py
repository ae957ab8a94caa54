"""Composes a benchmark from its parts: plan, run, score, report, compare, gate. Only this module does.

The commands parse their options, call a function of this module, and print what comes back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vbench_lite.errors import GeneratorError, UsageError
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.summary import Summary
from vbench_lite.run.view import Run
from vbench_lite.run.view import open_run as open_run

if TYPE_CHECKING:
    from vbench_lite.analysis.compare import PairComparison
    from vbench_lite.gate.verdict import Verdict
    from vbench_lite.inputs.clipnames import Matched
    from vbench_lite.measuring.devices import Device
    from vbench_lite.records import Definition, Price
    from vbench_lite.report.output import Clips
    from vbench_lite.run.manifest import Typed
    from vbench_lite.run.plan import Plan
    from vbench_lite.running.batches import Shard
    from vbench_lite.running.budget import Budget
    from vbench_lite.running.forecast import Forecast
    from vbench_lite.running.runner import Outcome, Stop

DEFAULT_GENERATORS = ("tiny-transformer", "tiny-diffusion")


@dataclass(frozen=True)
class Order:
    """What a run is asked to do, as the user typed it. See `vbench run --help` for each option."""

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
    max_cost: float | None = None
    fresh: bool = False
    retry_failed: bool = False
    pilot: int | None = None


@dataclass(frozen=True)
class Job:
    """An order, resolved: its suite, generators, device and prices are known. Nothing is generated yet.

    Raises:
        UsageError: Something that was asked for does not exist or cannot be. Nothing was changed.
    """

    order: Order

    def __post_init__(self) -> None:
        if self.order.max_cost is not None and not self.order.max_cost > 0:
            raise UsageError(f"--max-cost {self.order.max_cost:g} allows nothing. Use a sum above 0, in US dollars.")
        # resolved now, so that errors come before any work
        _ = self.plan, self.shard, self.device, self.prices, self.versions

    @cached_property
    def plan(self) -> Plan:
        from vbench_lite.inputs.suites import load_suite
        from vbench_lite.run.plan import make_plan

        order = self.order
        return make_plan(
            load_suite(order.suite), self._definitions, order.clips_per_prompt, order.limit, order.seed,
            order.backbones,
        )

    @cached_property
    def _definitions(self) -> list[Definition]:
        from vbench_lite.inputs.catalogue import find_definition
        from vbench_lite.running import sweep

        chosen = [find_definition(name) for name in self.order.generators]
        return sweep.expanded(chosen, [sweep.parse(text) for text in self.order.sweeps])

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """The chosen metrics and their versions."""
        from vbench_lite.metrics.registry import select

        return {metric.name: metric.version for metric in select(self.order.metrics)}

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
        """Generator > the price that applies to it."""
        from vbench_lite.measuring.prices import PriceList, price_of

        own = PriceList(self.order.prices) if self.order.prices else None
        return {d.name: price_of(d, self.device, own) for d in self.plan.definitions}

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.order.out or Path("results") / self.plan.suite.name)

    def check(self, scores: bool = True) -> None:
        """Checks everything that can be checked before a clip is generated or paid for.

        Args:
            scores: Whether the clips will be scored, so that the weights of the metrics' networks are needed.

        Raises:
            UsageError: A setting of a generator is not usable.
            WeightsError: Weights are missing.
        """
        from vbench_lite import backbones
        from vbench_lite.inputs.catalogue import check_definition

        for definition in self.plan.definitions:
            check_definition(definition)
        if scores:
            backbones.require_weights(self.order.backbones)

    def forecast(self) -> Forecast:
        """What is left of the plan, and what that takes. Nothing is generated."""
        from vbench_lite.running import forecast

        return forecast.forecast(self.plan, self.folder, self.device, self.prices, self.shard)

    def generate(self, stop: Stop | None = None) -> Outcome:
        """Generates the clips that are not there yet.

        Args:
            stop: Says whether the user asked to end.

        Raises:
            PlanConflict: The folder holds a run of another plan. Nothing was changed.
            FolderLocked: Another process works on the folder.
            StoreError: The folder cannot be written.
        """
        from vbench_lite.running import runner

        order = self.order
        options = runner.Options(
            engine=order.engine, shard=self.shard, fresh=order.fresh, retry_failed=order.retry_failed,
            prices=self.prices, typed=self._typed(), budget=self._budget(), stop=stop, pilot=order.pilot,
        )
        try:
            with contextlib.redirect_stdout(sys.stderr):  # results alone go to stdout, whatever libraries print
                return runner.run(self.plan, self.folder, self.device, options)
        finally:
            self._disconnect()

    def _typed(self) -> Typed:
        from vbench_lite.run.manifest import Typed, short_path

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

    def _disconnect(self) -> None:
        if self.order.engine == "ray":
            from vbench_lite.running.engines import ray

            ray.disconnect()

    def score(self, outcome: Outcome) -> Summary:
        """Scores the run, unless a summary of these metrics is there and no clip was generated since."""
        if not outcome.tried and self.folder.summary_path.exists() and self.folder.table_path.exists():
            stored = self.folder.summary()
            if {name: info.version for name, info in stored.metrics.items()} == self.versions:
                return stored
        return _score(self.folder, self.order.backbones, self.order.metrics, workers=None)

    def report(self) -> Path:
        """Writes the page of the run, unless the page that is there shows these very results."""
        from vbench_lite.report import page_shows, write_report

        path, run = Path("reports") / f"{self.folder.name}.html", Run(self.folder)
        return path if page_shows(path, run) else write_report([run], path)


def score_folder(
    folder: RunFolder, backbones: str | None = None, workers: int | None = None, metrics: str | None = None
) -> Summary:
    """Scores the stored clips of a run and writes clips.csv and summary.json.

    Args:
        folder: The run.
        backbones: The set of networks; None takes the run's own.
        workers: Clips that are read side by side; None takes one a core. No number depends on it.
        metrics: As `--metrics`; None takes the run's own choice.
    """
    plan = folder.manifest().plan
    return _score(folder, backbones or plan.backbones, metrics or plan.metrics, workers)


def _score(folder: RunFolder, backbones: str, metrics: str | None, workers: int | None) -> Summary:
    """Scores with exactly these networks and metrics, and notes them in run.json."""
    from vbench_lite.analysis.summary import summarise
    from vbench_lite.running.phases import timed_scoring
    from vbench_lite.scoring.scorer import score_run

    manifest = folder.manifest()
    plan = dataclasses.replace(manifest.plan, backbones=backbones, metrics=metrics)
    with timed_scoring(folder.path):
        scored = score_run(folder, backbones, metrics=metrics, workers=workers)
        if plan != manifest.plan:
            folder.write_manifest(dataclasses.replace(manifest, plan=plan))
        return summarise(folder, scored)


LEFT_OUT = "it is one clip more than the {} that are asked of each prompt"


@dataclass(frozen=True)
class Collected:
    """A folder of clips made elsewhere, stored as a run."""

    folder: RunFolder
    matched: Matched
    outcome: Outcome
    absent: int
    """Clips that the plan asks for and the folder does not hold."""


def collect(
    clips: Path, suite: str, out: Path | None = None, backbones: str | None = None, *,
    clips_per_prompt: int | None = None,
) -> Collected:  # fmt: skip
    """Stores the clips of a folder as a run, as if a generator had made them.

    Args:
        clips: A folder of `{prompt}-{k}.mp4`, or one of the layouts that docs/suites.md lists.
        suite: The prompts that the clips were made for: a name or a file.
        out: Where to; None is results/<name of the folder>.
        backbones: The set of networks that the clips will be scored with.
        clips_per_prompt: Asks for this many clips of every prompt: fewer are failed clips, more are left out. None
            asks for the clips that are there, and for at least one of each prompt.

    Raises:
        UsageError: There is no such folder, or no clip in it belongs to a prompt.
    """
    import dataclasses
    import re
    import shlex

    from vbench_lite.inputs.clip_files import model_folders
    from vbench_lite.inputs.clipnames import clips_to_ask, match_folder
    from vbench_lite.inputs.suites import load_suite
    from vbench_lite.measuring import devices, prices
    from vbench_lite.records import Definition
    from vbench_lite.run.plan import make_plan
    from vbench_lite.running import runner

    if not clips.is_dir():
        raise UsageError(f"there is no folder of clips at {clips}.")
    prompts = load_suite(suite)
    if folders := model_folders(clips):
        each_alone = "".join(f"\n  {shlex.join(['vbench', 'score', str(path), '--suite', suite])}" for path in folders)
        raise UsageError(f"{clips} holds folders of clips, no clips. Score each folder alone:{each_alone}")
    matched = match_folder(clips, prompts.prompts)
    if not matched.clips:
        raise UsageError(f"no clip in {clips} belongs to a prompt of {prompts.name}. Name them {{prompt}}-{{k}}.mp4.")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", clips.resolve().name).strip("-._") or "clips"
    definition = Definition(name, "undisclosed", "recorded", model=str(clips.resolve()), folder=clips.resolve().parent)
    each, clips_of = clips_to_ask(matched, prompts.prompts, clips_per_prompt)
    device = devices.find_device("cpu")
    plan = make_plan(prompts, [definition], each, None, 0, backbones or "builtin", clips_of)
    folder = RunFolder(out or Path("results") / name)
    options = runner.Options(retry_failed=True, prices={name: prices.price_of(definition, device)}, quiet=True)
    outcome = runner.run(plan, folder, device, options)
    asked = {(key.prompt_id, key.index) for key in plan.keys(definition)}
    left_out = [(clip.path, LEFT_OUT.format(each)) for place, clip in matched.clips.items() if place not in asked]
    matched = dataclasses.replace(matched, unmatched=(*matched.unmatched, *left_out))
    return Collected(folder, matched, outcome, len(asked - set(matched.clips)))


def run(
    suite: str | Path, generators: Sequence[str | Path] = DEFAULT_GENERATORS, out: str | Path | None = None, *,
    clips_per_prompt: int | None = None, limit: int | None = None, seed: int = 0, device: str = "auto",
    backbones: str = "builtin", metrics: str | None = None, fresh: bool = False, max_cost: float | None = None,
    report: bool = False,
) -> Run:  # fmt: skip
    """Generates the clips of a suite with each generator and scores them: `vbench run` from Python.

    The same call again does no work. An interrupted run goes on where it stopped.

    Args:
        suite: A name such as "ads", or a suite file.
        generators: Names, TOML files, or classes as "pkg.mod:Class".
        out: The run folder; None is results/<suite>.
        clips_per_prompt: None takes the suite's own number.
        limit: Only the first prompts, this many.
        seed: Random seed of the run. Clips of the same seed, prompt and index are paired across generators.
        device: "auto", "cpu", "cuda" or "cuda:0".
        backbones: The set of networks behind the scores: "builtin", "standard", or a TOML file.
        metrics: Names, sets (builtin, vbench, all), Python files and classes, joined by commas; None takes the built-in
            metrics and your own.
        fresh: Deletes what the folder holds first.
        max_cost: US dollars that may be spent. The run stops before more is spent.
        report: Also writes the page reports/<name>.html.

    Returns:
        The run, scored.

    Raises:
        UsageError: A name, file or number is not usable.
        PlanConflict: The folder holds a run of another plan.
        GeneratorError: A generator cannot be run, or made no clip. What the others made is kept and scored.

    Example:
        >>> import vbench_lite as vb
        >>> run = vb.run("ads", generators=["tiny-diffusion"], out="results/mine", limit=1)  # doctest: +SKIP
        >>> run.summary["tiny-diffusion"].failed  # doctest: +SKIP
        0
    """
    job = Job(
        Order(
            str(suite), tuple(map(str, generators)), clips_per_prompt=clips_per_prompt, limit=limit, seed=seed,
            device=device, backbones=backbones, metrics=metrics, out=None if out is None else Path(out), fresh=fresh,
            max_cost=max_cost,
        )
    )
    job.check()
    outcome = job.generate()
    if outcome.ready + outcome.made + len(outcome.failed):
        job.score(outcome)
    if outcome.errors or outcome.wholly_failed:
        told = [*outcome.errors.values(), *(f'no clip of "{name}" could be made' for name in outcome.wholly_failed)]
        raise GeneratorError("; ".join(told))
    if report:
        job.report()
    return Run(job.folder)


def score(
    target: str | Path, suite: str | Path | None = None, out: str | Path | None = None, *,
    backbones: str | None = None, metrics: str | None = None, workers: int | None = None,
) -> Run:  # fmt: skip
    """Scores a run again, or clips that were made elsewhere: `vbench score` from Python.

    Args:
        target: A run; with `suite`, a folder of clips.
        suite: The prompts that the clips of the folder were made for.
        out: With a folder of clips: where the run is stored. None is results/<name of the folder>.
        backbones: The set of networks behind the scores; None takes the run's own.
        metrics: As for `run`.
        workers: Clips that are read side by side; None takes one a core.

    Returns:
        The run, scored.

    Raises:
        UsageError: There is no such folder or run.
        StoreError: The run keeps no clips.

    Example:
        >>> import vbench_lite as vb
        >>> vb.score("my-clips", suite="ads").clips["temporal_flickering"].mean()  # doctest: +SKIP
        0.98
    """
    if suite is None:
        folder = open_run(target).folder
    else:
        folder = collect(Path(target), str(suite), None if out is None else Path(out), backbones).folder
    score_folder(folder, backbones, workers, metrics)
    return Run(folder)


def compare(baseline: str | Path | Run, candidate: str | Path | Run) -> list[PairComparison]:
    """Compares two runs, or two generators, pair by pair: `vbench compare` from Python.

    Args:
        baseline: A run, or a run argument such as "results/ads:tiny-diffusion".
        candidate: Likewise.

    Returns:
        One comparison for each generator that both hold, or for the two that were named.

    Raises:
        NotComparable: The runs differ in suite, prompts, clips, backbones, versions or clip form.

    Example:
        >>> import vbench_lite as vb
        >>> (pair,) = vb.compare("results/baseline:tiny-transformer", "results/baseline:tiny-diffusion")
        >>> [c.words for c in pair.comparisons if c.metric == "detail"]
        ['better']
    """
    from vbench_lite.analysis.compare import compare_runs

    return compare_runs(_opened(baseline), _opened(candidate))


def gate(
    candidate: str | Path | Run, baseline: str | Path | Run, policy: str | Path | None = None
) -> Verdict:
    """Decides whether a candidate may ship: `vbench gate` from Python.

    Args:
        candidate: A run, or one generator of it.
        baseline: The run, or baseline folder, that it is compared with.
        policy: A policy file or its name; None takes the baseline's own, else the default.

    Returns:
        The verdict: pass, fail or undecided, with every check and what would decide.

    Raises:
        NotComparable: The runs differ in what the scores mean.
        BadFile: The policy is not valid.

    Example:
        >>> import vbench_lite as vb
        >>> vb.gate("results/baseline", baseline="results/baseline").outcome
        'pass'
    """
    from vbench_lite.gate import choose_policy, decide
    from vbench_lite.gate.baseline import read_reference

    old = _opened(baseline)
    rules = choose_policy(None if policy is None else str(policy), old.path)
    return decide(_opened(candidate), old, rules, read_reference(old.path, rules))


def report(
    runs: str | Path | Run | Sequence[str | Path | Run], out: str | Path | None = None, format: str = "html",
    clips: Clips = "auto",
) -> Path:  # fmt: skip
    """Writes the report of one or more runs: `vbench report` from Python.

    Args:
        runs: Scored runs, or generators of them.
        out: The file; None is reports/<name> with the ending of the format.
        format: "html", "markdown", "json", "csv", "model-card", "metrics", "vbench" or "plots".
        clips: For the page: "embed", "folder", "none", or "auto", which embeds what fits into 30 MB.

    Returns:
        The file or folder that was written.

    Raises:
        StoreError: A run is missing or not scored, or the report cannot be written.

    Example:
        >>> import vbench_lite as vb
        >>> vb.report("results/baseline", "page.md", format="markdown").name  # doctest: +SKIP
        'page.md'
    """
    from vbench_lite.report import write_report

    chosen = [runs] if isinstance(runs, (str, Path, Run)) else runs
    return write_report([_opened(each) for each in chosen], None if out is None else Path(out), format, clips)


def _opened(run: str | Path | Run) -> Run:
    return run if isinstance(run, Run) else open_run(run)
