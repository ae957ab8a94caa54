"""`vbench gate`: decides whether a candidate may be released."""

from __future__ import annotations

from pathlib import Path

import click

from vbench_lite.files import write_whole
from vbench_lite.gate import CheckResult, Verdict, choose_policy
from vbench_lite.gate.judge import judge
from vbench_lite.gate.shown.explain import explain
from vbench_lite.gate.shown.formatting import MARK, figures, interval, policy_line, title
from vbench_lite.run.view import open_run

_COLOUR = {"pass": "green", "fail": "red", "undecided": "yellow", "skipped": "dim"}
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("candidate", required=False)
@click.option("-b", "--baseline", metavar="RUN", help="The run or baseline to compare with.")
@click.option("--policy", metavar="FILE|NAME", help="The rules. Default: the baseline's policy, else the built-in one.")
@click.option("--explain", "explain_only", is_flag=True, help="Print the rules of the policy as text, and exit.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON document.")
@click.option("--junit", type=_FILE, help="Write JUnit XML.")
@click.option("--markdown", type=_FILE, help="Write Markdown for a pull request or a step summary.")
@click.option("--metrics", type=_FILE, help="Write the numbers as flat JSON, for DVC or MLflow.")
@click.option("--badge", type=_FILE, help="Write an SVG badge.")
@click.option("--annotations", "annotate", is_flag=True, help="Print GitHub annotations, at most ten, to stderr.")
def command(candidate: str | None, baseline: str | None, policy: str | None, explain_only: bool, as_json: bool,
            annotate: bool, **files: Path | None) -> None:  # fmt: skip
    """Decide whether CANDIDATE may be released, by paired comparison with a baseline.

    Reads only run.json, clips.csv and summary.json. Uses the baseline's policy unless --policy is given, never a
    policy of the candidate.

    \b
    Exit codes: 0 pass, 3 fail, 4 undecided or incomplete, 1 error, 2 usage.
    Example:
      vbench gate results/ads --baseline results/baseline
    """
    if explain_only:
        click.echo("\n".join(explain(choose_policy(policy, open_run(baseline).path if baseline else None))))
        return
    if candidate is None or baseline is None:
        raise click.UsageError("name a candidate, and with --baseline what to compare it with. See: vbench gate --help")
    verdict = judge(open_run(candidate), open_run(baseline), policy)
    _write(verdict, files)
    _print(verdict, as_json, annotate)
    raise SystemExit(verdict.exit_code)


def _write(verdict: Verdict, files: dict[str, Path | None]) -> None:
    if not any(files.values()):
        return
    from vbench_lite.gate.shown import render

    forms = {"junit": render.as_junit, "markdown": render.as_markdown, "metrics": render.flat_metrics,
             "badge": render.badge}  # fmt: skip
    for name, form in forms.items():
        path = files.get(name)
        if path is not None:
            write_whole(path, form(verdict))


def _print(verdict: Verdict, as_json: bool, annotate: bool) -> None:
    if as_json or annotate:
        from vbench_lite.gate.shown import render
    if as_json:
        click.echo(render.as_json(verdict), nl=False)
    else:
        show(verdict)
    if annotate:
        for line in render.github_annotations(verdict):
            click.echo(line, err=True)


def show(verdict: Verdict) -> None:
    """Prints the verdict: findings, the checks that affect it, what would decide it, and the headline."""
    from rich.table import Table
    from rich.text import Text

    from vbench_lite.cli.terminal.console import stdout_console

    console = stdout_console()
    console.print(Text(f"{verdict.candidate} against {verdict.baseline}"), Text(policy_line(verdict)), sep="\n")
    for finding in verdict.findings:
        style = {"fail": "red", "undecided": "yellow", "note": ""}[finding.outcome]
        console.print(Text(f"{finding.kind}: {finding.generator}: {finding.message}", style=style))
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("check: difference (interval), limit, why")
    for heading in ("baseline", "candidate"):
        table.add_column(heading, justify="right", no_wrap=True)
    several = len({check.generator for check in verdict.checks}) > 1
    for check in _telling(verdict):
        name = f"{check.generator}: {title(check)}" if several else title(check)
        seen = ", ".join(part for part in (interval(check), check.reason) if part)
        cell = Text(name).append(f"\n  {seen}", style="dim") if seen else Text(name)
        mark = Text(MARK[check.outcome], style=_COLOUR[check.outcome])
        table.add_row(mark, cell, figures(check).baseline, figures(check).candidate)
    console.print()
    console.print(table)
    hidden = len(verdict.checks) - len(_telling(verdict))
    if hidden:
        console.print(Text(f"... and {hidden} passed guards (--json lists them)"))
    for remedy in verdict.remedies:
        console.print(Text(f"\n{remedy.sentence}"))
        if remedy.command:
            console.print(Text(f"  {remedy.command}"), soft_wrap=True)
    console.print(Text(f"\n{verdict.headline} (exit code {verdict.exit_code})", style=_COLOUR[verdict.outcome]))


def _telling(verdict: Verdict) -> list[CheckResult]:
    shown = verdict.of("pass")
    return verdict.of("fail") + verdict.of("undecided", "skipped") + [check for check in shown if not check.guard]
