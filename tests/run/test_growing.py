"""A plan grows; what changes no clip is no part of it; what would mix clips is refused."""

import dataclasses

import pytest

from tests.runs import cpu, simulated, small_suite
from vbench_lite.errors import PlanConflict, StoreError
from vbench_lite.records import Threshold
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.plan import make_plan
from vbench_lite.running.runner import Options, run


def ran(path, suite, limit=None, clips=1, seed=0, definition=None, **options):
    plan = make_plan(suite, [definition or simulated()], clips, limit, seed, "builtin")
    return run(plan, RunFolder(path), cpu(), Options(**options))


def test_more_prompts_and_more_clips_extend_the_run(tmp_path):
    suite = small_suite(4)
    assert ran(tmp_path, suite, limit=2).made == 2
    outcome = ran(tmp_path, suite)
    assert (outcome.ready, outcome.made) == (2, 2)
    outcome = ran(tmp_path, suite, clips=2)
    assert (outcome.ready, outcome.made) == (4, 4)
    manifest = RunFolder(tmp_path).manifest()
    assert (len(manifest.plan.prompts), manifest.plan.clips_per_prompt) == (4, 2)


def test_a_smaller_plan_does_no_work_and_takes_nothing_away(tmp_path):
    suite = small_suite(4)
    ran(tmp_path, suite, clips=2)
    outcome = ran(tmp_path, suite, limit=1, clips=1)
    assert (outcome.ready, outcome.tried) == (1, 0)
    assert len(RunFolder(tmp_path).manifest().plan.prompts) == 4


def test_prompts_may_have_different_numbers_of_clips_after_growing(tmp_path):
    suite = small_suite(3)
    ran(tmp_path, suite, limit=1, clips=3)
    ran(tmp_path, suite, clips=1)
    plan = RunFolder(tmp_path).manifest().plan
    assert [plan.clips(prompt) for prompt in plan.prompts] == [3, 1, 1]


def test_thresholds_categories_and_tags_change_no_clip(tmp_path):
    suite = small_suite(2)
    ran(tmp_path, suite)
    prompts = tuple(dataclasses.replace(p, category="other", tags=("new",)) for p in suite.prompts)
    changed = dataclasses.replace(suite, prompts=prompts, usable={"detail": Threshold(min=0.1)}, digest="changed")
    outcome = ran(tmp_path, changed)
    assert (outcome.ready, outcome.tried) == (2, 0)
    stored = RunFolder(tmp_path).manifest().suite
    assert (stored.digest, stored.prompts[0].category, dict(stored.usable)) == (
        "changed", "other", {"detail": Threshold(min=0.1)},
    )


def test_another_text_of_a_prompt_is_refused_with_the_two_ways_out(tmp_path):
    suite = small_suite(2)
    ran(tmp_path, suite)
    first = dataclasses.replace(suite.prompts[0], text="something else")
    with pytest.raises(PlanConflict, match=r'text of the prompt "p000" differs.*--out DIR.*--fresh'):
        ran(tmp_path, dataclasses.replace(suite, prompts=(first, suite.prompts[1])))


def test_another_seed_is_refused(tmp_path):
    ran(tmp_path, small_suite(1))
    with pytest.raises(PlanConflict, match="seed 0"):
        ran(tmp_path, small_suite(1), seed=1)


def test_a_prompt_that_left_the_suite_leaves_the_plan_and_its_clip_stays(tmp_path):
    ran(tmp_path, small_suite(3))
    ran(tmp_path, small_suite(2))
    folder = RunFolder(tmp_path)
    assert len(folder.manifest().plan.prompts) == 2
    assert len(list(folder.record_paths())) == 3


def test_a_run_without_clips_claims_nothing(tmp_path):
    folder = RunFolder(tmp_path)
    ran(tmp_path, small_suite(1))
    for path in [*tmp_path.glob("clips/*/*/*")]:
        path.unlink()
    outcome = ran(tmp_path, small_suite(1), seed=5)
    assert outcome.asked == 1
    assert folder.manifest().plan.seed == 5


def test_equal_failures_in_a_row_end_the_generator(tmp_path):
    hopeless = simulated(fail_share=1.0, stop_after_failures=3)
    outcome = ran(tmp_path, small_suite(20), definition=hopeless)
    assert 3 <= len(outcome.failed) < 10
    assert "times in a row with the same reason" in outcome.errors["sim"]
    assert outcome.missing == 20 - len(outcome.failed)


def test_a_folder_that_was_removed_during_the_run_is_an_error(tmp_path):
    import shutil

    class Removes:
        @property
        def requested(self):
            shutil.rmtree(tmp_path / "run", ignore_errors=True)
            return False

    with pytest.raises(StoreError):
        ran(tmp_path / "run", small_suite(2), stop=Removes())
