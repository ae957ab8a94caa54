"""From a policy and two runs to a verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vbench_lite.analysis.comparable import GeneratorPair, match, require_comparable, unlike_for
from vbench_lite.analysis.compare import compare_family, table_of
from vbench_lite.analysis.family import Family
from vbench_lite.analysis.quantities import Quantity, find_quantity, quantities
from vbench_lite.errors import BadFile, UnknownName
from vbench_lite.gate.categories import by_mean, of_category
from vbench_lite.gate.evidence import of_clips
from vbench_lite.gate.explain import demand
from vbench_lite.gate.history import HistoryEntry
from vbench_lite.gate.needed import needed, remedies
from vbench_lite.gate.point_rules import of_figures, of_history
from vbench_lite.gate.policy import ALL_SCORES, Check, Policy
from vbench_lite.gate.run_problems import find_run_problems
from vbench_lite.gate.set_evidence import of_sets
from vbench_lite.gate.verdict import CheckResult, Decision, Evidence, Finding, Outcome, Verdict
from vbench_lite.records import MetricInfo
from vbench_lite.run.view import Run
from vbench_lite.stats import MIN_PROMPTS, holm

EXIT = {"pass": 0, "fail": 3, "undecided": 4}


@dataclass(frozen=True, kw_only=True)
class PlannedCheck:
    """A check on one quantity of one generator, perhaps in one category, with what was seen."""

    check: Check
    quantity: Quantity | None
    sides: GeneratorPair
    category: str
    evidence: Evidence


def decide(candidate: Run, baseline: Run, policy: Policy, history: Sequence[HistoryEntry] = ()) -> Verdict:
    """Judges a candidate by a baseline.

    Args:
        candidate, baseline: Runs, or one generator of each.
        policy: The rules.
        history: Of the baseline, oldest first, as `vbench baseline promote` keeps it.

    Raises:
        NotComparable: The runs differ in what would make the scores mean something else.
        BadFile: The policy names a metric that the baseline has not, or asks what a metric cannot give.
    """
    pairs = match(baseline, candidate)
    for sides in pairs:
        require_comparable(sides)
    findings = tuple(finding for sides in pairs for finding in find_run_problems(sides, policy))
    planned = [
        PlannedCheck(
            check=check, quantity=quantity, sides=sides, category=category,
            evidence=_evidence(check, quantity, sides, category, policy, history),
        )
        for sides in pairs for check in policy.checks for quantity, category in _expand(check, sides, policy)
    ]  # fmt: skip
    small = sum(one.evidence.p_loss is not None for one in planned)
    planned = [_adjusted(one, small) for one in planned]
    tested = [nth for nth, one in enumerate(planned) if one.evidence.p_fail is not None]
    adjusted = dict(zip(tested, holm([planned[nth].evidence.p_fail or 0.0 for nth in tested]), strict=True))
    family = compare_family(pairs)
    checks = tuple(_result(one, adjusted.get(nth), policy, family) for nth, one in enumerate(planned))
    outcome = _outcome(checks, findings)
    open_pairs = pairs if outcome == "undecided" else []
    return Verdict(
        outcome=outcome,
        exit_code=EXIT[policy.undecided.replace("block", "undecided") if outcome == "undecided" else outcome],
        headline=_headline(outcome, checks, findings), baseline=baseline.label, candidate=candidate.label,
        policy=_about(policy), checks=checks, findings=findings,
        remedies=tuple(
            remedy for sides in open_pairs
            for remedy in remedies([c for c in checks if c.generator == sides.candidate.generator], sides)
        ),
    )  # fmt: skip


def _adjusted(planned: PlannedCheck, small: int) -> PlannedCheck:
    """With the chance of a small category's loss as the least of so many (Bonferroni)."""
    seen = planned.evidence
    if seen.p_loss is None:
        return planned
    return dataclasses.replace(planned, evidence=dataclasses.replace(seen, p_loss=min(1.0, small * seen.p_loss)))


def _about(policy: Policy) -> dict[str, str | float]:
    return {
        "title": policy.title, "path": str(policy.path), "origin": policy.origin, "digest": policy.digest,
        "confidence": policy.confidence, "undecided": policy.undecided, "changed_by": policy.changed_by,
        "changed_on": policy.changed_on, "changed_why": policy.changed_why,
    }  # fmt: skip


def _expand(check: Check, sides: GeneratorPair, policy: Policy) -> Iterator[tuple[Quantity | None, str]]:
    """The quantities and categories that one [[check]] is about."""
    metrics = sides.baseline.run.metrics
    found: list[Quantity | None] = [None]
    if check.metric == ALL_SCORES:
        scores = (q for q in quantities(metrics).values() if q.kind == "score" and q.higher_is_better is not None)
        found = [q for q in scores if q.name != "conformance"]
    elif check.rule != "no-new-failures":
        found = [_quantity(check, metrics, policy)]
    names = _categories(check, sides, policy)
    categories = names if check.each == "category" else [""]
    if check.each == "category" and len(set(sides.old.categories)) < 2:
        return
    yield from ((quantity, category) for quantity in found for category in categories)


def _categories(check: Check, sides: GeneratorPair, policy: Policy) -> Sequence[str]:
    suite = sides.baseline.run.manifest.suite
    known = {prompt.category for prompt in suite.prompts} - {""}
    for name in check.categories:
        if name not in known and check.unmeasured != "skip":
            hint = f'These are the categories of the suite "{suite.name}".'
            message = str(UnknownName("category", name, known, hint))
            raise BadFile(policy.path, check.line_of("categories"), message)
    return check.categories or sorted(set(sides.old.categories) - {""})


def _quantity(check: Check, metrics: Mapping[str, MetricInfo], policy: Policy) -> Quantity:
    try:
        quantity = find_quantity(check.metric, metrics)
    except UnknownName as error:
        if check.unmeasured == "skip":
            return Quantity(check.metric, "", False, "score", check.metric)
        raise BadFile(policy.path, check.line_of("metric"), str(error)) from None
    if quantity.higher_is_better is None and check.rule not in ("min", "max"):
        message = f'"{check.metric}" is neither better high nor low: use "min" or "max".'
        raise BadFile(policy.path, check.line_of("metric"), message)
    return quantity


def _evidence(
    check: Check, quantity: Quantity | None, sides: GeneratorPair, category: str, policy: Policy,
    history: Sequence[HistoryEntry],
) -> Evidence:  # fmt: skip
    if quantity is None:
        return of_clips(check, None, sides, category, policy)
    unlike = unlike_for(quantity, sides)
    if unlike:
        return Evidence(why_none=unlike, unmeasured=True)
    if check.against == "history":
        return of_history(check, quantity, sides, history, policy)
    if quantity.kind == "set":
        return of_sets(check, quantity, sides, category, policy)
    if check.statistic == "median" and check.rule not in ("min", "max"):
        return of_figures(check, quantity, sides, category, policy)
    if category and by_mean(check, quantity):
        return of_category(check, quantity, sides, category, policy)
    return of_clips(check, quantity, sides, category, policy)


def _result(planned: PlannedCheck, p_fail_holm: float | None, policy: Policy, family: Family) -> CheckResult:
    check, seen, quantity = planned.check, planned.evidence, planned.quantity
    outcome, reason = _judge(check, seen, p_fail_holm, policy)
    metric, generator = quantity.name if quantity else "", planned.sides.candidate.generator
    parts = (generator, metric, check.rule, check.statistic if check.statistic != "mean" else "", planned.category)
    each = planned.sides.candidate.run.manifest.plan.clips_per_prompt
    whole = metric and check.statistic == "mean" and not planned.category and not check.categories
    change = table_of(family, planned.sides).get(metric) if whole else None
    return CheckResult(
        id="/".join(part for part in parts if part), generator=generator, rule=check.rule, metric=metric,
        statistic=check.statistic, category=planned.category, demand=demand(check, metric, planned.category),
        outcome=outcome, guard=check.is_guard, reason=reason, unit=quantity.unit if quantity else "clips",
        evidence=seen, p_fail_holm=p_fail_holm, change=change.words.value if change else "",
        needed=needed(seen, each, policy) if outcome == "undecided" else None,
    )  # fmt: skip


def _judge(check: Check, seen: Evidence, p_fail_holm: float | None, policy: Policy) -> tuple[Outcome, str]:
    """The outcome of one check and the sentence that says why."""
    if seen.why_none is not None:
        skip = seen.unmeasured and check.unmeasured == "skip"
        return ("skipped" if skip else "undecided"), seen.why_none
    told = f" ({seen.words})" if seen.words else ""
    if seen.holds is not None:
        return ("pass" if seen.holds else "fail"), f"the plain figures {'hold' if seen.holds else 'break it'}{told}"
    if p_fail_holm is not None and p_fail_holm <= policy.strict:
        return "fail", f"shown to be broken, by chance in {_chance(p_fail_holm)}{told}"
    too_few = "" if seen.prompts >= MIN_PROMPTS else f"{seen.prompts} prompts are too few to tell"
    if not too_few and seen.p_pass is not None and seen.p_pass <= policy.strict:
        if seen.prompts < policy.min_prompts:
            too_few = f"{seen.prompts} prompts are fewer than the {policy.min_prompts} that the policy asks for"
        elif (have := seen.clips if policy.rare_losses == "clips" else seen.prompts) < seen.min_units_for_rare_loss:
            unit = "clips" if policy.rare_losses == "clips" else "prompts"
            too_few = f"a rare loss that costs the margin shows in {seen.min_units_for_rare_loss} {unit}, not in {have}"
        else:
            return "pass", f"shown{told}"
    outside = seen.distance_to_limit < 0
    if check.undecided == "inside" and outside and seen.p_loss is not None and seen.p_loss > policy.level:
        return "pass", f"outside its limit, but {seen.prompts} prompts of a category lose as much by chance{told}"
    if check.undecided == "pass" or (check.undecided == "inside" and seen.distance_to_limit >= 0):
        return "pass", f"not shown to be broken{f'; {too_few}' if too_few else ''}{told}"
    return "undecided", (too_few or _between(check, seen)) + told


def _chance(p: float) -> str:
    return f"1 of {1 / p:,.0f} at most" if p > 1e-6 else "less than 1 of a million"


def _between(check: Check, seen: Evidence) -> str:
    if check.rule == "no-new-failures":
        return "more clips fail than before, but not beyond chance"
    error = seen.deviation / max(seen.prompts, 1) ** 0.5
    if seen.distance_to_limit > 2 * error > 0:
        return "most prompts are well inside the limit, but a few lose so much that the mean cannot be trusted"
    side = "inside" if seen.distance_to_limit > 0 else "outside"
    return f"the figure lies {side} the limit, but chance could have put it there"


def _outcome(checks: tuple[CheckResult, ...], findings: Sequence[Finding]) -> Decision:
    outcomes: set[str] = {check.outcome for check in checks} | {finding.outcome for finding in findings}
    if "fail" in outcomes:
        return "fail"
    return "undecided" if "undecided" in outcomes or "pass" not in outcomes else "pass"


def _headline(outcome: str, checks: tuple[CheckResult, ...], findings: Sequence[Finding]) -> str:
    """One sentence: what was decided and by what."""
    stopped = [finding.message for finding in findings if finding.outcome == outcome]
    these = sorted((c for c in checks if c.outcome == outcome), key=lambda c: (c.guard, c.evidence.p_fail or 0.0))
    named = [f"{c.metric or c.rule}{f' in {c.category}' if c.category else ''}" for c in these]
    counts = f"{sum(c.outcome == 'pass' for c in checks)} of {len(checks)} checks passed"
    if outcome == "pass":
        kinds = {finding.kind for finding in findings}
        same = "identical" in kinds and "drift" not in kinds
        return f"PASS: {counts}{'; the runs are identical' if same else ''}"
    unique = list(dict.fromkeys(named))
    listed = ", ".join(unique[:4]) + (f" and {len(unique) - 4} more" if len(unique) > 4 else "")
    why = "; ".join([*stopped[:2], *([listed] if listed else [])]) or "nothing could be checked"
    return f"{outcome.upper()}: {why}"
