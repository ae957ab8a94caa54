"""Known-bad candidates, drawn: each is stopped by the check that names its fault."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.gate.deciding import failed, gate, kinds
from tests.gate.releases import Scores
from vbench_lite.gate import Verdict


def test_frozen_frames_are_stopped_though_their_scores_are_the_best(tmp_path: Path) -> None:
    def freeze(scores: Scores, _: np.ndarray) -> None:
        for name, best in (("motion", 0), ("temporal_flickering", 1), ("clip_frames", 1), ("warp_error", 0)):
            scores[name][:] = best

    verdict = gate(tmp_path, weights="b", worsen=freeze)
    assert verdict.outcome == "fail"
    assert [(f.kind, f.generator) for f in verdict.findings] == [("frozen", "model")]


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
    assert "none of 80 clips was generated (out of memory)" in verdict.headline


def test_copies_of_one_clip_are_stopped(tmp_path: Path) -> None:
    verdict = gate(tmp_path, weights="b", sha256=lambda p, c: "one")
    assert "copies" in kinds(verdict)
    assert "80 of 80 clips are copies of one clip" in verdict.headline


def test_copies_that_were_encoded_anew_are_known_by_their_scores(tmp_path: Path) -> None:
    def repeat(scores: Scores, _: np.ndarray) -> None:
        for name in ("temporal_flickering", "warp_error", "motion", "detail"):
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


def test_collapsed_clips_are_stopped_though_the_mean_stays(tmp_path: Path) -> None:
    def drop(scores: Scores, _: np.ndarray) -> None:
        scores["clip_text"] += 0.04 * 0.8
        scores["clip_text"][::7] -= 0.04 * 5

    # a seventh of 150 prompts collapses, spread over no category in particular
    verdict = gate(tmp_path, base={"prompts": 150}, prompts=150, weights="b", worsen=drop)
    assert "clip_text/non-inferior/collapsed" in failed(verdict)
    whole = next(check for check in verdict.checks if check.id == "model/clip_text/non-inferior")
    assert whole.evidence.difference == pytest.approx(0, abs=0.01)


def test_four_collapsed_clips_that_could_be_chance_are_not_let_through(tmp_path: Path) -> None:
    def drop(scores: Scores, _: np.ndarray) -> None:
        scores["clip_text"] += 0.04 * 0.3
        scores["clip_text"][[3, 14, 25, 36], 0] -= 0.04 * 4

    verdict = gate(tmp_path, weights="b", worsen=drop)
    assert verdict.outcome == "undecided"
    assert [c.id for c in verdict.of("undecided")] == ["model/clip_text/non-inferior/collapsed"]


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

    assert found(hidden).evidence.difference < found(shown).evidence.difference
    assert found(hidden).evidence.filled[1] == 2 * len(bad)
    assert hidden.outcome != "pass"


def test_a_missing_clip_leaves_it_undecided_and_says_how_to_finish(tmp_path: Path) -> None:
    verdict = gate(tmp_path, weights="b", missing=lambda p, c: (p, c) == (3, 1))
    assert (verdict.outcome, verdict.exit_code) == ("undecided", 4)
    assert "1 of 80 clips were never generated. Finish it with: vbench run --suite ads -g model" in verdict.headline


def test_a_baseline_with_gaps_lends_no_advantage(tmp_path: Path) -> None:
    verdict = gate(tmp_path, base={"missing": lambda p, c: p < 20}, weights="b")
    assert verdict.outcome == "undecided"


def test_equal_failures_on_both_sides_do_not_stop_a_candidate(tmp_path: Path) -> None:
    verdict = gate(tmp_path, base={"failed": lambda p, c: (p, c) in {(1, 0), (8, 1)}}, weights="b",
                   failed=lambda p, c: (p, c) in {(5, 1), (30, 0)})  # fmt: skip
    assert verdict.outcome != "fail"
