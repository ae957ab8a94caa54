"""Metrics of scenarios: motion as asked, loops, and what changes slowly."""

from __future__ import annotations

import numpy as np
import pytest

from vbench_lite.features.image_text import lag_cosines
from vbench_lite.features.motion_fit import fit_pair
from vbench_lite.metrics import loop_seam, motion_adherence, score_clips, shipped_metrics
from vbench_lite.metrics.motion_adherence import adherence
from vbench_lite.records import MOTIONS, Prompt, ReasonCode
from vbench_lite.world import MOTIONS as OF_THE_WORLD
from vbench_lite.world import held_out_compositions, render

ASKED = {"zooms in on": "zoom in", "zooms out from": "zoom out"}
DIRECTED = [n for n, motion in enumerate(OF_THE_WORLD) if motion.name not in ("spins", "bounces")]


def clip_with(motion: int) -> np.ndarray:
    return render(next(c for c in held_out_compositions() if c.motion == motion), seed=1)


@pytest.mark.parametrize("motion", range(len(OF_THE_WORLD)))
def test_every_motion_of_the_world_is_recognised(motion: int) -> None:
    name = OF_THE_WORLD[motion].name
    assert motion_adherence(clip_with(motion), ASKED.get(name, name)) > 0.7


@pytest.mark.parametrize("motion", DIRECTED)
def test_the_opposite_motion_is_negative(motion: int) -> None:
    name = OF_THE_WORLD[motion].name
    assert motion_adherence(clip_with(motion)[::-1].copy(), ASKED.get(name, name)) < -0.7


def test_another_motion_than_asked_scores_near_nothing() -> None:
    assert abs(motion_adherence(clip_with(0), "moves up")) < 0.2
    assert abs(motion_adherence(clip_with(0), "zoom in")) < 0.3


def textured(shift: tuple[int, int] = (0, 0), size: int = 96) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (size * 2, size * 2, 1), np.uint8)
    import cv2

    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    picture = cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX)
    y, x = size // 2 + shift[1], size // 2 + shift[0]
    return np.repeat(picture[y : y + size, x : x + size, None], 3, 2)


@pytest.mark.parametrize(
    ("motion", "step"), [("pan right", (2, 0)), ("pan left", (-2, 0)), ("tilt up", (0, -2)), ("tilt down", (0, 2))],
)
def test_a_camera_that_moves_over_a_scene_is_told_by_its_direction(motion: str, step: tuple[int, int]) -> None:
    clip = np.stack([textured((n * step[0], n * step[1])) for n in range(6)])
    assert motion_adherence(clip, motion) > 0.9
    assert motion_adherence(clip[::-1].copy(), motion) < -0.9


def test_a_similarity_transform_is_recovered_and_an_object_is_told_from_the_camera() -> None:
    y, x = np.mgrid[:64, :64].astype(np.float32)
    x, y = (x - 31.5) / 64, (y - 31.5) / 64
    flow = 64 * np.dstack([0.02 + 0.05 * x - 0.03 * y, -0.01 + 0.05 * y + 0.03 * x])
    fit = fit_pair(flow.astype(np.float32))
    assert fit.camera == pytest.approx([0.02, -0.01, 0.05, 0.03], abs=1e-6)
    assert fit.area == 0
    flow[20:36, 24:44] += (6.4, 0.0)
    fit = fit_pair(flow.astype(np.float32))
    assert fit.camera == pytest.approx([0.02, -0.01, 0.05, 0.03], abs=2e-3)
    assert fit.object[:2] == pytest.approx([0.1, 0.0], abs=0.01)
    assert fit.area == pytest.approx(16 * 20 / 64**2, abs=0.03)


def test_stillness_is_1_without_motion_and_falls_with_it() -> None:
    still = np.repeat(clip_with(0)[:1], 8, 0)
    assert motion_adherence(still, "still", fps=8) == 1
    assert motion_adherence(clip_with(0), "still", fps=8) < 0
    assert motion_adherence(still, "slides left") == 0, "nothing moves, so nothing moves as asked or otherwise"


def test_a_turn_out_of_the_plane_is_not_told() -> None:
    found = adherence("spins", np.zeros((4, 4)), np.tile([0.05, 0.0, 0.0, 0.0], (4, 1)))
    assert (found.value, found.reason_code) == (None, ReasonCode.NOT_MEASURED)


def test_bouncing_is_up_and_down_and_not_one_way() -> None:
    moving = np.zeros((8, 4))
    moving[:, 1] = [0.1, 0.1, -0.1, -0.1, 0.1, 0.1, -0.1, -0.1]
    assert adherence("bounces", np.zeros((8, 4)), moving).value == 1
    assert adherence("bounces", np.zeros((8, 4)), np.abs(moving)).value == 0
    assert adherence("bounces", moving[:, [1, 0, 2, 3]], np.zeros((8, 4))).value == 0


@pytest.mark.parametrize("name", ["motion_adherence", "loop_seam", "long_range_consistency"])
def test_a_metric_that_does_not_apply_says_so_by_its_code(name: str) -> None:
    (score,) = score_clips(shipped_metrics()[name](), np.zeros((4, 32, 32, 3), np.uint8), fps=8)
    assert (score.value, score.reason_code) == (None, ReasonCode.NOT_APPLICABLE)


def test_an_unknown_motion_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=", ".join(MOTIONS)):
        motion_adherence(np.zeros((3, 32, 32, 3), np.uint8), "wobbles")


def test_the_seam_of_a_closed_loop_is_nothing_and_that_of_an_open_one_is_its_jump() -> None:
    ramp = np.arange(0, 240, 40, dtype=np.uint8)
    opened = np.broadcast_to(ramp[:, None, None, None], (6, 4, 4, 3)).copy()
    assert loop_seam(opened) == pytest.approx((200 - 40) / 255)
    closed = opened[[0, 1, 2, 3, 2, 1]]
    assert loop_seam(closed) == 0


def test_lags_are_a_quarter_a_half_and_the_whole_clip() -> None:
    angles = np.linspace(0, np.pi / 2, 9)
    path = np.column_stack([np.cos(angles), np.sin(angles)])
    assert lag_cosines(path) == pytest.approx(np.cos([np.pi / 8, np.pi / 4, np.pi / 2]), abs=1e-12)
    assert lag_cosines(path[:1]) == pytest.approx([1, 1, 1])


def test_slow_change_lowers_long_range_consistency_and_the_worst_pair_more_than_neighbours() -> None:
    from vbench_lite.scoring.damage import local_warp

    clean = render(held_out_compositions()[3], seed=1)
    warped = local_warp(clean, 5)
    (far, near, worst) = (
        [score_clips(shipped_metrics()[name](), clip, fps=8)[0].value for clip in (clean, warped)]
        for name in ("long_range_consistency", "clip_frames", "shape_stability")
    )
    assert far[0] - far[1] > near[0] - near[1]
    assert worst[0] - worst[1] > near[0] - near[1]
    given = score_clips(shipped_metrics()["motion_adherence"](), clean, prompts=Prompt("a", "b", motion="still"), fps=8)
    assert given[0].value is not None
