"""The layout of a run folder: where files lie, what a record holds, and what is deleted."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest

from vbench_lite.errors import StoreError
from vbench_lite.records import (
    FORMAT,
    ClipKey,
    ClipRecord,
    DeviceFacts,
    Measurement,
    Price,
    Prompt,
    ReasonCode,
    Suite,
)
from vbench_lite.run.folder import CONTENTS, RunFolder
from vbench_lite.run.manifest import Manifest, PlanRecord
from vbench_lite.run.summary import SuiteHead, Summary
from vbench_lite.run.view import Run
from vbench_lite.tomlfile import digest

RECORD = ClipRecord(
    "one", "diffusion", "p", 3, 7, "ok", frames=9, measurement=Measurement(wall_s=0.5, counts={"steps": 4}),
    device=DeviceFacts("cpu", "X"), price=Price(usd_per_clip=0.25), cost_usd=0.25,
)  # fmt: skip


def test_files_of_a_run_lie_where_the_layout_says(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path / "a" / ".." / "run"))
    assert (folder.name, RunFolder(tmp_path).path) == ("run", tmp_path)
    names = (folder.manifest_path, folder.table_path, folder.summary_path, folder.features_path("one"))
    assert [path.relative_to(folder.path).as_posix() for path in names] == [
        "run.json", "clips.csv", "summary.json", "features/one.npz",
    ]  # fmt: skip
    assert folder.record_path(ClipKey("one", "p", 3)) == folder.path / "clips" / "one" / "p" / "3.json"
    assert folder.clip_path(RECORD) is None
    assert folder.clip_path(dataclasses.replace(RECORD, path="a/b.mp4")) == folder.path / "a" / "b.mp4"
    assert (folder.exists(), folder.keeps_clips()) == (False, False)
    assert folder.remedy.startswith("The folder has no clips to score")
    (tmp_path / "run" / "clips").mkdir(parents=True)
    (tmp_path / "run" / "run.json").touch()
    there = RunFolder(tmp_path / "run")
    assert (there.exists(), there.keeps_clips()) == (True, True)
    assert there.remedy == f"Score the run with: vbench score {tmp_path / 'run'}"


def test_a_manifest_and_a_summary_are_written_in_the_present_format(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    older = Manifest(1, "run", Suite("ads", "", (Prompt("a", "an a"),), ""), PlanRecord(("a",), 2), {})
    folder.write_manifest(older)
    assert folder.manifest() == dataclasses.replace(older, format=FORMAT)
    summary = Summary(1, SuiteHead("ads"), {}, {})
    folder.write_summary(summary)
    assert folder.summary() == dataclasses.replace(summary, format=FORMAT)


def test_times_are_those_of_the_run_and_of_its_shards_in_order(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / "timings").mkdir()
    for name in ("one.2of3", "one.1of3", "two.1of3", "one.other"):
        (tmp_path / "timings" / f"{name}.json").write_text('{"processes": [{"load_s": 1.5}]}')
    assert [path.name for path in folder.timings_paths("one")] == ["one.json", "one.1of3.json", "one.2of3.json"]
    assert Run(folder).timings("one") == {"load_s": 3.0}


def test_a_clip_is_stored_with_its_digest_and_comes_back(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.find_record(RECORD.key) is None
    stored = folder.write_clip(RECORD, b"frames")
    assert stored == dataclasses.replace(
        RECORD, path="clips/one/p/3.mp4", sha256=hashlib.sha256(b"frames").hexdigest()
    )
    assert folder.find_record(RECORD.key) == stored == folder.read_record(folder.record_path(RECORD.key))
    assert (tmp_path / "clips/one/p/3.mp4").read_bytes() == b"frames"
    assert folder.write_clip(dataclasses.replace(RECORD, index=4), b"x", ".webm").path == "clips/one/p/4.webm"
    failed = dataclasses.replace(RECORD, index=5, status="failed", reason="no", reason_code=ReasonCode.FAILED)
    assert folder.write_clip(failed, None) == failed
    assert [path.name for path in folder.record_paths()] == ["3.json", "4.json", "5.json"]
    assert [record.index for record in folder.records()] == [3, 4, 5]


def test_a_record_has_one_line_a_field_and_a_check_of_the_whole(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_record(dataclasses.replace(RECORD, reason="größer"))
    text = folder.record_path(RECORD.key).read_text("utf-8")
    value = json.loads(text)
    assert text.splitlines()[:3] == ["{", f'  "format": {FORMAT},', '  "generator": "one",']
    assert text.endswith('"\n}\n')
    assert '  "reason": "größer",' in text.splitlines()
    assert len(text.splitlines()) == len(dataclasses.fields(ClipRecord)) + 4
    check = value.pop("check")
    assert check == digest(value)
    folder.record_path(RECORD.key).write_text(text.replace('"seed": 7', '"seed": 8'))
    with pytest.raises(StoreError, match=r"3\.json was changed after it was written\. Delete it"):
        folder.read_record(folder.record_path(RECORD.key))
    folder.record_path(RECORD.key).write_text(text.replace(check, ""))
    with pytest.raises(StoreError, match="was changed after"):
        folder.read_record(folder.record_path(RECORD.key))


def test_records_are_sorted_by_generator_prompt_and_number(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    keys = [("two", "a", 0), ("one", "b", 10), ("one", "b", 2), ("one", "a", 1)]
    for generator, prompt, index in keys:
        folder.write_record(dataclasses.replace(RECORD, generator=generator, prompt_id=prompt, index=index))
    (tmp_path / "clips" / "one" / "a" / "note.json").write_text("{}")
    assert [tuple(record.key) for record in folder.records()] == sorted(keys)
    assert [path.stem for path in folder.record_paths()] == ["1", "10", "2", "0"]


def test_a_run_is_deleted_with_its_manifest_last_and_other_files_stay(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for name in CONTENTS:
        if "." in name:
            (tmp_path / name).touch()
        else:
            (tmp_path / name).mkdir()
            (tmp_path / name / "a").touch()
    (tmp_path / "run.json").touch()
    (tmp_path / "notes.txt").touch()
    folder.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    folder.clear()


def test_a_folder_that_cannot_be_deleted_is_named_and_its_manifest_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "run.json").touch()

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(StoreError, match=rf"cannot delete {tmp_path / 'clips'}: .* Choose another folder with --out"):
        RunFolder(tmp_path).clear()
    assert (tmp_path / "run.json").exists()


@pytest.mark.parametrize(
    ("path", "inside"), [("clips/a.mp4", True), ("a/../b.mp4", True), ("../b.mp4", False), ("/b", False)]
)
def test_a_record_names_a_clip_of_its_run(tmp_path: Path, path: str, inside: bool) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.write_record(dataclasses.replace(RECORD, path=path))
    if inside:
        assert folder.find_record(RECORD.key) == dataclasses.replace(RECORD, path=path)
    else:
        with pytest.raises(StoreError, match=f"names a clip outside the run: {path}"):
            folder.find_record(RECORD.key)
