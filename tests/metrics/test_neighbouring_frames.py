"""Steadiness, warping error and motion: against VBench's procedure, and on clips whose answer is known."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from vbench_lite.features.flow import flow_size, pair_warp_error, top_magnitude
from vbench_lite.metrics import score_clips
from vbench_lite.metrics.motion import motion
from vbench_lite.metrics.temporal_flickering import temporal_flickering
from vbench_lite.metrics.warp_error import WarpError, warp_error
from vbench_lite.video import encode_mp4, read_clip
from vbench_lite.world import Composition, render


@pytest.fixture(scope="module")
def clip():
    return render(Composition(0, 0, 0, 1), seed=1)


def texture(height=96, width=128, seed=0):
    """Soft random structure that flow can follow."""
    noise = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def vbench_temporal_flickering(path):
    """The published procedure for one file: OpenCV's reader, mean absolute error per pair, scaled to 0..1."""
    reader = cv2.VideoCapture(str(path))
    frames = []
    while True:
        good, frame = reader.read()
        if not good:
            break
        frames.append(frame)
    errors = [np.mean(cv2.absdiff(np.array(a), np.array(b))) for a, b in pairwise(frames)]
    return (255.0 - np.mean(errors)) / 255.0


@pytest.mark.parametrize("size", [(64, 64), (98, 130)])
def test_temporal_flickering_equals_vbench_on_the_same_file(tmp_path, size):
    frames = np.random.default_rng(3).integers(0, 256, (5, *size, 3), dtype=np.uint8)
    path = tmp_path / "clip.mp4"
    path.write_bytes(encode_mp4(frames, 8))
    assert temporal_flickering(read_clip(path)[0]) == pytest.approx(vbench_temporal_flickering(path), abs=1e-8)


def test_temporal_flickering_of_a_known_step_is_one_minus_its_size():
    frames = np.stack([np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 51, np.uint8)])
    assert temporal_flickering(frames) == pytest.approx(0.8, abs=1e-15)


def test_temporal_flickering_falls_as_brightness_pumps_more(clip):
    values = []
    for strength in (0, 10, 20, 40):
        pumped = clip.astype(int) + strength * (-1) ** np.arange(len(clip))[:, None, None, None]
        values.append(temporal_flickering(pumped.clip(0, 255).astype(np.uint8)))
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


def test_one_frame_is_refused_rather_than_scored(clip):
    for metric in (temporal_flickering, warp_error, lambda frames: motion(frames, 8)):
        with pytest.raises(ValueError, match="single frame"):
            metric(clip[:1])


def test_a_frozen_clip_has_motion_exactly_zero_raw_and_stored(clip):
    frozen = np.repeat(clip[:1], 9, 0)
    assert motion(frozen, 8) == 0
    assert warp_error(frozen) == 0
    assert motion(read_clip(encode_mp4(frozen, 8))[0], 8) == 0


def test_motion_of_a_shift_is_its_length_in_short_sides_a_second():
    picture = texture(128, 160)
    frames = np.stack([np.roll(picture, 4 * t, axis=1)[16:-16, 24:-24] for t in range(4)])
    assert motion(frames, fps=10) == pytest.approx(4 / 96 * 10, rel=0.1)


def test_motion_does_not_depend_on_how_large_the_frames_are():
    small = np.stack([np.roll(texture(128, 160), 4 * t, axis=1)[16:-16, 24:-24] for t in range(3)])
    large = np.stack([cv2.resize(f, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC) for f in small])
    assert motion(large, 8) == pytest.approx(motion(small, 8), rel=0.15)


def test_a_shift_is_explained_by_motion_and_flicker_is_not():
    picture = texture(128, 160)
    shift = np.stack([np.roll(picture, 2 * t, axis=1)[16:-16, 24:-24] for t in range(4)])
    pumped = (shift.astype(int) + 15 * (-1) ** np.arange(4)[:, None, None, None]).clip(0, 255).astype(np.uint8)
    assert warp_error(pumped) > 10 * warp_error(shift)


def test_warp_error_of_known_flow_is_exact():
    first = np.zeros((20, 20, 3), np.uint8)
    second = np.full((20, 20, 3), 51, np.uint8)
    still = np.zeros((20, 20, 2), np.float32)
    assert pair_warp_error(first, second, still, still) == pytest.approx(0.04)


def test_pixels_whose_flows_disagree_or_leave_the_frame_do_not_count():
    first, second = np.zeros((20, 20, 3), np.uint8), np.full((20, 20, 3), 255, np.uint8)
    apart = np.full((20, 20, 2), 3, np.float32)
    assert pair_warp_error(first, second, apart, apart) == -1
    second[:, :10] = 0
    right = np.zeros((20, 20, 2), np.float32)
    right[..., 0] = 12  # only the left 8 columns stay inside, and they land on the bright half
    assert pair_warp_error(first, second, right, -right) == pytest.approx(1.0)


def test_the_fastest_twentieth_decides_the_magnitude():
    flow = np.zeros((10, 10, 2), np.float32)
    flow[0, :5, 0] = 3
    assert top_magnitude(flow) == pytest.approx(3)


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (7, 5), (15, 64), (33, 47)])
def test_odd_and_tiny_frames_have_finite_values(size):
    frames = np.random.default_rng(0).integers(0, 256, (3, *size, 3), dtype=np.uint8)
    assert np.isfinite(motion(frames, 8))
    score = score_clips(WarpError(), frames)[0]
    assert score.reason_code or np.isfinite(score.value)


def test_scaling_down_keeps_a_still_pair_still():
    picture = texture(600, 800)
    assert motion(np.stack([picture, picture]), 24) == 0


@pytest.mark.parametrize(("size", "small"), [((720, 1280), (256, 455)), ((480, 832), (256, 444)), ((64, 64), (64, 64)),
                                             ((1080, 1920), (256, 455)), ((6, 4), (24, 16)), ((300, 200), (300, 200))])
def test_flow_is_read_at_a_short_side_of_16_to_256_pixels(size, small):
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    resized = flow_size(frame)
    assert resized.shape[:2] == small
    assert resized.mean() == pytest.approx(frame.mean(), abs=4)


def test_thin_frames_are_squashed_instead_of_refused_by_the_flow():
    frames = np.random.default_rng(0).integers(0, 256, (2, 2, 4096, 3), dtype=np.uint8)
    assert motion(frames, 8) > 0
