"""From evidence to the outcome of one check, and from outcomes to the headline, without a run on disk."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from vbench_lite.gate.decide import _headline, _judge, _outcome, _p
from vbench_lite.gate.looks.boundaries import ONCE, Look
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.gate.verdict import CheckResult, Evidence, Finding, Verdict

POLICY = Policy("ours", (), "d", Path("gate.toml"), "--policy")  # tests work at .04
MEAN = Check("non-inferior", "detail")
GUARD = dataclasses.replace(MEAN, undecided="inside")
COUNT = Check("no-new-failures")
COLLAPSED = dataclasses.replace(MEAN, statistic="collapsed")
SKIPPED = dataclasses.replace(MEAN, unmeasured="skip")
POINT = dataclasses.replace(MEAN, evidence="point")
GOOD = Evidence(p_pass=0.01, p_fail=0.99, prompts=40, clips=80, distance_to_limit=0.1)
BAD = Evidence(p_pass=0.9, p_fail=0.01, prompts=40, clips=80, distance_to_limit=-0.1)


def judged(check: Check, seen: Evidence, p: float | None = 1.0, look: Look = ONCE, same: bool = False) -> str:
    outcome, reason = _judge(check, seen, p, POLICY, look, same)
    return f"{outcome}: {reason}"


def but(seen: Evidence, **figures: Any) -> Evidence:
    return dataclasses.replace(seen, **figures)


@pytest.mark.parametrize(
    ("check", "seen", "p", "says"),
    [
        (MEAN, GOOD, 1.0, "pass: shown"),
        (MEAN, but(GOOD, words="by the book"), 1.0, "pass: shown (by the book)"),
        (MEAN, but(GOOD, p_pass=0.04), 1.0, "pass: shown"),
        (MEAN, but(GOOD, p_pass=0.041), 1.0, "undecided: inside the limit, not significant (p = 0.041)"),
        (MEAN, but(GOOD, p_pass=None), 1.0, "undecided: inside the limit, not significant"),
        (MEAN, but(GOOD, prompts=5), 1.0, "undecided: 5 prompts are too few for a test"),
        (MEAN, but(GOOD, prompts=6), 1.0, "undecided: 6 prompts are fewer than the 10 that the policy requires"),
        (MEAN, but(GOOD, prompts=10), 1.0, "pass: shown"),
        (MEAN, but(GOOD, clips=28), 1.0, "undecided: 28 clips can miss a loss in 10% of the clips: 29 are needed"),
        (MEAN, but(GOOD, clips=29), 1.0, "pass: shown"), (MEAN, but(GOOD, clips=0), 1.0, "pass: shown"),
        (MEAN, but(GOOD, clips=1), 1.0, "undecided: 1 clips can miss a loss in 10% of the clips: 29 are needed"),
        (MEAN, BAD, 0.04, "fail: violates the limit (Holm-adjusted p = 0.04)"),
        (MEAN, BAD, 0.00001, "fail: violates the limit (Holm-adjusted p < 0.0001)"),
        (MEAN, BAD, 0.0412, "undecided: outside the limit, not significant (Holm-adjusted p = 0.041)"),
        (MEAN, BAD, None, "undecided: outside the limit, not significant"),
        (MEAN, but(GOOD, distance_to_limit=0.0), 0.01, "pass: shown"),
        (GUARD, BAD, 0.04, "fail: violates the limit (Holm-adjusted p = 0.04)"),
        (GUARD, BAD, 0.5, "undecided: outside the limit, not significant (Holm-adjusted p = 0.5)"),
        (GUARD, but(GOOD, p_pass=0.9, prompts=2), 1.0, "pass: inside the limit"),
        (GUARD, but(GOOD, distance_to_limit=0.0), 1.0, "pass: inside the limit"),
        (POINT, but(GOOD, holds=True), None, "pass: the plain figures are inside the limit"),
        (POINT, but(BAD, holds=False, words="w"), None, "fail: the plain figures violate the limit (w)"),
        (COUNT, but(GOOD, prompts=2, clips=4), 1.0, "pass: shown"),
        (COLLAPSED, but(GOOD, prompts=2, clips=4), 1.0, "pass: shown"),
        (COUNT, but(BAD, p_pass=1.0), 0.3, "undecided: outside the limit, not significant (Holm-adjusted p = 0.3)"),
        (MEAN, Evidence(why_none="no figure", unmeasured=True), None, "undecided: no figure"),
        (SKIPPED, Evidence(why_none="no figure", unmeasured=True), None, "skipped: no figure"),
        (SKIPPED, Evidence(why_none="no figure"), None, "undecided: no figure"),
    ],
)  # fmt: skip
def test_one_check_is_judged_by_its_p_values_then_by_its_size(
    check: Check, seen: Evidence, p: float | None, says: str
) -> None:
    assert judged(check, seen, p) == says


def test_identical_runs_need_no_least_number_of_clips() -> None:
    assert judged(MEAN, but(GOOD, clips=5), same=True) == "pass: shown"
    assert judged(MEAN, but(GOOD, clips=5, prompts=9), same=True).startswith("undecided: 9 prompts are fewer")


FIRST, LAST = Look(1, (0.5, 1.0)), Look(2, (0.5, 1.0))


@pytest.mark.parametrize(
    ("check", "seen", "p", "says"),
    [
        (MEAN, but(GOOD, p_pass=1e-5), 1.0, "pass: shown"),
        (MEAN, but(GOOD, p_pass=0.01), 1.0, "undecided: inside the limit, not significant (p = 0.069)"),
        (MEAN, BAD, 0.04, "fail: violates the limit (Holm-adjusted p = 0.04)"),
        (MEAN, BAD, 0.05, "undecided: outside the limit, not significant (Holm-adjusted p = 0.05)"),
        (POINT, but(GOOD, holds=True, words="w"), None,
         "undecided: a rule on plain figures is decided at the last look (w)"),
        (POINT, but(BAD, holds=False), None, "undecided: a rule on plain figures is decided at the last look"),
        (GUARD, but(GOOD, p_pass=0.1), 1.0, "pass: inside the limit"),
        (GUARD, but(GOOD, p_pass=0.11), 1.0, "undecided: inside the limit, not yet significant"),
        (GUARD, but(GOOD, p_pass=None), 1.0, "undecided: inside the limit, not yet significant"),
        (GUARD, BAD, 0.5, "undecided: outside the limit, not significant (Holm-adjusted p = 0.5)"),
        (COUNT, but(GOOD, p_pass=0.0, difference=0.0, clips=72), 1.0, "pass: shown"),
        (COUNT, but(GOOD, p_pass=0.0, difference=None, clips=72), 1.0, "pass: shown"),
        (COUNT, but(GOOD, p_pass=0.0, difference=0.0, clips=40), 1.0, "undecided: so few clips can miss a rare loss"),
        (COUNT, but(GOOD, p_pass=0.0, difference=1.0, clips=72), 1.0, "undecided: so few clips can miss a rare loss"),
        (COLLAPSED, but(GOOD, p_pass=0.0, difference=1.0, clips=72), 1.0,
         "undecided: so few clips can miss a rare loss"),
    ],
)  # fmt: skip
def test_before_the_last_look_p_values_are_adjusted_and_plain_figures_wait(
    check: Check, seen: Evidence, p: float | None, says: str
) -> None:
    assert judged(check, seen, p, FIRST) == says


def test_at_the_last_look_nothing_waits() -> None:
    assert judged(POINT, but(GOOD, holds=True), None, LAST) == "pass: the plain figures are inside the limit"
    assert judged(GUARD, but(GOOD, p_pass=0.4), 1.0, LAST) == "pass: inside the limit"
    assert judged(COUNT, but(GOOD, p_pass=0.0, difference=1.0, clips=20), 1.0, LAST) == "pass: shown"


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "p < 0.0001"), (9.9e-5, "p < 0.0001"), (1e-4, "p = 0.0001"), (0.0456, "p = 0.046")]
)
def test_a_p_value_is_shown_with_two_digits(p: float, text: str) -> None:
    assert _p(p) == text


def result(outcome: Any, metric: str = "detail", category: str = "", guard: bool = False, p: float | None = 0.5) -> Any:
    return CheckResult(
        id=f"model/{metric}", generator="model", rule="non-inferior", metric=metric, statistic="mean",
        category=category, demand="it holds", outcome=outcome, guard=guard, reason="so", unit="",
        evidence=Evidence(p_fail=p),
    )  # fmt: skip


NOTE, STOP, OPEN = (
    Finding(kind, "model", message, outcome)
    for kind, message, outcome in (("seeds", "a note", "note"), ("black", "all black", "fail"),
                                   ("incomplete", "clips lack", "undecided"))
)  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "findings", "expected"),
    [
        (["pass", "skipped"], [NOTE], "pass"), (["pass", "undecided"], [], "undecided"),
        (["pass", "undecided", "fail"], [], "fail"), ([], [], "undecided"), (["skipped"], [], "undecided"),
        (["pass"], [STOP], "fail"), (["pass"], [OPEN], "undecided"), (["undecided"], [OPEN, STOP], "fail"),
        ([], [NOTE], "undecided"),
    ],
)  # fmt: skip
def test_one_failure_fails_and_nothing_shown_is_undecided(
    outcomes: list[str], findings: list[Finding], expected: str
) -> None:
    assert _outcome(tuple(result(each) for each in outcomes), findings) == expected


def finding(kind: str, message: str = "", outcome: Any = "note") -> Finding:
    return Finding(kind, "model", message, outcome)


@pytest.mark.parametrize(
    ("outcome", "checks", "findings", "headline"),
    [
        ("pass", [result("pass"), result("skipped")], [], "PASS: 1 of 2 checks passed"),
        ("pass", [result("pass")], [finding("identical")], "PASS: 1 of 1 checks passed; the runs are identical"),
        ("pass", [result("pass")], [finding("identical"), finding("drift")], "PASS: 1 of 1 checks passed"),
        ("undecided", [], [], "UNDECIDED: nothing could be checked"),
        ("undecided", [result("pass"), result("undecided", "text")], [NOTE], "UNDECIDED: text"),
        ("fail", [result("fail", "b", p=0.02), result("fail", "a", p=0.01), result("undecided", "c")], [],
         "FAIL: a, b"),
        ("fail", [result("fail", "a", guard=True, p=0.0), result("fail", "b", "toys"), result("fail", "c", p=None)], [],
         "FAIL: c, b in toys, a"),
        ("fail", [result("fail", name, p=0.1) for name in "abcda"], [], "FAIL: a, b, c, d"),
        ("fail", [result("fail", name, p=0.1) for name in "abcdef"], [], "FAIL: a, b, c, d and 2 more"),
        ("fail", [result("fail", "")], [STOP, OPEN], "FAIL: all black; non-inferior"),
        ("fail", [], [finding("x", name, "fail") for name in ("one", "two", "three")], "FAIL: one; two"),
    ],
)  # fmt: skip
def test_the_headline_names_what_decided(outcome: str, checks: Any, findings: list[Finding], headline: str) -> None:
    assert _headline(outcome, tuple(checks), findings) == headline


def test_checks_of_an_outcome_are_listed_by_p_value_with_guards_last() -> None:
    checks = [result("fail", "a", guard=True, p=0.0), result("fail", "b"), result("fail", "c", p=0.1),
              result("fail", "d", p=None), result("fail", "e", p=0.0), result("pass", "f")]  # fmt: skip
    verdict = Verdict(
        outcome="fail", exit_code=3, headline="", baseline="", candidate="", policy={}, checks=tuple(checks),
        findings=(), remedies=(),
    )  # fmt: skip
    assert [check.metric for check in verdict.of("fail")] == ["d", "e", "c", "b", "a"]
    assert [check.metric for check in verdict.of("pass", "fail")] == ["d", "e", "c", "b", "f", "a"]
