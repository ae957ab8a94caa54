"""The figures of checks on medians, histories, lines and categories, worked out again by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

from tests.gate.deciding import gate
from tests.gate.releases import Scores, write
from tests.gate.test_figures import HARD, LEVEL, judged, rule, sets
from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.promotions import HistoryEntry, SuiteName
from vbench_lite.gate import decide
from vbench_lite.gate.decide import Reference
from vbench_lite.gate.evidence.point_rules import figure
from vbench_lite.gate.evidence.scores import at_least
from vbench_lite.gate.policy import Check, read_policy
from vbench_lite.gate.verdict import CheckResult
from vbench_lite.run.view import Side, open_run

T = float(special.stdtrit(11, 1 - LEVEL))
Z = float(special.stdtrit(10_000, 1 - LEVEL))


def one(tmp_path: Path, rules: str, **how: Any) -> CheckResult:
    (check,) = gate(tmp_path, f"rare_losses = 0\n{rules}", weights="b", **how).checks
    return check


# -- plain figures


def history(*medians: float | None) -> list[HistoryEntry]:
    return [
        HistoryEntry(
            date="", by="", reason="", run="", suite=SuiteName(name="ads"),
            medians={"model": {"clip_text": each}} if each is not None else {"other": {"clip_text": 9.0}},
            means={"model": {"clip_text": 5.0}},
        )
        for each in medians
    ]  # fmt: skip


def of_history(tmp_path: Path, text: str, *medians: float | None, **how: Any) -> CheckResult:
    same = {"prompts": 12}
    old = write(tmp_path / "base", **same, worsen=sets(clip_text=HARD))
    new = write(tmp_path / "new", **same, weights="b", worsen=sets(clip_text=HARD), **how)
    (tmp_path / "gate.toml").write_text(rule(f"evidence = 'point'\nagainst = 'history'\n{text}"))
    policy = read_policy(tmp_path / "gate.toml")
    (check,) = decide(open_run(new), open_run(old), policy, Reference(history=history(*medians))).checks
    return check


MEDIAN = float(np.median(HARD))


@pytest.mark.parametrize(
    ("medians", "last", "baseline"),
    [((0.1, 0.2, 0.3), 5, 0.2), ((0.9, 0.1, 0.2, 0.3), 3, 0.2), ((0.1, 0.2, 0.4, 0.5, 0.3, 0.9), 5, 0.4),
     ((0.5, None, 0.7), 1, 0.7), ((0.5, 0.6, None, 0.7), 2, 0.65)],
)  # fmt: skip
def test_a_history_is_the_median_of_its_last_figures(
    tmp_path: Path, medians: tuple[float | None, ...], last: int, baseline: float
) -> None:
    text = f"rule = 'non-inferior'\nmargin = 0.01\nstatistic = 'median'\nlast = {last}"
    check = of_history(tmp_path, text, *medians)
    seen = check.evidence
    assert (seen.baseline, seen.candidate) == (pytest.approx(baseline), pytest.approx(MEDIAN))
    assert (seen.difference, seen.limit) == (pytest.approx(MEDIAN - baseline), pytest.approx(-0.01))
    assert seen.distance_to_limit == pytest.approx(MEDIAN - baseline + 0.01)
    assert (seen.prompts, seen.clips, check.against) == (12, 24, "history")
    assert check.outcome == ("pass" if MEDIAN - baseline + 0.01 > 0 else "fail")


def test_a_history_of_means_takes_the_means(tmp_path: Path) -> None:
    seen = of_history(tmp_path, "rule = 'non-inferior'\nmargin = 90\nunit = 'percent'", 1.0, 2.0, 3.0).evidence
    assert (seen.baseline, seen.candidate, seen.limit) == (5.0, pytest.approx(0.31), pytest.approx(-4.5))


@pytest.mark.parametrize(("medians", "last", "least"), [((0.1, 0.2), 5, 3), ((0.1, None), 2, 2), ((), 1, 1)])
def test_too_short_a_history_is_unmeasured(
    tmp_path: Path, medians: tuple[float | None, ...], last: int, least: int
) -> None:
    text = f"rule = 'non-inferior'\nmargin = 0.01\nstatistic = 'median'\nlast = {last}\nunmeasured = 'skip'"
    check = of_history(tmp_path, text, *medians)
    count = len([each for each in medians if each is not None])
    assert check.outcome == "skipped"
    assert check.reason == f'only {count} promoted baselines have a median of "clip_text": {least} are needed'


@pytest.mark.parametrize(
    ("metric", "word", "margin", "limit", "distance"),
    [
        ("clip_text", "non-inferior", "margin = 0.01", -0.01, 0.03),
        ("clip_text", "superior", "margin = 0.01", 0.01, 0.01),
        ("warp_error", "non-inferior", "margin = 0.01", 0.01, -0.01),
        ("warp_error", "superior", "margin = 0", 0.0, -0.02),
        ("clip_text", "non-inferior", "margin = 10\nunit = 'percent'", -MEDIAN / 10, 0.02 + MEDIAN / 10),
        ("warp_error", "non-inferior", "margin = 0.001\nfloor = 0.05", 0.05, 0.03),
    ],
)  # fmt: skip
def test_the_figures_of_two_medians(
    tmp_path: Path, metric: str, word: str, margin: str, limit: float, distance: float
) -> None:
    text = rule(f"rule = '{word}'\nevidence = 'point'\nstatistic = 'median'\n{margin}", metric)
    (check,) = judged(tmp_path, text, np.full(12, 0.02), metric).checks
    seen, median = check.evidence, float(np.median(HARD + 0.02 + np.array([0.004, -0.004])))
    assert (seen.baseline, seen.candidate) == (pytest.approx(MEDIAN), pytest.approx(median))
    moved = median - MEDIAN - 0.02
    sign = 1 if metric == "clip_text" else -1
    assert (seen.difference, seen.limit) == (pytest.approx(median - MEDIAN), pytest.approx(limit))
    assert seen.distance_to_limit == pytest.approx(distance + sign * moved)
    assert (seen.prompts, seen.clips) == (12, 24)
    assert check.outcome == ("pass" if seen.distance_to_limit >= 0 else "fail")


@pytest.mark.parametrize(("metric", "worst"), [("clip_text", 0), ("warp_error", -1)])
@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_a_tried_clip_without_a_value_has_the_worst_of_its_run(
    tmp_path: Path, metric: str, worst: int, statistic: str
) -> None:
    run = open_run(write(
        tmp_path / "run", prompts=12, worsen=sets(**{metric: HARD}), failed=lambda p, c: p == 4 or (p, c) == (7, 1),
        missing=lambda p, c: p > 9,
    ))  # fmt: skip
    sides = GeneratorPair(Side(run, "model"), Side(run, "model"))
    (quantity,) = [each for each in _quantities(run) if each.name == metric]
    known = np.delete(HARD[:10].ravel(), [8, 9, 15])
    values = [*known, *[np.sort(known)[worst]] * 3]
    check = Check("non-inferior", metric, statistic=statistic)
    assert figure(check, quantity, sides.old) == pytest.approx(getattr(np, statistic)(values))
    empty = open_run(write(tmp_path / "empty", prompts=3, failed=lambda p, c: True)).grids["model"]
    assert figure(check, quantity, empty) is None


def _quantities(run: Any) -> Any:
    from vbench_lite.analysis.quantities import quantities

    return quantities(run.metrics).values()


def test_a_median_that_one_of_the_runs_lacks_says_whose(tmp_path: Path) -> None:
    text = rule("rule = 'non-inferior'\nevidence = 'point'\nstatistic = 'median'\nmargin = 1\nunmeasured = 'skip'")
    nothing = {"failed": lambda p, c: True}
    check = one(tmp_path / "a", text, base=nothing)
    assert (check.outcome, check.reason) == ("skipped", 'the baseline has no "clip_text"')
    check = one(tmp_path / "b", text, **nothing)
    assert (check.outcome, check.reason) == ("undecided", 'the candidate has no "clip_text"')


def test_a_median_of_some_categories_takes_their_prompts_alone(tmp_path: Path) -> None:
    shape = "rule = 'non-inferior'\nevidence = 'point'\nstatistic = 'median'\nmargin = 1"
    values = np.arange(12.0)[:, None] * [1, 1]
    text = rule(f"{shape}\neach = 'category'") + rule(f"{shape}\ncategories = ['toys', 'home']")
    base = {"prompts": 12, "worsen": sets(clip_text=values)}
    found = gate(tmp_path, text, base=base, weights="b", prompts=12, worsen=sets(clip_text=values)).checks
    assert [check.evidence.baseline for check in found] == [6.0, 5.0, 4.5, 5.5, 6.5, 5.0]


# -- a line


def lines(word: str, up: int) -> np.ndarray:
    values = np.where(np.arange(12)[:, None] == 4, np.nan, HARD)
    worst = HARD.min() if up > 0 else HARD.max()
    return np.where(np.isnan(values), worst, values)


@pytest.mark.parametrize(("word", "up"), [("min", 1), ("max", -1)])
@pytest.mark.parametrize("statistic", ["mean", "median", "worst-decile"])
def test_a_line_counts_a_failed_clip_as_the_worst_of_its_run(
    tmp_path: Path, word: str, up: int, statistic: str
) -> None:
    text = rule(f"rule = '{word}'\nvalue = 0.3\nstatistic = '{statistic}'\nevidence = 'point'" if statistic == "median"
                else f"rule = '{word}'\nvalue = 0.3\nstatistic = '{statistic}'")  # fmt: skip
    worsen = {"prompts": 13, "worsen": lambda scores, _: scores.update(clip_text=np.vstack([HARD, HARD[:1]]))}
    check = one(tmp_path, text, base=worsen, **worsen, failed=lambda p, c: p == 4, missing=lambda p, c: p == 12)
    values, seen = lines(word, up), check.evidence
    if statistic == "median":
        values = np.full((12, 2), np.median(values))
    elif statistic == "worst-decile":
        edge = np.quantile(up * values, 0.1)
        values = up * (edge - np.maximum(edge - up * values, 0) / 0.1)
    means = values.mean(1)
    half = T * means.std(ddof=1) / 12**0.5
    assert (seen.candidate, seen.limit) == (pytest.approx(means.mean()), 0.3)
    assert (seen.low, seen.high) == (pytest.approx(means.mean() - half), pytest.approx(means.mean() + half))
    assert seen.distance_to_limit == pytest.approx(up * (means.mean() - 0.3))
    assert (seen.prompts, seen.clips, seen.filled) == (12, 24, (0, 2))
    assert seen.within == pytest.approx(values.var(1, ddof=1).mean())
    assert seen.deviation == pytest.approx(means.std(ddof=1))


def test_a_run_without_the_figure_of_a_line_is_undecided(tmp_path: Path) -> None:
    check = one(tmp_path, rule("rule = 'min'\nvalue = 0.3"), failed=lambda p, c: True)
    assert (check.outcome, check.reason) == ("undecided", 'the candidate has no "clip_text"')
    one_clip = one(tmp_path / "b", rule("rule = 'min'\nvalue = 0.3"), base={"clips": 1}, clips=1)
    assert one_clip.evidence.within is None


@pytest.mark.parametrize(("distance", "scale", "inside"), [
    (0.0, 1.0, True), (-1e-12, 1.0, True), (-1.1e-12, 1.0, False), (-1e-12, 1e-9, True), (-1.1e-12, 1e-9, False),
    (-1e-9, 1000.0, True), (-1e-9, -1000.0, True), (-1.1e-9, 1000.0, False), (0.1, 1.0, True),
])  # fmt: skip
def test_rounding_is_not_beyond_a_limit(distance: float, scale: float, inside: bool) -> None:
    assert at_least(distance, scale) is inside


def test_a_ratio_against_a_line_needs_a_line_above_0(tmp_path: Path) -> None:
    check = one(tmp_path, rule("rule = 'max'\nvalue = 0", "usd_per_usable_clip"))
    assert check.reason == "a ratio is above 0, so a limit of 0 is not possible"


def black(count: int) -> Any:
    def worsen(scores: Scores, _: np.ndarray) -> None:
        scores["conformance"][:] = 1.0
        scores["conformance"].ravel()[:count] = 0.0

    return worsen


@pytest.mark.parametrize(
    ("word", "bad", "outcome", "why"),
    [
        ("max", 24, "fail", "the plain figures violate the limit (the baseline has no usable clip in 24)"),
        ("min", 24, "undecided", "the baseline has no usable clip in 24"),
    ],
)
def test_a_ratio_without_usable_clips_is_beyond_every_upper_limit(
    tmp_path: Path, word: str, bad: int, outcome: str, why: str
) -> None:
    text = rule(f"rule = '{word}'\nvalue = 5", "attempts_per_usable_clip")
    check = one(tmp_path, text, base={"prompts": 12}, prompts=12, worsen=black(bad))
    assert (check.outcome, check.reason) == (outcome, why)


def test_a_ratio_beside_the_baselines_is_compared_by_its_logarithm(tmp_path: Path) -> None:
    text = rule("rule = 'non-inferior'\nmargin = 50\nunit = 'percent'", "attempts_per_usable_clip")
    base = {"prompts": 12, "worsen": black(4)}
    check = one(tmp_path, text, base=base, prompts=12, worsen=black(6))
    seen = check.evidence
    old, new = (np.array([0] * empty + [2] * (12 - empty), float) for empty in (2, 3))
    gains = np.log(20 / 24) * -1 - np.log(24 / 18) + new / new.mean() - old / old.mean()
    assert (seen.baseline, seen.candidate) == (pytest.approx(1.2), pytest.approx(4 / 3))
    assert (seen.difference, seen.margin) == (pytest.approx(4 / 3 - 1.2), 0.5)
    assert seen.limit == pytest.approx(1.2 * 0.5)
    assert seen.distance_to_limit == pytest.approx(gains.mean() + np.log(1.5))
    half = T * gains.std(ddof=1) / 12**0.5
    ends = sorted(1.2 * (np.exp(-(gains.mean() + side * half)) - 1) for side in (-1, 1))
    assert (seen.low, seen.high) == (pytest.approx(ends[0]), pytest.approx(ends[1]))
    assert seen.deviation == pytest.approx(gains.std(ddof=1))


# -- pairs and counts


def test_a_percentage_of_a_baseline_at_0_means_nothing(tmp_path: Path) -> None:
    text = rule("rule = 'non-inferior'\nmargin = 5\nunit = 'percent'")
    zero = {"prompts": 12, "worsen": sets(clip_text=HARD - HARD.mean())}
    check = one(tmp_path, text, base=zero, **zero)
    assert check.outcome == "undecided"
    if check.evidence.why_none:
        assert check.reason == "the baseline's \"clip_text\" is not above 0, so it has no percentage"
    below = {"prompts": 12, "worsen": sets(clip_text=HARD - 1)}
    assert one(tmp_path / "b", text, base=below, **below).reason == (
        "the baseline's \"clip_text\" is not above 0, so it has no percentage"
    )


def test_one_prompt_has_no_interval_and_no_spread(tmp_path: Path) -> None:
    text = rule("rule = 'non-inferior'\nmargin = 0.04")
    single, two, five, six = (
        one(tmp_path / str(count), text, base={"prompts": count}, prompts=count).evidence for count in (1, 2, 5, 6)
    )
    assert (single.low, single.high, single.deviation) == (None, None, 0.0)
    assert (single.p_pass, single.p_fail, five.p_pass, five.p_fail) == (None,) * 4
    assert None not in (two.low, two.high, six.p_pass, six.p_fail)
    assert two.deviation > 0


def test_without_a_margin_only_equal_scores_are_sure_not_to_be_worse(tmp_path: Path) -> None:
    moved = HARD.copy()
    moved[3, 0] += 0.001
    text = rule("rule = 'non-inferior'\nmargin = 0")
    same = {"prompts": 12, "worsen": sets(clip_text=HARD)}
    seen = one(tmp_path, text, base=same, prompts=12, worsen=sets(clip_text=moved)).evidence
    assert 0 < (seen.p_pass or 0) < 1
    with_margin = one(tmp_path / "b", rule("rule = 'non-inferior'\nmargin = 0.01"), base=same, **same).evidence
    assert (with_margin.p_pass, with_margin.p_fail) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("old", "new", "p_fail", "outcome"),
    [
        ([], [0, 1, 2, 3], 1 / 16, "undecided"), ([], [0, 1, 2, 3, 4], 1 / 32, "fail"),
        ([9], [0, 1, 2, 3, 4, 5], 1 / 16, "undecided"), ([0, 1], [0, 1], 1.0, "pass"), ([5], [], 1.0, "pass"),
    ],
)  # fmt: skip
def test_new_failures_are_tested_by_the_signs_of_the_prompts(
    tmp_path: Path, old: list[int], new: list[int], p_fail: float, outcome: str
) -> None:
    check = one(
        tmp_path, "[[check]]\nrule = 'no-new-failures'\n", base={"failed": lambda p, c: p in old and c == 1},
        failed=lambda p, c: p in new and c == 0,
    )  # fmt: skip
    seen = check.evidence
    assert (seen.baseline, seen.candidate, seen.difference) == (len(old), len(new), len(new) - len(old))
    assert (seen.p_fail, check.outcome) == (pytest.approx(p_fail), outcome)
    assert (seen.p_pass, seen.limit, seen.prompts) == (float(len(new) > len(old)), 0.0, 40)


def test_only_clips_that_both_tried_count_as_failures_and_the_commonest_reason_is_named(tmp_path: Path) -> None:
    def worsen(scores: Scores, _: np.ndarray) -> None:
        scores["conformance"][[3, 4, 5], 0] = 0.0

    check = one(
        tmp_path, "[[check]]\nrule = 'no-new-failures'\nevidence = 'point'\n", worsen=worsen,
        base={"missing": lambda p, c: p == 9, "failed": lambda p, c: p == 20 and c == 0},
        failed=lambda p, c: p in (9, 20, 21) and c == 0,
    )  # fmt: skip
    assert check.evidence.words == "5 of 78 clips fail, 1 in the baseline; mostly: conformance: black"
    assert (check.outcome, check.evidence.holds) == ("fail", False)


def test_a_part_of_the_prompts_without_any_is_unmeasured(tmp_path: Path) -> None:
    text = "[[check]]\nrule = 'no-new-failures'\ncategories = ['toys']\nunmeasured = 'skip'\n"
    check = one(tmp_path, text, base={"prompts": 2}, prompts=2)
    assert (check.outcome, check.reason) == ("skipped", "no prompt is of these categories")


# -- categories


def test_a_category_counts_its_own_clips_and_those_without_a_value(tmp_path: Path) -> None:
    text = rule("rule = 'non-inferior'\nmargin = 0.04\neach = 'category'")
    found = gate(
        tmp_path, f"rare_losses = 0\n{text}", weights="b", prompts=10, failed=lambda p, c: p == 0, base={
            "prompts": 10, "failed": lambda p, c: (p, c) in {(0, 0), (1, 1)}, "missing": lambda p, c: (p, c) == (5, 0)
        }
    ).checks  # fmt: skip
    seen = {check.category: check.evidence for check in found}
    assert {name: (each.clips, each.filled, each.prompts) for name, each in seen.items()} == {
        "drinks": (4, (1, 0), 2), "footwear": (3, (1, 2), 2), "home": (4, (0, 0), 2), "toys": (4, (0, 0), 2),
        "watches": (4, (0, 0), 2),
    }  # fmt: skip
    old, new = (open_run(tmp_path / name).grids["model"].values("clip_text") for name in ("base", "new"))
    for nth, name in ((2, "home"), (3, "toys")):
        before, after = old[nth::5].mean(), new[nth::5].mean()
        assert (seen[name].baseline, seen[name].candidate) == (pytest.approx(before), pytest.approx(after))
        assert seen[name].limit == pytest.approx(-0.04 * 6**0.5)


def test_a_category_of_a_metric_better_low_keeps_its_direction(tmp_path: Path) -> None:
    text = rule("rule = 'non-inferior'\nmargin = 0.001\neach = 'category'", "warp_error")
    found = gate(tmp_path, text, weights="b", prompts=10, base={"prompts": 10}).checks
    old, new = (open_run(tmp_path / name).grids["model"].values("warp_error") for name in ("base", "new"))
    for check in found:
        nth = ["footwear", "drinks", "home", "toys", "watches"].index(check.category)
        seen = check.evidence
        assert (seen.baseline, seen.candidate) == (
            pytest.approx(old[nth::5].mean()), pytest.approx(new[nth::5].mean()),
        )  # fmt: skip
        assert seen.limit == pytest.approx(0.001 * 6**0.5)


def test_a_category_without_the_score_or_without_tried_clips_is_unmeasured(tmp_path: Path) -> None:
    text = rule("rule = 'non-inferior'\nmargin = 0.04\neach = 'category'\nunmeasured = 'skip'")
    size = {"prompts": 10}
    found = gate(tmp_path, text, **size, weights="b", base={**size, "failed": lambda p, c: True}).checks
    assert {(each.outcome, each.reason) for each in found} == {("skipped", 'the baseline has no "clip_text"')}
    found = gate(tmp_path / "b", text, base=size, **size, weights="b", missing=lambda p, c: p in (3, 8)).checks
    reasons = {each.category: (each.outcome, each.reason) for each in found}
    assert reasons["toys"] == ("skipped", "no prompt is of these categories")
    assert "skipped" not in {outcome for name, (outcome, _) in reasons.items() if name != "toys"}


def test_a_history_needs_a_figure_of_the_candidate(tmp_path: Path) -> None:
    text = "rule = 'non-inferior'\nmargin = 1\nunmeasured = 'skip'"
    check = of_history(tmp_path, text, 1.0, 2.0, 3.0, failed=lambda p, c: True)
    assert (check.outcome, check.reason) == ("undecided", 'the candidate has no "clip_text"')


def test_a_cost_against_a_line_needs_several_measured_batches(tmp_path: Path) -> None:
    text = rule("rule = 'max'\nvalue = 9", "device_s_per_clip")
    check = one(tmp_path, text, batch=40)
    assert check.outcome == "undecided"
    assert check.reason.startswith("1 measured batch is too few for a test")
    point = one(tmp_path / "b", text + "evidence = 'point'\n", batch=40)
    assert point.outcome == "pass"


@pytest.mark.parametrize(("metric", "worse"), [("clip_text", -1), ("warp_error", 1)])
def test_without_any_spread_or_score_no_clip_collapses(tmp_path: Path, metric: str, worse: int) -> None:
    text = rule("rule = 'non-inferior'\nstatistic = 'collapsed'\nmargin = 0.03\nunmeasured = 'skip'", metric)
    flat, moved = np.full((12, 2), 0.5), np.full((12, 2), 0.5)
    moved[3, 1] += worse
    size = {"prompts": 12}
    seen = one(tmp_path, text, base={**size, "worsen": sets(**{metric: flat})}, **size, worsen=sets(**{metric: moved}))
    assert (seen.evidence.candidate, seen.evidence.clips, seen.evidence.prompts) == (0, 24, 12)
    spread = {**size, "worsen": sets(**{metric: HARD})}
    fallen = HARD.copy()
    fallen[3, 1] += worse
    check = one(tmp_path / "b", text, base=spread, **size, worsen=sets(**{metric: fallen}))
    assert check.evidence.words == "1 clip collapsed, 0 in the baseline"
    check = one(tmp_path / "c", text, base={**size, "failed": lambda p, c: True}, **size)
    assert (check.outcome, check.reason) == ("skipped", f'the baseline has no "{metric}"')
