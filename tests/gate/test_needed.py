"""How many prompts or clips would decide an undecided check."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.gate.releases import write
from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.formatting import dollars
from vbench_lite.gate.needed import needed, remedies
from vbench_lite.gate.policy import choose_policy
from vbench_lite.gate.verdict import CheckResult, Evidence, Needed, Remedy
from vbench_lite.progress import duration
from vbench_lite.run.view import Side, open_run
from vbench_lite.stats import prompts_to_decide

LEVEL = 0.04
"""Of each side: 0.8 times 1 - confidence."""
POLICY = dataclasses.replace(choose_policy(None, None), confidence=0.95, min_prompts=10, rare_losses=0.1)
OPEN = Evidence(prompts=12, distance_to_limit=0.02, deviation=0.05, within=0.002)


@pytest.mark.parametrize(
    ("change", "each", "prompts"),
    [
        ({}, 2, prompts_to_decide(0.02, 0.05, LEVEL)),
        ({"distance_to_limit": -0.02}, 2, prompts_to_decide(0.02, 0.05, LEVEL)),
        ({"distance_to_limit": 0.5}, 2, 15),  # 29 clips meet a rare loss
        ({"distance_to_limit": 0.5}, 4, 13),  # one more than now
        ({"distance_to_limit": -0.5}, 2, 13),
        ({"distance_to_limit": -0.5, "prompts": 6}, 2, 10),
        ({"distance_to_limit": 0.0012}, 2, None),  # more than 10,000
        ({"distance_to_limit": 0.0}, 2, None),
    ],
)
def test_prompts_that_would_decide(change: dict[str, float], each: int, prompts: int | None) -> None:
    found = needed(dataclasses.replace(OPEN, **change), each, POLICY)
    assert found is not None
    assert found.prompts == prompts


def test_clips_that_would_decide_are_the_fewest_that_do() -> None:
    seen = dataclasses.replace(OPEN, distance_to_limit=0.04)
    found = needed(seen, 2, POLICY)
    assert found is not None
    assert found.clips_per_prompt is not None
    needs = [prompts_to_decide(0.04, (0.05**2 - 0.001 + 0.002 / k) ** 0.5, LEVEL) for k in range(3, 65)]
    assert found.clips_per_prompt == 3 + next(nth for nth, each in enumerate(needs) if each <= 12)
    assert needed(dataclasses.replace(seen, distance_to_limit=0.5, within=0.0), 1, POLICY) == Needed(29, 3)


def test_nothing_is_needed_where_more_would_not_help() -> None:
    for change in ({"holds": False}, {"why_none": "no"}, {"deviation": 0.0}):
        assert needed(dataclasses.replace(OPEN, **change), 2, POLICY) is None
    for change in ({"within": None}, {"prompts": 9}):
        found = needed(dataclasses.replace(OPEN, **change), 2, POLICY)
        assert found is not None
        assert found.clips_per_prompt is None


def test_more_clips_or_prompts_need_a_known_distance_and_level() -> None:
    seen = dataclasses.replace(OPEN, distance_to_limit=-0.04)
    needs = [prompts_to_decide(0.04, (0.05**2 - 0.001 + 0.002 / k) ** 0.5, LEVEL) for k in range(3, 65)]
    first = 3 + next(nth for nth, each in enumerate(needs) if each <= 12)
    assert needed(seen, 2, POLICY) == Needed(max(13, prompts_to_decide(0.04, 0.05, LEVEL)), first)
    far = dataclasses.replace(OPEN, distance_to_limit=0.02)
    assert needed(far, 2, POLICY) == Needed(prompts_to_decide(0.02, 0.05, LEVEL), None)
    alone = dataclasses.replace(OPEN, distance_to_limit=0.5, within=0.004)
    assert needed(alone, 1, POLICY) == Needed(29, 3)  # no spread is left between prompts
    exact = dataclasses.replace(OPEN, prompts=29, distance_to_limit=0.5, within=0.0025)
    assert needed(exact, 1, POLICY) == Needed(30, 2)
    most = dataclasses.replace(OPEN, distance_to_limit=-0.5, within=0.0025, prompts=10, deviation=0.05)
    assert needed(most, 63, POLICY) == Needed(11, 64)
    assert needed(most, 64, POLICY) == Needed(11, None)


def test_the_most_prompts_that_are_asked_for_are_10_000() -> None:
    spreads = np.linspace(0.95, 1.05, 400)
    found = {needed(Evidence(prompts=12, distance_to_limit=-0.026, deviation=each), 2, POLICY) for each in spreads}
    known = [each.prompts for each in found if each and each.prompts is not None]
    assert None in {each.prompts for each in found if each}
    assert 9_980 < max(known) <= 10_000


def sides(tmp_path: Path, **how: Any) -> GeneratorPair:
    old, new = write(tmp_path / "old", prompts=12), write(tmp_path / "new", **{"prompts": 12, "weights": "b"} | how)
    (tmp_path / "old" / "clips").mkdir()
    (tmp_path / "new" / "clips").mkdir()
    return GeneratorPair(Side(open_run(old), "model"), Side(open_run(new), "model"))


def unsure(prompts: int | None, clips: int | None, outcome: Any = "undecided") -> CheckResult:
    return CheckResult(
        id="", generator="model", rule="min", metric="detail", statistic="mean", category="", demand="",
        outcome=outcome, guard=False, reason="", unit="", evidence=Evidence(), needed=Needed(prompts, clips),
    )  # fmt: skip


def test_the_check_that_needs_most_sets_the_remedies_and_their_cost(tmp_path: Path) -> None:
    pair = sides(tmp_path)
    grid = pair.candidate.grid
    usd, seconds = float(np.mean(grid.values("cost_usd"))), float(np.mean(grid.values("device_s")))
    checks = [unsure(20, 3), unsure(30, 5), unsure(99, 99, "pass"), dataclasses.replace(unsure(1, 1), needed=None)]
    more_clips, more_prompts = remedies(checks, pair)
    for found, count in ((more_clips, 60), (more_prompts, 60)):
        assert (found.clips, found.usd, found.device_s) == (
            count, pytest.approx(count * usd), pytest.approx(count * seconds)
        )
    costs = f" 60 clips of the candidate, about {dollars(60 * usd)} and {duration(60 * seconds)} of device time "
    assert more_clips.sentence.startswith("5 clips per prompt (now 2)")
    assert more_prompts.sentence.startswith('30 prompts (now 12; the suite "ads" has 12: ')
    assert all(costs in each.sentence for each in (more_clips, more_prompts))
    command = "vbench run --suite ads -g model {} --out {}"
    assert more_clips.command == " && ".join(
        command.format("--clips-per-prompt 5", tmp_path / name) for name in ("old", "new")
    )
    assert more_prompts.command == " && ".join(
        command.format("--clips-per-prompt 2", tmp_path / name) for name in ("old", "new")
    )


def test_prompts_that_the_suite_has_are_asked_for_with_a_limit(tmp_path: Path) -> None:
    pair = sides(tmp_path)
    (remedy,) = remedies([unsure(12, None)], pair)
    assert remedy.sentence.startswith("12 prompts (now 12) would decide")
    (remedy,) = remedies([unsure(11, None)], pair)
    assert "--limit 11 --clips-per-prompt 2" in remedy.command
    (remedy,) = remedies([unsure(None, 3), unsure(20, 4)], pair)
    assert remedy.sentence.startswith("4 clips per prompt")


def test_two_generators_of_one_run_are_extended_once(tmp_path: Path) -> None:
    pair = sides(tmp_path)
    (remedy,) = remedies([unsure(None, 3)], GeneratorPair(pair.candidate, pair.candidate))
    assert remedy.command.count("vbench run") == 1


def test_nothing_decides_a_figure_on_its_limit_and_nothing_is_said_of_decided_checks(tmp_path: Path) -> None:
    pair = sides(tmp_path)
    assert list(remedies([unsure(20, 3, "pass")], pair)) == []
    (remedy,) = remedies([unsure(None, 3), unsure(20, None)], pair)
    assert remedy == Remedy(remedy.sentence, "", 0, None, None)
    assert remedy.sentence.startswith("No affordable number of prompts or clips")


def test_a_remedy_of_unknown_cost_says_so(tmp_path: Path) -> None:
    pair = sides(tmp_path)
    path = tmp_path / "new" / "clips.csv"
    header, *rows = path.read_text().splitlines()
    places = [header.split(",").index(name) for name in ("cost_usd", "device_s")]
    for known in (places[1:], places):
        cells = [row.split(",") for row in rows]
        table = [",".join("" if nth in known else cell for nth, cell in enumerate(row)) for row in cells]
        path.write_text("\n".join([header, *table]) + "\n")
        new = Side(open_run(tmp_path / "new"), "model")
        (remedy,) = remedies([unsure(None, 3)], GeneratorPair(pair.baseline, new))
        assert remedy.device_s is None
        if len(known) == 2:
            assert remedy.usd is None
            assert remedy.sentence.endswith("36 clips of the candidate, of unknown cost.")
        else:
            assert remedy.sentence.endswith(f"about {dollars(remedy.usd)} at the candidate's own mean.")
