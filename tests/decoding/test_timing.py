"""Frame rate and evenness come from the times of the frames."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.made_clips import CONTAINERS, FEW_RATES, clip_bytes, clip_of, moving_square
from vbench_lite.decoding.timing import FrameTimes
from vbench_lite.video import ClipReader

PICTURES = moving_square()


def rate_and_evenness(file: bytes) -> tuple[float | None, bool]:
    with ClipReader(file) as reader:
        frames = sum(1 for _ in reader)
    assert frames == len(PICTURES)
    return reader.fps(), reader.uneven()


@pytest.mark.parametrize("fps", [8, 12.5, 24, 30, 60])
@pytest.mark.parametrize("name", CONTAINERS)
def test_steady_clip_has_its_rate_and_is_even(name: str, fps: float) -> None:
    if name in FEW_RATES and fps not in (24, 30, 60):
        pytest.skip("this format does not know the rate")
    found, uneven = rate_and_evenness(clip_of(name, PICTURES, fps))
    rounding = 0.02 * fps / (len(PICTURES) - 1) if name == "gif" else 0.01  # two half ticks of 1/100 s over the clip
    assert found == pytest.approx(fps, rel=max(rounding, 1e-3))
    assert not uneven


@pytest.mark.parametrize("fps", [15, 25, 30, 40, 50, 60])
def test_steady_gif_is_even_at_rates_that_its_ticks_cannot_hold(fps: int) -> None:
    found, uneven = rate_and_evenness(clip_of("gif", PICTURES, fps))
    assert found == pytest.approx(fps, rel=0.02)
    assert not uneven


@pytest.mark.parametrize(
    ("container", "codec", "pixels"), [("matroska", "ffv1", "bgr0"), ("webm", "libvpx-vp9", "yuv420p")]
)
@pytest.mark.parametrize("real", [4, 5, 10])
def test_rate_of_the_header_does_not_count(container: str, codec: str, pixels: str, real: int) -> None:
    ticks = [round(1000 / real * n) for n in range(len(PICTURES))]
    assert rate_and_evenness(clip_bytes(PICTURES, container, codec, pixels, ticks=ticks)) == (real, False)


def test_clip_of_variable_rate_has_its_mean_rate_and_is_uneven() -> None:
    ticks = 125 * np.array([0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 16, 17, 18, 19, 20, 24])
    assert rate_and_evenness(clip_bytes(PICTURES, "matroska", "ffv1", "bgr0", ticks=ticks.tolist())) == (5.0, True)


def test_avi_with_reordered_frames_is_even() -> None:
    assert rate_and_evenness(clip_bytes(PICTURES, "avi", "libx264", "yuv420p")) == (8.0, False)


@pytest.mark.parametrize("fps", [8, 12, 30])
def test_raw_stream_without_times_has_the_rate_that_it_states(fps: int) -> None:
    assert rate_and_evenness(clip_bytes(PICTURES, "h264", "libx264", "yuv420p", fps=fps)) == (fps, False)


@pytest.mark.parametrize(
    ("tick", "times", "uneven"),
    [
        (Fraction(1, 100), [0, 1, 3, 4, 6], False),
        (Fraction(1, 100), [0, 2, 6, 8], True),
        (Fraction(1, 1000), [0, 16, 33, 50, 66], False),
        (Fraction(1, 1000), [0, 17, 33, 66, 83], True),
        (Fraction(1, 8), [0, 1, 2, 4, 5], True),
        (Fraction(1, 16384), [0, 2048, 4096, 6145, 8192], False),
        (Fraction(1, 1000), [0, 0, 125, 250], True),
        (Fraction(1, 1000), [5], False),
        (Fraction(1, 1000), [], False),
    ],
)
def test_rounding_to_a_tick_is_not_unevenness(tick: Fraction, times: list[int], uneven: bool) -> None:
    found = FrameTimes(None)
    for pts in times:
        found.add(pts, tick)
    assert found.uneven() is uneven


def test_clip_of_one_frame_has_the_stated_rate() -> None:
    with ClipReader(clip_of("mp4", PICTURES[:1])) as reader:
        assert len(list(reader)) == 1
    assert reader.fps() == 8.0
