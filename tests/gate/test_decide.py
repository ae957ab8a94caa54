"""What decides: the statistics, the policy's rules, and what is undecided."""

from pathlib import Path
from typing import Any

import pytest

from tests.gate.deciding import failed, gate, loses
from vbench_lite.errors import BadFile

# -- statistics: worse scores


@pytest.mark.parametrize("metric", ["temporal_flickering", "clip_frames", "warp_error", "detail", "clip_text"])
def test_a_worse_score_is_stopped_by_that_score(tmp_path: Path, metric: str) -> None:
    verdict = gate(tmp_path, weights="b", worsen=loses(metric, 1.5))
    assert verdict.exit_code == 3
    assert f"{metric}/non-inferior" in failed(verdict)
    assert {check.metric for check in verdict.of("fail")} == {metric}


# -- undecided


def test_few_prompts_are_undecided_and_say_what_would_decide_at_what_cost(tmp_path: Path) -> None:
    verdict = gate(tmp_path, base={"prompts": 12}, prompts=12, seed=1, worsen=loses("detail", 0.3))
    assert (verdict.outcome, verdict.exit_code) == ("undecided", 4)
    remedy = verdict.remedies[-1]
    assert "prompts (now 12; the suite" in remedy.sentence
    assert remedy.clips > 0
    assert remedy.usd == pytest.approx(remedy.clips * 0.5 * 0.1 / 3600, rel=0.05)
    assert remedy.device_s == pytest.approx(remedy.clips * 0.5, rel=0.05)
    assert remedy.command.startswith("vbench run --suite ads -g model")


@pytest.mark.parametrize("prompts", [1, 2, 5])
def test_fewer_than_six_prompts_never_pass_and_never_fail_by_chance(tmp_path: Path, prompts: int) -> None:
    verdict = gate(tmp_path, base={"prompts": prompts}, prompts=prompts, weights="b", worsen=loses("detail", 9))
    assert verdict.outcome == "undecided"
    assert any("too few for a test" in check.reason for check in verdict.checks)


def test_a_rare_loss_that_could_not_have_been_met_is_not_ruled_out(tmp_path: Path) -> None:
    verdict = gate(tmp_path, base={"prompts": 14}, prompts=14, weights="b")
    assert verdict.outcome == "undecided"
    reasons = [check.reason for check in verdict.checks]
    assert any("28 clips can miss a loss in 10% of the clips: 29 are needed" in reason for reason in reasons)


def test_the_prompts_that_it_asks_for_do_decide(tmp_path: Path) -> None:
    small = {"prompts": 12, "seed": 1, "worsen": loses("detail", 0.2)}
    verdict = gate(tmp_path, base={"prompts": 12}, **small)
    asked = max(c.needed.prompts or 0 for c in verdict.checks if c.needed)
    assert 12 < asked < 400
    assert gate(tmp_path, base={"prompts": asked}, **small | {"prompts": asked}).outcome == "pass"


# -- rules


RULES = [
    # the rule, what the candidate loses in spreads, the outcome
    ("rule = 'non-inferior'\nmargin = 0.04", 0.0, "pass"),
    ("rule = 'non-inferior'\nmargin = 0.04", 3.0, "fail"),
    ("rule = 'non-inferior'\nmargin = 0.04", 1.0, "undecided"),  # just on the margin
    ("rule = 'non-inferior'\nmargin = 10\nunit = 'percent'", 0.0, "pass"),
    ("rule = 'non-inferior'\nmargin = 10\nunit = 'percent'", 3.0, "fail"),
    ("rule = 'superior'", -1.0, "pass"),
    ("rule = 'superior'", 1.0, "fail"),
    ("rule = 'superior'\nmargin = 0.04", -1.0, "undecided"),
    ("rule = 'min'\nvalue = 0.25", 0.0, "pass"),
    ("rule = 'min'\nvalue = 0.35", 0.0, "fail"),
    ("rule = 'max'\nvalue = 0.35", 0.0, "pass"),
    ("rule = 'max'\nvalue = 0.25", 0.0, "fail"),
    ("rule = 'min'\nvalue = 0.3", 0.0, "undecided"),
    ("rule = 'min'\nvalue = 0.29\nevidence = 'point'", 0.0, "pass"),
    ("rule = 'non-inferior'\nmargin = 1\nunit = 'percent'\nevidence = 'point'", 0.0, "pass"),
    ("rule = 'non-inferior'\nmargin = 1\nunit = 'percent'\nevidence = 'point'", 0.2, "fail"),
    ("rule = 'non-inferior'\nmargin = 0.01\nstatistic = 'median'\nevidence = 'point'", 0.0, "pass"),
    ("rule = 'non-inferior'\nmargin = 0.01\nstatistic = 'median'\nevidence = 'point'", 1.0, "fail"),
]


@pytest.mark.parametrize(("rule", "loss", "outcome"), RULES)
def test_every_rule_has_its_outcomes(tmp_path: Path, rule: str, loss: float, outcome: str) -> None:
    verdict = gate(tmp_path, f"[[check]]\nmetric = 'clip_text'\n{rule}", weights="b", worsen=loses("clip_text", loss))
    assert verdict.outcome == outcome


@pytest.mark.parametrize(("word", "code"), [("block", 4), ("fail", 3), ("pass", 0)])
def test_the_policy_says_what_undecided_means(tmp_path: Path, word: str, code: int) -> None:
    rules = f"undecided = '{word}'\n[[check]]\nmetric = 'clip_text'\nrule = 'superior'"
    verdict = gate(tmp_path, rules)
    assert (verdict.outcome, verdict.exit_code) == ("undecided", code)


def test_a_share_of_failures_can_be_tolerated(tmp_path: Path) -> None:
    rules = "[[check]]\nrule = 'no-new-failures'\nmargin = {}"
    lost = {"weights": "b", "failed": lambda p, c: p in (2, 5) and c == 0}
    assert gate(tmp_path, rules.format(0.03), **lost).outcome == "pass"
    assert gate(tmp_path, rules.format(0.0), **lost).outcome == "undecided"


def test_an_unknown_metric_is_an_error_of_the_policy_with_its_line(tmp_path: Path) -> None:
    says = r'gate.toml:2: no metric or cost named "clip_txt". Did you mean "clip_text"'
    with pytest.raises(BadFile, match=says) as e:
        gate(tmp_path, "[[check]]\nmetric = 'clip_txt'\nrule = 'min'\nvalue = 0.1")
    assert e.value.exit_code == 2


# -- set metrics and costs


@pytest.mark.parametrize(
    ("fvd", "outcome"),
    [((9.0, 8.0, 10.0), "pass"), ((30.0, 28.0, 32.0), "fail"), ((11.0, 9.0, 13.0), "undecided"), (None, "undecided")],
)
def test_fvd_is_judged_by_its_own_interval(tmp_path: Path, fvd: Any, outcome: str) -> None:
    rules = "[[check]]\nmetric = 'fvd'\nrule = 'non-inferior'\nmargin = 25\nunit = 'percent'"
    assert gate(tmp_path, rules, weights="b", fvd=fvd).outcome == outcome


@pytest.mark.parametrize(("fvd", "outcome"), [((-0.1, -1.6, 1.4), "pass"), ((30.0, 28.0, 32.0), "fail")])
def test_percent_of_an_fvd_below_zero_are_of_what_it_may_be(tmp_path: Path, fvd: Any, outcome: str) -> None:
    rules = "[[check]]\nmetric = 'fvd'\nrule = 'non-inferior'\nmargin = 25\nunit = 'percent'\nundecided = 'inside'"
    verdict = gate(tmp_path, rules, base={"fvd": (-0.2, -1.8, 1.4)}, weights="b", fvd=fvd)
    assert verdict.outcome == outcome
    assert verdict.checks[0].evidence.limit == pytest.approx(0.35)


def test_a_slower_candidate_is_stopped_by_its_time_and_a_dearer_usable_clip_by_its_price(tmp_path: Path) -> None:
    rules = "".join(
        f"[[check]]\nmetric = '{m}'\nrule = 'non-inferior'\nmargin = 25\nunit = 'percent'\n"
        for m in ("device_s_per_clip", "usd_per_usable_clip")
    )
    assert gate(tmp_path, rules, weights="b", device_s=0.55).outcome == "pass"
    assert {c.metric for c in gate(tmp_path, rules, weights="b", device_s=0.8).of("fail")} == {
        "device_s_per_clip", "usd_per_usable_clip",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("batch", "device_s", "outcome"),
    [(5, 0.55, "pass"), (5, 0.8, "fail"), (20, 0.8, "undecided"), (40, 0.55, "undecided")],
)
def test_time_is_counted_by_measured_batch(tmp_path: Path, batch: int, device_s: float, outcome: str) -> None:
    """40 prompts in 2 batches are two measurements, however many clips share them."""
    rules = "[[check]]\nmetric = 'device_s_per_clip'\nrule = 'non-inferior'\nmargin = 25\nunit = 'percent'"
    verdict = gate(tmp_path, rules, base={"batch": batch}, weights="b", seed=1, batch=batch, device_s=device_s)
    assert verdict.outcome == outcome
    assert ("measured batch" in verdict.checks[0].reason) == (batch > 10)
