"""The figures of checks on sets of clips and on people's votes, worked out again by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

from tests.gate.deciding import gate
from tests.gate.releases import write
from tests.gate.test_evidence import one
from tests.gate.test_figures import LEVEL, rule
from vbench_lite.errors import BadFile
from vbench_lite.gate import decide
from vbench_lite.gate.evidence.sets import set_margin
from vbench_lite.gate.policy import Check, read_policy
from vbench_lite.gate.verdict import CheckResult
from vbench_lite.records import Estimate
from vbench_lite.run.view import open_run
from vbench_lite.run.votes import ClipRef, Vote, write_vote

T = float(special.stdtrit(11, 1 - LEVEL))
Z = float(special.stdtrit(10_000, 1 - LEVEL))


# -- set metrics


@pytest.mark.parametrize(
    ("unit", "estimate", "size"),
    [
        ("se", Estimate(9.0, 8.0, 11.0), 0.5 * 2 / 1.959964), ("se", Estimate(9.0, 6.0, 11.0), 0.5 * 3 / 1.959964),
        ("se", Estimate(9.0, 8.99, 9.0), 0.1), ("se", Estimate(9.0), "the baseline's figure has no interval"),
        ("percent", Estimate(40.0, 30.0, 50.0), 0.2), ("percent", Estimate(0.0, -1.0, 60.0), 0.3),
        ("percent", Estimate(40.0), 0.2), ("percent", Estimate(2.0), 0.1),
        ("percent", Estimate(0.0, -1.0, 0.0),
         "the baseline's figure is not above 0, so it has no percentage"),
        ("absolute", Estimate(9.0), 0.5),
    ],
)  # fmt: skip
def test_the_margin_of_a_set_metric(unit: str, estimate: Estimate, size: float | str) -> None:
    check = Check("non-inferior", "fvd", margin=0.5, unit=unit, floor=0.1)
    assert set_margin(check, estimate) == (size if isinstance(size, str) else pytest.approx(size))
    if unit == "absolute":
        assert set_margin(Check("non-inferior", "fvd", margin=0.5, floor=0.75), estimate) == 0.75


@pytest.mark.parametrize(("word", "sign"), [("non-inferior", 1), ("superior", -1)])
def test_the_figures_of_a_set_metric_beside_the_baselines(tmp_path: Path, word: str, sign: int) -> None:
    text = rule(f"rule = '{word}'\nmargin = 3", "fvd")
    check = one(tmp_path, text, base={"prompts": 12}, prompts=12, fvd=(10.0, 9.0, 13.0))
    seen, error = check.evidence, float(np.hypot(1, 3)) / 1.959964
    assert (seen.baseline, seen.candidate, seen.difference, seen.limit) == (9.0, 10.0, 1.0, 3.0 * sign)
    assert (seen.distance_to_limit, seen.margin) == (-1.0 + 3.0 * sign, 3.0)
    assert (seen.low, seen.high) == (pytest.approx(1 - Z * error), pytest.approx(1 + Z * error))
    p = float(special.stdtr(10_000, -seen.distance_to_limit / error))
    assert (seen.p_pass, seen.p_fail) == (pytest.approx(p), pytest.approx(1 - p))
    assert (seen.prompts, seen.clips, seen.filled) == (12, 24, (0, 0))
    assert seen.deviation == pytest.approx(error * 12**0.5)
    assert seen.words == "from the two intervals, as if the sets were independent"


def unscored(run: str, count: int, fvd: dict[str, Any] | None = None) -> None:
    path = Path(run) / "summary.json"
    summary = json.loads(path.read_text())
    summary["generators"]["model"]["scores"]["fvd"] |= {"unscored": count} | (fvd or {})
    path.write_text(json.dumps(summary))


def test_clips_that_a_set_metric_lacks_are_counted_on_each_side(tmp_path: Path) -> None:
    old, new = write(tmp_path / "old", prompts=12), write(tmp_path / "new", prompts=12, weights="b")
    unscored(old, 3)
    unscored(new, 5)
    for text, filled in (("rule = 'non-inferior'\nmargin = 3", (3, 5)), ("rule = 'max'\nvalue = 20", (0, 5))):
        (tmp_path / "gate.toml").write_text(rule(text, "fvd"))
        verdict = decide(open_run(new), open_run(old), read_policy(tmp_path / "gate.toml"))
        assert verdict.checks[0].evidence.filled == filled


NONE = 'has no "fvd": no'


@pytest.mark.parametrize(
    ("old", "new", "text", "outcome", "why"),
    [
        (None, (9.0, 8.0, 10.0), "rule = 'non-inferior'\nmargin = 3", "skipped", f"the baseline {NONE}"),
        ((9.0, 8.0, 10.0), None, "rule = 'non-inferior'\nmargin = 3", "undecided", f"the candidate {NONE}"),
        ((9.0, 8.0, 10.0), None, "rule = 'max'\nvalue = 3", "undecided", f"the candidate {NONE}"),
        (None, (9.0, 8.0, 10.0), "rule = 'max'\nvalue = 20", "pass", "shown (by the stored intervals)"),
        ((9.0, None, None), (9.0, 8.0, 10.0), "rule = 'non-inferior'\nmargin = 3\nunit = 'se'", "skipped",
         "the baseline's figure has no interval"),
        ((9.0, None, None), (9.5, None, None), "rule = 'non-inferior'\nmargin = 3", "undecided",
         'a set metric without an interval cannot be judged: use evidence = "point"'),
        ((9.0, None, None), (9.5, None, None), "rule = 'non-inferior'\nmargin = 0.5\nevidence = 'point'", "pass",
         "the plain figures are inside the limit"),
        ((9.0, None, None), (9.5, None, None), "rule = 'non-inferior'\nmargin = 0.4\nevidence = 'point'", "fail",
         "the plain figures violate the limit"),
        ((9.0, 8.0, 10.0), (9.0, 8.0, 10.0), "rule = 'non-inferior'\nmargin = 3\ncategories = ['toys']", "skipped",
         '"fvd" has one value per run and no categories'),
        ((9.0, 8.0, 10.0), (9.0, 8.0, 10.0), "rule = 'max'\nvalue = 20\neach = 'category'", "skipped",
         '"fvd" has one value per run and no categories'),
    ],
)  # fmt: skip
def test_a_set_metric_says_why_it_cannot_be_judged(
    tmp_path: Path, old: Any, new: Any, text: str, outcome: str, why: str
) -> None:
    rules = rule(f"{text}\nunmeasured = 'skip'", "fvd")
    found = gate(tmp_path, f"rare_losses = 0\n{rules}", base={"prompts": 12, "fvd": old}, prompts=12, fvd=new).checks
    assert {(check.outcome, check.reason) for check in found} == {(outcome, why)}


@pytest.mark.parametrize("text", ["margin = 1\nunit = 'sd'", "margin = 1\nstatistic = 'worst-decile'"])
def test_a_set_metric_has_no_spread_between_clips(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadFile, match=r'"fvd" has one value per run: use the unit "percent", "se"'):
        one(tmp_path, rule(f"rule = 'non-inferior'\n{text}", "fvd"))


# -- votes


def voted(run: str, keeps: list[str]) -> None:
    """One rater keeps ("k") or rejects ("r") the first clip of each prompt."""
    for nth, keep in enumerate(keeps):
        prompt = f"p{nth:03d}"
        sha = open_run(run).grids["model"].text("sha256")[nth, 0]
        write_vote(Path(run), Vote(
            id=f"{Path(run).name}{nth:03d}", rater="ann", mode="usable", prompt_id=prompt,
            clips=(ClipRef(Path(run).name, "model", 0, str(sha)),),
            answers={"usable": "keep" if keep == "k" else "reject"},
        ))  # fmt: skip


def people(tmp_path: Path, text: str, old: str = "k" * 9 + "r" * 3, new: str = "k" * 6 + "r" * 6) -> CheckResult:
    base, release = write(tmp_path / "old", prompts=12), write(tmp_path / "new", prompts=12, weights="b")
    for run, keeps in ((base, old), (release, new)):
        voted(run, list(keeps))
    (tmp_path / "gate.toml").write_text(f"rare_losses = 0\n{rule(text, 'human_usable')}")
    (check,) = decide(open_run(release), open_run(base), read_policy(tmp_path / "gate.toml")).checks
    return check


def test_what_people_keep_is_compared_prompt_by_prompt(tmp_path: Path) -> None:
    check = people(tmp_path, "rule = 'non-inferior'\nmargin = 0.1")
    seen = check.evidence
    assert seen.why_none is None
    figures = (seen.baseline, seen.candidate, seen.difference)
    assert figures == (pytest.approx(0.75), pytest.approx(0.5), pytest.approx(-0.25))
    assert (seen.prompts, seen.clips, seen.limit, seen.within) == (12, 24, pytest.approx(-0.1), None)
    assert seen.distance_to_limit == pytest.approx(-0.15)
    assert seen.low is not None
    assert seen.high is not None
    assert (seen.low + seen.high) / 2 == pytest.approx(-0.25)
    assert check.outcome == "undecided"


@pytest.mark.parametrize(
    ("word", "line", "new", "low", "high", "outcome"),
    [("min", 0.8, "k" * 12, 1.0, 1.0, "pass"), ("min", 0.2, "k" * 11 + "r", None, 1.0, "pass"),
     ("max", 0.5, "r" * 11 + "k", 0.0, None, "pass"), ("min", 0.9, "k" * 6 + "r" * 6, None, None, "fail")],
)  # fmt: skip
def test_what_people_keep_is_checked_against_a_line_within_0_and_1(
    tmp_path: Path, word: str, line: float, new: str, low: float | None, high: float | None, outcome: str
) -> None:
    check = people(tmp_path, f"rule = '{word}'\nvalue = {line}", "k" * 12, new)
    kept = np.array([each == "k" for each in new], float)
    half = T * kept.std(ddof=1) / 12**0.5
    assert check.evidence.candidate == pytest.approx(kept.mean())
    assert check.evidence.low == pytest.approx(kept.mean() - half if low is None else low)
    assert check.evidence.high == pytest.approx(kept.mean() + half if high is None else high)
    assert check.evidence.limit == line
    assert check.outcome == outcome


def test_votes_that_lack_say_how_to_get_them(tmp_path: Path) -> None:
    line = people(tmp_path, "rule = 'min'\nvalue = 0.5\nunmeasured = 'skip'", new="")
    assert line.outcome == "undecided"
    start = "the candidate has no valid votes. Collect votes with: vbench review "
    assert line.reason == f"{start}{tmp_path / 'new'}"
    pairs = people(tmp_path, "rule = 'non-inferior'\nmargin = 0.1\nunmeasured = 'skip'", new="")
    assert pairs.outcome == "pass" if pairs.evidence.why_none is None else pairs.outcome == "skipped"


@pytest.mark.parametrize("text", ["each = 'category'", "categories = ['toys']", "statistic = 'worst-decile'"])
def test_votes_are_checked_by_their_mean_alone(tmp_path: Path, text: str) -> None:
    rules = rule(f"rule = 'non-inferior'\nmargin = 0.1\n{text}\nunmeasured = 'skip'", "human_usable")
    found = gate(tmp_path, rules, base={"prompts": 12}, prompts=12).checks
    why = "people's votes are checked by their mean over all prompts only"
    assert {(check.outcome, check.reason) for check in found} == {("skipped", why)}
