"""Numbers and checks as text, the same in every form of output."""

from __future__ import annotations

from vbench_lite.gate.verdict import CheckResult, Verdict

MARK = {"pass": "pass", "fail": "FAIL", "undecided": "undecided", "skipped": "skipped"}


def number(value: float | None, sign: bool = False) -> str:
    """Four significant digits, "-" where there is none."""
    return "-" if value is None else f"{value + 0.0:+.4g}" if sign else f"{value + 0.0:.4g}"


def title(check: CheckResult) -> str:
    """What a check is about, short: "clip_text, worst decile, drinks"."""
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
    """One check in full, for an annotation or a JUnit body: the figures, then the demand."""
    seen, figures, filled = check.evidence, "", ""
    if seen.candidate is not None and seen.difference is not None:
        figures = f" {number(seen.baseline)} became {number(seen.candidate)}, difference {interval(check)}."
    elif seen.candidate is not None:
        figures = f" {interval(check)}."
    if any(seen.filled):
        filled = (
            f" Clips without a value count as the worst seen: {seen.filled[1]} of the candidate's, "
            f"{seen.filled[0]} of the baseline's."
        )
    size = f" {seen.prompts} prompts, {seen.clips} clips each." if seen.prompts else ""
    why = check.reason[:1].upper() + check.reason[1:]
    return (
        f"{MARK[check.outcome]}: {check.generator}: {title(check)}:{figures} {why}."
        f" Demanded: {check.demand}.{size}{filled}"
    )


def policy_line(verdict: Verdict) -> str:
    """The policy that was applied, and who changed it last."""
    policy = verdict.policy
    by = f", last changed {policy['changed_on']} by {policy['changed_by']}: {policy['changed_why']}"
    return (
        f'Policy: {policy["origin"]}, "{policy["title"]}", digest {str(policy["digest"])[:12]}'
        f"{by if policy['changed_by'] else ', unsigned'}"
    )
