"""Equal clips for different seeds are a finding; equal clips of different prompts are none."""

import logging

import pytest

from tests.runs import cpu, simulated, small_suite
from vbench_lite.records import ClipRecord
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.plan import make_plan
from vbench_lite.running.equal_clips import equal_clips
from vbench_lite.running.runner import Outcome, run


def record(prompt: str, index: int, digest: str | None, status: str = "ok") -> ClipRecord:
    return ClipRecord("g", "diffusion", prompt, index, seed=index, status=status, sha256=digest)


def ran(path, *definitions, clips=3) -> Outcome:
    return run(make_plan(small_suite(3), definitions, clips, None, 0, "builtin"), RunFolder(path), cpu())


def test_a_seed_without_effect_is_found_and_only_for_its_generator(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("vbench_lite"), "propagate", True)
    outcome = ran(tmp_path, simulated("fixed", variety=1), simulated("free"))
    assert [(found.generator, len(found.prompts), found.everywhere) for found in outcome.equal] == [("fixed", 3, True)]
    # a set, because other tests may have left a second handler
    said = {r.getMessage() for r in caplog.records if r.levelno == logging.WARNING}
    assert said == {
        '"fixed" made the same clip for every seed, for all 3 prompts with several clips: its seed has no effect, and '
        "more clips per prompt add no information"
    }


def test_the_finding_is_made_again_where_no_clip_is(tmp_path):
    ran(tmp_path, simulated(variety=1))
    outcome = ran(tmp_path, simulated(variety=1))
    assert outcome.tried == 0
    assert [found.generator for found in outcome.equal] == ["sim"]


def test_one_clip_of_each_prompt_says_nothing_about_seeds(tmp_path):
    assert ran(tmp_path, simulated(variety=1), clips=1).equal == []


def test_equal_clips_of_some_prompts_are_counted_and_the_first_is_named():
    found = equal_clips("g", [
        record("a", 0, "x"), record("a", 1, "y"), record("b", 0, "z"), record("b", 1, "x"), record("b", 2, "z"),
    ])
    assert found is not None
    assert found.sentence() == (
        '"g" made equal clips for different seeds in 1 of 2 prompts, e.g. b #0 and #2: check that the seed reaches '
        "the model"
    )


@pytest.mark.parametrize("records", [
    [],
    [record("a", 0, "x"), record("b", 0, "x")],
    [record("a", 0, None, "failed"), record("a", 1, None, "failed")],
    [record("a", 0, "x"), record("a", 1, "y")],
])
def test_different_clips_and_failures_are_no_finding(records):
    assert equal_clips("g", records) is None
