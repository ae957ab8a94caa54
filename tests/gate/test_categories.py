"""Small categories borrow the scatter of the whole run; FVD borrows what both runs have in common."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.gate.releases import Scores, write
from vbench_lite.distances.paired import DistanceInfluence
from vbench_lite.distances.stored import SetFeatures, sha256
from vbench_lite.errors import BadFile, StoreError
from vbench_lite.gate import CheckResult, Verdict, choose_policy, decide
from vbench_lite.gate.evidence.categories import FEW, FULL, borrowed
from vbench_lite.gate.policy import read_policy
from vbench_lite.run.view import open_run

GROUPS = [name for name in "abcde" for _ in range(4)]


def check(verdict: Verdict, name: str) -> CheckResult:
    return next(each for each in verdict.checks if each.id == f"model/{name}")


def test_the_error_of_a_category_is_that_of_all_around_their_own_means() -> None:
    apart = np.repeat([0.0, 50.0, 0.0, -9.0, 3.0], 4)
    gains = np.tile([-1.0, 1.0], 10) + apart
    lent = borrowed(gains, GROUPS, "b")
    assert lent is not None
    assert lent.df == 15
    assert float(lent.error) == pytest.approx((20 / 15 / 4) ** 0.5)
    assert float(lent.test(np.asarray(50.0)).above) < 1e-9


def test_nothing_is_lent_to_a_large_category_or_by_a_small_run() -> None:
    assert borrowed(np.zeros(2 * FEW), ["a"] * FEW + ["b"] * FEW, "a") is None
    assert borrowed(np.zeros(6), list("aabbcc"), "a") is None
    assert borrowed(np.zeros(6), list("aaabbb"), "a") is None
    least, large = borrowed(np.zeros(7), list("aaabbbb"), "a"), borrowed(np.zeros(39), ["a"] * 19 + ["b"] * 20, "a")
    assert (least is not None and least.df, large is not None and large.df) == (5, 37)


def test_differences_that_are_all_alike_hold_no_chance() -> None:
    lent = borrowed(np.full(20, -1.0), GROUPS, "a")
    assert lent is not None
    assert lent.test(np.asarray(-1.0)) == (1.0, 0.0)
    assert lent.test(np.asarray(0.0)) == (1.0, 1.0)


def test_a_spoilt_category_of_four_prompts_is_stopped(tmp_path: Path) -> None:
    def spoil(scores: Scores, categories: np.ndarray) -> None:
        scores["clip_text"] += 0.04 * np.where(categories == "drinks", -2.5, 0.6)[:, None]

    old, new = write(tmp_path / "old", prompts=20), write(tmp_path / "new", prompts=20, weights="b", worsen=spoil)
    verdict = decide(open_run(new), open_run(old), choose_policy(None, None))
    assert [each.id for each in verdict.of("fail")] == ["model/clip_text/non-inferior/drinks"]
    # the interval that decided is the one shown
    assert check(verdict, "clip_text/non-inferior/drinks").evidence.high < -0.04


def test_a_small_category_gets_a_wider_margin(tmp_path: Path) -> None:
    old, new = write(tmp_path / "old", prompts=20), write(tmp_path / "new", prompts=20, weights="b")
    verdict = decide(open_run(new), open_run(old), choose_policy(None, None))
    small = check(verdict, "clip_text/non-inferior/drinks").evidence
    spread = float(np.nanstd(open_run(old).grids["model"].values("clip_text"), ddof=1))
    assert small.limit == pytest.approx(-spread * (FULL / 4) ** 0.5)
    large = write(tmp_path / "large", prompts=100), write(tmp_path / "larger", prompts=100, weights="b")
    verdict = decide(open_run(large[1]), open_run(large[0]), choose_policy(None, None))
    spread = float(np.nanstd(open_run(large[0]).grids["model"].values("clip_text"), ddof=1))
    assert check(verdict, "clip_text/non-inferior/drinks").evidence.limit == pytest.approx(-spread)


def test_a_category_that_the_suite_does_not_have_is_an_error_with_its_line(tmp_path: Path) -> None:
    run = open_run(write(tmp_path / "run"))
    path = tmp_path / "gate.toml"
    path.write_text("[[check]]\nrule = 'non-inferior'\nmetric = 'detail'\nmargin = 1\ncategories = ['drinsk']")
    with pytest.raises(BadFile, match=r'gate.toml:5: no category named "drinsk". Did you mean "drinks"'):
        decide(run, run, read_policy(path))


# -- FVD


def with_fvd(path: Path, value: float, seed: int, **how: Any) -> str:
    """A run whose corrected FVD is known within 3, most of it through prompts that every run has in common."""
    run = write(path, fvd=(value, value - 3, value + 3), **how)
    rng = np.random.default_rng(seed)
    prompts = tuple(f"p{n:03d}" for n in range(40))
    moved = 0.24 * (np.random.default_rng(9).normal(size=40) + 0.1 * rng.normal(size=40))
    parts = DistanceInfluence(value, prompts, moved, 0.0)
    content = SetFeatures(*rng.normal(size=(2, 40, 4)).astype("f4"), prompts, prompts, "net@1", parts).content()
    (path / "features").mkdir()
    (path / "features" / "model.npz").write_bytes(content)
    summary = (path / "summary.json").read_text().replace('"fvd"', '"fvd_corrected"')
    noted = json.loads(summary)
    noted["notes"]["features"] = {"model": sha256(content)}
    (path / "summary.json").write_text(json.dumps(noted))
    return run


FVD = "[[check]]\nmetric = 'fvd_corrected'\nrule = 'non-inferior'\nmargin = 25\nunit = 'percent'\nundecided = 'inside'"


def test_what_both_runs_share_is_no_doubt_about_their_fvd(tmp_path: Path) -> None:
    (tmp_path / "gate.toml").write_text(FVD)
    rules = read_policy(tmp_path / "gate.toml")
    old, new = with_fvd(tmp_path / "old", 4.0, 1), with_fvd(tmp_path / "new", 8.0, 2, weights="b")
    found = check(decide(open_run(new), open_run(old), rules), "fvd_corrected/non-inferior")
    assert found.outcome == "fail"
    assert "by the stored features, prompt by prompt" in found.reason
    for path in (tmp_path / "old", tmp_path / "new"):
        noted = json.loads((path / "summary.json").read_text())
        del noted["notes"]["features"]
        (path / "summary.json").write_text(json.dumps(noted))
    apart = check(decide(open_run(new), open_run(old), rules), "fvd_corrected/non-inferior")
    assert apart.outcome == "undecided"  # a loss beyond the margin is no pass, however wide its interval
    assert "outside the limit, not significant (Holm-adjusted p = " in apart.reason
    assert apart.evidence.high - apart.evidence.low > 2 * (found.evidence.high - found.evidence.low)


def test_a_set_metric_of_the_same_features_is_decided_however_few_clips_there_are(tmp_path: Path) -> None:
    (tmp_path / "gate.toml").write_text("[[check]]\nmetric = 'kvd'\nrule = 'non-inferior'\nmargin = 5\nunit = 'se'")
    rules, few = read_policy(tmp_path / "gate.toml"), {"prompts": 10, "clips": 1}
    runs = {name: with_fvd(tmp_path / name, 4.0, seed, **few) for name, seed in (("old", 1), ("same", 1))}
    runs["new"] = with_fvd(tmp_path / "new", 4.0, 2, weights="b", **few)
    for path in runs.values():
        summary = Path(path) / "summary.json"
        summary.write_text(summary.read_text().replace('"fvd_corrected"', '"kvd"'))
    outcomes = {
        name: check(decide(open_run(runs[name]), open_run(runs["old"]), rules), "kvd/non-inferior").outcome
        for name in ("same", "new")
    }
    assert outcomes == {"same": "pass", "new": "undecided"}  # 10 other clips can miss a rare loss


def test_features_that_were_tampered_with_are_refused(tmp_path: Path) -> None:
    old, new = with_fvd(tmp_path / "old", 4.0, 1), with_fvd(tmp_path / "new", 9.0, 2, weights="b")
    others = (tmp_path / "old" / "features" / "model.npz").read_bytes()
    (tmp_path / "new" / "features" / "model.npz").write_bytes(others)
    with pytest.raises(StoreError, match="its sha256 differs"):
        decide(open_run(new), open_run(old), choose_policy(None, None))
