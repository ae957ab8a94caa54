"""Records of a run: what is read of a file, what is refused with which words, and what a side of a comparison shows."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.built_runs import Fake, build_run
from tests.gate.releases import write
from vbench_lite.analysis.summary import summarise
from vbench_lite.errors import StoreError
from vbench_lite.records import FORMAT, Estimate, MetricInfo, Prompt, ReasonCode
from vbench_lite.run import people
from vbench_lite.run.plan import asks_for_stillness, clip_seed, setting
from vbench_lite.run.reading import read_json, typed
from vbench_lite.run.summary import Floor, GeneratorSummary, Notes, SuiteHead, Summary, Usability, summary_from
from vbench_lite.run.view import Run, Side, open_run, read_processes

# -- JSON files


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "is missing: make it so."), ("[]", "cannot be read: expected a JSON object, got list."),
        ("3", "cannot be read: expected a JSON object, got int."), ("{", "cannot be read: "),
        ("[" * 100_000, "cannot be read: it is nested too deeply."),
        ("{}", 'the key "format" is None: expected 1 to 2.'),
        ('{"format": 0}', 'the key "format" is 0: expected 1 to 2.'), ('{"format": 3}', 'the key "format" is 3'),
        ('{"format": "2"}', "the key \"format\" is '2'"), ('{"format": 1.5}', 'the key "format" is 1.5'),
    ],
)  # fmt: skip
def test_a_file_that_is_no_record_is_refused_by_name(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(StoreError) as caught:
        read_json(path, "make it so.")
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


@pytest.mark.parametrize("version", [1, FORMAT])
def test_files_of_this_and_of_earlier_formats_are_read(tmp_path: Path, version: int) -> None:
    (tmp_path / "a.json").write_text(f'{{"format": {version}, "b": 2}}')
    assert read_json(tmp_path / "a.json", "") == {"format": version, "b": 2}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"min": "x"}, 'f.json: the key "min": expected `float | null`, got `str`.'),
        (3, "f.json: expected `object`, got `int`."),
    ],
)
def test_a_wrong_type_is_named_with_file_and_key(value: Any, message: str) -> None:
    with pytest.raises(StoreError) as caught:
        typed(value, Floor, Path("f.json"))
    assert str(caught.value) == message
    assert typed({"min": 1}, Floor, Path("f.json")) == Floor(1.0)


# -- summaries


@pytest.mark.parametrize(("share", "strict"), [(None, False), (1.0, False), (0.81, False), (0.79, True), (0.0, True)])
def test_thresholds_that_more_than_a_fifth_of_the_real_clips_fail_are_too_strict(
    share: float | None, strict: bool
) -> None:
    assert Usability({"a": Floor(0.5)}, share).too_strict is strict


def summary() -> Summary:
    info = MetricInfo("detail", "", True, "1", None, "clip")
    none = Estimate(None, reason="no", reason_code=ReasonCode.FAILED)
    estimate = {"detail": Estimate(0.5, 0.4, 0.6, 4), "motion": none}
    figures = GeneratorSummary("hybrid", 10, 1, estimate, {}, missing=3, devices=("1 x X",), usable=None)
    return Summary(
        FORMAT, SuiteHead("ads", "Ads", "d", 5, 2), {"detail": info}, {"one": figures},
        Usability({"detail": Floor(0.1, None, "suite")}, 0.9, ("x",)), Notes("builtin", truncated_prompts=("p",)),
    )  # fmt: skip


def test_a_summary_comes_back_from_its_json_and_states_reasons_only_of_what_is_absent() -> None:
    found = summary()
    value = found.as_json()
    assert value["format"] == 2
    assert "name" not in value["metrics"]["detail"]
    assert value["metrics"]["detail"]["higher_is_better"] is True
    scores = value["generators"]["one"]["scores"]
    assert scores["detail"] == {"value": 0.5, "low": 0.4, "high": 0.6, "n": 4, "unscored": 0}
    assert (scores["motion"]["reason"], scores["motion"]["reason_code"]) == ("no", "failed")
    assert value["usable"]["thresholds"] == {"detail": {"min": 0.1, "max": None, "source": "suite"}}
    assert (value["usable"]["ignored"], value["people"]) == (["x"], None)
    assert value["generators"]["one"]["devices"] == ["1 x X"]
    assert summary_from(json.loads(json.dumps(value)), Path("summary.json")) == found
    older = dataclasses.replace(found, format=1)
    assert older.as_json()["format"] == 2


def test_a_summary_is_a_mapping_of_generators_with_what_was_tried() -> None:
    found = summary()
    assert (list(found), len(found), found["one"].tried, "two" in found) == (["one"], 1, 7, False)
    assert GeneratorSummary("hybrid", 10, 1, {}, {}) == GeneratorSummary("hybrid", 10, 1, {}, {}, 0, (), None)
    assert (Usability(), Notes()) == (Usability({}, None, ()), Notes(None, None, None, {}, {}, ()))
    assert (Floor(), SuiteHead("a")) == (Floor(None, None, ""), SuiteHead("a", "", "", 0, 0))


def test_a_metric_of_a_file_has_the_name_of_its_key() -> None:
    value = summary().as_json()
    value["metrics"]["detail"]["name"] = "own"
    value["metrics"]["fvd"] = value["metrics"]["detail"] | {"unit": "distance", "per": "set"}
    found = summary_from(value, Path("s"))
    assert found.metrics["fvd"].unit == "squared distance"
    for wrong in (3, {"detail": 3}):
        with pytest.raises(StoreError, match="metrics"):
            summary_from(value | {"metrics": wrong}, Path("s"))


def test_metrics_of_votes_are_shares_and_name_simulated_raters() -> None:
    facts = [
        (info.name, info.unit, info.higher_is_better, info.version, info.per, info.range, info.question, info.rank)
        for info in people.HUMAN_METRICS.values()
    ]
    assert facts == [
        ("human_usable", "fraction", True, "1", "clip", (0.0, 1.0), "people", 10),
        ("human_preference", "fraction", True, "1", "clip", (0.0, 1.0), "people", 11),
    ]
    for name, info in people.HUMAN_METRICS.items():
        assert people.human_metric(name, simulated=False) is info
        of_program = people.human_metric(name, simulated=True)
        assert of_program.title == info.title.replace("people", "simulated raters")
        assert of_program.description == info.description.replace("people", "simulated raters")
        assert "people" not in of_program.title
        assert of_program.pitfalls.endswith(f" {info.pitfalls}")
        assert len(of_program.pitfalls) > len(info.pitfalls) + 10
        assert dataclasses.replace(of_program, title="", description="", pitfalls="") == dataclasses.replace(
            info, title="", description="", pitfalls=""
        )


# -- open runs


def test_times_of_a_generator_are_summed_over_processes_and_shards(tmp_path: Path) -> None:
    folder = tmp_path / "timings"
    folder.mkdir()
    first = {"load_s": 1, "import_s": 2.5, "x": 9, "y_s": "z"}
    (folder / "one.json").write_text(json.dumps({"processes": [first, {"load_s": 2}]}))
    (folder / "one.1of2.json").write_text('{"processes": [{"load_s": 4}, 3]}')
    (folder / "other.json").write_text('{"processes": [{"load_s": 100}]}')
    run = open_run(write(tmp_path, prompts=1))
    assert run.timings("one") == {"load_s": 7.0, "import_s": 2.5}
    assert run.timings("none") == {}
    for broken in ("[", "{}", '{"processes": 3}', "[" * 100_000, "[]"):
        (folder / "broken.json").write_text(broken)
        assert read_processes(folder / "broken.json") == []
    assert read_processes(folder / "absent.json") == []


def test_one_generator_of_a_run_shares_the_files_that_were_read(tmp_path: Path) -> None:
    run = open_run(write(tmp_path / "run", prompts=2))
    assert (run.label, run.name, run.path) == (str(tmp_path / "run"), "run", tmp_path / "run")
    early = run.selecting("model")
    assert (early.label, early.generators, early.selected) == (f"{tmp_path / 'run'}:model", ["model"], "model")
    assert early.__dict__.keys().isdisjoint({"summary", "grids"})
    read = (run.manifest, run.summary, run.grids)
    later = run.selecting("model")
    assert all(a is b for a, b in zip(read, (later.manifest, later.summary, later.grids), strict=True))
    assert later.selecting(None).generators == ["model"]
    assert (run.created, list(run.metrics)[:2]) == ("2026-11-22T10:00:00Z", ["temporal_flickering", "clip_frames"])


def test_a_side_names_its_run_and_has_figures_or_says_that_there_are_none(tmp_path: Path) -> None:
    run = open_run(write(tmp_path / "run", prompts=2))
    side = Side(run, "model")
    assert side.name == f"{tmp_path / 'run'}:model"
    assert side.grid is run.grids["model"]
    assert side.definition is run.manifest.generators["model"]
    assert side.score("fvd") == Estimate(9.0, 8.0, 10.0, 4, 0)
    for absent in (side.score("none"), side.cost("usd_per_clip")):
        assert (absent.value, absent.reason_code, absent.n) == (None, ReasonCode.NOT_MEASURED, 0)
    with pytest.raises(StoreError) as caught:
        _ = Side(run, "other").figures
    assert f'{tmp_path / "run" / "summary.json"} has no figures of "other". ' in str(caught.value)


def test_a_table_lists_the_clips_of_the_chosen_generator_from_0(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", prompts=3, generators=(Fake("one"), Fake("two")), video=False)
    with pytest.raises(StoreError, match=f"{tmp_path / 'run'} is not scored. Score the run with: vbench score"):
        _ = Run(run.folder).clips
    summarise(run.folder, run.scored)
    both = Run(run.folder).clips
    two = Run(run.folder, "two").clips
    assert (len(both), len(two), list(two.index), set(two["generator"])) == (12, 6, list(range(6)), {"two"})
    assert [record.generator for record in Run(run.folder).records("two")] == ["two"] * 6
    run.folder.record_path(Run(run.folder).records("two")[0].key).unlink()
    assert len(Run(run.folder).records("two")) == 5


@pytest.mark.parametrize("argument", ["none", "none:one", ":one", "one:"])
def test_what_is_no_run_is_refused_by_its_whole_name(tmp_path: Path, monkeypatch: Any, argument: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=f"{argument}/run.json is missing: the folder is not a run"):
        open_run(argument)


# -- plans


def test_a_seed_is_below_2_to_the_31_and_depends_on_all_three() -> None:
    seeds = {clip_seed(run, prompt, index) for run in (0, 1) for prompt in ("a", "b") for index in (0, 1, 11)}
    assert len(seeds) == 12
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert max(clip_seed(0, "p", n) for n in range(60)) > 2**30
    assert clip_seed(1, "a", 2) == int(hashlib.sha256(b"1\na\n2").hexdigest()[:8], 16) // 2


def test_stillness_and_settings_are_read_from_their_own_fields() -> None:
    for tag in ("still", "stillness", "motionless"):
        assert asks_for_stillness(Prompt("a", "", tags=(tag,)))
    assert not asks_for_stillness(Prompt("a", "still", category="still", motion="pan left"))
    from tests.runs import simulated

    assert (setting(simulated(tries=4), "tries", 2), setting(simulated(), "tries", 2)) == (4, 2)


def test_a_colon_needs_a_folder_before_it_and_a_generator_behind_it(tmp_path: Path, monkeypatch: Any) -> None:
    write(tmp_path / "run", prompts=1)
    monkeypatch.chdir(tmp_path)
    assert open_run("run:model").selected == "model"
    with pytest.raises(StoreError, match=r"run:/run\.json is missing"):
        open_run("run:")
    monkeypatch.chdir(tmp_path / "run")
    assert open_run(".:model").selected == "model"
    with pytest.raises(StoreError, match=r":model/run\.json is missing"):
        open_run(":model")
