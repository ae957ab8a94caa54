"""The gate's truth table: known good, known bad and unknowable candidates, each with the check that decides it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.gate.releases import Scores, write
from vbench_lite.analysis.comparable import open_run
from vbench_lite.errors import BadFile, NotComparable
from vbench_lite.gate import Verdict, choose_policy, decide
from vbench_lite.gate.policy import read_policy


def gate(tmp_path: Path, policy: str | None = None, base: dict[str, Any] | None = None, **candidate: Any) -> Verdict:
    old, new = write(tmp_path / "base", **(base or {})), write(tmp_path / "new", **candidate)
    if policy is not None:
        (tmp_path / "gate.toml").write_text(policy)
        rules = read_policy(tmp_path / "gate.toml")
    else:
        rules = choose_policy(None, None)
    return decide(open_run(new), open_run(old), rules)


def failed(verdict: Verdict) -> set[str]:
    return {check.id.removeprefix("model/") for check in verdict.of("fail")}


def kinds(verdict: Verdict) -> set[str]:
    return {finding.kind for finding in verdict.findings}


def loses(metric: str, spreads: float, category: str | None = None) -> Any:
    sizes = {"flicker": 0.01, "clip_frames": 0.015, "warp_error": -0.0008, "detail": 0.08, "clip_text": 0.04}

    def worsen(scores: Scores, categories: np.ndarray) -> None:
        scores[metric][np.full(len(categories), True) if category is None else categories == category] -= (
            spreads * sizes[metric]
        )

    return worsen


def test_the_same_run_passes_and_is_called_identical(tmp_path: Path) -> None:
    verdict = gate(tmp_path)
    assert (verdict.outcome, verdict.exit_code) == ("pass", 0)
    assert kinds(verdict) == {"identical"}
    assert "identical" in verdict.headline


def test_identical_runs_pass_however_few_prompts_there_are_to_show_it(tmp_path: Path) -> None:
    assert gate(tmp_path, base={"prompts": 12}, prompts=12).outcome == "pass"


def test_the_same_generator_with_new_seeds_passes(tmp_path: Path) -> None:
    verdict = gate(tmp_path, seed=1)
    assert verdict.outcome == "pass"
    assert kinds(verdict) == {"seeds"}


def test_equal_weights_that_differ_pass(tmp_path: Path) -> None:
    assert gate(tmp_path, weights="b").outcome == "pass"


# -- known bad, each stopped by the check that names its fault


@pytest.mark.parametrize("metric", ["flicker", "clip_frames", "warp_error", "detail", "clip_text"])
def test_a_worse_score_is_stopped_by_that_score(tmp_path: Path, metric: str) -> None:
    verdict = gate(tmp_path, weights="b", worsen=loses(metric, 1.5))
    assert verdict.exit_code == 3
    assert f"{metric}/non-inferior" in failed(verdict)
    assert {check.metric for check in verdict.of("fail")} == {metric}


def test_frozen_frames_are_stopped_though_their_scores_are_the_best(tmp_path: Path) -> None:
    def freeze(scores: Scores, _: np.ndarray) -> None:
        scores["motion"][:], scores["flicker"][:], scores["clip_frames"][:], scores["warp_error"][:] = 0, 1, 1, 0

    verdict = gate(tmp_path, weights="b", worsen=freeze)
    assert verdict.outcome == "fail"
    assert kinds(verdict) == {"frozen"}


def test_black_clips_are_stopped_as_black_and_as_not_conforming(tmp_path: Path) -> None:
    def blacken(scores: Scores, _: np.ndarray) -> None:
        scores["conformance"][:] = 0

    verdict = gate(tmp_path, weights="b", worsen=blacken)
    assert "black" in kinds(verdict)
    assert "no-new-failures" in failed(verdict)


def test_half_the_clips_failed_is_stopped_by_the_failures_and_names_their_reason(tmp_path: Path) -> None:
    verdict = gate(tmp_path, weights="b", failed=lambda p, c: c == 0)
    assert "no-new-failures" in failed(verdict)
    check = next(check for check in verdict.checks if check.rule == "no-new-failures")
    assert "40 of 80 clips fail, 0 in the baseline" in check.reason
    assert "out of memory" in check.reason


def test_clips_of_the_wrong_prompt_are_stopped_by_text_alone(tmp_path: Path) -> None:
    def shuffle(scores: Scores, _: np.ndarray) -> None:
        scores["clip_text"] -= 0.04 * 1.8  # as sharp and steady as ever, of something else

    verdict = gate(tmp_path, weights="b", worsen=shuffle)
    assert "clip_text/non-inferior" in failed(verdict)
    assert {check.metric for check in verdict.of("fail")} == {"clip_text"}


def test_fewer_steps_are_stopped_by_what_they_spoil_though_they_are_quicker(tmp_path: Path) -> None:
    def hasten(scores: Scores, _: np.ndarray) -> None:
        scores["detail"] -= 0.08 * 1.2
        scores["clip_frames"] -= 0.015

    verdict = gate(tmp_path, weights="b", device_s=0.1, worsen=hasten)
    assert verdict.outcome == "fail"
    assert {"detail/non-inferior", "clip_frames/non-inferior"} <= failed(verdict)


def test_no_clip_at_all_is_stopped(tmp_path: Path) -> None:
    verdict = gate(tmp_path, failed=lambda p, c: True)
    assert verdict.exit_code == 3
    assert "no-clips" in kinds(verdict)
    assert "not one of 80 clips was made (out of memory)" in verdict.headline


def test_copies_of_one_clip_are_stopped(tmp_path: Path) -> None:
    verdict = gate(tmp_path, weights="b", sha256=lambda p, c: "one")
    assert "copies" in kinds(verdict)
    assert "80 of 80 clips are copies of one clip" in verdict.headline


def test_copies_that_were_encoded_anew_are_known_by_their_scores(tmp_path: Path) -> None:
    def repeat(scores: Scores, _: np.ndarray) -> None:
        for name in ("flicker", "warp_error", "motion", "detail"):
            scores[name][:] = scores[name][0, 0]

    assert "copies" in kinds(gate(tmp_path, weights="b", worsen=repeat))


def test_the_baselines_own_clips_under_another_name_are_stopped(tmp_path: Path) -> None:
    own = {"sha256": lambda p, c: f"{p}-{c}"}
    verdict = gate(tmp_path, base=own, weights="b", **own)
    assert kinds(verdict) == {"own-clips"}
    assert verdict.exit_code == 3


def test_one_spoilt_category_is_stopped_though_the_mean_rose(tmp_path: Path) -> None:
    def spoil(scores: Scores, categories: np.ndarray) -> None:
        scores["clip_text"][categories == "drinks"] -= 0.04 * 2
        scores["clip_text"][categories != "drinks"] += 0.04 * 0.6

    verdict = gate(tmp_path, weights="b", worsen=spoil)
    assert failed(verdict) >= {"clip_text/non-inferior/drinks"}
    assert "clip_text/non-inferior" not in failed(verdict)


def test_a_collapsed_worst_tenth_is_stopped_though_the_mean_rose(tmp_path: Path) -> None:
    def drop(scores: Scores, _: np.ndarray) -> None:
        scores["clip_text"] += 0.04 * 0.8
        scores["clip_text"][::7] -= 0.04 * 5

    # a seventh of 150 prompts collapses, spread over no category in particular
    verdict = gate(tmp_path, base={"prompts": 150}, prompts=150, weights="b", worsen=drop)
    assert "clip_text/non-inferior/worst-decile" in failed(verdict)
    whole = next(check for check in verdict.checks if check.id == "model/clip_text/non-inferior")
    assert whole.difference == pytest.approx(0, abs=0.01)


def test_a_tail_that_looks_collapsed_but_could_be_chance_is_not_let_through(tmp_path: Path) -> None:
    def drop(scores: Scores, _: np.ndarray) -> None:
        scores["clip_text"] += 0.04 * 0.3
        scores["clip_text"][[3, 14, 25, 36], 0] -= 0.04 * 4

    verdict = gate(tmp_path, weights="b", worsen=drop)
    assert verdict.outcome == "undecided"
    assert [c.id for c in verdict.of("undecided")] == ["model/clip_text/non-inferior/worst-decile"]


# -- failed, missing and unscored clips never help


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_failing_on_its_worst_clips_never_helps_a_candidate(tmp_path: Path, share: float) -> None:
    """A candidate that is worse on some prompts and refuses just those fares worse than one that shows them."""
    bad = {p for p in range(40) if p % round(1 / share) == 0}

    def drop(scores: Scores, _: np.ndarray) -> None:
        scores["clip_text"][sorted(bad)] -= 0.04

    shown = gate(tmp_path, weights="b", worsen=drop)
    hidden = gate(tmp_path, weights="b", worsen=drop, failed=lambda p, c: p in bad)

    def found(v: Verdict) -> Any:
        return next(check for check in v.checks if check.id == "model/clip_text/non-inferior")

    assert found(hidden).difference < found(shown).difference
    assert found(hidden).filled_candidate == 2 * len(bad)
    assert hidden.outcome != "pass"


def test_a_missing_clip_leaves_it_undecided_and_says_how_to_finish(tmp_path: Path) -> None:
    verdict = gate(tmp_path, weights="b", missing=lambda p, c: (p, c) == (3, 1))
    assert (verdict.outcome, verdict.exit_code) == ("undecided", 4)
    assert "1 of 80 clips were never made. Finish it with: vbench run --suite ads -g model" in verdict.headline


def test_a_baseline_with_gaps_lends_no_advantage(tmp_path: Path) -> None:
    verdict = gate(tmp_path, base={"missing": lambda p, c: p < 20}, weights="b")
    assert verdict.outcome == "undecided"


def test_equal_failures_on_both_sides_do_not_stop_a_candidate(tmp_path: Path) -> None:
    verdict = gate(tmp_path, base={"failed": lambda p, c: (p, c) in {(1, 0), (8, 1)}}, weights="b",
                   failed=lambda p, c: (p, c) in {(5, 1), (30, 0)})  # fmt: skip
    assert verdict.outcome != "fail"


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
    assert any("too few to tell" in check.reason for check in verdict.checks)


def test_a_rare_loss_that_could_not_have_been_met_is_not_ruled_out(tmp_path: Path) -> None:
    verdict = gate(tmp_path, base={"prompts": 11, "clips": 4}, prompts=11, clips=4, weights="b")
    assert verdict.outcome == "undecided"
    assert any("a rare loss that costs the margin shows in" in check.reason for check in verdict.checks)


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
    assert gate(tmp_path, rules.format(0.02), **lost).outcome == "undecided"


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
    rules = "[[check]]\nmetric = 'fvd'\nrule = 'non-inferior'\nmargin = 25\nunit = 'percent'\nundecided = 'pass'"
    verdict = gate(tmp_path, rules, base={"fvd": (-0.2, -1.8, 1.4)}, weights="b", fvd=fvd)
    assert verdict.outcome == outcome
    assert verdict.checks[0].limit == pytest.approx(0.35)


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


OTHER = {"device": {"kind": "cuda", "name": "H200", "count": 1}}
PRICES = {"prices": {"model": {"usd_per_device_hour": 0.5}}}


def test_quality_goes_on_across_devices_and_cost_does_not(tmp_path: Path) -> None:
    rules = "[[check]]\nrule = 'no-new-failures'\n[[check]]\nmetric = 'device_s_per_clip'\nrule = 'non-inferior'\n"
    rules += "margin = 25\nunit = 'percent'\nunmeasured = 'skip'"
    verdict = gate(tmp_path, rules, weights="b", device_s=0.01, manifest=OTHER)
    assert verdict.outcome == "pass"
    skipped = {check.metric: check.reason for check in verdict.of("skipped")}
    assert "1 x Test CPU in the baseline, 1 x H200 in the candidate" in skipped["device_s_per_clip"]
    assert "vbench run" in skipped["device_s_per_clip"]


@pytest.mark.parametrize("manifest", [OTHER, PRICES])
def test_a_demand_on_money_is_undecided_across_devices_and_prices(tmp_path: Path, manifest: dict[str, Any]) -> None:
    rules = "[[check]]\nmetric = 'usd_per_clip'\nrule = 'non-inferior'\nmargin = 5\nunit = 'percent'"
    verdict = gate(tmp_path, rules, weights="b", manifest=manifest)
    assert verdict.outcome == "undecided"
    assert "differs" in verdict.checks[0].reason


# -- unlike runs


def clip(**how: Any) -> dict[str, Any]:
    form = {"frames": 9, "fps": 8.0, "height": 64, "width": 64} | how
    return {"generators": {"model": {"route": "diffusion", "clip": form, "weights_digest": "a", "settings": {}}}}


@pytest.mark.parametrize(
    ("how", "names"),
    [
        ({"prompts": 20}, "the suite differs"),
        ({"clips": 3}, "the number of clips differs: 2 a prompt in the baseline, 3 a prompt"),
        ({"metric": {"version": "2"}}, 'the version of the metric "flicker" differs: 1 in the baseline, 2'),
        ({"metric": {"backbone": "other@9"}}, "the backbone of the metric"),
        ({"notes": {"protocol": {"fvd_frames": 8}}}, "the scoring protocol differs"),
        ({"manifest": clip(frames=17)}, "the form of clip differs: 9 frames of 64x64 at 8.0 a second"),
    ],
)
def test_unlike_runs_are_refused_by_name_and_with_a_command(tmp_path: Path, how: dict[str, Any], names: str) -> None:
    same = {"notes": {"protocol": {"fvd_frames": 9}}}
    with pytest.raises(NotComparable, match=names) as caught:
        gate(tmp_path, base=same, **same | how)
    assert "vbench" in str(caught.value) or "[clip]" in str(caught.value)


def test_anchor_clips_that_score_differently_block(tmp_path: Path) -> None:
    verdict = gate(tmp_path, drift=0.01)
    assert verdict.outcome == "undecided"
    assert kinds(verdict) == {"anchor-drift", "identical"}
    assert gate(tmp_path, drift=0.001).outcome == "pass"


def test_the_same_seeds_on_the_same_device_that_drift_are_said_to(tmp_path: Path) -> None:
    verdict = gate(tmp_path, sha256=lambda p, c: f"again-{p}-{c}", worsen=loses("clip_text", 0.01))
    message = next(finding.message for finding in verdict.findings if finding.kind == "drift")
    assert "80 of 80 clips differ; clip_text by up to 0.0004" in message
