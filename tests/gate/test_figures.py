"""Every figure of a verdict, worked out again from the scores that were written."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import special

from tests.gate.deciding import gate
from tests.gate.releases import Scores, write
from vbench_lite.errors import BadFile
from vbench_lite.gate.baselines.baseline import _portable
from vbench_lite.gate.baselines.margins import fix_margins, margins_path, read_margins, write_margins
from vbench_lite.gate.evidence.scores import FixedMargin
from vbench_lite.gate.policy import choose_policy, read_policy
from vbench_lite.gate.verdict import Verdict
from vbench_lite.progress import duration
from vbench_lite.run.view import open_run

LEVEL = 0.04
"""Of each side: 0.8 times 1 - confidence."""
HARD = 0.3 + 0.01 * (np.arange(12) % 3)[:, None] + np.array([0.005, -0.005])
"""Scores of the baseline: 12 prompts, 2 clips. Their mean is 0.31."""
UP_DOWN = np.tile([0.02, -0.02], 6)
"""A change by prompt, without skewness."""


def sets(**scores: np.ndarray) -> Callable[[Scores, np.ndarray], None]:
    def put(all_scores: Scores, categories: np.ndarray) -> None:
        all_scores.update({name: values.copy() for name, values in scores.items()})

    return put


def judged(tmp_path: Path, rules: str, change: np.ndarray, metric: str = "clip_text", **more: np.ndarray) -> Verdict:
    """A candidate whose two clips of prompt n are better by change[n], and by 0.004 more or less."""
    old = {metric: HARD} | dict.fromkeys(more, HARD)
    new = {metric: HARD + change[:, None] + np.array([0.004, -0.004])}
    new |= {name: HARD + other[:, None] for name, other in more.items()}
    return gate(
        tmp_path, f"rare_losses = 0\n{rules}", base={"prompts": 12, "worsen": sets(**old)}, prompts=12, weights="b",
        worsen=sets(**new),
    )  # fmt: skip


def rule(text: str, metric: str = "clip_text") -> str:
    return f"[[check]]\nmetric = '{metric}'\n{text}\n"


SD = HARD.std(ddof=1)


@pytest.mark.parametrize(
    ("margin", "size"),
    [
        ("margin = 0.04", 0.04), ("margin = 10\nunit = 'percent'", 0.031), ("margin = 0.5\nunit = 'sd'", SD / 2),
        ("margin = 0.001\nfloor = 0.03", 0.03), ("margin = 0", 0.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("metric", ["clip_text", "warp_error"])
def test_the_figures_of_a_difference(tmp_path: Path, metric: str, margin: str, size: float) -> None:
    up = 1 if metric == "clip_text" else -1
    change = UP_DOWN - 0.01 * up
    (check,) = judged(tmp_path, rule(f"rule = 'non-inferior'\n{margin}", metric), change, metric).checks
    seen, error = check.evidence, UP_DOWN.std(ddof=1) / 12**0.5
    half = float(special.stdtrit(11, 1 - LEVEL)) * error
    assert (seen.baseline, seen.candidate) == (pytest.approx(0.31), pytest.approx(0.31 - 0.01 * up))
    assert (seen.difference, seen.limit) == (pytest.approx(-0.01 * up), pytest.approx(-size * up))
    assert (seen.low, seen.high) == (pytest.approx(-0.01 * up - half), pytest.approx(-0.01 * up + half))
    assert (seen.distance_to_limit, seen.margin) == (pytest.approx(size - 0.01), pytest.approx(size))
    assert (seen.deviation, seen.within) == (pytest.approx(UP_DOWN.std(ddof=1)), pytest.approx(2 * 0.004**2))
    assert (seen.prompts, seen.clips, seen.filled) == (12, 24, (0, 0))
    t = (size - 0.01) / error
    assert (seen.p_pass, seen.p_fail) == (
        pytest.approx(special.stdtr(11, -t), abs=1e-6), pytest.approx(special.stdtr(11, t), abs=1e-6),
    )  # fmt: skip
    assert (check.id, check.against, check.unit) == (f"model/{metric}/non-inferior", "baseline", "")


@pytest.mark.parametrize(("word", "up"), [("min", 1), ("max", -1)])
def test_the_figures_of_a_line(tmp_path: Path, word: str, up: int) -> None:
    (check,) = judged(tmp_path, rule(f"rule = '{word}'\nvalue = 0.3"), np.zeros(12)).checks
    seen, means = check.evidence, HARD.mean(1)
    half = float(special.stdtrit(11, 1 - LEVEL)) * means.std(ddof=1) / 12**0.5
    assert (seen.candidate, seen.limit, seen.baseline) == (pytest.approx(0.31), 0.3, None)
    assert (seen.low, seen.high) == (pytest.approx(0.31 - half), pytest.approx(0.31 + half))
    assert seen.distance_to_limit == pytest.approx(0.01 * up)
    assert check.outcome == ("pass" if up > 0 else "fail")


@pytest.mark.parametrize("guard_loses", [0.008, 0.03])
def test_a_guard_has_a_tenth_of_the_weight_of_a_mean(tmp_path: Path, guard_loses: float) -> None:
    guard = rule("rule = 'non-inferior'\nmargin = 0\nundecided = 'inside'", "detail")
    main = rule("rule = 'non-inferior'\nmargin = 0")
    found = judged(tmp_path, main + guard, UP_DOWN - 0.015, detail=UP_DOWN - guard_loses).checks
    (p_main, p_guard), (main_holm, guard_holm) = zip(*((c.evidence.p_fail, c.p_fail_holm) for c in found), strict=True)
    assert [check.guard for check in found] == [False, True]
    if p_main <= p_guard / 0.1:
        assert (main_holm, guard_holm) == (pytest.approx(1.1 * p_main), pytest.approx(max(1.1 * p_main, p_guard)))
    else:
        assert (main_holm, guard_holm) == (pytest.approx(max(11 * p_guard, p_main)), pytest.approx(11 * p_guard))


FEW = "min_prompts = 13\n"


@pytest.mark.parametrize(
    ("text", "change", "outcome", "says"),
    [
        ("rule = 'non-inferior'\nmargin = 0.04", 0.0, "pass", "shown"),
        ("rule = 'non-inferior'\nmargin = 0", -0.03, "fail", "violates the limit (Holm-adjusted p ="),
        ("rule = 'non-inferior'\nmargin = 0.005", 0.0, "undecided", "inside the limit, not significant (p ="),
        ("rule = 'non-inferior'\nmargin = 0", -0.005, "undecided", "outside the limit, not significant (Holm-adjusted"),
        ("rule = 'non-inferior'\nmargin = 0\nundecided = 'inside'", -0.005, "undecided", "outside the limit"),
        ("rule = 'non-inferior'\nmargin = 0.005\nundecided = 'inside'", 0.0, "pass", "inside the limit"),
        ("rule = 'non-inferior'\nmargin = 0\nevidence = 'point'", -0.005, "fail", "the plain figures violate"),
        ("rule = 'non-inferior'\nmargin = 0.01\nevidence = 'point'", -0.005, "pass", "the plain figures are inside"),
    ],
)
def test_each_outcome_says_what_it_rests_on(tmp_path: Path, text: str, change: float, outcome: str, says: str) -> None:
    (check,) = judged(tmp_path, rule(text), UP_DOWN + change).checks
    assert check.outcome == outcome
    assert check.reason.startswith(says)
    if outcome == "pass" and says == "shown":
        (check,) = judged(tmp_path, FEW + rule(text), UP_DOWN + change).checks
        assert (check.outcome, check.reason) == (
            "undecided",
            "12 prompts are fewer than the 13 that the policy requires",
        )


@pytest.mark.parametrize(("word", "outcome"), [("skip", "skipped"), ("undecided", "undecided")])
def test_a_figure_that_the_baseline_lacks_is_skipped_only_where_the_policy_says_so(
    tmp_path: Path, word: str, outcome: str
) -> None:
    text = f"rule = 'non-inferior'\nmargin = 0.04\nunmeasured = '{word}'"
    rules = rule(text, "energy_wh_per_clip") + rule("rule = 'non-inferior'\nmargin = 0.04")
    found = judged(tmp_path, rules, UP_DOWN)
    assert [check.outcome for check in found.checks] == [outcome, "pass"]
    assert found.outcome == ("pass" if word == "skip" else "undecided")


def test_checks_of_a_category_count_its_prompts_alone(tmp_path: Path) -> None:
    found = judged(tmp_path, rule("rule = 'min'\nvalue = 0.2\neach = 'category'"), np.zeros(12)).checks
    assert [(check.id, check.evidence.prompts) for check in found] == [
        ("model/clip_text/min/drinks", 3), ("model/clip_text/min/footwear", 3), ("model/clip_text/min/home", 2),
        ("model/clip_text/min/toys", 2), ("model/clip_text/min/watches", 2),
    ]  # fmt: skip


def test_the_verdict_states_its_policy(tmp_path: Path) -> None:
    found = judged(tmp_path, "title = 'Ours'\nconfidence = 0.9\n" + rule("rule = 'min'\nvalue = 0.2"), UP_DOWN)
    assert (found.policy["title"], found.policy["confidence"], found.policy["undecided"]) == ("Ours", 0.9, "block")
    assert found.policy["path"] == str(tmp_path / "gate.toml")
    assert len(str(found.policy["digest"])) >= 8
    assert found.headline == "PASS: 1 of 1 checks passed"


# -- what would decide


@pytest.mark.parametrize("device_s", [0.005, 1.0, 500.0])
def test_a_remedy_states_its_time_in_a_fitting_unit(tmp_path: Path, device_s: float) -> None:
    base = {"prompts": 12, "worsen": sets(clip_text=HARD), "device_s": device_s}
    rules = "rare_losses = 0\n" + rule("rule = 'non-inferior'\nmargin = 0.005")
    new = sets(clip_text=HARD + UP_DOWN[:, None])
    remedy = gate(tmp_path, rules, base=base, prompts=12, weights="b", worsen=new, device_s=device_s).remedies[-1]
    assert remedy.device_s == pytest.approx(device_s * remedy.clips, rel=0.1)
    assert f" and {duration(remedy.device_s)} of device time" in remedy.sentence
    assert remedy.usd == pytest.approx(remedy.device_s * 0.1 / 3600)


def test_a_figure_on_its_limit_has_no_affordable_remedy(tmp_path: Path) -> None:
    (remedy,) = judged(tmp_path, rule("rule = 'non-inferior'\nmargin = 0"), UP_DOWN).remedies
    assert remedy.sentence.startswith("No affordable number of prompts or clips")
    assert (remedy.command, remedy.clips, remedy.usd, remedy.device_s) == ("", 0, None, None)


def test_a_small_category_has_its_own_mean_and_the_scatter_of_all(tmp_path: Path) -> None:
    level, gains = np.full((20, 2), 0.3), np.random.default_rng(6).normal(0, 0.02, 20)
    rules = rule("rule = 'non-inferior'\nmargin = 0.04\neach = 'category'")
    base = {"prompts": 20, "worsen": sets(clip_text=level)}
    new = sets(clip_text=level + gains[:, None])
    found = gate(tmp_path, rules, base=base, prompts=20, weights="b", worsen=new).checks
    categories = np.array(open_run(tmp_path / "new").grids["model"].categories)
    within = sum(float(gains[categories == name].var() * 4) for name in set(categories))
    error, margin = (within / 15 / 4) ** 0.5, 0.04 * 3**0.5
    half = float(special.stdtrit(15, 1 - LEVEL)) * error
    for check in found:
        seen, mean = check.evidence, gains[categories == check.category].mean()
        assert (seen.difference, seen.limit, seen.prompts) == (pytest.approx(mean), pytest.approx(-margin), 4)
        assert (seen.low, seen.high) == (pytest.approx(mean - half), pytest.approx(mean + half))
        assert seen.p_fail == pytest.approx(special.stdtr(15, (mean + margin) / error))


def test_a_check_over_some_categories_takes_their_prompts_together(tmp_path: Path) -> None:
    rules = rule("rule = 'non-inferior'\nmargin = 0.04\ncategories = ['drinks', 'home']")
    (check,) = judged(tmp_path, rules, np.arange(12) / 1000).checks
    chosen = np.isin(open_run(tmp_path / "new").grids["model"].categories, ["drinks", "home"])
    mean = float(np.flatnonzero(chosen).mean()) / 1000
    assert (check.evidence.difference, check.evidence.prompts) == (pytest.approx(mean), 5)


def test_margins_are_fixed_in_the_units_of_the_metrics(tmp_path: Path) -> None:
    run = open_run(write(tmp_path / "run", prompts=12, worsen=sets(clip_text=HARD), fvd=(9.0, 8.5, 11.0)))
    sd, own = rule("rule = 'non-inferior'\nunit = 'sd'\nmargin = 0.5"), "rule = 'non-inferior'\nmargin = 0.02"
    collapsed = rule("rule = 'non-inferior'\nstatistic = 'collapsed'\nmargin = 0.03")
    (tmp_path / "gate.toml").write_text(
        sd + collapsed + rule(own, "detail") + rule("rule = 'non-inferior'\nunit = 'se'\nmargin = 5", "fvd")
        + rule("rule = 'min'\nvalue = 1") + rule(f"{own}\nevidence = 'point'", "warp_error")
    )  # fmt: skip
    policy = read_policy(tmp_path / "gate.toml")
    found = fix_margins(run, policy)
    assert found.policy == policy.digest
    assert dict(found.sizes) == {
        "model/clip_text/non-inferior": pytest.approx(SD / 2), "model/detail/non-inferior": 0.02,
        "model/fvd/non-inferior": pytest.approx(5 * 2 / 1.959964),
    }  # fmt: skip
    assert list(found.drops.values()) == [pytest.approx(2.2 * SD)]
    write_margins(tmp_path, found)
    assert margins_path(tmp_path) == tmp_path / "margins.json"
    assert read_margins(tmp_path, policy) == found
    assert read_margins(tmp_path, choose_policy(None, None)) is None
    assert read_margins(tmp_path / "run", policy) is None
    assert found.of("model/detail/non-inferior", 1.5) == FixedMargin(size=0.02, drop=None, scale=1.5)


@pytest.mark.parametrize(
    ("word", "p_pass", "outcome"), [("non-inferior", 0.0, "pass"), ("superior", 1.0, "undecided")]
)
def test_equal_scores_are_no_worse_without_a_margin_and_not_better(
    tmp_path: Path, word: str, p_pass: float, outcome: str
) -> None:
    same = {"prompts": 12, "worsen": sets(clip_text=HARD)}
    rules = "rare_losses = 0\n" + rule(f"rule = '{word}'\nmargin = 0")
    (check,) = gate(tmp_path, rules, base=same, weights="b", **same).checks
    assert (check.evidence.p_pass, check.evidence.p_fail, check.evidence.difference) == (p_pass, 1.0, 0.0)
    assert check.outcome == outcome


@pytest.mark.parametrize(("word", "up"), [("min", 1), ("max", -1)])
def test_the_figures_of_a_set_metric_beside_a_line(tmp_path: Path, word: str, up: int) -> None:
    rules = "rare_losses = 0\n" + rule(f"rule = '{word}'\nvalue = 8", "fvd")
    (check,) = gate(tmp_path, rules, weights="b", fvd=(9.0, 8.5, 11.0)).checks
    seen, error = check.evidence, 2 / 1.959964
    half = float(special.ndtri(1 - LEVEL)) * error
    assert (seen.candidate, seen.limit, seen.distance_to_limit) == (9.0, 8.0, up)
    assert (seen.low, seen.high) == (pytest.approx(9 - half, rel=1e-4), pytest.approx(9 + half, rel=1e-4))
    assert seen.p_pass == pytest.approx(float(special.ndtr(-up / error)), rel=1e-3)
    assert (seen.words, check.outcome) == ("by the stored intervals", "undecided")


@pytest.mark.parametrize(
    ("model", "stored"),
    [("/data/wan", "wan"), ("~/models/wan", "wan"), (r"C:\models\wan", "wan"), ("org/wan", "org/wan"), ("", "")],
)
def test_a_baseline_names_no_path_of_the_machine(tmp_path: Path, model: str, stored: str) -> None:
    manifest = open_run(write(tmp_path / "run", prompts=6)).manifest
    (name, definition), *_ = manifest.generators.items()
    local = dataclasses.replace(definition, model=model, folder="/home/ana")
    found = _portable(dataclasses.replace(manifest, generators={name: local})).generators[name]
    assert (found.model, found.folder) == (stored, "")


# -- counts of clips


@pytest.mark.parametrize(("margin", "limit"), [(0.03, 1.6 * 5**0.5), (0.2, 0.2 * 80), (0.0, 0.0)])
def test_failures_may_exceed_the_baselines_by_the_margin_or_by_chance(
    tmp_path: Path, margin: float, limit: float
) -> None:
    rules = f"rare_losses = 0\n[[check]]\nrule = 'no-new-failures'\nmargin = {margin}\n"
    (check,) = gate(tmp_path, rules, weights="b", failed=lambda prompt, clip: prompt < 5 and clip == 0).checks
    seen = check.evidence
    assert (seen.baseline, seen.candidate, seen.difference, seen.clips) == (0, 5, 5, 80)
    assert (seen.limit, seen.margin, seen.distance_to_limit) == (
        pytest.approx(limit), pytest.approx(limit), pytest.approx(limit - 5),
    )  # fmt: skip
    assert (seen.p_pass, seen.p_fail) == ((0.0, 1.0) if limit > 5 else (1.0, 0.03125))
    assert seen.words == "5 of 80 clips fail, 0 in the baseline; mostly: out of memory"


@pytest.mark.parametrize(("beyond", "lost"), [(-1e-6, 0), (1e-6, 1)])
@pytest.mark.parametrize("shift", [0.0, -0.05])
def test_a_clip_collapses_beyond_2_2_standard_deviations_of_its_prompt_after_what_most_prompts_lost(
    tmp_path: Path, beyond: float, lost: int, shift: float
) -> None:
    old, new = HARD.copy(), HARD + shift
    old[5, 0] = old[6, 1] = HARD.mean() - 1
    spread = old.std(ddof=1)
    new[3, 1] = HARD[3].mean() + shift - 2.2 * spread - beyond
    rules = "rare_losses = 0\n" + rule("rule = 'non-inferior'\nstatistic = 'collapsed'\nmargin = 0.03")
    base = {"prompts": 12, "worsen": sets(clip_text=old)}
    (check,) = gate(tmp_path, rules, base=base, prompts=12, weights="b", worsen=sets(clip_text=new)).checks
    assert (check.evidence.baseline, check.evidence.candidate) == (2, lost)
    assert check.evidence.words == f"{lost} clip{'' if lost == 1 else 's'} collapsed, 2 in the baseline"


def test_a_median_or_a_history_in_standard_deviations_is_refused_with_the_line(tmp_path: Path) -> None:
    text = rule("rule = 'non-inferior'\nstatistic = 'median'\nevidence = 'point'\nmargin = 1\nunit = 'sd'")
    with pytest.raises(BadFile, match="has no standard deviation") as caught:
        judged(tmp_path, text, UP_DOWN)
    assert (caught.value.line, str(tmp_path / "gate.toml") in str(caught.value)) == (8, True)
