"""The export holds what VBench's readers expect, and nothing that VBench would compute otherwise."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.built_runs import Fake, build_run
from vbench_lite.analysis.summary import summarise
from vbench_lite.errors import NotComparable
from vbench_lite.report import write_report
from vbench_lite.report.data import gather
from vbench_lite.report.formats import vbench
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
    assert len(told["lacking"]) == 15
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


@pytest.mark.parametrize(
    ("backbone", "is_vbenchs"),
    [
        ("mine/ViT-B-32@40d36571", True), ("openai/ViT-B-32@12345678", False), ("mine/openai@40d36571+squash", False),
        ("builtin/clip@35177a36", False),
    ],
)  # fmt: skip
def test_the_network_is_known_by_its_digest_and_preprocessing_not_by_a_name(tmp_path, backbone, is_vbenchs) -> None:
    run = build_run(tmp_path / "run", prompts=2, generators=[Fake("a")], video=False)
    info = replace(run.scored.metrics["clip_frames"], backbone=backbone)
    summarise(run.folder, replace(run.scored, metrics={**run.scored.metrics, "clip_frames": info}))
    document = vbench.render(gather([Run(run.folder)]))
    assert (vbench.dimension_of("clip_frames", info) == "background_consistency") is is_vbenchs
    assert json.loads(document)["vbench_lite"]["partial"] is True
