"""Fine structure against real clips', and whether a clip is what was asked for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vbench_lite.backbones import Backbones
from vbench_lite.features.extract import extract
from vbench_lite.features.extractor import ClipFeatures
from vbench_lite.features.flow import Flow
from vbench_lite.features.pixels import Pixels, fine_energy
from vbench_lite.metrics import score_clips
from vbench_lite.metrics.base import ClipContext, RealClips
from vbench_lite.metrics.conformance import Conformance
from vbench_lite.metrics.detail import Detail, detail
from vbench_lite.metrics.temporal_flickering import TemporalFlickering
from vbench_lite.records import ClipSpec, ReasonCode
from vbench_lite.video import encode_mp4
from vbench_lite.world import Composition, render

NOTHING = Backbones("none")
SPEC = ClipSpec(9, 8.0, 64, 64)


@pytest.fixture(scope="module")
def clip():
    return render(Composition(1, 0, 0, 0), seed=3, frames=9)


def stored(frames, fps=8.0):
    return extract(encode_mp4(frames, fps), (Pixels, Flow), NOTHING)


def conformance(frames, fps=8.0, spec=SPEC, still=False):
    return Conformance().score(ClipContext(stored(frames, fps), spec=spec, still_requested=still))


def test_a_clip_is_as_detailed_as_itself(clip):
    assert detail(clip, reference=clip) == pytest.approx(1)


def test_blur_and_noise_both_lower_detail(clip):
    rng = np.random.default_rng(0)
    blurred = [np.stack([cv2.GaussianBlur(f, (0, 0), s) for f in clip]) for s in (0.5, 0.8, 1.5)]
    noisy = [(clip + rng.normal(0, s, clip.shape)).clip(0, 255).astype(np.uint8) for s in (5, 15, 40)]
    for damaged in (blurred, noisy):
        values = [1.0, *detail(np.stack(damaged), reference=clip)]
        assert values == sorted(values, reverse=True)
        assert len(set(values)) == 4


def test_noise_is_flagged_beside_its_value(clip):
    noisy = (clip + np.random.default_rng(0).normal(0, 30, clip.shape)).clip(0, 255).astype(np.uint8)
    score = score_clips(Detail(), noisy, reference=clip)[0]
    assert score.value < 1
    assert "noise" in score.reason


@pytest.mark.parametrize(("energy", "value", "noise"), [(0.1, 0.5, False), (0.25, 0.8, False), (0.26, 1 / 1.3, True)])
def test_detail_is_the_ratio_of_the_smaller_energy_to_the_larger(energy, value, noise):
    def clip(*energies):
        return ClipFeatures(2, 8, 8, 8.0, False, {"pixels": {"fine_energies": np.array(energies)}})

    real = RealClips([clip(0.15, 0.25), clip(0.2, 0.2)])
    score = Detail().score(ClipContext(clip(energy - 0.05, energy + 0.05), real=real))
    assert score.value == pytest.approx(value)
    assert score.reason == ("noise: 1.30 times the fine structure of real clips" if noise else None)


def test_a_flat_frame_has_no_fine_energy():
    assert fine_energy(np.full((9, 11, 3), 200, np.uint8))[1] == 0


def test_detail_without_real_clips_is_unscored_with_the_reason(clip):
    assert score_clips(Detail(), clip)[0] == (None, "there are no real clips to compare with", ReasonCode.NO_REFERENCE)


def test_real_clips_of_another_size_or_without_structure_do_not_count(clip):
    with pytest.raises(ValueError, match="the real clips are 32x32"):
        detail(clip, reference=np.ascontiguousarray(clip[:, ::2, ::2]))
    with pytest.raises(ValueError, match="flat"):
        detail(clip, reference=np.zeros_like(clip))


def test_real_clips_are_averaged_by_clip():
    clips = [extract(np.full((2, 8, 8, 3), v, np.uint8), (Pixels,), NOTHING) for v in (0, 51, 102)]
    assert RealClips(clips).mean("pixels", "brightness", 8, 8) == pytest.approx(0.2)
    assert RealClips(clips).mean("pixels", "brightness", 8, 9) is None


def test_a_clip_as_asked_conforms(clip):
    assert conformance(clip) == (1.0, None, None)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (ClipSpec(10, 8.0, 64, 64), "9 frames instead of 10"),
        (ClipSpec(9, 8.0, 64, 96), "64x64 instead of 96x64"),
        (ClipSpec(9, 24.0, 64, 64), "8 frames per second instead of 24"),
    ],
)
def test_what_is_unlike_the_request_is_named(clip, spec, words):
    assert conformance(clip, spec=spec) == (0.0, words, ReasonCode.WRONG_FORM)


def test_an_odd_size_may_be_padded_to_an_even_one():
    clip = render(Composition(0, 0, 0, 1), 0, frames=9, height=63, width=65)
    assert conformance(clip, spec=ClipSpec(9, 8.0, 63, 65)).value == 1


def test_a_clip_that_was_asked_in_no_form_has_only_to_show_something(clip):
    assert conformance(clip, fps=30, spec=None).value == 1


@pytest.mark.parametrize(("value", "words"), [(0, "black"), (3, "black"), (255, "blank"), (128, "blank")])
def test_a_flat_clip_is_flagged_though_it_is_perfectly_steady(value, words):
    flat = np.full((9, 64, 64, 3), value, np.uint8)
    assert TemporalFlickering().score(ClipContext(stored(flat))).value == 1
    score = conformance(flat)
    assert score.value == 0
    assert words in score.reason


def test_a_frozen_clip_is_flagged_unless_stillness_was_asked_for(clip):
    frozen = np.repeat(clip[:1], 9, 0)
    assert conformance(frozen) == (0.0, "it is frozen", ReasonCode.FROZEN)
    assert conformance(frozen, still=True).value == 1


def test_a_stuttering_clip_is_flagged(clip):
    assert "repeat" in conformance(clip[[0, 0, 0, 4, 4, 4, 8, 8, 8]]).reason


def test_a_single_frame_is_flagged_and_not_scored_for_steadiness(clip):
    assert "single frame" in conformance(clip[:1], spec=None).reason
    assert TemporalFlickering().score(ClipContext(stored(clip[:1]))).value is None
