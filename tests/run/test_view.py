"""A run is opened and checked in one place."""

import json
import shutil
from pathlib import Path

import pytest

from tests.built_runs import Fake, build_run
from vbench_lite.analysis.summary import summarise
from vbench_lite.errors import StoreError
from vbench_lite.metrics.fvd import Fvd
from vbench_lite.records import ReasonCode
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.summary import summary_from
from vbench_lite.run.view import open_run

FORMAT1 = Path(__file__).parents[1] / "data" / "format1"


@pytest.fixture
def scored(tmp_path):
    fakes = (Fake("one", failed=[(0, 0)]), Fake("two", missing=[(1, 0), (2, 1)]))
    run = build_run(tmp_path / "a", prompts=6, generators=fakes, video=False)
    summarise(run.folder, run.scored)
    return tmp_path / "a"


def edit(path: Path, *keys: str | int, value: object) -> None:
    """Sets one key of a JSON file, or deletes it where `value` is `...`."""
    whole = place = json.loads(path.read_text())
    for key in keys[:-1]:
        place = place[key]
    if value is ...:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    path.write_text(json.dumps(whole))


def test_a_run_comes_back_as_it_was_written(scored):
    run = open_run(scored)
    assert run.manifest == RunFolder(scored).manifest()
    assert (run.summary["one"].failed, run.summary["two"].missing) == (1, 2)
    assert int(run.grids["two"].missing.sum()) == 2
    assert int(run.grids["one"].missing.sum()) == 0
    assert len(run.clips) == 24
    assert run.generators == ["one", "two"]


def test_one_generator_of_a_run_can_be_named(scored):
    run = open_run(f"{scored}:two")
    assert (run.selected, run.generators, set(run.clips["generator"])) == ("two", ["two"], {"two"})
    with pytest.raises(StoreError, match=r'has no generator "three"\. Its generators: one, two'):
        open_run(f"{scored}:three")


def test_a_folder_may_have_a_colon_in_its_name(scored):
    odd = scored.with_name("a:b")
    shutil.copytree(scored, odd)
    assert open_run(odd).selected is None
    assert open_run(f"{odd}:one").selected == "one"


def test_a_bare_name_is_looked_for_under_results(scored, monkeypatch):
    monkeypatch.chdir(scored.parent)
    shutil.copytree(scored, "results/mine")
    assert open_run("mine").path == Path("results/mine")
    assert open_run("mine:one").selected == "one"


@pytest.mark.parametrize(
    ("file", "keys", "value", "named"),
    [
        ("run.json", ("plan", "clips_per_prompt"), "two", "plan.clips_per_prompt"),
        ("run.json", ("plan", "prompts"), ..., "plan"),
        ("run.json", ("suite",), ..., "suite"),
        ("run.json", ("generators", "one", "route"), 5, "route"),
        ("run.json", ("device",), 7, "device"),
        ("run.json", ("format",), 99, '"format" is 99'),
        ("run.json", ("format",), "x", '"format"'),
        ("summary.json", ("generators", "one", "clips"), None, "clips"),
        ("summary.json", ("generators", "one", "scores"), [], "scores"),
        ("summary.json", ("metrics", "detail", "per"), "frame", "per"),
        ("summary.json", ("metrics",), ..., "metrics"),
        ("summary.json", ("usable", "thresholds"), 1, "thresholds"),
    ],
)
def test_a_missing_or_wrong_key_is_named_with_its_file(scored, file, keys, value, named):
    edit(scored / file, *keys, value=value)
    with pytest.raises(StoreError) as error:
        _ = open_run(scored).summary
    assert file in str(error.value)
    assert named in str(error.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"3", b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}', b'{"format": ' + b"9" * 5_000 + b"}"],
    ids=["empty", "torn", "list", "number", "no text", "deep", "nan", "long number"],
)
@pytest.mark.parametrize("file", ["run.json", "summary.json"])
def test_a_broken_file_is_our_own_error_that_names_it(scored, file, content):
    (scored / file).write_bytes(content)
    with pytest.raises(StoreError, match=file):
        _ = open_run(scored).summary


@pytest.mark.parametrize("name", ["../../evil", "a/b", ".hidden", "with space", "", "x" * 151])
def test_names_that_cannot_be_folders_are_refused_when_read(scored, name):
    value = json.loads((scored / "run.json").read_text())
    value["generators"][name] = value["generators"].pop("one")
    (scored / "run.json").write_text(json.dumps(value))
    with pytest.raises(StoreError, match="cannot be the name of a folder"):
        open_run(scored)


def test_a_record_that_points_out_of_the_run_is_refused(scored):
    folder = RunFolder(scored)
    path = next(folder.record_paths())
    record = folder.read_record(path)
    import dataclasses

    folder.write_record(dataclasses.replace(record, path="../../other.mp4"))
    with pytest.raises(StoreError, match="outside the run"):
        folder.read_record(path)


@pytest.mark.parametrize("name", ["baseline", "run"])
def test_runs_of_format_1_are_still_read(name):
    run = open_run(FORMAT1 / name)
    assert run.manifest.format == 1
    for generator in run.generators:
        figures, grid = run.summary[generator], run.grids[generator]
        assert figures.scores["temporal_flickering"].value > 0.9
        assert figures.missing == 0
        assert figures.usable == int((grid.values("usable") == 1).sum())
        assert grid.values("temporal_flickering").mean() == pytest.approx(figures.scores["temporal_flickering"].value)
    assert run.metrics["temporal_flickering"].unit == "fraction"
    assert "temporal_flickering" in run.manifest.suite.usable
    assert "flicker" not in run.metrics


def test_clip_records_of_format_1_are_still_read():
    records = RunFolder(FORMAT1 / "run").records()
    assert len(records) == 8
    assert {record.status for record in records} == {"ok"}
    assert {record.reason_code for record in records} == {None}


def test_format_1_said_in_words_that_a_clip_was_never_generated(tmp_path):
    shutil.copytree(FORMAT1 / "run", tmp_path / "run")
    table = tmp_path / "run" / "clips.csv"
    lines = table.read_text().splitlines()
    header = lines[0].split(",")
    cells = lines[1].split(",")
    cells[header.index("status")] = "failed"
    cells[header.index("reason")] = "missing: this clip was asked for and never made"
    table.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    generator = cells[header.index("generator")]
    assert int(open_run(tmp_path / "run").grids[generator].missing.sum()) == 1


def test_a_failure_whose_reason_begins_with_missing_stays_a_failure(scored):
    import dataclasses

    folder = RunFolder(scored)
    failed = next(record for record in folder.records() if record.status == "failed")
    folder.write_record(dataclasses.replace(failed, reason="missing weights in the service", reason_code="failed"))
    assert folder.read_record(folder.record_path(failed.key)).reason_code is ReasonCode.FAILED
    assert int(open_run(scored).grids["one"].missing.sum()) == 0


def test_the_unit_of_frechet_distances_in_earlier_files_becomes_that_of_today() -> None:
    path = Path(__file__).parents[2] / "results" / "baseline" / "summary.json"
    value = json.loads(path.read_text("utf-8"))
    for name in ("fvd", "fvd_corrected"):
        value["metrics"][name]["unit"] = "distance"
    value["metrics"]["own"] = value["metrics"]["fvd"]
    found = summary_from(value, path).metrics
    units = {name: found[name].unit for name in ("fvd", "fvd_corrected", "kvd", "own")}
    assert units == {**dict.fromkeys(("fvd", "fvd_corrected", "kvd"), Fvd.unit), "own": "distance"}
