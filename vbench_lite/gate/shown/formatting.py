"""Checks as text, equal in all output formats."""

from __future__ import annotations

from vbench_lite.analysis.quantities import find_cost
from vbench_lite.formatting import Change, write_change
from vbench_lite.gate.verdict import CheckResult, Verdict

MARK = {"pass": "pass", "fail": "FAIL", "undecided": "undecided", "skipped": "skipped"}


def title(check: CheckResult) -> str:
    """The short title of a check, such as "clip_text, worst decile, drinks"."""
    parts = [check.metric or check.rule]
    if check.metric and check.rule != "non-inferior":
        parts.append(check.rule)
    if check.statistic != "mean":
        parts.append(check.statistic.replace("-", " "))
    if check.against == "anchor":
        parts.append("since the first baseline")
    return ", ".join([*parts, *([check.category] if check.category else [])])


def interval(check: CheckResult) -> str:
    """The difference with its interval and the limit, e.g. "-0.012 (-0.02 to -0.004), limit -0.01"."""
    if check.evidence.candidate is None:
        return ""
    text = figures(check)
    ends = f" ({text.interval})" if text.interval else ""
    unit = f" {check.shown.unit}" if find_cost(check.metric) or check.shown.scale != 1 else ""
    return f"{text.difference or text.candidate}{ends}{unit}{f', limit {text.limit}' if text.limit else ''}"


def figures(check: CheckResult) -> Change:
    """The figures of a check in the unit and with the digits in which they are shown."""
    seen = check.evidence
    return write_change(
        seen.baseline, seen.candidate, seen.difference, low=seen.low, high=seen.high, limit=seen.limit,
        shown=check.shown,
    )  # fmt: skip


def sentence(check: CheckResult) -> str:
    """The full text of a check for an annotation or a JUnit body: figures, reason and requirement."""
    seen, text, filled = check.evidence, figures(check), ""
    change = f" {interval(check)}." if seen.candidate is not None else ""
    if change and text.difference:
        change = f" {text.baseline} became {text.candidate}, difference{change}"
    if any(seen.filled):
        filled = (
            f" Clips without a value count as the worst observed: {seen.filled[1]} in the candidate, "
            f"{seen.filled[0]} in the baseline."
        )
    size = f" {seen.prompts} prompts, {seen.clips} clips each." if seen.prompts else ""
    why = check.reason[:1].upper() + check.reason[1:]
    return (
        f"{MARK[check.outcome]}: {check.generator}: {title(check)}:{change} {why}."
        f" Required: {check.demand}.{size}{filled}"
    )


def policy_line(verdict: Verdict) -> str:
    """The applied policy, and who changed it last."""
    policy = verdict.policy
    by = f", last changed {policy['changed_on']} by {policy['changed_by']}: {policy['changed_why']}"
    return (
        f'Policy: {policy["origin"]}, "{policy["title"]}", digest {str(policy["digest"])[:12]}'
        f"{by if policy['changed_by'] else ', unsigned'}"
    )
