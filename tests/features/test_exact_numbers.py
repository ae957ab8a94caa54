"""Each extractor's numbers on tiny frames, worked out by hand or by another formula. Scripts stand in for networks."""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from vbench_lite.backbones import Backbones
from vbench_lite.features.batches import FrameScores
from vbench_lite.features.ends import Ends
from vbench_lite.features.extract import content_digest, extract
from vbench_lite.features.extractor import ClipStream, identity
from vbench_lite.features.flow import Flow, flow_size, pair_warp_error, top_magnitude
from vbench_lite.features.image_text import PATH, ImageText, ImageTextFrames, lag_cosines, unit_rows
from vbench_lite.features.pixels import Pixels, fine_energy


def seen(extractor, frames, **clip):
    extractor.start(ClipStream(len(frames), **clip))
    for frame in frames:
        extractor.see(frame)
    return extractor.finish()


def test_brightness_contrast_and_differences_of_plain_frames():
    red, dark = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6, 3), np.uint8)
    red[..., 0] = 255
    half = dark.copy()
    half[:, :3] = 255
    found = seen(Pixels(), [red, dark, half, half])
    assert found["brightness"] == pytest.approx([76 / 255, 0, 0.5, 0.5])
    assert found["contrast"] == pytest.approx([0, 0, 0.5, 0.5])
    assert found["differences"] == pytest.approx([1 / 3, 0.5, 0])
    assert len(found["fine_energies"]) == 4


def test_the_fine_energy_of_stripes_is_what_the_gaussian_takes_from_them():
    stripes = np.zeros((6, 10, 3), np.uint8)
    stripes[:, ::2] = 255
    weights = np.exp(-np.square(np.arange(-4, 5)) / 2)
    kept = (weights * [1, -1, 1, -1, 1, -1, 1, -1, 1]).sum() / weights.sum()
    luma, energy = fine_energy(stripes)
    assert luma[0, :2].tolist() == [255, 0]
    assert energy == pytest.approx(0.25 * (1 - kept) ** 2, rel=1e-4)


def test_the_fine_energy_of_noise_is_what_is_left_after_a_gaussian_blur_with_mirrored_edges():
    frame = np.random.default_rng(7).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    luma, energy = fine_energy(frame)
    assert luma == pytest.approx(frame @ [0.299, 0.587, 0.114], abs=0.6)
    weights = np.exp(-np.square(np.arange(-4, 5)) / 2)
    wide = np.pad(luma.astype(float), 4, mode="reflect")
    rows = sum(w * wide[n : n + 9] for n, w in enumerate(weights / weights.sum()))
    blurred = sum(w * rows[:, n : n + 12] for n, w in enumerate(weights / weights.sum()))
    assert energy == pytest.approx(np.square((luma - blurred) / 255).mean(), rel=1e-4)
    assert seen(Pixels(), [frame, frame[::-1]])["fine_energies"] == pytest.approx([energy] * 2, rel=1e-5)


@pytest.mark.parametrize(
    ("given", "read"),
    [((300, 600), (256, 512)), ((1030, 2060), (256, 512)), ((512, 256), (512, 256)), ((8, 4), (32, 16)),
     ((2, 5000), (16, 8192)), ((5000, 2), (8192, 16)), ((513, 513), (256, 256))],
)  # fmt: skip
def test_frames_are_read_at_a_short_side_of_16_to_256(given, read):
    assert flow_size(np.zeros((*given, 3), np.uint8)).shape == (*read, 3)


def halved(frame):
    height, width = (side // 2 for side in frame.shape[:2])
    return frame.reshape(height, 2, width, 2, 3).astype(float).mean((1, 3))


def stretched(frame, count, axis):
    """Linear interpolation along one axis, with the outer edges of pixels aligned."""
    length = frame.shape[axis]
    place = np.clip((np.arange(count) + 0.5) * length / count - 0.5, 0, length - 1)
    low = np.floor(place).astype(int)
    part = (place - low).reshape([-1 if n == axis else 1 for n in range(3)])
    return frame.take(low, axis) * (1 - part) + frame.take(np.minimum(low + 1, length - 1), axis) * part


@pytest.mark.parametrize("shape", [(1036, 516), (516, 1036), (256, 300), (300, 290), (9, 30)])
def test_large_frames_are_halved_by_means_and_then_interpolated_linearly(shape):
    frame = np.random.default_rng(9).integers(0, 256, (*shape, 3), dtype=np.uint8)
    found, expected = flow_size(frame), frame.astype(float)
    if min(shape) >= 512:
        expected = halved(expected)
    for axis in (0, 1):
        expected = stretched(expected, found.shape[axis], axis)
    assert np.abs(found - expected).max() <= 1.6


def warp(first, second, forward, backward):
    a, b = (np.broadcast_to(np.array(row, np.uint8)[None, :, None], (3, 4, 3)).copy() for row in (first, second))
    there, back = (np.broadcast_to(np.array(flow, np.float32), (3, 4, 2)).copy() for flow in (forward, backward))
    return pair_warp_error(a, b, there, back)


def test_warp_errors_are_mean_squares_where_nothing_is_occluded():
    assert warp([0] * 4, [51] * 4, (0, 0), (0, 0)) == pytest.approx(0.04)
    assert warp([0, 255, 0, 255], [255] * 4, (0, 0), (0, 0)) == pytest.approx(0.5)
    assert warp([0, 10, 20, 99], [99, 0, 10, 20], (1, 0), (-1, 0)) == 0  # the last column leaves the frame
    assert warp([5, 5, 5, 5], [0, 10, 0, 10], (0.5, 0), (-0.5, 0)) == 0
    assert warp([0] * 4, [51] * 4, (0, 1), (0, -1)) == pytest.approx(0.04)


def test_pixels_whose_flows_disagree_are_occluded():
    assert warp([0] * 4, [51] * 4, (0.7, 0), (0, 0)) == pytest.approx(0.04)  # 0.49 of at most 0.5049
    assert warp([0] * 4, [51] * 4, (0.72, 0), (0, 0)) == -1  # 0.5184 of at most 0.5052
    assert warp([0] * 4, [51] * 4, (-3, 0), (2.2, 0)) == -1  # 0.64 of at most 0.6384
    assert warp([0] * 4, [51] * 4, (-3, 0), (2.22, 0)) == pytest.approx(0.04)  # 0.6084 of at most 0.6393
    assert warp([0] * 4, [51] * 4, (9, 0), (-9, 0)) == -1


def interpolated(image, x, y):
    """Bilinear interpolation at a point inside of the image."""
    left, top = int(min(x, image.shape[1] - 2)), int(min(y, image.shape[0] - 2))
    across, down = x - left, y - top
    rows = image[top : top + 2, left] * (1 - across) + image[top : top + 2, left + 1] * across
    return rows[0] * (1 - down) + rows[1] * down


def test_warp_errors_equal_those_of_a_loop_over_pixels():
    visible = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        first, second = rng.integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
        forward = rng.integers(-6, 7, 2) / 2 + rng.integers(-1, 2, (5, 7, 2)) / 4
        backward = -forward.mean((0, 1)) + rng.integers(-2, 3, (5, 7, 2)) / 4
        errors = []
        for row in range(5):
            for column in range(7):
                x, y = forward[row, column] + (column, row)
                if 0 <= x <= 6 and 0 <= y <= 4:
                    there, back = forward[row, column], interpolated(backward, x, y)
                    if ((there + back) ** 2).sum() <= 0.01 * ((there**2).sum() + (back**2).sum()) + 0.5:
                        errors.append((first[row, column] - interpolated(second.astype(float), x, y)) ** 2)
        visible += len(errors)
        expected = np.mean(errors) / 255**2 if errors else -1
        found = pair_warp_error(first, second, forward.astype(np.float32), backward.astype(np.float32))
        assert found == pytest.approx(expected, rel=1e-6), seed
    assert visible > 300


def test_flows_that_disagree_by_exactly_the_limit_are_visible():
    first, second = np.zeros((3, 10, 3), np.uint8), np.full((3, 10, 3), 51, np.uint8)
    forward, backward = (np.broadcast_to(np.float32(flow), (3, 10, 2)).copy() for flow in ((9, 2), (-8, -1)))
    assert pair_warp_error(first, second, forward, backward) == pytest.approx(0.04)  # 2 of at most 0.01 * 150 + 0.5


def test_the_flow_of_a_clip_is_that_of_consecutive_frames_at_flow_size():
    wide = np.random.default_rng(10).integers(0, 255, (70, 90, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    frames = [wide[:560, 6 * n : 600 + 6 * n] for n in range(3)]
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    small = [flow_size(frame) for frame in frames]
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in small]
    errors, motions = [], []
    for n in (0, 1):
        forward, backward = dis.calc(greys[n], greys[n + 1], None), dis.calc(greys[n + 1], greys[n], None)
        errors.append(pair_warp_error(small[n], small[n + 1], forward, backward))
        motions.append(top_magnitude(forward) / 256)
    found = seen(Flow(), frames)
    assert found["warp_errors"].tolist() == errors
    assert found["motions"].tolist() == motions
    assert motions == pytest.approx([6 / 560] * 2, rel=0.1)


def test_the_top_twentieth_of_flow_lengths_is_averaged():
    flow = np.zeros((4, 10, 2), np.float32)
    flow[0, 0], flow[3, 9], flow[2, 2] = (3, 4), (0, -7), (1, 0)
    assert top_magnitude(flow) == 6
    assert top_magnitude(flow[:1]) == 5
    assert top_magnitude(flow, 0.075) == pytest.approx(13 / 3)
    assert top_magnitude(np.float32([[[0.1, 0.2]]])) == np.hypot(*np.float32([0.1, 0.2]).astype(float))


def test_a_repeated_frame_neither_moves_nor_differs_and_another_one_does():
    wide = np.random.default_rng(5).integers(0, 255, (8, 12, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    found = seen(Flow(), [wide[:, :64], wide[:, :64], wide[:, 2:66]])
    assert (found["warp_errors"][0], found["motions"][0]) == (0, 0)
    assert 0 < found["warp_errors"][1] < 0.02
    assert found["motions"][1] == pytest.approx(2 / 64, abs=0.01)
    assert [len(values) for values in seen(Flow(), [wide]).values()] == [0, 0]


def test_the_seam_is_the_difference_of_the_last_and_the_first_frame():
    dark, half = np.zeros((4, 6, 3), np.uint8), np.full((4, 6, 3), 51, np.uint8)
    assert seen(Ends(), [dark, np.full_like(dark, 255), half])["seam"] == pytest.approx([0.2])
    assert seen(Ends(), [half])["seam"].tolist() == [0]
    assert seen(Ends(), [])["seam"].shape == (0,)


def test_frames_in_memory_have_the_stated_rate_and_size():
    frames = np.zeros((3, 8, 10, 3), np.uint8)
    found = extract(frames, [Pixels], Backbones("none"), fps=12.0)
    assert (found.frames, found.height, found.width, found.fps, found.uneven) == (3, 8, 10, 12.0, False)
    assert extract(frames, [Pixels], Backbones("none")).fps == 0
    assert content_digest(frames) != content_digest(frames.reshape(3, 10, 8, 3))


def test_arrays_are_interchangeable_by_extractor_network_and_source():
    net = SimpleNamespace(name="net", protocol="8 frames")
    assert identity(Pixels) == ("pixels", "1")
    assert identity(ImageText, net) == ("image_text", "2", "net", "8 frames")
    assert identity(ImageText, SimpleNamespace(name="net")) == ("image_text", "2", "net", "")
    own = type("Own", (Pixels,), {"__module__": __name__, "name": "own"})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(inspect, "getsourcefile", lambda _: __file__)
        digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
        assert identity(own) == ("own", "1", digest)


class Table:
    """A network whose answer to frame n is row n of a table."""

    def __init__(self, rows):
        self.rows, self.sizes = np.asarray(rows), []

    def prepare(self, frame):
        return torch.tensor(int(frame[0, 0, 0]) + 256 * int(frame[0, 0, 1]))

    def embed_images(self, prepared):
        self.sizes.append(len(prepared))
        return self.rows[prepared.numpy()]

    score = embed_images


def numbered(count):
    return [np.full((1, 1, 3), (n % 256, n // 256, 0), np.uint8) for n in range(count)]


@pytest.mark.parametrize("count", [1, 16, 20, 300])
def test_embeddings_of_a_clip_are_compared_across_batches(count):
    net = Table(np.random.default_rng(3).normal(size=(count, 6)) + 0.5)
    unit = net.rows / np.sqrt(np.square(net.rows).sum(1, keepdims=True))
    found = seen(ImageText(), numbered(count), network=net)
    pairs = [(max(unit[n] @ unit[n - 1], 0) + max(unit[n] @ unit[0], 0)) / 2 for n in range(1, count)]
    assert found["likeness"] == pytest.approx(np.array(pairs))
    assert found["mean"] == pytest.approx(unit.mean(0))
    path = unit if count <= PATH else unit[np.linspace(0, count - 1, 256).round().astype(int)]
    assert found["worst_pair"] == pytest.approx([(path @ path.T).min()], abs=1e-6)
    assert found["lags"] == pytest.approx(lag_cosines(path), abs=1e-6)
    assert net.sizes == [16] * (count // 16) + ([count % 16] if count % 16 else [])


def test_every_frames_embedding_and_score_is_kept():
    net = Table(np.random.default_rng(4).normal(size=(20, 3)))
    frames = seen(ImageTextFrames(), numbered(20), network=net)["frames"]
    assert frames == pytest.approx(unit_rows(net.rows), abs=1e-6)
    assert seen(FrameScores(), numbered(20), network=Table(np.arange(20.0)))["scores"].tolist() == list(range(20))


def test_lags_are_a_quarter_a_half_and_the_whole_of_a_clip():
    turn = np.linspace(0, np.pi / 2, 9)
    path = np.stack([np.cos(turn), np.sin(turn)], 1)
    assert lag_cosines(path) == pytest.approx([np.cos(np.pi / 8), np.cos(np.pi / 4), 0])
    assert lag_cosines(path[:1]) == pytest.approx([1, 1, 1])
    assert lag_cosines(path[:2]) == pytest.approx([np.cos(np.pi / 16)] * 3)


def test_short_rows_are_lengthened_and_zeros_stay():
    assert unit_rows(np.array([[0.3, 0.4], [0, 0]])) == pytest.approx(np.array([[0.6, 0.8], [0, 0]]))
