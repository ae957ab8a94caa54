"""Frames for CLIP are resized as torch resizes them, only quicker."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vbench_lite.backbones.bicubic import resize_bicubic


def by_torch(frame, size, crop):
    height, width = frame.shape[:2]
    short = min(height, width)
    to = (size * height // short, size * width // short) if crop else (size, size)
    pixels = torch.from_numpy(frame).permute(2, 0, 1).float()[None]
    pixels = F.interpolate(pixels, to, mode="bicubic", align_corners=False, antialias=False)[0]
    top, left = round((to[0] - size) / 2), round((to[1] - size) / 2)
    return pixels[:, top : top + size, left : left + size].numpy()


@pytest.mark.parametrize("crop", [True, False])
@pytest.mark.parametrize(
    "shape", [(64, 64), (480, 832), (720, 1280), (241, 427), (427, 241), (224, 300), (5, 7), (1, 9), (224, 224)]
)
def test_a_resized_frame_has_torchs_pixels(shape, crop):
    frame = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert np.abs(resize_bicubic(frame, 224, crop=crop) - by_torch(frame, 224, crop)).max() < 1e-3


def test_values_may_leave_the_range_of_bytes_as_vbench_has_it():
    edge = np.zeros((64, 64, 3), np.uint8)
    edge[:, 32:] = 255
    resized = resize_bicubic(edge, 224, crop=True)
    assert resized.min() < -1
    assert resized.max() > 256


def test_a_frame_of_the_networks_size_is_left_as_it_is():
    frame = np.random.default_rng(1).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    assert np.array_equal(resize_bicubic(frame, 224, crop=True), frame.transpose(2, 0, 1))


def test_a_thin_line_costs_no_more_than_its_square():
    resized = resize_bicubic(np.full((2, 9_000_000 // 2, 3), 7, np.uint8), 224, crop=True)
    assert resized.shape == (3, 224, 224)
    assert np.allclose(resized, 7, atol=1e-4)
