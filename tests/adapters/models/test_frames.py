"""What pipelines return becomes uint8 frames of the right brightness, or an error that names the range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from vbench_lite.adapters.models.frames import NotAClipError, as_frames

PICTURES = np.random.default_rng(0).integers(0, 256, (4, 8, 10, 3)).astype(np.uint8)
PICTURES[0, 0, 0], PICTURES[0, 0, 1] = 0, 255
TENSOR = torch.from_numpy(PICTURES).movedim(-1, 1)


@pytest.mark.parametrize(
    "clip",
    [
        PICTURES, TENSOR, torch.from_numpy(PICTURES), PICTURES.transpose(0, 3, 1, 2), TENSOR.long(),
        TENSOR / 255, PICTURES / 255, (PICTURES / 255).astype(np.float32), TENSOR / 127.5 - 1, PICTURES / 127.5 - 1,
        TENSOR.float(), PICTURES.astype(np.float64), (TENSOR / 127.5 - 1).to(torch.float16), PICTURES.astype(np.uint16),
    ],
)  # fmt: skip
def test_every_usual_range_and_order_gives_the_same_frames(clip: Any) -> None:
    frames = as_frames(clip)
    assert frames.dtype == np.uint8
    assert np.abs(frames.astype(int) - PICTURES).max() <= 1


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (TENSOR / 255 * 1.5, "range from 0 to 1.5"),
        (TENSOR / 255 * 4 - 2, "range from -2 to 2"),
        (TENSOR / 255 - 0.3, "range from -0.3 to 0.7"),
        (TENSOR.float() * 2, "range from 0 to 510"),
        (TENSOR.long() * 2, "range from 0 to 510"),
        (TENSOR.bool(), "expected numbers"),
        (TENSOR.float() * float("nan"), "NaN"),
        (np.zeros((0, 8, 8, 3), np.uint8), "expected a clip of shape"),
        (np.zeros((4, 8, 8, 4), np.uint8), "expected a clip of shape"),
    ],
)
def test_other_ranges_and_forms_are_refused_by_name(clip: Any, message: str) -> None:
    with pytest.raises(NotAClipError, match=message):
        as_frames(clip)


def test_small_overshoot_of_a_decoder_is_cut_off() -> None:
    assert as_frames(torch.full((1, 3, 2, 2), 1.02)).max() == 255
    assert as_frames(torch.full((1, 3, 2, 2), -0.02)).max() == 0
