"""`vbench check`: signs that the numbers of a run are unreliable."""

from __future__ import annotations

import click

from vbench_lite import api
from vbench_lite.checks import CheckReport
from vbench_lite.files import to_json

_STYLE = {"problem": "red", "note": ""}


@click.command()
@click.argument("run")
@click.option(
    "--again", type=click.IntRange(min=0), default=0, metavar="N",
    help="Also generate one clip of each of N prompts again with its seed, and compare it with the stored clip.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(run: str, again: int, as_json: bool) -> None:
    """Check RUN for signs that its numbers are unreliable. Each finding names the next command.

    Reads the tables of a scored run. Reports seeds without effect, copied clips, drift of the time per clip, drift of
    the scorer, prompts that do not separate the generators, and prompts that separate them most. With --again it also
    generates clips a second time, to test whether the generator is reproducible.

    \b
    Exit codes: 0 no problem, 4 at least one problem, 1 error, 2 usage.
    Example:
      vbench check results/ads --again 2
    """
    report = api.check(run, again)
    if as_json:
        click.echo(to_json({"format": 1, "run": report.run, "findings": report.findings}), nl=False)
    else:
        _show(report)
    if report.problems:
        raise SystemExit(4)


def _show(report: CheckReport) -> None:
    from rich.text import Text

    from vbench_lite.cli.terminal.console import stdout_console

    console = stdout_console()
    for finding in sorted(report.findings, key=lambda each: each.severity == "note"):
        who = f"{finding.generator}: " if finding.generator else ""
        head = Text(f"{finding.severity}: {finding.code}: ", style=_STYLE[finding.severity])
        console.print(head.append(f"{who}{finding.sentence}", style=""))
        console.print(Text(f"  {finding.command}"), soft_wrap=True)
    problems, notes = len(report.problems), len(report.findings) - len(report.problems)
    console.print(Text(f"{report.run}: {problems} problem{'s' * (problems != 1)}, {notes} note{'s' * (notes != 1)}"))
