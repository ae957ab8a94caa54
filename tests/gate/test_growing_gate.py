"""Planned looks in figures: how many clips are expected, which look a run stands at, and how it goes on."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

from tests.gate.deciding import loses
from tests.gate.releases import write
from tests.gate.test_figures import sets
from vbench_lite.gate import decide
from vbench_lite.gate.decide import Reference
from vbench_lite.gate.judge import judge
from vbench_lite.gate.looks.boundaries import FRACTIONS, Look, boundaries, prompts_at, spent
from vbench_lite.gate.looks.expected import _mean_fraction, _power, expected_looks
from vbench_lite.gate.looks.record import PlannedLooks, continue_command, random_order, write_looks
from vbench_lite.gate.policy import Policy, read_policy
from vbench_lite.records import Prompt
from vbench_lite.run.view import open_run
from vbench_lite.stats import power

MEAN = "rule = 'non-inferior'\nmargin = 0.02"


def planned(prompts: int = 20, fractions: tuple[float, ...] = (0.5, 1.0), **how: Any) -> PlannedLooks:
    order = tuple(f"p{n:03d}" for n in range(prompts))
    given = {"baseline": "results/base", "baseline_digest": "", "policy": "", "order": order, "fractions": fractions}
    return PlannedLooks(**given | how)


def policy(tmp_path: Path, *checks: str, head: str = "rare_losses = 0") -> Policy:
    (tmp_path / "gate.toml").write_text(f"{head}\n" + "".join(f"[[check]]\n{each}\n" for each in checks))
    return read_policy(tmp_path / "gate.toml")


# -- expected clips


def test_decided_releases_are_counted_at_the_look_that_decided_them() -> None:
    assert _mean_fraction([0.0, 0.0, 0.0], [5, 8, 10]) == 1.0
    assert _mean_fraction([0.5, 0.5, 0.9], [5, 8, 10]) == pytest.approx(0.5 * 0.5 + 0.5 * 1.0)
    assert _mean_fraction([0.25, 0.75, 0.5], [5, 8, 10]) == pytest.approx(0.25 * 0.5 + 0.5 * 0.8 + 0.25 * 1.0)


def test_the_power_of_a_check_needs_six_prompts_and_is_sure_without_spread() -> None:
    assert (_power(0.1, 0.2, 5, 0.04), _power(0.1, 0.0, 5, 0.04)) == (0.0, 0.0)
    assert _power(0.1, 0.2, 6, 0.04) == power(0.1, 0.2, 6, 0.04)
    assert (_power(0.5, 0.5e-9, 6, 0.04), _power(0.5, 0.6e-9, 6, 0.04) > 0.99) == (1.0, True)


EACH = np.array([0.01, -0.01])
"""The two clips of each prompt: their variance is 0.0002."""
LEVELS = 0.01 * np.arange(20)[:, None]
WORLD = {"clip_text": 0.3 + LEVELS + EACH, "detail": 0.8 + 2 * LEVELS + 3 * EACH}


@pytest.mark.parametrize("clips", [2, 4])
def test_the_expected_clips_follow_from_the_power_of_each_mean(tmp_path: Path, clips: int) -> None:
    baseline = open_run(write(tmp_path / "run", prompts=20, worsen=sets(**WORLD)))
    rules = policy(
        tmp_path, f"metric = 'clip_text'\n{MEAN}", f"metric = 'detail'\n{MEAN}",
        f"metric = 'clip_text'\n{MEAN}\nundecided = 'inside'", f"metric = 'clip_text'\n{MEAN}\nstatistic = 'collapsed'",
        f"metric = 'device_s'\n{MEAN}", "metric = 'clip_text'\nrule = 'superior'",
    )  # fmt: skip
    found = expected_looks(baseline, rules, planned(), clips)
    weight, passed, failed = 1 + 1 + 0.1 + 0.1 + 1 + 1, [], []
    for count, fractions in ((10, (0.5,)), (20, (0.5, 1.0))):
        level, strict = (float(special.ndtr(-boundaries(each, fractions)[-1])) for each in (0.04, 0.04 / weight))
        spreads = [(2 * 0.0002 * scale / clips) ** 0.5 for scale in (1, 9)]
        passed.append(np.prod([power(0.02, each, count, level) for each in spreads]))
        failed.append(min(power(0.02, each, count, strict) for each in spreads))
    assert found.by_look == (pytest.approx(passed[0]), pytest.approx(max(passed)))
    assert found.equal == pytest.approx(passed[0] / 2 + 1 - passed[0])
    assert found.loss == pytest.approx(failed[0] / 2 + 1 - failed[0])
    assert found.reason == ""


@pytest.mark.parametrize(
    ("head", "fractions", "can_pass"),
    [
        ("rare_losses = 0", (0.5, 1.0), [True, True]), ("rare_losses = 0\nmin_prompts = 11", (0.5, 1.0), [False, True]),
        ("rare_losses = 0.1\nmin_prompts = 3", (0.5, 1.0), [False, True]),  # 20 clips miss a rare loss
        ("rare_losses = 0.1\nmin_prompts = 3", (0.9, 1.0), [False, True]),  # 36 clips too, at an early look
        ("rare_losses = 0.2\nmin_prompts = 3", (0.9, 1.0), [True, True]),
        ("rare_losses = 0.05\nmin_prompts = 3", (0.5, 1.0), [False, False]),  # 59 clips are needed
    ],
)  # fmt: skip
def test_no_look_passes_on_too_few_prompts_or_clips(
    tmp_path: Path, head: str, fractions: tuple[float, ...], can_pass: list[bool]
) -> None:
    baseline = open_run(write(tmp_path / "run", prompts=20, worsen=sets(**WORLD)))
    rules = policy(tmp_path, f"metric = 'clip_text'\n{MEAN.replace('0.02', '0.2')}", head=head)
    assert [each > 0.5 for each in expected_looks(baseline, rules, planned(20, fractions), 2).by_look] == can_pass


@pytest.mark.parametrize(("clips", "text"), [(1, f"metric = 'clip_text'\n{MEAN}"), (2, "rule = 'no-new-failures'")])
def test_nothing_is_predicted_without_clips_or_margins(tmp_path: Path, clips: int, text: str) -> None:
    baseline = open_run(write(tmp_path / "run", prompts=20, clips=clips))
    found = expected_looks(baseline, policy(tmp_path, text), planned(), 2)
    assert (found.equal, found.loss, found.by_look) == (None, None, ())
    assert found.reason == "the baseline has fewer than two clips per prompt, or no check on a mean has a margin"


# -- looks


def test_the_level_that_is_spent_is_that_of_obrien_and_fleming() -> None:
    for level, fraction in ((0.05, 0.25), (0.04, 0.4), (0.5, 0.85)):
        z = -special.ndtri(level / 2)
        assert spent(level, fraction) == pytest.approx(2 - 2 * special.ndtr(z / fraction**0.5))
    assert (FRACTIONS, Look(1).fractions) == ((0.4, 0.55, 0.7, 0.85, 1.0), (0.4, 0.55, 0.7, 0.85, 1.0))
    assert prompts_at((0.3, 0.55, 1.0), 10) == [3, 6, 10]
    assert [Look(n, (0.5, 1.0)).is_last for n in (1, 2)] == [False, True]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_repeated_p_value_is_the_level_whose_boundary_is_reached(number: int) -> None:
    fractions = (0.4, 0.7, 1.0)
    for level in (0.3, 0.04, 0.001, 1e-7):
        z = boundaries(level, fractions[:number])[-1]
        repeated = float(Look(number, fractions).repeated(float(special.ndtr(-z))))
        assert repeated == pytest.approx(level, rel=0.01)


def test_a_rare_loss_is_that_share_of_the_clips_less_what_is_not_recognised() -> None:
    last = Look(1, (1.0,))
    assert float(last.rare(0, 40, 0.1)) == pytest.approx((1 - 0.085) ** 40)
    assert float(last.rare(-3, 40, 0.1)) == pytest.approx((1 - 0.085) ** 40)
    two = (1 - 0.17) ** 30 + 30 * 0.17 * (1 - 0.17) ** 29
    assert float(last.rare(1, 30, 0.2)) == pytest.approx(two)


def test_the_random_order_is_the_same_on_every_machine() -> None:
    prompts = [Prompt(f"{category}{n}", "", category) for category in "ab" for n in range(4)]
    assert random_order(prompts, 1) == ("b2", "a3", "a0", "b3", "b0", "a2", "a1", "b1")


# -- the gate at a look


def at_look(tmp_path: Path, count: int, text: str = f"metric = 'detail'\n{MEAN}", **how: Any) -> Any:
    """A candidate that has the first prompts of 40, at looks of half and of all."""
    old, new = write(tmp_path / "old", prompts=40), write(tmp_path / "new", **{"prompts": 40, "weights": "b"} | how)
    manifest = tmp_path / "new" / "run.json"
    document = json.loads(manifest.read_text())
    document["plan"]["prompts"] = document["plan"]["prompts"][:count]
    manifest.write_text(json.dumps(document))
    write_looks(tmp_path / "new", planned(40, rules="gate.toml"))
    rules = policy(tmp_path, *text.split("\n\n"))
    return judge(open_run(new), open_run(old), str(rules.path))


NOTE = (
    "look {} of 2, planned at 50%, 100% of the prompts: p values are adjusted for the looks (alpha spending), the "
    "intervals shown are not"
)


def test_an_open_look_names_the_next_one_and_its_clips(tmp_path: Path) -> None:
    verdict = at_look(tmp_path, 20, "metric = 'clip_text'\nrule = 'superior'\nmargin = 0.001")
    assert verdict.outcome == "undecided"
    (remedy,) = verdict.remedies
    assert remedy.sentence.startswith("The next look is at 100% of the prompts. ")
    assert (remedy.clips, remedy.usd, remedy.device_s) == (80, None, None)
    assert remedy.command == (
        "vbench run --suite ads -g model --clips-per-prompt 2 --against results/base --policy gate.toml --out "
        f"{tmp_path / 'new'}"
    )
    assert [each.message for each in verdict.findings if each.kind == "look"] == [NOTE.format(1)]
    last = at_look(tmp_path, 40, "metric = 'clip_text'\nrule = 'superior'\nmargin = 0.001")
    assert [each.message for each in last.findings if each.kind == "look"] == [NOTE.format(2)]
    assert all(each.command.startswith("vbench run") or not each.command for each in last.remedies)
    assert last.remedies[0].sentence != remedy.sentence


def test_a_command_that_goes_on_has_the_policy_and_the_limit_that_were_given(tmp_path: Path) -> None:
    run = open_run(write(tmp_path / "run", prompts=10))
    start = "vbench run --suite ads -g model"
    end = f"--clips-per-prompt 2 --against results/base --out {tmp_path / 'run'}"
    assert continue_command(run, planned(10)) == f"{start} {end}"
    assert continue_command(run, planned(10, limit=7)) == f"{start} --limit 7 {end}"


def test_a_decided_look_ends_and_margins_are_those_of_all_prompts(tmp_path: Path) -> None:
    text = f"metric = 'detail'\nunit = 'sd'\n{MEAN.replace('0.02', '1')}"
    verdict = at_look(tmp_path, 20, text, worsen=loses("detail", 4))
    assert (verdict.outcome, verdict.remedies) == ("fail", ())
    whole = float(np.nanstd(open_run(tmp_path / "old").grids["model"].values("detail"), ddof=1))
    assert verdict.checks[0].evidence.margin == pytest.approx(whole)
    assert verdict.checks[0].evidence.prompts == 20


def test_the_p_values_of_a_look_are_repeated_before_they_are_adjusted(tmp_path: Path) -> None:
    text = f"metric = 'detail'\n{MEAN}\n\nmetric = 'clip_text'\n{MEAN}\nundecided = 'inside'"
    verdict = at_look(tmp_path, 20, text, worsen=loses("detail", 0.6))
    main, guard = verdict.checks
    repeated = [float(Look(1, (0.5, 1.0)).repeated(each.evidence.p_fail)) for each in (main, guard)]
    assert main.p_fail_holm == pytest.approx(min(1.0, 1.1 * repeated[0]))
    assert guard.p_fail_holm == pytest.approx(min(1.0, max(1.1 * repeated[0], repeated[1])))
    assert (main.guard, guard.guard) == (False, True)


# -- the first baseline


def anchored(tmp_path: Path, first: dict[str, Any], text: str = f"metric = 'detail'\n{MEAN}", **margins: Any) -> Any:
    runs = [open_run(write(tmp_path / name, **{"prompts": 40} | how)) for name, how in (
        ("first", first), ("old", {"weights": "b"}), ("new", {"weights": "c"}))]  # fmt: skip
    reference = Reference(anchor=runs[0], **margins)
    return decide(runs[2], runs[1], policy(tmp_path, *text.split("\n\n")), reference)


def test_means_are_compared_with_the_first_baseline_at_one_and_a_half_margins(tmp_path: Path) -> None:
    text = "\n\n".join((
        f"metric = 'detail'\n{MEAN}", f"metric = 'detail'\n{MEAN}\nundecided = 'inside'",
        f"metric = 'clip_text'\n{MEAN}\nstatistic = 'worst-decile'", f"metric = 'clip_text'\n{MEAN}\neach = 'category'",
        "metric = 'clip_text'\nrule = 'min'\nvalue = 0", f"metric = 'clip_text'\n{MEAN}",
    ))  # fmt: skip
    verdict = anchored(tmp_path, {}, text)
    first, new = (open_run(tmp_path / name).grids["model"] for name in ("first", "new"))
    found = {check.id: check for check in verdict.checks if check.against == "anchor"}
    assert list(found) == ["model/detail/non-inferior/anchor", "model/clip_text/non-inferior/anchor"]
    for check in found.values():
        seen = check.evidence
        assert (seen.limit, seen.margin) == (pytest.approx(-0.03), pytest.approx(0.03))
        change = new.values(check.metric).mean() - first.values(check.metric).mean()
        assert (seen.difference, check.change) == (pytest.approx(change), "")
    main = next(check for check in verdict.checks if check.id == "model/detail/non-inferior")
    assert (main.evidence.limit, main.change != "") == (pytest.approx(-0.02), True)


@pytest.mark.parametrize(
    ("first", "why"),
    [
        ({"generator": "other"}, 'it has no generator "model"'), ({"clips": 3}, "the number of clips differs"),
    ],
)
def test_a_first_baseline_that_cannot_be_compared_is_named_with_the_way_out(
    tmp_path: Path, first: dict[str, Any], why: str
) -> None:
    verdict = anchored(tmp_path, first)
    assert {check.against for check in verdict.checks} == {"baseline"}
    (note,) = [each for each in verdict.findings if each.kind == "anchor"]
    assert note.outcome == "note"
    start = f"not compared with the first promoted baseline: {why}. Make the candidate the first baseline with: vbench "
    assert note.message.startswith(start)
    assert f"promote {tmp_path / 'new'} --to {tmp_path / 'old'} " in note.message
    assert '--reason "new first baseline" --new-anchor ' in note.message.replace("'", '"')


def test_a_policy_with_its_digest_and_author_is_in_the_verdict(tmp_path: Path) -> None:
    run = open_run(write(tmp_path / "run"))
    rules = dataclasses.replace(
        policy(tmp_path, f"metric = 'detail'\n{MEAN}"), changed_by="Ana", changed_on="today", changed_why="so"
    )
    assert decide(run, run, rules).policy == {
        "title": "gate", "path": str(tmp_path / "gate.toml"), "origin": "--policy", "digest": rules.digest,
        "confidence": 0.95, "undecided": "block", "changed_by": "Ana", "changed_on": "today", "changed_why": "so",
    }  # fmt: skip
