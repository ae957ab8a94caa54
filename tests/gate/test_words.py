"""Numbers, checks and policies in words, each in full."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from vbench_lite.gate.policy import read_policy
from vbench_lite.gate.shown.explain import demand, explain
from vbench_lite.gate.shown.formatting import interval, policy_line, sentence, title
from vbench_lite.gate.verdict import CheckResult, Evidence, Verdict

SEEN = Evidence(
    baseline=0.5, candidate=0.48, difference=-0.02, low=-0.031234, high=0.0, limit=-0.01, prompts=12, clips=24,
)  # fmt: skip
CHECK = CheckResult(
    id="a/clip_text/non-inferior", generator="a", rule="non-inferior", metric="clip_text", statistic="mean",
    category="", demand="it holds", outcome="fail", guard=False, reason="violates the limit", unit="", evidence=SEEN,
)  # fmt: skip


def seen(**figures: object) -> CheckResult:
    return dataclasses.replace(CHECK, evidence=dataclasses.replace(SEEN, **figures))


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        ({}, "-0.020 (-0.031 to +0.000), limit -0.010"),
        ({"limit": None}, "-0.020 (-0.031 to +0.000)"),
        ({"low": None}, "-0.02, limit -0.01"),
        ({"high": None}, "-0.02, limit -0.01"),
        ({"difference": None, "low": 0.4, "high": 0.6, "limit": 0.3}, "0.48 (0.40 to 0.60), limit 0.30"),
        ({"candidate": None}, ""),
    ],
)
def test_an_interval_names_the_figure_its_ends_and_the_limit(figures: dict[str, float | None], text: str) -> None:
    assert interval(seen(**figures)) == text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "clip_text"), ({"metric": "", "rule": "no-new-failures"}, "no-new-failures"),
        ({"rule": "min", "statistic": "worst-decile", "category": "drinks"}, "clip_text, min, worst decile, drinks"),
        ({"against": "anchor"}, "clip_text, since the first baseline"),
    ],
)  # fmt: skip
def test_a_title_names_what_is_not_usual(change: dict[str, str], text: str) -> None:
    assert title(dataclasses.replace(CHECK, **change)) == text


def test_a_sentence_has_the_figures_the_reason_the_demand_and_the_size() -> None:
    assert sentence(CHECK) == (
        "FAIL: a: clip_text: 0.500 became 0.480, difference -0.020 (-0.031 to +0.000), limit -0.010. Violates the"
        " limit. Required: it holds. 12 prompts, 24 clips each."
    )
    assert sentence(seen(difference=None, low=None, filled=(0, 3), prompts=0)) == (
        "FAIL: a: clip_text: 0.48, limit -0.01. Violates the limit. Required: it holds."
        " Clips without a value count as the worst observed: 3 in the candidate, 0 in the baseline."
    )
    assert sentence(seen(candidate=None, prompts=0)) == "FAIL: a: clip_text: Violates the limit. Required: it holds."


def test_the_policy_is_named_with_its_author_or_as_unsigned() -> None:
    policy: dict[str, str | float] = {
        "origin": "the default", "title": "T", "digest": "0123456789abcdef", "changed_by": "Ana",
        "changed_on": "2026-11-22", "changed_why": "text matters",
    }  # fmt: skip
    verdict = Verdict(
        outcome="pass", exit_code=0, headline="", baseline="", candidate="", policy=policy, checks=(), findings=(),
        remedies=(),
    )  # fmt: skip
    start = 'Policy: the default, "T", digest 0123456789ab, '
    assert policy_line(verdict) == f"{start}last changed 2026-11-22 by Ana: text matters"
    assert policy_line(dataclasses.replace(verdict, policy=policy | {"changed_by": ""})) == f"{start}unsigned"


def check_of(tmp_path: Path, text: str) -> str:
    (tmp_path / "gate.toml").write_text(f"[[check]]\n{text}\n")
    (check,) = read_policy(tmp_path / "gate.toml").checks
    return demand(check)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("metric='detail'\nrule='min'\nvalue=0.3", "detail is at least 0.3"),
        ("metric='detail'\nrule='max'\nvalue=0.3", "detail is at most 0.3"),
        ("metric='detail'\nrule='non-inferior'\nmargin=0", "detail is no worse than the baseline"),
        ("metric='scores'\nrule='non-inferior'\nmargin=0", "every score is no worse than the baseline"),
        ("metric='detail'\nrule='non-inferior'\nmargin=2\nunit='percent'",
         "detail is less than 2 % worse than the baseline"),
        ("metric='detail'\nrule='non-inferior'\nmargin=0.5\nunit='sd'\nfloor=0.01",
         "detail is less than 0.5 sd (between the baseline's clips) (but at least 0.01) "
         "worse than the baseline"),
        ("metric='kvd'\nrule='non-inferior'\nmargin=5\nunit='se'",
         "kvd is less than 5 standard errors worse than the baseline"),
        ("metric='detail'\nrule='superior'\nmargin=0", "detail is better than the baseline"),
        ("metric='detail'\nrule='superior'\nmargin=0.1", "detail is better than the baseline by more than 0.1"),
        ("metric='detail'\nrule='non-inferior'\nmargin=0.1\nagainst='history'\nevidence='point'\nlast=5",
         "detail is less than 0.1 worse than the median of the last 5 baselines"),
        ("metric='detail'\nrule='non-inferior'\nmargin=0.1\nstatistic='worst-decile'\neach='category'",
         "the worst tenth of detail in each category is less than 0.1 worse than the baseline"),
        ("metric='detail'\nrule='non-inferior'\nmargin=0.1\ncategories=['a', 'b']",
         "detail over the categories a, b is less than 0.1 worse than the baseline"),
        ("rule='no-new-failures'", "no more clips fail or lack the requested form than in the baseline"),
        ("rule='no-new-failures'\nmargin=0.03",
         "no more clips fail or lack the requested form than in the baseline (3 % of all clips are tolerated, "
         "or the sampling error if it is larger)"),
        ("metric='detail'\nrule='non-inferior'\nstatistic='collapsed'\nmargin=0.03",
         "no more clips collapse in detail than in the baseline (3 % of all clips are tolerated, or the sampling "
         "error if it is larger)"),
    ],
)  # fmt: skip
def test_a_demand_is_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    assert check_of(tmp_path, text) == words


def explained(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "gate.toml").write_text(text)
    return list(explain(read_policy(tmp_path / "gate.toml")))


def test_a_policy_is_explained_line_by_line(tmp_path: Path) -> None:
    mean = "[[check]]\nmetric='detail'\nrule='non-inferior'\nmargin=0.1\n"
    head, *lines = explained(
        tmp_path,
        "title='Ours'\nconfidence=0.9\nmin_prompts=7\nrare_losses=0.1\nundecided='fail'\n[changed]\nby='Ana'\nwhy='so'\n"
        f"{mean}unmeasured='skip'\n{mean}evidence='point'\n{mean}undecided='inside'\neach='category'\n",
    )
    assert head.startswith(f'Policy "Ours" ({tmp_path / "gate.toml"}, digest ')
    assert len(head.rpartition(" ")[2]) == 12 + 1
    worse = "detail is less than 0.1 worse than the baseline"
    assert lines == [
        "Last changed by Ana: so", "", "It must be shown that",
        f"  - {worse} (skipped if the baseline has no such figure, or devices or prices differ)", "",
        "Without a significance test, the plain figures must show that", f"  - {worse}", "",
        "Guards: a release fails if one is shown to be violated, and is undecided if one lies outside its limit",
        "  - detail in each category is less than 0.1 worse than the baseline", "",
        "A release that is worse by exactly a margin passes with a probability of at most 10%; one that is "
        "inside all margins fails with at most 10%, over all checks together (Holm).",
        "No check passes on fewer than 7 prompts.",
        "No check passes on fewer than 22 clips, because they could miss a loss in 10% of them.",
        "A category of fewer than 12 prompts gets a wider margin: sqrt(12 / prompts) times as much.",
        "Means that must be shown are also compared with the first promoted baseline, with 1.5 times the margin.",
        "Undecided means exit code 3, like a failure.",
    ]  # fmt: skip


def test_plain_figures_alone_have_no_odds_and_no_author_is_said(tmp_path: Path) -> None:
    lines = explained(
        tmp_path, "rare_losses=0\n[[check]]\nmetric='detail'\nrule='min'\nvalue=1\nevidence='point'\n")
    assert lines[1] == "The policy does not state its author. Write who changed it and why under [changed]."
    assert not any("probability" in line or "No check passes" in line or "category" in line for line in lines)
    assert lines[-1] == "Undecided means exit code 4, which blocks."
