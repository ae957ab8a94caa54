"""The plan of a run and its manifest: every clip that is asked for, and what cannot be asked."""

import datetime
import subprocess
from pathlib import Path

import pytest

from tests.runs import simulated, small_plan, small_suite
from vbench_lite.errors import StoreError, UsageError
from vbench_lite.records import FORMAT, Prompt, Suite, Threshold
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import GitState, Manifest, PlanRecord, git_state
from vbench_lite.run.plan import MOST_CLIPS, asks_for_stillness, check_settings, clip_seed, make_plan
from vbench_lite.run.reading import typed
from vbench_lite.run.shareable import shareable
from vbench_lite.run.view import Run, read_processes


def plan(definitions=None, clips=1, limit=None, **options):
    return make_plan(small_suite(3), definitions or [simulated()], clips, limit, 5, "builtin", **options)


def test_every_clip_has_the_seed_of_its_prompt_and_number():
    asked = list(plan(limit=2, clips_of={"p001": 2}).requests(simulated()))
    assert [(r.prompt_id, r.prompt, r.index, r.seed) for r in asked] == [
        (f"p00{n}", f"a square number {n}", k, clip_seed(5, f"p00{n}", k)) for n, k in ((0, 0), (1, 0), (1, 1))
    ]
    assert clip_seed(0, "sneaker-spin-red", 0) == 879760939
    assert [(k.generator, k.prompt_id, k.index) for k in small_plan(prompts=1).keys(simulated("x"))] == [
        ("x", "p000", 0), ("x", "p000", 1),
    ]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"clips": 0}, "--clips-per-prompt 0 requests no clip"),
        ({"clips": MOST_CLIPS + 1}, "1000001 clips per prompt are more than 1000000"),
        ({"limit": 0}, "--limit 0 requests no prompt"),
        ({"definitions": [simulated("x"), simulated("x")]}, 'two generators are called "x"'),
        ({"definitions": [simulated("a/b")]}, 'the generator name "a/b"'),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(asked, words):
    with pytest.raises(UsageError, match=words):
        plan(**asked)


def test_the_most_and_the_suites_own_clips_can_be_asked():
    assert plan(clips=MOST_CLIPS).clips_per_prompt == 1_000_000
    assert plan(clips=None).clips_per_prompt == small_suite(3).clips_per_prompt


WHOLE = ("batch_size", "tries", "devices", "workers", "stop_after_failures")


@pytest.mark.parametrize("name", [*WHOLE, "timeout_s", "memory_limit_mb"])
def test_numbers_of_the_runner_are_above_0_and_some_are_whole(name):
    check_settings(simulated(**{name: 1}))
    for value in (0, -1, True, "3", None, *((1.5,) if name in WHOLE else (0.0,))):
        expected = "a whole number, 1 or more" if name in WHOLE else "a number above 0"
        with pytest.raises(UsageError, match=f'"{name}" of the generator "sim" is .*: expected {expected}'):
            check_settings(simulated(**{name: value}))
    if name not in WHOLE:
        check_settings(simulated(**{name: 0.5}))


def test_stillness_is_asked_for_by_the_motion_or_by_a_tag():
    assert asks_for_stillness(Prompt("a", "a", motion="still"))
    assert asks_for_stillness(Prompt("a", "a", tags=("x", "motionless")))
    assert not asks_for_stillness(Prompt("a", "a", tags=("x",)))


def manifest(**changes):
    suite = Suite("s", "S", tuple(Prompt(id_, id_) for id_ in "abc"), "", usable={"m": Threshold(min=1.0)})
    given = {"plan": PlanRecord(("c", "a"), 1, clips_of={"a": 2}), "suite": suite, "generators": {}} | changes
    return Manifest(FORMAT, "run", **given)


def test_a_manifest_lists_every_asked_clip_by_prompt_and_number():
    found = manifest()
    keys = [(key.generator, key.prompt_id, key.index) for key in found.keys("x")]
    assert keys == [("x", "c", 0), ("x", "a", 0), ("x", "a", 1)]
    assert [prompt.id for prompt in found.prompts] == ["a", "c"]


def test_thresholds_and_real_clips_of_the_plan_come_before_the_suites():
    plain = manifest()
    assert (plain.thresholds, plain.reference) == ({"m": Threshold(min=1.0)}, plain.suite.reference)
    assert PlanRecord((), 1).metrics is None
    own = manifest(plan=PlanRecord(("a",), 1, thresholds={}, reference=""))
    assert (own.thresholds, own.reference) == ({}, "")


def test_a_manifest_of_unknown_prompts_or_of_names_that_are_no_folders_is_refused():
    with pytest.raises(ValueError, match="has the prompt 'z'"):
        manifest(plan=PlanRecord(("a", "z"), 1))
    with pytest.raises(ValueError, match=r"the generator name '\.\./x'"):
        manifest(generators={"../x": None})


def test_the_commit_is_stored_with_whether_files_are_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state() is None
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    Path("a").write_text("1")
    for command in (["init", "-q"], ["add", "a"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    assert git_state() == GitState(commit, False)
    Path("new").write_text("untracked files are no change")
    assert git_state() == GitState(commit, False)
    Path("a").write_text("2")
    assert git_state() == GitState(commit, True)


def test_dates_and_paths_become_text_and_back(tmp_path):
    day = datetime.date(2026, 1, 2)
    assert shareable({"a": day, "b": [None, True, 1, 0.5]}) == {"a": "2026-01-02", "b": [None, True, 1, 0.5]}
    assert typed("a/b", Path, tmp_path) == Path("a/b")
    with pytest.raises(StoreError):
        typed(3, Path, tmp_path)


def test_times_of_processes_are_summed_by_phase(tmp_path):
    timings = tmp_path / "timings"
    timings.mkdir()
    folder = RunFolder(tmp_path)
    text = '{"processes": [{"load_s": 2, "import_s": 0.5, "name": "x", "note_s": "y"}, 3, {"load_s": 0.25}]}'
    (timings / "one.json").write_text(text)
    (timings / "two.json").write_text("{")
    assert Run(folder, None).timings("one") == {"load_s": 2.25, "import_s": 0.5}
    assert Run(folder, None).timings("two") == {}
    assert read_processes(timings / "absent.json") == []
