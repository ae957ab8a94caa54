"""A policy as text: the output of `vbench gate --explain`, and the requirement of each check as a sentence."""

from __future__ import annotations

from collections.abc import Iterator

from vbench_lite.gate.policy import ALL_SCORES, Check, Policy

_STATISTIC = {"mean": "", "worst-decile": "the worst tenth of ", "median": "the median of ", "collapsed": ""}


def demand(check: Check, metric: str = "", category: str = "") -> str:
    """The requirement of a check as a sentence without a full stop."""
    name = metric or ("every score" if check.metric == ALL_SCORES else check.metric)
    where = f' in the category "{category}"' if category else " in each category" if check.each else ""
    if check.categories and not category:
        where += f" over the categories {', '.join(check.categories)}"
    tolerance = f"{100 * check.margin:.3g} % of all clips are tolerated, or the sampling error if it is larger"
    if check.rule == "no-new-failures":
        more = f" ({tolerance})" if check.margin else ""
        return f"no more clips fail or lack the requested form than in the baseline{where}{more}"
    if check.statistic == "collapsed":
        return f"no more clips collapse in {name}{where} than in the baseline ({tolerance})"
    what = f"{_STATISTIC[check.statistic]}{name}{where}"
    if check.rule in ("min", "max"):
        return f"{what} is {'at least' if check.rule == 'min' else 'at most'} {check.value:g}"
    against = f"the median of the last {check.last} baselines" if check.against == "history" else "the baseline"
    if check.rule == "superior":
        return f"{what} is better than {against}{f' by more than {_margin(check)}' if check.margin else ''}"
    if not check.margin and not check.floor:
        return f"{what} is no worse than {against}"
    return f"{what} is less than {_margin(check)} worse than {against}"


def _margin(check: Check) -> str:
    units = {"absolute": "", "percent": " %", "sd": " sd (between the baseline's clips)", "se": " standard errors"}
    text = f"{check.margin:g}{units[check.unit]}"
    return f"{text} (but at least {check.floor:g})" if check.floor else text


_HEADINGS = {
    "block": "It must be shown that",
    "point": "Without a significance test, the plain figures must show that",
    "inside": "Guards: a release fails if one is shown to be violated, and is undecided if one lies outside its limit",
}


def explain(policy: Policy) -> Iterator[str]:
    """The lines of the text of a policy."""
    yield f'Policy "{policy.title}" ({policy.path}, digest {policy.digest[:12]})'
    if policy.changed_by or policy.changed_why:
        on = f" on {policy.changed_on}" if policy.changed_on else ""
        who, why = policy.changed_by or "an unnamed author", policy.changed_why or "no reason given"
        yield f"Last changed{on} by {who}: {why}"
    else:
        yield "The policy does not state its author. Write who changed it and why under [changed]."
    for kind, heading in _HEADINGS.items():
        chosen = [check for check in policy.checks if kind == _kind(check)]
        if chosen:
            yield ""
            yield heading
        for check in chosen:
            skip = " (skipped if the baseline has no such figure, or devices or prices differ)"
            yield f"  - {demand(check)}{skip if check.unmeasured == 'skip' else ''}"
    yield ""
    yield from _odds(policy)


def _kind(check: Check) -> str:
    return "point" if check.evidence == "point" else check.undecided


def _odds(policy: Policy) -> Iterator[str]:
    """The error rates, and the meaning of undecided."""
    if any(check.evidence == "interval" for check in policy.checks):
        chance = f"{policy.level:.0%}"
        yield (
            f"A release that is worse by exactly a margin passes with a probability of at most {chance}; one that is "
            f"inside all margins fails with at most {chance}, over all checks together (Holm)."
        )
        yield f"No check passes on fewer than {policy.min_prompts} prompts."
        if policy.min_clips:
            fraction = f"a loss in {policy.rare_losses:.0%} of them"
            yield f"No check passes on fewer than {policy.min_clips} clips, because they could miss {fraction}."
    if any(check.each == "category" for check in policy.checks):
        yield "A category of fewer than 12 prompts gets a wider margin: sqrt(12 / prompts) times as much."
    yield "Means that must be shown are also compared with the first promoted baseline, with 1.5 times the margin."
    meaning = {"block": "exit code 4, which blocks", "fail": "exit code 3, like a failure", "pass": "exit code 0"}
    yield f"Undecided means {meaning[policy.undecided]}."
