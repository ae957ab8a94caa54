"""`vbench run --against`: prints the looks of a growing run, the verdict, and the clips that were not needed."""

from __future__ import annotations

import dataclasses

import click

from vbench_lite.cli.gate_command import show
from vbench_lite.cli.terminal.console import same_command
from vbench_lite.files import to_json
from vbench_lite.formatting import dollars
from vbench_lite.gate.looks.record import LookResult, PlannedLooks
from vbench_lite.jobs.growing import GrowingRun, Grown, Saved
from vbench_lite.progress import duration


def run_against(growing: GrowingRun, *, no_score: bool, no_report: bool, dry_run: bool, as_json: bool) -> int:
    """Runs it. Returns the exit code of the gate, or 4 if clips are missing."""
    from vbench_lite.running.interrupt import Interrupts

    if no_score:
        raise click.UsageError("--against scores the clips at every look, so it cannot be combined with --no-score.")
    growing.job.check()
    if dry_run:
        return _forecast(growing, as_json)
    with Interrupts() as stop:
        try:
            grown = growing.run(_tell, stop)
        except KeyboardInterrupt:
            click.echo(f"Stopped. Finished clips are kept. Continue with: {same_command()}", err=True)
            return 4
    if grown.verdict is None:
        return _incomplete(growing, grown)
    report = None if no_report else growing.job.report()
    if as_json:
        click.echo(to_json(_document(growing, grown, str(report) if report else None)), nl=False)
        return grown.verdict.exit_code
    show(grown.verdict)
    assert grown.saved is not None
    click.echo(_saved(grown.planned, grown.saved))
    click.echo(f"Run:    {growing.job.folder.path}")
    if report:
        click.echo(f"Report: {report}")
    return grown.verdict.exit_code


def _tell(result: LookResult, planned: PlannedLooks) -> None:
    click.echo(
        f"Look {result.number} of {len(planned.fractions)}, {result.prompts} of {len(planned.order)} prompts, "
        f"{result.clips} clips: {result.headline}", err=True,
    )  # fmt: skip


def _incomplete(growing: GrowingRun, grown: Grown) -> int:
    assert grown.outcome is not None
    for reason in grown.outcome.errors.values():
        click.echo(f"Error: {reason}", err=True)
    if grown.elsewhere:
        look = f"look {len(grown.planned.looks) + 1}"
        lack = f"{grown.elsewhere} clip{'s' * (grown.elsewhere != 1)} of other shards"
        click.echo(
            f"Shard {growing.order.shard} has made its clips of {look}; {lack} are missing. When they are in "
            f"{growing.job.folder.path}, evaluate the look and continue with: {same_command()}", err=True,
        )  # fmt: skip
        return 4
    click.echo(
        f"{grown.outcome.missing} of {grown.outcome.asked} clips of look {len(grown.planned.looks) + 1} are missing in "
        f"{growing.job.folder.path}. Continue with: {same_command()}", err=True,
    )  # fmt: skip
    return 1 if grown.outcome.errors or grown.outcome.wholly_failed else 4


def _saved(planned: PlannedLooks, saved: Saved) -> str:
    look = f"look {len(planned.looks)} of {len(planned.fractions)}"
    if not saved.clips:
        return f"Decided at {look}: all {saved.of} clips were needed."
    worth = [dollars(saved.usd)] if saved.usd is not None else []
    worth += [f"{duration(saved.device_s)} of device time"] if saved.device_s is not None else []
    about = f", about {' and '.join(worth)}" if worth else ", of unknown cost"
    return f"Stopped at {look}: {saved.clips} of {saved.of} clips were not needed{about}."


def _document(growing: GrowingRun, grown: Grown, report: str | None) -> dict[str, object]:
    return {
        "format": 1, "run": str(growing.job.folder.path), "report": report, "against": growing.against,
        "fractions": grown.planned.fractions, "prompts": len(grown.planned.order),
        "looks": [dataclasses.asdict(look) for look in grown.planned.looks],
        "saved": dataclasses.asdict(grown.saved) if grown.saved else None,
        "verdict": dataclasses.asdict(grown.verdict) if grown.verdict else None,
    }  # fmt: skip


def _forecast(growing: GrowingRun, as_json: bool) -> int:
    from vbench_lite.gate.looks.expected import expected_looks

    bill = growing.job.forecast()
    expected = expected_looks(growing.baseline, growing.rules, growing.looks, growing.job.plan.clips_per_prompt)
    if as_json:
        click.echo(to_json({**bill.as_json(), "looks": dataclasses.asdict(expected)}), nl=False)
        return 0
    click.echo(bill.text())
    asked = sum(part.asked for part in bill.parts)
    for what, fraction in (("an equal release", expected.equal), ("a loss of two margins in one score", expected.loss)):
        if fraction is None:
            click.echo(f"With --against, no prediction for {what}: {expected.reason}.")
            continue
        usd = "" if bill.usd is None else f", about {dollars(bill.usd * fraction)}"
        click.echo(f"With --against, {what} takes about {fraction * asked:.0f} of {asked} clips on average{usd}.")
    return 0
