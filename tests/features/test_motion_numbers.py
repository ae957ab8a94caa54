"""Camera motion and dynamic degree on tiny flow fields, by other formulas. Scripts stand in for networks."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from tests.features.test_exact_numbers import seen
from vbench_lite.features.flow import flow_size
from vbench_lite.features.motion_fit import MotionFit, _dominant, _solve, fit_pair
from vbench_lite.features.raft import RaftMotion, unfit_size


def field(right, down, zoom, roll, height=48, width=96):
    """A flow field of one similarity about the middle of the frame, in pixels."""
    side = min(height, width)
    y, x = np.mgrid[:height, :width].astype(float)
    y, x = (y - (height - 1) / 2) / side, (x - (width - 1) / 2) / side
    moved = np.stack([right + zoom * x - roll * y, down + zoom * y + roll * x], -1)
    return (moved * side).astype(np.float32)


@pytest.mark.parametrize("shape", [(48, 96), (96, 48), (20, 17)])
def test_a_similarity_is_found_as_the_camera_alone(shape):
    found = fit_pair(field(0.02, -0.01, 0.03, 0.05, *shape))
    assert found.camera == pytest.approx([0.02, -0.01, 0.03, 0.05], abs=1e-6)
    assert found.object.tolist() == [0, 0, 0, 0]
    assert found.area == 0


def test_what_moves_otherwise_is_the_object():
    flow = field(0, 0, 0, 0, 47, 47)  # 24 points a side: every second pixel
    own = field(0.1, -0.05, 0.2, 0.3, 9, 9) * 4
    flow[20:29, 30:39] = own
    found = fit_pair(flow)
    assert found.camera == pytest.approx(np.zeros(4), abs=1e-3)
    assert found.area == 25 / 576
    assert found.object == pytest.approx([36 * 0.1 / 47, 36 * -0.05 / 47, 36 * 0.2 / 9, 36 * 0.3 / 9], abs=1e-3)


def test_fewer_points_than_an_object_has_are_none():
    flow = field(0, 0, 0, 0, 47, 47)
    flow[10, 10:25] = 5  # 8 points
    assert fit_pair(flow).area == 8 / 576
    flow[10, 24] = 0
    assert fit_pair(flow).area == 0


def least_squares(points, moved, weights):
    """The same by the design matrix."""
    (x, y), one, zero = points.T, np.ones(len(points)), np.zeros(len(points))
    rows = np.concatenate([np.stack([one, zero, x, -y], 1), np.stack([zero, one, y, x], 1)])
    root = np.sqrt(np.concatenate([weights, weights]))
    return np.linalg.lstsq(rows * root[:, None], moved.T.ravel() * root, rcond=None)[0]


def test_the_closed_form_is_weighted_least_squares():
    rng = np.random.default_rng(0)
    points, moved, weights = rng.normal((2, -1), size=(9, 2)), rng.normal(size=(9, 2)), rng.uniform(0.1, 2, 9)
    assert _solve(points, moved, weights) == pytest.approx(least_squares(points, moved, weights))
    tiny = 1e-14 * weights
    assert _solve(points, moved, tiny) == pytest.approx(least_squares(points, moved, weights), rel=1e-9)
    same = np.full((3, 2), 0.5)
    assert _solve(same, np.array([[1.0, 2], [3, 4], [5, 9]]), np.ones(3)).tolist() == [3, 5, 0, 0]


@pytest.mark.parametrize("floor", [1e-6, 0.5])
def test_the_dominant_motion_is_reweighted_by_cauchys_function_four_times(floor):
    rng = np.random.default_rng(1)
    points, moved = rng.normal(size=(31, 2)), 0.1 * rng.normal(size=(31, 2))
    moved[:10] += [1.0, -0.7]
    expected = np.array([*np.median(moved, 0), 0, 0])
    for _ in range(4):
        right, down, zoom, roll = expected
        x, y = points.T
        apart = np.hypot(moved[:, 0] - right - zoom * x + roll * y, moved[:, 1] - down - zoom * y - roll * x)
        scale = max(floor, 1.5 * np.median(apart))
        expected = least_squares(points, moved, 1 / (1 + (apart / scale) ** 2))
    assert _dominant(points, moved, floor) == pytest.approx(expected)


def spread_out(points, moved, camera):
    right, down, zoom, roll = camera
    x, y = points.T
    return moved - np.stack([right + zoom * x - roll * y, down + zoom * y + roll * x], 1)


@pytest.mark.parametrize(("seed", "noise", "shape"), [(0, 0.02, (30, 40)), (1, 0.3, (31, 24)), (2, 2.0, (24, 25))])
def test_camera_and_object_of_a_noisy_field_are_those_of_the_written_out_procedure(seed, noise, shape):
    """Below, at and above the accuracy of the flow. A few points move far otherwise."""
    rng = np.random.default_rng(seed)
    flow = field(0.01, 0.02, -0.04, 0.03, *shape) + rng.normal(0, noise, (*shape, 2)).astype(np.float32)
    flow[3:15, 4:14] += np.linspace(1, 12, 12, dtype=np.float32)[:, None, None] * np.float32(1 + noise)
    side = min(shape)
    rows, columns = (np.round(np.arange(24) * (n - 1) / 23).astype(int) for n in shape)
    y, x = (index.ravel() for index in np.meshgrid(rows, columns, indexing="ij"))
    points = np.stack([x - (shape[1] - 1) / 2, y - (shape[0] - 1) / 2], 1) / side
    moved = flow[y, x].astype(float) / side
    camera = np.array([*np.median(moved, 0), 0, 0])
    for _ in range(4):
        apart = np.hypot(*spread_out(points, moved, camera).T)
        weights = 1 / (1 + (apart / max(0.15 / side, 1.5 * np.median(apart))) ** 2)
        camera = least_squares(points, moved, weights)
    rest = spread_out(points, moved, camera)
    apart = np.hypot(*rest.T)
    own = apart > max(0.3 / side, 4 * np.median(apart))
    found = fit_pair(flow)
    assert found.camera == pytest.approx(camera, rel=1e-9)
    assert 0 < found.area == own.mean() < 0.25
    arm = points[own] - points[own].mean(0)
    assert found.object == pytest.approx(least_squares(arm, rest[own], np.ones(own.sum())), rel=1e-9)


def test_motion_is_fitted_to_the_flow_of_consecutive_frames_at_flow_size():
    wide = np.random.default_rng(8).integers(0, 255, (70, 90, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    frames = [wide[:550, 4 * n : 600 + 4 * n] for n in range(3)]
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    greys = [cv2.cvtColor(flow_size(frame), cv2.COLOR_RGB2GRAY) for frame in frames]
    fits = [fit_pair(dis.calc(first, second, None)) for first, second in pairwise(greys)]
    found = seen(MotionFit(), frames)
    assert found["camera"] == pytest.approx(np.stack([fit.camera for fit in fits]))
    assert found["object"] == pytest.approx(np.stack([fit.object for fit in fits]))
    assert found["area"] == pytest.approx([fit.area for fit in fits])
    assert np.abs(found["camera"]).max() > 0.005


def test_a_panned_picture_moves_and_a_repeated_one_is_still():
    rng = np.random.default_rng(2)
    wide = rng.integers(0, 255, (12, 20), dtype=np.uint8).repeat(8, 0).repeat(8, 1)[..., None].repeat(3, 2)
    found = seen(MotionFit(), [wide[:, 8:72], wide[:, 8:72], wide[:, 6:70]])
    assert found["camera"][0].tolist() == [0, 0, 0, 0]
    assert found["camera"][1] == pytest.approx([2 / 64, 0, 0, 0], abs=0.004)
    assert (found["camera"].shape, found["object"].shape, found["area"].shape) == ((2, 4), (2, 4), (2,))
    alone = seen(MotionFit(), [wide])
    assert (alone["camera"].shape, alone["object"].shape, alone["area"].shape) == ((0, 4), (0, 4), (0,))


class Speeds:
    """Gives the pairs of frames these lengths of flow, in pixels, and notes which frames were encoded."""

    def __init__(self, *speeds):
        self.speeds, self.encoded = list(speeds), []

    def encode(self, frame):
        self.encoded.append(int(frame[0, 0, 0]))
        return self.encoded[-1]

    def flow(self, first, second):
        assert [first, second] == self.encoded[-2:]
        flow = np.zeros((2, 128, 256), np.float32)
        top = np.s_[: int(0.05 * 128 * 256)]
        flow[0].reshape(-1)[top], flow[1].reshape(-1)[top] = np.array([0.6, 0.8]) * self.speeds.pop(0)
        return flow


def raft(speeds, frames, fps=8.0, shape=(128, 256)):
    net = Speeds(*speeds)
    found = seen(RaftMotion(), [np.full((*shape, 3), n, np.uint8) for n in range(frames)], network=net, fps=fps)
    return found["dynamic"].tolist(), found["magnitudes"].round(4).tolist(), net.encoded


def test_a_clip_is_dynamic_as_soon_as_a_quarter_of_its_frames_moved():
    assert raft([4] * 15, 16) == ([1.0], [4] * 4, [0, 1, 2, 3, 4])
    assert raft([0, 4] * 8, 16)[:2] == ([1.0], [0, 4] * 4)
    assert raft([3.01] * 4, 16)[0] == [1.0]  # 6 * 128 / 256 = 3 pixels


def test_a_clip_is_not_dynamic_once_too_few_pairs_are_left():
    assert raft([0] * 15, 16) == ([0.0], [0] * 12, list(range(13)))
    assert raft([2.99] * 12, 16)[:2] == ([0.0], [2.99] * 12)
    assert raft([4, 0, 0, 0, 0], 6)[:2] == ([0.0], [4, 0, 0, 0, 0])  # round(1.5) = 2 pairs are needed
    assert raft([4, 0, 0, 0, 4], 6)[:2] == ([1.0], [4, 0, 0, 0, 4])


def test_eight_frames_a_second_are_compared():
    assert raft([4] * 15, 48, 24) == ([1.0], [4] * 4, [0, 3, 6, 9, 12])
    assert raft([0] * 2, 5, 16)[2] == [0, 2, 4]


def test_what_cannot_be_known_is_left_empty():
    assert raft([4, 4], 3, 0) == ([], [4, 4], [0, 1, 2])
    assert raft([], 3, shape=(120, 256)) == ([], [], [])
    assert raft([], 1) == ([0.0], [], [])


def test_a_size_that_raft_cannot_compare_is_named_with_the_memory():
    assert unfit_size(1088, 1920) == ""
    assert unfit_size(1200, 1920) == ""  # 36,000 points
    assert "120x640" in unfit_size(640, 120)
    assert unfit_size(640, 121) == unfit_size(121, 640) == ""
    assert unfit_size(1201, 2400).endswith("frames of 2400x1201 are too large for RAFT: "
                                           "its correlations would take 8 GiB")
