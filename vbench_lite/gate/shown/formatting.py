"""Numbers and checks as text, equal in all output formats."""

from __future__ import annotations

from vbench_lite.gate.verdict import CheckResult, Verdict

MARK = {"pass": "pass", "fail": "FAIL", "undecided": "undecided", "skipped": "skipped"}


def number(value: float | None, sign: bool = False) -> str:
    """A number with four significant digits; "-" for None."""
    return "-" if value is None else f"{value + 0.0:+.4g}" if sign else f"{value + 0.0:.4g}"


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
    seen = check.evidence
    if seen.candidate is None:
        return ""
    lone = seen.difference is None
    ends = ""
    if seen.low is not None and seen.high is not None:
        ends = f" ({number(seen.low, not lone)} to {number(seen.high, not lone)})"
    centre = number(seen.candidate) if lone else number(seen.difference, True)
    limit = f", limit {number(seen.limit, not lone)}" if seen.limit is not None else ""
    return f"{centre}{ends}{limit}"


def sentence(check: CheckResult) -> str:
    """The full text of a check for an annotation or a JUnit body: figures, reason and requirement."""
    seen, figures, filled = check.evidence, "", ""
    if seen.candidate is not None and seen.difference is not None:
        figures = f" {number(seen.baseline)} became {number(seen.candidate)}, difference {interval(check)}."
    elif seen.candidate is not None:
        figures = f" {interval(check)}."
    if any(seen.filled):
        filled = (
            f" Clips without a value count as the worst observed: {seen.filled[1]} in the candidate, "
            f"{seen.filled[0]} in the baseline."
        )
    size = f" {seen.prompts} prompts, {seen.clips} clips each." if seen.prompts else ""
    why = check.reason[:1].upper() + check.reason[1:]
    return (
        f"{MARK[check.outcome]}: {check.generator}: {title(check)}:{figures} {why}."
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
