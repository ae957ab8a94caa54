"""Compute the verdict from a policy and two runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vbench_lite.analysis.commands import promote_command
from vbench_lite.analysis.comparable import GeneratorPair, differences, match, require_comparable, unlike_for
from vbench_lite.analysis.compare import compare_family, table_of
from vbench_lite.analysis.family import Family
from vbench_lite.analysis.promotions import HistoryEntry
from vbench_lite.analysis.quantities import Quantity, shown_in
from vbench_lite.formatting import Shown
from vbench_lite.gate.baselines.margins import Margins
from vbench_lite.gate.evidence.categories import by_mean, of_category
from vbench_lite.gate.evidence.people import of_people
from vbench_lite.gate.evidence.point_rules import of_figures, of_history
from vbench_lite.gate.evidence.run_problems import common_prompts, cost_notes, find_run_problems, vote_notes
from vbench_lite.gate.evidence.scores import FixedMargin, of_clips
from vbench_lite.gate.evidence.sets import of_sets
from vbench_lite.gate.looks.boundaries import EARLY_GUARD, ONCE, Look
from vbench_lite.gate.needed import needed, remedies
from vbench_lite.gate.planned import check_id, expand
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.gate.shown.explain import demand
from vbench_lite.gate.verdict import CheckResult, Decision, Evidence, Finding, Outcome, Verdict
from vbench_lite.run.view import Run, Side
from vbench_lite.stats import MIN_PROMPTS, holm

EXIT = {"pass": 0, "fail": 3, "undecided": 4}
GUARD_WEIGHT = 0.1
"""Weight of guards and of collapsed clips in Holm's adjustment. They are many and must not hide losses of means."""
ANCHOR_SCALE = 1.5
"""Factor of the margin against the first promoted baseline: it limits the total loss of all releases."""


@dataclass(frozen=True, kw_only=True)
class PlannedCheck:
    """A check on one quantity of one generator, or of one category of it, with its evidence."""

    check: Check
    quantity: Quantity | None
    sides: GeneratorPair
    category: str
    evidence: Evidence
    anchor: bool = False
    """Whether the candidate is compared with the first promoted baseline."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The data of a baseline's folder besides its run."""

    history: Sequence[HistoryEntry] = ()
    """The promotions of the baseline, oldest first."""
    margins: Margins | None = None
    """Margins that were fixed at promotion. None: they are computed from the baseline."""
    anchor: Run | None = None
    """The first promoted baseline, if the baseline is a later one."""
    anchor_margins: Margins | None = None


def decide(
    candidate: Run, baseline: Run, policy: Policy, reference: Reference = Reference(), look: Look = ONCE
) -> Verdict:
    """Compare a candidate with a baseline and decide.

    Args:
        candidate, baseline: Runs, or one generator of each.
        policy: The rules.
        reference: The baseline's history, its fixed margins, and the first promoted baseline.
        look: The planned look at a growing run. Before the last look, the candidate has only a part of the prompts.

    Raises:
        NotComparable: The scores of the two runs are not comparable.
        BadFile: The policy names a metric that the baseline does not have, or a check that a metric does not support.
    """
    pairs = match(baseline, candidate, policy.prompts if look.is_last else "sample")
    for sides in pairs:
        require_comparable(sides)
    findings = [finding for sides in pairs for finding in (*common_prompts(sides), *find_run_problems(sides, policy))]
    if len(look.fractions) > 1:
        findings.append(Finding("look", pairs[0].candidate.generator, _at_look(look), "note"))
    if reference.history and reference.margins is None:
        where = str(baseline.path)
        message = f"{_NO_MARGINS} with: {promote_command(where, where, 'margins as numbers')}"
        findings.append(Finding("margins", pairs[0].candidate.generator, message, "note"))
    planned = [one for sides in pairs for one in _planned(sides, policy, reference)]
    for sides in pairs if reference.anchor else ():
        first = _anchor_pair(sides, reference)
        if isinstance(first, Finding):
            findings.append(first)
        else:
            planned += _planned(first, policy, reference, anchor=True)
    tested = [nth for nth, one in enumerate(planned) if one.evidence.p_fail is not None]
    p_values = [float(look.repeated(planned[nth].evidence.p_fail or 0.0)) for nth in tested]
    weights = [GUARD_WEIGHT if _minor(planned[nth].check) else 1.0 for nth in tested]
    adjusted = dict(zip(tested, holm(p_values, weights), strict=True))
    family = compare_family(pairs)
    checks = tuple(_result(one, adjusted.get(nth), policy, family, look) for nth, one in enumerate(planned))
    findings += [note for sides in pairs for note in cost_notes(sides, policy, table_of(family, sides))]
    findings += [note for sides in pairs for note in vote_notes(sides, policy)]
    outcome = _outcome(checks, findings)
    open_pairs = pairs if outcome == "undecided" and look.is_last else []
    return Verdict(
        outcome=outcome,
        exit_code=EXIT[policy.undecided.replace("block", "undecided") if outcome == "undecided" else outcome],
        headline=_headline(outcome, checks, findings), baseline=baseline.label, candidate=candidate.label,
        policy=_about(policy), checks=checks, findings=tuple(findings),
        remedies=tuple(
            remedy for sides in open_pairs
            for remedy in remedies([c for c in checks if c.generator == sides.candidate.generator], sides)
        ),
    )  # fmt: skip


_NO_MARGINS = (
    "the margins were computed from this baseline's own clips, because none were stored for this policy when it was "
    "promoted. Store them as numbers"
)


def _minor(check: Check) -> bool:
    return check.is_guard or check.statistic == "collapsed"


def _anchor_pair(sides: GeneratorPair, reference: Reference) -> GeneratorPair | Finding:
    """The candidate and the first promoted baseline, or a note why they cannot be compared."""
    assert reference.anchor is not None
    name, generator = sides.baseline.generator, sides.candidate.generator
    if name not in reference.anchor.generators:
        why = f'it has no generator "{name}"'
    else:
        pair = GeneratorPair(Side(reference.anchor, name), sides.candidate, sides.prompts)
        found = next(iter(differences(pair)), None)
        if found is None:
            return pair
        why = f"{found.what} differs"
    run, folder = str(sides.candidate.run.path), str(sides.baseline.run.path)
    again = promote_command(run, folder, "new first baseline", new_anchor=why)
    hint = f"Make the candidate the first baseline with: {again}"
    return Finding("anchor", generator, f"not compared with the first promoted baseline: {why}. {hint}", "note")


def _planned(
    sides: GeneratorPair, policy: Policy, reference: Reference, anchor: bool = False
) -> Iterator[PlannedCheck]:
    """Every check of two generators. Only means are checked against the first baseline, with wider margins."""
    for check in policy.checks:
        if anchor and (check.rule != "non-inferior" or check.is_guard or check.each or check.statistic != "mean"):
            continue
        for quantity, category in expand(check, sides, policy):
            known = reference.anchor_margins or reference.margins if anchor else reference.margins
            id_ = check_id(check, quantity, sides.baseline.generator, category)
            margin = known.of(id_) if known else FixedMargin()
            margin = dataclasses.replace(margin, scale=ANCHOR_SCALE) if anchor else margin
            yield PlannedCheck(
                check=check, quantity=quantity, sides=sides, category=category, anchor=anchor,
                evidence=_evidence(check, quantity, sides, category, policy, reference.history, margin),
            )  # fmt: skip


def _about(policy: Policy) -> dict[str, str | float]:
    return {
        "title": policy.title, "path": str(policy.path), "origin": policy.origin, "digest": policy.digest,
        "confidence": policy.confidence, "undecided": policy.undecided, "changed_by": policy.changed_by,
        "changed_on": policy.changed_on, "changed_why": policy.changed_why,
    }  # fmt: skip


def _evidence(
    check: Check, quantity: Quantity | None, sides: GeneratorPair, category: str, policy: Policy,
    history: Sequence[HistoryEntry], margin: FixedMargin,
) -> Evidence:  # fmt: skip
    if quantity is None:
        return of_clips(check, None, sides, category, policy, margin)
    unlike = unlike_for(quantity, sides)
    if unlike:
        return Evidence(why_none=unlike, unmeasured=True)
    if check.against == "history":
        return of_history(check, quantity, sides, history, policy)
    if quantity.kind == "human":
        return of_people(check, quantity, sides, category, policy, margin)
    if quantity.kind == "set":
        return of_sets(check, quantity, sides, category, policy, margin)
    if check.statistic == "median" and check.rule not in ("min", "max"):
        return of_figures(check, quantity, sides, category, policy)
    if category and by_mean(check, quantity):
        return of_category(check, quantity, sides, category, policy, margin)
    return of_clips(check, quantity, sides, category, policy, margin)


def _result(
    planned: PlannedCheck, p_fail_holm: float | None, policy: Policy, family: Family, look: Look
) -> CheckResult:
    check, seen, quantity = planned.check, planned.evidence, planned.quantity
    outcome, reason = _judge(check, seen, p_fail_holm, policy, look, planned.sides.is_identical)
    metric, generator = quantity.name if quantity else "", planned.sides.candidate.generator
    each = planned.sides.candidate.run.manifest.plan.clips_per_prompt
    part = planned.anchor or planned.category or check.categories or check.statistic != "mean"
    change = table_of(family, planned.sides).get(metric) if metric and not part else None
    shown = shown_in(quantity, *planned.sides.members, seen.baseline, seen.candidate) if quantity else Shown("clips")
    return CheckResult(
        id=check_id(check, quantity, generator, planned.category) + ("/anchor" if planned.anchor else ""),
        against="anchor" if planned.anchor else check.against, generator=generator, rule=check.rule, metric=metric,
        statistic=check.statistic, category=planned.category, demand=demand(check, metric, planned.category),
        outcome=outcome, guard=check.is_guard, reason=reason, unit=quantity.unit if quantity else "clips",
        evidence=seen, shown=shown, p_fail_holm=p_fail_holm, change=change.words.value if change else "",
        needed=needed(seen, each, policy) if outcome == "undecided" else None,
    )  # fmt: skip


def _judge(
    check: Check, seen: Evidence, p_fail_holm: float | None, policy: Policy, look: Look, identical: bool
) -> tuple[Outcome, str]:
    """The outcome of one check and its reason. Identical runs need no minimum number of clips."""
    if seen.why_none is not None:
        skip = seen.unmeasured and check.unmeasured == "skip"
        return ("skipped" if skip else "undecided"), seen.why_none
    details = f" ({seen.words})" if seen.words else ""
    counted = check.rule == "no-new-failures" or check.statistic == "collapsed"
    broken = seen.distance_to_limit < 0 and p_fail_holm is not None and p_fail_holm <= policy.strict
    if not look.is_last and not broken and (why := _too_early(check, seen, policy, look, counted)):
        return "undecided", why + details
    if seen.holds is not None:
        verb = "are inside" if seen.holds else "violate"
        return ("pass" if seen.holds else "fail"), f"the plain figures {verb} the limit{details}"
    outside = seen.distance_to_limit < 0
    if broken and p_fail_holm is not None:
        return "fail", f"violates the limit (Holm-adjusted {_p(p_fail_holm)}){details}"
    if check.is_guard:
        return ("undecided", _outside(p_fail_holm) + details) if outside else ("pass", f"inside the limit{details}")
    if seen.prompts < MIN_PROMPTS and not counted:
        return "undecided", f"{seen.prompts} prompts are too few for a test{details}"
    p_pass = None if seen.p_pass is None else float(look.repeated(seen.p_pass))
    if p_pass is None or p_pass > policy.strict:
        inside = f"inside the limit, not significant{f' ({_p(p_pass)})' if p_pass is not None else ''}"
        return "undecided", (_outside(p_fail_holm) if outside else inside) + details
    if not counted and seen.prompts < policy.min_prompts:
        least = f"fewer than the {policy.min_prompts} that the policy requires"
        return "undecided", f"{seen.prompts} prompts are {least}{details}"
    if not counted and 0 < seen.clips < policy.min_clips and not identical:
        fraction = f"{policy.rare_losses:.0%} of the clips"
        return "undecided", f"{seen.clips} clips can miss a loss in {fraction}: {policy.min_clips} are needed{details}"
    return "pass", f"shown{details}"


def _too_early(check: Check, seen: Evidence, policy: Policy, look: Look, counted: bool) -> str:
    """Why a check cannot pass before the last look; "" if it can. Before the last look, a pass needs a test."""
    if check.evidence == "point":
        return "a rule on plain figures is decided at the last look"
    if seen.distance_to_limit < 0 and seen.holds is None:
        return ""  # the reason is that the figure is outside the limit
    if check.is_guard and (seen.p_pass is None or seen.p_pass > EARLY_GUARD):
        return "inside the limit, not yet significant"
    if counted and policy.rare_losses:
        rare = float(look.rare(int(seen.difference or 0), seen.clips, policy.rare_losses))
        return "so few clips can miss a rare loss" if rare > policy.strict else ""
    return ""


def _at_look(look: Look) -> str:
    """The note on a verdict at a planned look."""
    shares = ", ".join(f"{fraction:.0%}" for fraction in look.fractions)
    return (
        f"look {look.number} of {len(look.fractions)}, planned at {shares} of the prompts: p values are adjusted for "
        "the looks (alpha spending), the intervals shown are not"
    )


def _outside(p: float | None) -> str:
    return f"outside the limit, not significant{f' (Holm-adjusted {_p(p)})' if p is not None else ''}"


def _p(p: float) -> str:
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def _outcome(checks: tuple[CheckResult, ...], findings: Sequence[Finding]) -> Decision:
    outcomes: set[str] = {check.outcome for check in checks} | {finding.outcome for finding in findings}
    if "fail" in outcomes:
        return "fail"
    return "undecided" if "undecided" in outcomes or "pass" not in outcomes else "pass"


def _headline(outcome: str, checks: tuple[CheckResult, ...], findings: Sequence[Finding]) -> str:
    """The decision and its reasons in one sentence."""
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
