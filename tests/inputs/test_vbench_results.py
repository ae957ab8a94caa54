"""Result files of VBench, VBench-I2V and VBench-2.0, and files that are none."""

from __future__ import annotations

import json

import pytest

from vbench_lite.errors import BadFile
from vbench_lite.inputs.vbench_results import read_vbench_results


def read(tmp_path, document):
    path = tmp_path / "eval_results.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return read_vbench_results(path)


def clip(result, file="a cat-0.mp4"):
    return {"video_path": file, "video_results": result}


def test_values_are_on_the_scale_of_the_means(tmp_path):
    found = read(tmp_path, {
        "imaging_quality": [0.61, [clip(61.0)]], "dynamic_degree": [1.0, [clip(True)]], "scene": [0.5, [clip(0.5)]],
    })  # fmt: skip
    assert {score.dimension: score.value for score in found.scores} == {
        "imaging_quality": 0.61, "dynamic_degree": 1.0, "scene": 0.5,
    }
    assert found.means == {"imaging_quality": 0.61, "dynamic_degree": 1.0, "scene": 0.5}


def test_names_of_vbench_2_and_its_clips_that_were_not_judged(tmp_path):
    found = read(tmp_path, {
        "Multi-View_Consistency": [0.5, [clip(-1), clip(1, "a cat-1.mp4")]],
        "Diversity": [0.4, [{"prompt_en": "a cat", "video_results": 0.4}]], "Camera_Motion": [0.3, []],
    })  # fmt: skip
    left_out, judged = found.scores
    assert (left_out.dimension, left_out.value) == ("multi_view_consistency", None)
    assert "not judged" in left_out.reason
    assert judged.value == 1.0
    assert found.without_clip == {"diversity": 1}
    assert found.means == {"multi_view_consistency": 0.5, "diversity": 0.4, "camera_motion": 0.3}


@pytest.mark.parametrize("result", ["high", None, [1], {"a": 1}])
def test_a_result_that_is_no_number_becomes_a_reason(tmp_path, result):
    (score,) = read(tmp_path, {"scene": [0.5, [clip(result)]]}).scores
    assert score.value is None
    assert "not a number" in score.reason


@pytest.mark.parametrize(
    "document",
    [
        [], {}, {"vbench_lite": [{}]}, {"scene": 0.5}, {"scene": []}, {"scene": [0.5, {}]}, {"scene": [0.5, [0.5]]},
        {"scene": [0.5, [], 3]}, {"scene": [0.5, [{"video_path": "a.mp4"}]]}, {"7": [0.5, []]},
        {"scene": [0.5, []], "Scene": [0.5, []]}, "[1", '{"scene": [NaN, []]}',
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_its_name(tmp_path, document):
    with pytest.raises(BadFile, match=r"eval_results\.json"):
        read(tmp_path, document)
