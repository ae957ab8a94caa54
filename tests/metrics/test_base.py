"""The description of a metric, and the check of what a metric returns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vbench_lite.backbones import Backbones
from vbench_lite.errors import MetricError
from vbench_lite.features.extractor import ClipFeatures
from vbench_lite.features.image_text import ImageText
from vbench_lite.features.pixels import Pixels
from vbench_lite.features.video import Video
from vbench_lite.metrics import shipped_metrics
from vbench_lite.metrics.base import (
    ClipContext,
    ClipMetric,
    RealClips,
    SetContext,
    SetMetric,
    mean_score,
    score_clip,
    score_set,
)
from vbench_lite.records import Estimate, MetricInfo, ReasonCode, Score


class Greenness(ClipMetric):
    name, title, unit, version = "greenness", "Greenness", "fraction", "3"
    higher_is_better, range, description, pitfalls = True, (0.0, 1.0), "How green.", "Grass."
    question, rank, source, origin = "detail", 7, "a paper", "program"
    extractors = (Pixels, ImageText, Video)
    returned = None

    def score(self, context):
        return self.returned


class Emptiness(SetMetric):
    name, title, unit, version = "emptiness", "Emptiness", "clips", "1"
    higher_is_better, range, description = None, (-math.inf, math.inf), "Nothing."

    def score(self, context):
        raise ValueError("too few clips")


CLIP = ClipFeatures(1, 8, 8, 0.0, False, {})


def checked(returned):
    metric = Greenness()
    metric.returned = returned
    return score_clip(metric, ClipContext(CLIP))


@pytest.mark.parametrize(
    ("returned", "score"),
    [
        (0.25, (0.25, None, None)), (np.float32(0.5), (0.5, None, None)), (1, (1.0, None, None)),
        (-1e-6, (-1e-6, None, None)), (1 + 1e-6, (1 + 1e-6, None, None)), (None, (None, "no value", None)),
        (Score(0.5, "noise", ReasonCode.OTHER), (0.5, "noise", ReasonCode.OTHER)),
        (Score(None, "why", ReasonCode.FROZEN), (None, "why", ReasonCode.FROZEN)),
    ],
)  # fmt: skip
def test_a_number_or_a_score_is_accepted_to_a_millionth_outside_of_the_range(returned, score):
    assert checked(returned) == score
    assert type(checked(returned).value) in (float, type(None))


WHERE = f'the metric "greenness" ({__name__}.Greenness): score() returned'


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("much", f"{WHERE} 'much'. Return a number, or Score(None, reason)."),
        ([1], f"{WHERE} [1]. Return a number, or Score(None, reason)."),
        (math.nan, f"{WHERE} nan. Return Score(None, reason) for a clip that has no value."),
        (Score(math.inf), f"{WHERE} inf. Return Score(None, reason) for a clip that has no value."),
        (1.00001, f'{WHERE} 1.00001, outside of its "range" of 0 to 1. Correct one of them.'),
        (-0.00001, f'{WHERE} -1e-05, outside of its "range" of 0 to 1. Correct one of them.'),
    ],
)  # fmt: skip
def test_another_return_value_is_refused_with_the_metric_and_the_value(returned, message):
    with pytest.raises(MetricError) as error:
        checked(returned)
    assert str(error.value) == message


def test_the_description_of_a_metric_as_a_record():
    assert Greenness.info("net@1") == MetricInfo(
        name="greenness", unit="fraction", higher_is_better=True, version="3", backbone="net@1", per="clip",
        title="Greenness", range=(0.0, 1.0), question="detail", rank=7, description="How green.", pitfalls="Grass.",
        source="a paper", origin="program",
    )
    info = Emptiness.info()
    assert (info.range, info.backbone, info.per, info.rank, info.question) == ((None, None), None, "set", 10, "")


SHIPPED = {
    "clip_frames": ("coherence", 1, (0, 1)), "warp_error": ("coherence", 2, (0, 1)),
    "temporal_flickering": ("coherence", 3, (0, 1)), "subject_consistency": ("coherence", 4, (0, 1)),
    "background_consistency": ("coherence", 5, (0, 1)), "long_range_consistency": ("coherence", 5, (0, 1)),
    "shape_stability": ("coherence", 6, (0, 1)), "detail": ("detail", 1, (0, 1)),
    "aesthetic_quality": ("detail", 4, (None, None)), "imaging_quality": ("detail", 5, (None, None)),
    "clip_text": ("prompt", 1, (-1, 1)), "first_frame_similarity": ("prompt", 3, (-1, 1)),
    "reference_image_similarity": ("prompt", 4, (0, 1)), "motion_adherence": ("prompt", 5, (-1, 1)),
    "conformance": ("", 10, (0, 1)), "dynamic_degree": ("", 10, (0, 1)), "loop_seam": ("", 10, (0, 1)),
    "motion": ("", 10, (0, None)), "fvd_corrected": ("set", 1, (None, None)), "fvd": ("set", 2, (0, None)),
    "kvd": ("set", 3, (None, None)),
}


def test_question_rank_and_range_of_each_shipped_metric_in_the_order_of_reports():
    found = {name: metric.info() for name, metric in shipped_metrics().items()}
    assert [(name, (info.question, info.rank, info.range)) for name, info in found.items()] == [*SHIPPED.items()]


def test_the_first_network_that_is_missing_is_the_reason():
    assert (Greenness.backbone(), Emptiness.backbone()) == ("image", None)
    missing = {"image": "no weights", "video": "no extra"}
    assert Greenness.unavailable(Backbones("none", missing=missing)) == "no weights"
    assert Greenness.unavailable(Backbones("some", image=object(), missing=missing)) == "no extra"
    assert Greenness.unavailable(Backbones("some", image=object())) == "this set of backbones has no video network"
    assert Greenness.unavailable(Backbones("all", image=object(), video=object())) is None
    assert Emptiness.unavailable(Backbones("none")) is None


def test_a_set_without_a_value_has_its_number_of_clips_and_the_reason():
    found = score_set(Emptiness(), SetContext([CLIP, CLIP], [CLIP], ["a", "b"], [""]))
    assert found.estimate == Estimate(None, n=2, reason="too few clips", reason_code=ReasonCode.OTHER)
    assert found.influence is None


def test_means_are_over_the_values_and_over_the_real_clips_of_one_size():
    otherwise = Score(None, "why")
    assert mean_score(np.array([0.25, 0.75]), otherwise) == (0.5, None, None)
    assert mean_score(np.zeros(0), otherwise) is otherwise

    def real(height, *values):
        return ClipFeatures(1, height, 8, 0.0, False, {"pixels": {"brightness": np.array(values)}})

    clips = [real(8, 0.1, 0.3), real(8, 0.6), real(16, 0.9)]
    several = RealClips(clips)
    assert several.mean("pixels", "brightness", 8, 8) == pytest.approx(0.4)
    assert several.mean("pixels", "brightness", 16, 8) == pytest.approx(0.9)
    assert several.mean("pixels", "brightness", 8, 16) is None
    clips.clear()
    assert several.mean("pixels", "brightness", 8, 8) == pytest.approx(0.4), "it is computed once"


def test_both_sides_of_a_set_are_stacked():
    def clip(*values):
        return ClipFeatures(1, 8, 8, 0.0, False, {"video": {"features": np.array(values)}})

    generated, reference = SetContext([clip(1, 2), clip(3, 4)], [clip(5, 6)], [], []).stacked("video", "features")
    assert (generated.tolist(), reference.tolist()) == ([[1, 2], [3, 4]], [[5, 6]])
