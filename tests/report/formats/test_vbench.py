"""The export holds what VBench's readers expect, and nothing that VBench would compute otherwise."""

import json
import shutil

import numpy as np
import pytest

from vbench_lite.errors import NotComparable
from vbench_lite.report import write_report
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.view import Run


def test_file_has_vbenchs_form_and_says_that_it_is_partial(ads, tmp_path) -> None:
    path = write_report([Run(ads, "tiny-diffusion")], tmp_path / "x.json", "vbench")
    document = json.loads(path.read_text("utf-8"))
    aggregate, clips = document["temporal_flickering"]
    assert aggregate == pytest.approx(np.mean([clip["video_results"] for clip in clips]))
    assert all(clip["video_path"].endswith(".mp4") for clip in clips)
    assert set(document) == {"temporal_flickering", "vbench_lite"}, "builtin networks are not VBench's"
    told = document["vbench_lite"]
    assert told["asked"] == 48
    assert told["unscored"] == {"temporal_flickering": 48 - len(clips)}
    assert told["partial"] is True
    assert len(clips) == 47


def test_one_file_is_one_generator(ads, tmp_path) -> None:
    with pytest.raises(NotComparable, match="tiny-transformer"):
        write_report([Run(ads)], tmp_path / "x.json", "vbench")


def test_dimension_of_an_imported_suite_is_asked_of_its_own_prompts(ads, tmp_path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(ads.path, copy)
    manifest = json.loads((copy / "run.json").read_text("utf-8"))
    for prompt in manifest["suite"]["prompts"][:3]:
        prompt["tags"] = ["scene", "temporal_flickering"]
    (copy / "run.json").write_text(json.dumps(manifest))
    path = write_report([Run(RunFolder(copy), "tiny-diffusion")], tmp_path / "x.json", "vbench")
    asked = [prompt["id"] for prompt in manifest["suite"]["prompts"][:3]]
    _, clips = json.loads(path.read_text("utf-8"))["temporal_flickering"]
    assert {clip["video_path"].split("/")[-2] for clip in clips} <= set(asked)
    assert 0 < len(clips) < 12
