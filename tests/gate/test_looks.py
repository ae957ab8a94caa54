"""Planned looks keep the errors of a fixed gate: the boundaries, the repeated p values, and the gate that uses them."""

import numpy as np
import pytest
from gate_errors import Pairs, judge
from gate_worlds import Draw, shifted, worlds
from scipy import special
from sequential_gate import first_prompts, judge_in_turn

from tests.gate.releases import write
from tests.gate.test_gate_errors import as_run
from vbench_lite.errors import NotComparable
from vbench_lite.gate import choose_policy, decide
from vbench_lite.gate.baselines.baseline import Reference
from vbench_lite.gate.baselines.margins import fix_margins
from vbench_lite.gate.looks.boundaries import FRACTIONS, Look, boundaries, prompts_at
from vbench_lite.gate.looks.expected import expected_looks
from vbench_lite.gate.looks.record import PlannedLooks
from vbench_lite.gate.policy import read_policy
from vbench_lite.run.view import open_run


def test_boundaries_are_those_that_are_published():
    # Reboussin, DeMets, Kim and Lan (2000), O'Brien-Fleming type, one-sided 0.025, four equal looks
    assert boundaries(0.025, (0.25, 0.5, 0.75, 1.0)) == pytest.approx((4.3326, 2.9631, 2.3590, 2.0141), abs=2e-4)


@pytest.mark.parametrize("level", [0.5, 0.04, 0.002])
def test_a_repeated_p_value_errs_at_its_level_over_all_looks(level):
    steps = np.diff([0.0, *FRACTIONS]) ** 0.5
    sums = (np.random.default_rng(0).standard_normal((200_000, len(FRACTIONS))) * steps).cumsum(1)
    p = special.ndtr(-sums / np.sqrt(FRACTIONS))
    crossed = [Look(n + 1).repeated(p[:, n]) <= level for n in range(len(FRACTIONS))]
    assert np.any(crossed, 0).mean() == pytest.approx(level, abs=4 * (level / 200_000) ** 0.5)


def test_a_single_look_changes_nothing_and_a_p_value_never_gets_smaller():
    p = np.array([0.0, 1e-9, 0.01, 0.04, 0.4, 1.0])
    assert Look(1, (1.0,)).repeated(p).tolist() == p.tolist()
    for number in range(1, 6):
        repeated = Look(number).repeated(p)
        assert (repeated >= p).all()
        assert (np.diff(repeated) >= 0).all()


WORLDS = list(worlds(np.random.default_rng(0), 1, 6, 1))


@pytest.mark.parametrize("world", WORLDS[::2])
def test_the_simulation_judges_a_look_as_the_gate_does(world):
    found = worlds(np.random.default_rng(5), 3, 40, 2)[world][1]()
    spread = Pairs.of(found).spread
    policy = choose_policy(None, None)
    for number, count in ((3, prompts_at(FRACTIONS, 40)[2]), (5, 40)):
        look = Look(number)
        part = first_prompts(found, count)
        expected = judge(part, look, spread)
        for nth in range(3):
            old = as_run("old", found.old[nth], found.old_failed[nth])
            new = as_run("new", part.new[nth], part.new_failed[nth])
            reference = Reference(margins=fix_margins(old, policy))
            assert decide(new, old, policy, reference, look).outcome == expected[nth]


def test_the_predicted_clips_of_a_release_of_the_same_model_are_those_of_the_simulation():
    rng, draw = np.random.default_rng(3), Draw(200, 40, 2, shared=0.0, chance=0.5, here=0.0)
    found = draw(rng)
    used = [judge_in_turn(releases, FRACTIONS)[1].mean() for releases in (found, shifted(draw(rng), 2.0))]
    looks = PlannedLooks(baseline="", baseline_digest="", policy="", order=tuple(f"p{n:03d}" for n in range(40)))
    baselines = [as_run("old", found.old[nth], found.old_failed[nth]) for nth in range(8)]
    predicted = [expected_looks(old, choose_policy(None, None), looks, 2) for old in baselines]
    assert np.mean([each.equal for each in predicted]) == pytest.approx(used[0], abs=0.05)
    assert np.mean([each.loss for each in predicted]) == pytest.approx(used[1], abs=0.05)


def test_common_prompts_are_compared_where_the_policy_allows_it_and_named(tmp_path):
    old, new = open_run(write(tmp_path / "old", prompts=40)), open_run(write(tmp_path / "new", prompts=44, weights="b"))
    policy = choose_policy(None, None)
    with pytest.raises(NotComparable, match="suite"):
        decide(new, old, policy)
    path = tmp_path / "policy.toml"
    path.write_text('prompts = "common"\n' + policy.path.read_text())
    verdict = decide(new, old, read_policy(path))
    assert verdict.outcome == "pass"
    (note,) = [finding for finding in verdict.findings if finding.kind == "common-prompts"]
    assert "over the 40 prompts" in note.message
    assert "only in the candidate, or with a different text: p040 and 3 more" in note.message
    assert {check.evidence.prompts for check in verdict.checks if check.id == "model/detail/non-inferior"} == {40}


def test_a_prompt_whose_text_changed_is_not_common(tmp_path):
    old, new = write(tmp_path / "old", prompts=30), write(tmp_path / "new", prompts=30, weights="b")
    manifest = tmp_path / "new" / "run.json"
    text = manifest.read_text().replace('"thing 3"', '"another thing"')
    manifest.write_text(text.replace('"digest": "', '"digest": "x'))
    path = tmp_path / "policy.toml"
    path.write_text('prompts = "common"\n[[check]]\nmetric = "detail"\nrule = "non-inferior"\nmargin = 0.05\n')
    verdict = decide(open_run(new), open_run(old), read_policy(path))
    assert [check.evidence.prompts for check in verdict.checks] == [29]
