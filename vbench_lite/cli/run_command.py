"""vbench run: generate, score, report."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vbench_lite.errors import UsageError

if TYPE_CHECKING:
    from vbench_lite.measuring.devices import Device
    from vbench_lite.run.folder import RunFolder
    from vbench_lite.run.plan import Plan, Shard
    from vbench_lite.running.budget import Budget
    from vbench_lite.running.runner import Outcome

DEFAULT_GENERATORS = ("tiny-transformer", "tiny-diffusion")


@dataclass(frozen=True)
class Arguments:
    """The options, by their names on the command line."""

    suite: str
    generators: tuple[str, ...]
    sweeps: tuple[str, ...]
    clips_per_prompt: int | None
    limit: int | None
    seed: int
    device: str
    backbones: str
    out: Path | None
    engine: str
    shard: str | None
    prices: Path | None
    max_cost: float | None
    fresh: bool
    retry_failed: bool
    no_score: bool
    no_report: bool
    dry_run: bool
    pilot: int | None
    as_json: bool
    verbose: int
    log_json: Path | None


@click.command("run")
@click.option("--suite", required=True, metavar="NAME|FILE", help="Prompts to make clips for, e.g. ads.")
@click.option(
    "-g", "--generator", "generators", multiple=True, metavar="NAME|FILE|pkg.mod:Class",
    help="A generator; give it several times for several. Default: tiny-transformer and tiny-diffusion.",
)
@click.option(
    "--sweep", "sweeps", multiple=True, metavar="SETTING=VALUE,VALUE",
    help="Run each generator once for every value, e.g. strength=0.2,0.4.",
)
@click.option("--clips-per-prompt", type=int, metavar="N", help="Default: what the suite says.")
@click.option("--limit", type=int, metavar="N", help="Only the first N prompts.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Another seed, other clips.")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda[:i]", help="Where to generate.")
@click.option(
    "--backbones", default="builtin", show_default=True, metavar="builtin|standard", help="Networks that metrics use."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Default: results/<suite>.")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True)
@click.option("--shard", metavar="I/N", help="Make only part I of N; merge by copying the folders together.")
@click.option("--prices", type=click.Path(path_type=Path), metavar="FILE", help="Prices to use instead of the list.")
@click.option("--max-cost", type=float, metavar="USD", help="Stop before more than this is spent.")
@click.option("--fresh", is_flag=True, help="Delete what the folder holds and begin again.")
@click.option("--retry-failed", is_flag=True, help="Try failed clips again.")
@click.option("--no-score", is_flag=True, help="Only generate.")
@click.option("--no-report", is_flag=True, help="Generate and score, but write no report.")
@click.option("--dry-run", is_flag=True, help="Say what would be made, how long it takes and what it costs.")
@click.option(
    "--pilot", type=click.IntRange(min=1), metavar="N",
    help="Make N batches of each generator, kept as a part of the run, and tell the rest from them as --dry-run does.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-v", "--verbose", count=True, help="Say every clip.")
@click.option("--log-json", type=click.Path(path_type=Path), metavar="FILE", help="Write messages as JSON lines too.")
def command(**given: Any) -> None:
    """Make the clips of a suite, score them, and write the report.

    The same command again does no work; an interrupted run goes on where it stopped.

    \b
    Example:  vbench run --suite ads
    """
    arguments = Arguments(**given)
    from vbench_lite.cli import logs

    logs.set_up(arguments.verbose, arguments.log_json)
    code = _Run(arguments).run()
    if code:
        raise SystemExit(code)


class _Run:
    """One run of the command: resolves the arguments first, so that nothing is made of half of them."""

    def __init__(self, arguments: Arguments) -> None:
        from vbench_lite.inputs import catalogue, suites
        from vbench_lite.measuring import prices
        from vbench_lite.run import folder as store
        from vbench_lite.run import plan
        from vbench_lite.running import sweep

        self.arguments = arguments
        suite = suites.load_suite(arguments.suite)
        names = arguments.generators or DEFAULT_GENERATORS
        definitions = sweep.expanded(
            [catalogue.find_definition(name) for name in names], [sweep.parse(text) for text in arguments.sweeps]
        )
        self.plan: Plan = plan.make_plan(
            suite, definitions, arguments.clips_per_prompt, arguments.limit, arguments.seed, arguments.backbones
        )
        self.shard: Shard = plan.Shard.parse(arguments.shard) if arguments.shard else plan.WHOLE
        if arguments.max_cost is not None and arguments.max_cost <= 0:
            raise UsageError(f"--max-cost {arguments.max_cost:g} allows nothing. Use a sum above 0, in US dollars.")
        self.device: Device = self._find_device()
        own = prices.PriceList(arguments.prices) if arguments.prices else None
        self.prices = {d.name: prices.price_of(d, self.device, own) for d in definitions}
        self.folder: RunFolder = store.RunFolder(arguments.out or Path("results") / suite.name)

    def _find_device(self) -> Device:
        if self.arguments.engine == "ray":
            from vbench_lite.running.engines import ray

            return ray.find_device(self.arguments.device)
        from vbench_lite.measuring import devices

        return devices.find_device(self.arguments.device)

    def run(self) -> int:
        """Does it; returns the exit code."""
        if self.arguments.dry_run and not self.arguments.pilot:
            return self._dry_run()
        outcome = self._generate()
        if self.arguments.pilot:
            return self._after_pilot(outcome)
        self._say(outcome)
        summary, report = None, None
        if self._may_score(outcome):
            try:
                summary = self._summary(outcome)
                report = None if self.arguments.no_report else self._report()
            except KeyboardInterrupt:
                return self._stopped("Stopped while scoring.")
        self._show(outcome, summary, report)
        if outcome.errors or outcome.wholly_failed:
            return 1
        return 4 if outcome.missing else 0

    def _may_score(self, outcome: Outcome) -> bool:
        if outcome.interrupted or self.arguments.no_score or self.shard.parts > 1:
            return False
        return outcome.ready + outcome.made + len(outcome.failed) > 0

    def _generate(self) -> Outcome:
        from vbench_lite.running import runner
        from vbench_lite.running.interrupt import Interrupts

        arguments = self.arguments
        budget: Budget | None = None
        if arguments.max_cost is not None:
            from vbench_lite.running.budget import Budget
            from vbench_lite.running.forecast import dearest_usd

            dearest = {
                d.name: usd for d in self.plan.definitions
                if (usd := dearest_usd(d, self.device, self.folder, self.prices[d.name])) is not None
            }
            budget = Budget(arguments.max_cost, self.prices, dearest)
        with Interrupts() as stop:
            options = runner.Options(
                arguments.engine, self.shard, arguments.fresh, arguments.retry_failed, self.prices, budget, stop,
                arguments.pilot,
            )
            try:
                with contextlib.redirect_stdout(sys.stderr):  # results alone go to stdout, whatever libraries print
                    return runner.run(self.plan, self.folder, self.device, options)
            except KeyboardInterrupt:
                raise SystemExit(self._stopped("Dropped the clips in the making.")) from None
            finally:
                self._disconnect()

    def _disconnect(self) -> None:
        if self.arguments.engine == "ray":
            from vbench_lite.running.engines import ray

            ray.disconnect()

    def _stopped(self, what: str) -> int:
        click.echo(f"{what} Finished ones are kept. Go on with: {self._same_command()}", err=True)
        return 4

    @staticmethod
    def _same_command() -> str:
        words = [word for word in sys.argv[1:] if word != "--fresh"]
        return shlex.join(["vbench", *words])

    def _say(self, outcome: Outcome) -> None:
        """What happened, on stderr."""
        if not outcome.worked and not outcome.missing:
            click.echo(f"All {outcome.asked} clips are in {self.folder.path} already.", err=True)
        if outcome.failed:
            first = outcome.failed[0]
            click.echo(
                f"{len(outcome.failed)} of {outcome.asked} clips failed, e.g. {first.generator}, {first.prompt_id} "
                f"#{first.index}: {first.reason}. Try them again with: {self._same_command()} --retry-failed", err=True,
            )
        for name in outcome.wholly_failed:
            log = self.folder.path / "logs" / f"{name}.log"
            click.echo(f'Error: no clip of "{name}" could be made. What it printed is in {log}', err=True)
        if outcome.interrupted:
            self._stopped(f"Stopped with {outcome.missing} of {outcome.asked} clips missing.")
        elif outcome.over_budget:
            click.echo(
                f"Stopped before --max-cost {self.arguments.max_cost:g} USD would be passed: {outcome.missing} of "
                f"{outcome.asked} clips are missing. Go on with a larger sum.", err=True,
            )
        elif outcome.missing:
            click.echo(f"{outcome.missing} of {outcome.asked} clips are missing.", err=True)
        if self.shard.parts > 1:
            click.echo(
                f"Shard {self.arguments.shard} is done. When all are in one folder: vbench score {self.folder.path}",
                err=True,
            )

    def _summary(self, outcome: Outcome) -> dict[str, Any]:
        """The summary: the stored one where no clip was made since."""
        if not outcome.tried and self.folder.summary_path.exists() and self.folder.table_path.exists():
            return self.folder.summary()
        from vbench_lite.analysis import summary as summaries
        from vbench_lite.running.phases import timed_scoring
        from vbench_lite.scoring import scorer

        with timed_scoring(self.folder.path):
            return summaries.summarise(self.folder, scorer.score_run(self.folder, self.arguments.backbones))

    def _report(self) -> Path:
        """The report: the one that is there, if it is not older than the summary."""
        path = Path("reports") / f"{self.folder.name}.html"
        if path.exists() and path.stat().st_mtime >= self.folder.summary_path.stat().st_mtime:
            return path
        from vbench_lite import report
        from vbench_lite.run.folder import RunSelection

        return report.write_report([RunSelection(self.folder, None)], None, "html")

    def _show(self, outcome: Outcome, summary: dict[str, Any] | None, report: Path | None) -> None:
        if self.arguments.as_json:
            document = {
                "run": str(self.folder.path), "report": str(report) if report else None, "asked": outcome.asked,
                "made": outcome.ready + outcome.made, "failed": len(outcome.failed), "missing": outcome.missing,
                "errors": outcome.errors, "summary": summary,
            }
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
            return
        if summary:
            from rich.console import Console

            from vbench_lite.report import terminal_table

            width = None if sys.stdout.isatty() else 100
            Console(file=sys.stdout, width=width).print(terminal_table(summary))
        click.echo(f"Run:    {self.folder.path}")
        if report:
            click.echo(f"Report: {report}")

    def _after_pilot(self, outcome: Outcome) -> int:
        """The bill of the rest; a pilot is not expected to leave the run complete."""
        if outcome.interrupted or outcome.over_budget or outcome.failed:
            self._say(outcome)
        if outcome.errors or outcome.wholly_failed:
            return 1
        self._dry_run()
        if outcome.interrupted or outcome.over_budget:
            return 4
        if outcome.missing:
            words = [word for word in shlex.split(self._same_command()) if word != "--dry-run"]
            kept = [
                word for before, word in pairwise(["", *words])
                if before != "--pilot" and word != "--pilot" and not word.startswith("--pilot=")
            ]
            click.echo(f"Make the rest with: {shlex.join(kept)}", err=True)
        return 0

    def _dry_run(self) -> int:
        from vbench_lite.running import forecast

        bill = forecast.forecast(self.plan, self.folder, self.device, self.prices, self.shard)
        click.echo(json.dumps(bill.as_json(), indent=2) if self.arguments.as_json else bill.text())
        return 0
