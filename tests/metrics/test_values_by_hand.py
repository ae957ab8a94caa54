"""The value of each metric, or its reason, from arrays of features that are written out here."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vbench_lite.distances.corrected import corrected_interval
from vbench_lite.distances.frechet import frechet_distance
from vbench_lite.distances.kernel import kernel_interval
from vbench_lite.features.extractor import ClipFeatures
from vbench_lite.metrics import shipped_metrics
from vbench_lite.metrics.base import ClipContext, SetContext, score_clip, score_set
from vbench_lite.metrics.conformance import problems
from vbench_lite.metrics.fvd import NO_INTERVAL
from vbench_lite.metrics.motion_adherence import adherence
from vbench_lite.records import MOTIONS, ClipSpec, Estimate, Prompt, ReasonCode, Score

LOOP = Prompt("p", "a loop", tags=("loop",))
STILL = Prompt("p", "a still life", motion="still")


def features(arrays, frames=2, fps=8.0, size=(128, 160), uneven=False):
    arrays = {extractor: {name: np.array(v) for name, v in found.items()} for extractor, found in arrays.items()}
    return ClipFeatures(frames, *size, fps, uneven, arrays)


def scored(name, arrays, clip, context):
    return score_clip(shipped_metrics()[name](), ClipContext(features(arrays, **clip), **context))


@pytest.mark.parametrize(
    ("name", "arrays", "clip", "context", "value"),
    [
        ("temporal_flickering", {"pixels": {"differences": [0.1, 0.3]}}, {}, {}, 0.8),
        ("warp_error", {"flow": {"warp_errors": [0.0, 0.3, -1.0]}}, {}, {}, 0.15),
        ("motion", {"flow": {"motions": [0.1, 0.3]}}, {}, {}, 1.6),
        ("clip_frames", {"image_text": {"likeness": [0.5, 0.7]}}, {}, {}, 0.6),
        ("background_consistency", {"image_text": {"likeness": [0.5, 0.7]}}, {}, {}, 0.6),
        ("subject_consistency", {"dino": {"likeness": [0.5, 0.7]}}, {}, {}, 0.6),
        ("shape_stability", {"image_text": {"worst_pair": [0.3]}}, {}, {}, 0.3),
        ("shape_stability", {"image_text": {"worst_pair": [-0.3]}}, {}, {}, 0),
        ("shape_stability", {"image_text": {"worst_pair": [1.5]}}, {}, {}, 1),
        ("long_range_consistency", {"image_text": {"lags": [0.8, 0.4, -0.2]}}, {"fps": 1.0}, {}, 0.4),
        ("dynamic_degree", {"raft": {"dynamic": [1.0]}}, {}, {}, 1),
        ("dynamic_degree", {"raft": {"dynamic": [0.0]}}, {}, {}, 0),
        ("aesthetic_quality", {"aesthetic": {"scores": [4.0, 6.0]}}, {}, {}, 0.5),
        ("imaging_quality", {"imaging": {"scores": [40.0, 60.0]}}, {}, {}, 0.5),
        ("loop_seam", {"ends": {"seam": [0.5]}, "pixels": {"differences": [0.1, 0.3]}}, {}, {"prompt": LOOP}, 0.3),
        ("loop_seam", {"ends": {"seam": [0.1]}, "pixels": {"differences": [0.1, 0.3]}}, {}, {"prompt": LOOP}, 0),
        ("clip_text", {"image_text": {"mean": [1.0, 0.0]}}, {}, {"text": np.array([3.0, 4.0])}, 0.6),
        ("motion_adherence", {"flow": {"motions": [0.004, 0.006]}}, {}, {"prompt": STILL}, 0.6),
        ("motion_adherence", {"flow": {"motions": [0.015]}}, {"fps": 10.0}, {"prompt": STILL}, -0.5),
        ("motion_adherence", {"flow": {"motions": [0.1]}}, {}, {"prompt": STILL}, -1),
        (
            "motion_adherence", {"motion_fit": {"camera": [[0.3, 0, 0, 0]], "object": [[0, 0.4, 0, 0]]}}, {},
            {"prompt": Prompt("p", "", motion="moves down")}, 0.8,
        ),
    ],
)  # fmt: skip
def test_values_of_clips(name, arrays, clip, context, value):
    found = scored(name, arrays, clip, context)
    assert found == (pytest.approx(value, abs=1e-15), None, None)


ONE_FRAME = Score(None, "it has a single frame", ReasonCode.ONE_FRAME)
NO_RATE = Score(None, "the file does not state its frame rate", ReasonCode.NOT_MEASURED)


@pytest.mark.parametrize(
    ("name", "arrays", "clip", "context", "expected"),
    [
        ("temporal_flickering", {"pixels": {"differences": []}}, {"frames": 1}, {}, ONE_FRAME),
        ("clip_frames", {"image_text": {"likeness": []}}, {"frames": 1}, {}, ONE_FRAME),
        ("background_consistency", {"image_text": {"likeness": []}}, {"frames": 1}, {}, ONE_FRAME),
        ("subject_consistency", {"dino": {"likeness": []}}, {"frames": 1}, {}, ONE_FRAME),
        ("warp_error", {}, {"frames": 1}, {}, ONE_FRAME), ("motion", {}, {"frames": 1}, {}, ONE_FRAME),
        ("shape_stability", {}, {"frames": 1}, {}, ONE_FRAME), ("dynamic_degree", {}, {"frames": 1}, {}, ONE_FRAME),
        ("long_range_consistency", {}, {"frames": 1, "fps": 0.1}, {}, ONE_FRAME),
        ("loop_seam", {}, {"frames": 1}, {"prompt": LOOP}, ONE_FRAME),
        ("motion_adherence", {}, {"frames": 1}, {"prompt": STILL}, ONE_FRAME),
        ("motion", {}, {"fps": 0.0}, {}, NO_RATE), ("long_range_consistency", {}, {"fps": 0.0}, {}, NO_RATE),
        ("dynamic_degree", {"raft": {"dynamic": []}}, {}, {}, NO_RATE),
        ("motion_adherence", {}, {"fps": 0.0}, {"prompt": STILL}, NO_RATE),
        (
            "dynamic_degree", {}, {"size": (90, 300)}, {},
            (None, "frames of 300x90 are too small for RAFT, which needs 121 pixels per side", "not_measured"),
        ),
        (
            "long_range_consistency", {}, {"frames": 15}, {},
            (None, "the clip has 1.88 s: 2 s are needed", "not_applicable"),
        ),
        (
            "warp_error", {"flow": {"warp_errors": [-1.0, -1.0]}}, {}, {},
            (None, "motion is so fast that every pixel is occluded", "other"),
        ),
        ("clip_text", {}, {}, {}, (None, "there is no prompt", "prompt_unreadable")),
        ("clip_text", {}, {}, {"text_problem": "too long"}, (None, "too long", "prompt_unreadable")),
        (
            "clip_text", {"image_text": {"mean": [0.0, 1.0]}}, {}, {"text": np.eye(2)[1], "text_truncated": "half"},
            (1.0, "half", "prompt_truncated"),
        ),
        ("loop_seam", {}, {}, {}, (None, 'the prompt does not request a loop (tag "loop")', "not_applicable")),
        ("motion_adherence", {}, {}, {}, (None, 'the prompt states no motion (key "motion")', "not_applicable")),
        (
            "first_frame_similarity", {}, {}, {"prompt": Prompt("mug", "")},
            (None, 'the prompt "mug" has no image', "not_applicable"),
        ),
        (
            "reference_image_similarity", {}, {}, {"prompt": Prompt("mug", "")},
            (None, 'the prompt "mug" has no image', "not_applicable"),
        ),
    ],
)  # fmt: skip
def test_reasons_of_clips_without_a_value(name, arrays, clip, context, expected):
    assert scored(name, arrays, clip, context) == expected


def looks(contrast=(0.2, 0.2), brightness=(0.5, 0.5), motions=(0.1, 0.2), **clip):
    arrays = {"pixels": {"contrast": contrast, "brightness": brightness}, "flow": {"motions": motions}}
    return features(arrays, **{"frames": 3, "size": (64, 96), **clip})


def spec(frames=3, fps=8.0, height=64, width=96):
    return ClipSpec(frames, fps, height, width)


@pytest.mark.parametrize(
    ("clip", "asked", "expected"),
    [
        (looks(), None, {}), (looks(frames=2, motions=[0.1]), None, {}), (looks(), spec(), {}),
        (looks(frames=1, motions=[]), None, {"one_frame": "it has a single frame"}),
        (looks(uneven=True), None, {"uneven": "its frames are shown for unequal times"}),
        (looks(contrast=[0.001, 0.0079], brightness=[0.01, 0.079]), None, {"black": "it is black"}),
        (looks(contrast=[0.001, 0.0079], brightness=[0.01, 0.08]), None, {"blank": "it is blank"}),
        (looks(contrast=[0.0, 0.0], brightness=[0.9, 0.9], motions=[0, 0]), None, {"blank": "it is blank"}),
        (looks(contrast=[0.0, 0.008], brightness=[0.0, 0.0]), None, {}),
        (looks(motions=[0.0005, 0.0007]), None, {"frozen": "it is frozen"}),
        (looks(motions=[0.000625, 0.000625]), None, {}),  # 0.005 sides a second
        (looks(frames=2, motions=[0.0006]), None, {"frozen": "it is frozen"}),
        (looks(motions=[0.003, 0.003], fps=0.0), None, {"frozen": "it is frozen"}),
        (looks(motions=[0.006, 0.006], fps=0.0), None, {}),
        (looks(motions=[0.0, 1.0]), None, {"repeated_frames": "50% of its frames repeat the previous frame"}),
        (looks(motions=[0, 0, 0.6]), None, {"repeated_frames": "67% of its frames repeat the previous frame"}),
        (looks(motions=[0.0, 0.5, 0.5]), None, {}),
        (looks(), spec(frames=4), {"wrong_form": "3 frames instead of 4"}),
        (looks(), spec(width=64), {"wrong_form": "96x64 instead of 64x64"}),
        (looks(), spec(height=62), {"wrong_form": "96x64 instead of 96x62"}),
        (looks(), spec(height=63, width=95), {}), (looks(size=(63, 95)), spec(height=63, width=95), {}),
        (looks(size=(66, 96)), spec(), {"wrong_form": "96x66 instead of 96x64"}),
        (looks(size=(64, 98)), spec(), {"wrong_form": "98x64 instead of 96x64"}),
        (looks(fps=0.0), spec(), {"wrong_form": "the file does not state its frame rate"}),
        (looks(fps=8.07), spec(), {}), (looks(fps=7.93), spec(), {}),
        (looks(fps=8.09), spec(), {"wrong_form": "8.09 frames per second instead of 8"}),
        (looks(fps=7.91), spec(), {"wrong_form": "7.91 frames per second instead of 8"}),
        (
            looks(uneven=True, motions=[0, 0]), spec(frames=5),
            {"wrong_form": "3 frames instead of 5", "uneven": "its frames are shown for unequal times",
             "frozen": "it is frozen"},
        ),
    ],
)  # fmt: skip
def test_problems_of_a_clip_are_listed_in_order_with_their_codes(clip, asked, expected):
    found = problems(clip, asked)
    assert [(problem.code, problem.text) for problem in found] == list(expected.items())
    first = next(iter(expected), None)
    score = score_clip(shipped_metrics()["conformance"](), ClipContext(clip, spec=asked))
    assert score == ((0.0, "; ".join(expected.values()), first) if expected else (1.0, None, None))


def test_a_prompt_for_a_still_clip_allows_a_frozen_one_but_no_black_one():
    assert problems(looks(motions=[0, 0]), None, still_requested=True) == []
    assert problems(looks(motions=[0, 1]), None, still_requested=True) == []
    assert len(problems(looks(contrast=[0, 0]), None, still_requested=True)) == 1
    context = ClipContext(looks(motions=[0, 0]), still_requested=True)
    assert score_clip(shipped_metrics()["conformance"](), context).value == 1


SIGNS = {
    "pan left": (True, 0, 1), "pan right": (True, 0, -1), "tilt up": (True, 1, 1), "tilt down": (True, 1, -1),
    "roll": (True, 3, None), "zoom in": (False, 2, 1), "zoom out": (False, 2, -1), "slides left": (False, 0, -1),
    "slides right": (False, 0, 1), "moves up": (False, 1, -1), "moves down": (False, 1, 1), "spins": (False, 3, None),
}  # fmt: skip
"""Motion: whether it is the camera's alone, which component it is, and the sign (None: either)."""


@pytest.mark.parametrize("asked", SIGNS)
@pytest.mark.parametrize(
    ("camera", "moving"),
    [((0.1, 0.2, 0.3, 0.4), (0.05, -0.1, 0.2, -0.8)), ((-0.1, 0.3, -0.6, -0.5), (0.3, -0.2, 0.5, -0.9)),
     ((0.02, -0.04, 0.01, -0.03), (-0.02, 0.03, 0.0, 0.04))],
)  # fmt: skip
def test_a_motion_is_its_part_of_all_motion_with_zoom_and_roll_at_three_tenths_of_a_side(asked, camera, moving):
    of_camera, component, sign = SIGNS[asked]
    arm = np.array([1, 1, 0.3, 0.3])
    alone, both = 2 * np.array(camera) * arm, 2 * (np.array(camera) + moving) * arm
    part = (alone if of_camera else both)[component]
    whole = max(math.hypot(*both), math.hypot(*alone)) if of_camera else math.hypot(*both)
    expected = (abs(part) if sign is None else sign * part) / whole
    found = adherence(asked, np.array([camera, camera]), np.array([moving, moving]))
    assert found == (pytest.approx(expected if whole >= 0.02 else 0), None, None)


def test_every_motion_is_tried_here():
    assert {*SIGNS, "still", "bounces"} == set(MOTIONS)


@pytest.mark.parametrize(
    ("asked", "camera", "moving", "value"),
    [
        ("slides right", (0.02, 0, 0, 0), (0, 0, 0, 0), 1), ("slides right", (0.0199, 0, 0, 0), (0, 0, 0, 0), 0),
        ("zoom in", (0, 0, 0.06, 0), (0, 0, 0, 0), 0), ("zoom in", (0, 0, 0.07, 0), (0, 0, 0, 0), 1),
        ("pan left", (0.03, 0, 0, 0), (-0.03, 0, 0, 0), 1), ("slides left", (0.03, 0, 0, 0), (-0.03, 0, 0, 0), 0),
        ("pan left", (0, 0, 0, 0), (0.03, 0, 0, 0), 0),
        ("spins", (0, 0, 0, 0), (0.1, 0, 0, 0), None), ("spins", (0.1, 0, 0, 0), (0, 0, 0, 0.02), 0.06 / 1.0018**0.5),
        ("spins", (0.1, 0, 0, 0), (0, 0, 0, 0.021), None), ("spins", (0, 0, 0, 0), (0.1, 0, 0, 0.06), None),
        ("spins", (0, 0, 0, 0), (0.1, 0, 0, -0.08), 0.24 / 1.0576**0.5), ("roll", (0.1, 0, 0, 0), (0.1, 0, 0, 0), 0),
    ],
)  # fmt: skip
def test_little_motion_is_none_and_a_turn_out_of_the_plane_is_not_measured(asked, camera, moving, value):
    found = adherence(asked, np.array([camera], float), np.array([moving], float))
    if value is None:
        why = "flow cannot detect a rotation out of the picture's plane"
        assert found == (None, why, ReasonCode.NOT_MEASURED)
    else:
        assert found == (pytest.approx(value, rel=1e-3), None, None)


@pytest.mark.parametrize(
    ("shifts", "value"),
    [
        ([(0, 0.1), (0, -0.1)], 1), ([(0, 0.1), (0, -0.06)], 0.12 / 0.16), ([(0.1, 0.1), (0.1, -0.1)], 0.5),
        ([(0, 0.1), (0, 0.1)], 0), ([(0, 0.009), (0, -0.009)], 0), ([(0, 0.01), (0, -0.01)], 1),
        ([(0, 0.1), (0, -0.005)], 0), ([(0, 0.1), (0, -0.0051)], 0.0102 / 0.1051), ([(0.0049, 0.1), (0, -0.1)], 1),
    ],
)  # fmt: skip
def test_a_bounce_is_the_part_of_all_shifts_that_goes_up_and_comes_down(shifts, value):
    both = np.array([(*shift, 9.0, 9.0) for shift in shifts])
    assert adherence("bounces", both / 2, both / 2).value == pytest.approx(value, abs=1e-12)


DISTANCES = {"fvd_corrected": corrected_interval, "kvd": kernel_interval}


def test_distances_of_sets_are_those_of_their_features_with_prompts_and_number_of_clips():
    rng = np.random.default_rng(0)
    generated, reference = rng.normal(1, 1, (40, 3)), rng.normal(0, 1, (48, 3))
    sides = [[features({"video": {"features": row}}) for row in side] for side in (generated, reference)]
    prompts = [f"p{n // 2}" for n in range(40)], [f"p{n // 3}" for n in range(48)]
    cases = [("fvd_corrected", 40, True), ("fvd_corrected", 20, False), ("kvd", 40, True), ("kvd", 6, False)]
    for name, count, known in cases:
        few = [sides[0][:count], sides[1]], [prompts[0][:count], prompts[1]]
        found = shipped_metrics()[name]().score(SetContext(*few[0], *few[1]))
        expected = DISTANCES[name](generated[:count], reference, *few[1])
        assert (expected.low is not None) == (expected.code is None) == known
        assert found.estimate == Estimate(
            expected.value, expected.low, expected.high, count, reason=expected.reason, reason_code=expected.code
        )
        assert (found.influence is None) == (name == "kvd")
    found = shipped_metrics()["fvd"]().score(SetContext(*sides, *prompts)).estimate
    assert found == Estimate(
        frechet_distance(generated, reference), n=40, reason=NO_INTERVAL, reason_code=ReasonCode.NO_INTERVAL
    )


@pytest.mark.parametrize("name", ["fvd", *DISTANCES])
def test_one_clip_has_no_distance_and_a_reason(name):
    clips = [features({"video": {"features": row}}) for row in np.eye(3)]
    found = score_set(shipped_metrics()[name](), SetContext(clips[:1], clips, [""], [""] * 3)).estimate
    assert (found.value, found.low, found.n) == (None, None, 1)
    assert found.reason
    assert found.reason_code
