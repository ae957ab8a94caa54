"""vbench run: generate, score, report."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vbench_lite.cli.terminal.console import same_command
from vbench_lite.escaping import vbench_command
from vbench_lite.files import to_json
from vbench_lite.jobs.growing import GrowingRun
from vbench_lite.jobs.job import DEFAULT_GENERATORS, Job, Order

if TYPE_CHECKING:
    from vbench_lite.run.summary import Summary
    from vbench_lite.running.runner import Outcome

QUICK_PROMPTS = 4
"""With the two built-in generators this writes the page in less than 45 s on two idle cores."""


@click.command("run")
@click.option("--suite", required=True, metavar="NAME|FILE", help="Suite of prompts, e.g. ads.")
@click.option(
    "-g", "--generator", "generators", multiple=True, metavar="NAME|FILE|pkg.mod:Class",
    help="A generator. May be repeated. Default: tiny-transformer and tiny-diffusion.",
)
@click.option(
    "--sweep", "sweeps", multiple=True, metavar="SETTING=VALUE,VALUE",
    help="Run each generator once for every value, e.g. strength=0.2,0.4.",
)
@click.option("--clips-per-prompt", type=int, metavar="N", help="Default: as in the suite.")
@click.option("--limit", type=int, metavar="N", help="Only the first N prompts.")
@click.option(
    "--quick", is_flag=True,
    help=f"Only {QUICK_PROMPTS} prompts, one clip each. The same command without --quick makes the rest.",
)
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Random seed of the run.")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda[:i]", help="Where to generate.")
@click.option(
    "--backbones", default="builtin", show_default=True, metavar="builtin|standard|vbench|FILE",
    help="Networks that metrics use.",
)
@click.option(
    "--metrics", metavar="NAME|SET|FILE|pkg.mod:Class,...",
    help="Names of metrics; the sets builtin, scenario, vbench, all; or a judge.toml. Default: builtin and your own.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Default: results/<suite>.")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True)
@click.option("--shard", metavar="I/N", help="Make only part I of N. To merge, copy the folders into one.")
@click.option("--prices", type=click.Path(path_type=Path), metavar="FILE", help="Prices that override the list.")
@click.option(
    "--thresholds", metavar="FILE|SUITE",
    help="Thresholds of a usable clip: a TOML with a table [usable]. Stored in the run.",
)
@click.option("--reference", metavar="FOLDER|world|none", help="Real clips to compare with. Stored in the run.")
@click.option("--max-cost", type=float, metavar="USD", help="Stop before the cost exceeds this amount.")
@click.option("--fresh", is_flag=True, help="Delete the content of the folder and start again.")
@click.option("--retry-failed", is_flag=True, help="Generate failed clips again.")
@click.option("--no-score", is_flag=True, help="Only generate.")
@click.option("--no-report", is_flag=True, help="Generate and score, but write no report.")
@click.option("--dry-run", is_flag=True, help="Print the clips that would be generated, with their time and cost.")
@click.option(
    "--pilot", type=click.IntRange(min=1), metavar="N",
    help="Generate N batches per generator as part of the run, then print the forecast of the rest.",
)
@click.option(
    "--against", metavar="BASELINE",
    help="Evaluate the gate at planned looks, and stop when it passes or fails. The order of prompts is random.",
)
@click.option(
    "--policy", metavar="FILE|NAME",
    help="With --against: the rules. Default: the baseline's policy, else the built-in one.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-v", "--verbose", count=True, help="Log one line per clip.")
@click.option("--log-json", type=click.Path(path_type=Path), metavar="FILE", help="Also write messages as JSON lines.")
def command(**given: Any) -> None:
    """Generate the clips of a suite, score them, and write the report.

    The same command continues an interrupted run, and does nothing for a complete run.

    \b
    Examples:  vbench run --suite ads --quick
               vbench run --suite ads
    """
    from vbench_lite.cli.terminal import logs

    logs.set_up(given.pop("verbose"), given.pop("log_json"))
    show = {name: given.pop(name) for name in ("no_score", "no_report", "dry_run", "as_json")}
    against, policy = given.pop("against"), given.pop("policy")
    given["generators"] = given["generators"] or DEFAULT_GENERATORS
    if given.pop("quick"):
        given["limit"], given["clips_per_prompt"] = given["limit"] or QUICK_PROMPTS, given["clips_per_prompt"] or 1
    if against:
        from vbench_lite.cli.run_against import run_against

        code = run_against(GrowingRun(Order(**given), against, policy), **show)
    elif policy:
        raise click.UsageError("--policy needs --against. Judge a finished run with: vbench gate --policy")
    else:
        code = _Command(Job(Order(**given)), **show).run()
    logs.check()
    if code:
        raise SystemExit(code)


@dataclass(frozen=True)
class _Command:
    """Runs a job and prints its results to stdout and its messages to stderr."""

    job: Job
    no_score: bool
    no_report: bool
    dry_run: bool
    as_json: bool

    def run(self) -> int:
        """Returns the exit code."""
        self.job.check(scores=not self.no_score)
        if self.dry_run and not self.job.order.pilot:
            return self._print_forecast()
        outcome = self._generate()
        if self.job.order.pilot:
            return self._after_pilot(outcome)
        self._print_outcome(outcome)
        summary, report = None, None
        if self._may_score(outcome):
            try:
                summary = self.job.score(outcome)
                report = None if self.no_report else self.job.report()
            except KeyboardInterrupt:
                return self._stopped("Stopped while scoring.")
        self._print_results(outcome, summary, report)
        if outcome.errors or outcome.wholly_failed:
            return 1
        return 4 if outcome.missing else 0

    def _may_score(self, outcome: Outcome) -> bool:
        if outcome.interrupted or self.no_score or self.job.shard.parts > 1:
            return False
        return outcome.ready + outcome.made + len(outcome.failed) > 0

    def _generate(self) -> Outcome:
        from vbench_lite.running.interrupt import Interrupts

        with Interrupts() as stop:
            try:
                return self.job.generate(stop)
            except KeyboardInterrupt:
                raise SystemExit(self._stopped("Dropped the running clips.")) from None

    def _stopped(self, what: str) -> int:
        click.echo(f"{what} Finished clips are kept. Continue with: {same_command()}", err=True)
        return 4

    def _print_outcome(self, outcome: Outcome) -> None:
        """Prints the outcome on stderr."""
        order, folder = self.job.order, self.job.folder.path
        if not outcome.worked and not outcome.missing:
            click.echo(f"All {outcome.asked} clips are in {folder} already.", err=True)
        if outcome.failed:
            first = outcome.failed[0]
            click.echo(
                f"{len(outcome.failed)} of {outcome.asked} clips failed, e.g. {first.generator}, {first.prompt_id} "
                f"#{first.index}: {first.reason}. Try them again with: {same_command('--retry-failed')}", err=True,
            )
        for name in outcome.wholly_failed:
            log = folder / "logs" / f"{name}.log"
            click.echo(f'Error: no clip of "{name}" could be generated. Its output is in {log}', err=True)
        if outcome.interrupted:
            self._stopped(f"Stopped with {outcome.missing} of {outcome.asked} clips missing.")
        elif outcome.over_budget:
            click.echo(
                f"Stopped before the cost exceeded --max-cost {order.max_cost:g} USD: {outcome.missing} of "
                f"{outcome.asked} clips are missing. Continue with a larger amount.", err=True,
            )
        elif outcome.missing:
            click.echo(f"{outcome.missing} of {outcome.asked} clips are missing.", err=True)
        if self.job.shard.parts > 1:
            click.echo(
                f"Shard {order.shard} is done. When all are in one folder: {vbench_command('score', folder)}", err=True
            )

    def _print_results(self, outcome: Outcome, summary: Summary | None, report: Path | None) -> None:
        folder = self.job.folder.path
        if self.as_json:
            document = {
                "run": str(folder), "report": str(report) if report else None, "asked": outcome.asked,
                "made": outcome.ready + outcome.made, "failed": len(outcome.failed), "missing": outcome.missing,
                "errors": outcome.errors, "summary": summary.as_json() if summary else None,
            }
            click.echo(to_json(document), nl=False)
            return
        if summary:
            from rich.console import Console

            from vbench_lite.report.formats.terminal import terminal_table
            from vbench_lite.run.view import open_run

            width = None if sys.stdout.isatty() else 100
            Console(file=sys.stdout, width=width).print(terminal_table(open_run(folder)))
        click.echo(f"Run:    {folder}")
        if report:
            click.echo(f"Report: {report}")

    def _after_pilot(self, outcome: Outcome) -> int:
        """Prints the forecast of the rest. Missing clips are no failure of a pilot."""
        if outcome.interrupted or outcome.over_budget or outcome.failed:
            self._print_outcome(outcome)
        if outcome.errors or outcome.wholly_failed:
            return 1
        self._print_forecast()
        if outcome.interrupted or outcome.over_budget:
            return 4
        if outcome.missing:
            words = [word for word in shlex.split(same_command()) if word != "--dry-run"]
            kept = [
                word for before, word in pairwise(["", *words])
                if before != "--pilot" and word != "--pilot" and not word.startswith("--pilot=")
            ]
            click.echo(f"Make the rest with: {shlex.join(kept)}", err=True)
        return 0

    def _print_forecast(self) -> int:
        bill = self.job.forecast()
        click.echo(to_json(bill.as_json()) if self.as_json else bill.text())
        return 0
