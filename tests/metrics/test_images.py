"""Metrics that compare a clip with the image that it was to start from: closed forms, and which prompts have them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vbench_lite import metrics
from vbench_lite.features.extractor import ClipFeatures
from vbench_lite.features.image_text import unit_rows
from vbench_lite.metrics.base import ClipContext, score_clip
from vbench_lite.metrics.first_frame_similarity import FirstFrameSimilarity
from vbench_lite.metrics.reference_image_similarity import ReferenceImageSimilarity
from vbench_lite.records import Prompt, ReasonCode
from vbench_lite.world import find_composition
from vbench_lite.world.pose import Pose
from vbench_lite.world.render import render_from

FRAMES = unit_rows(np.array([[3.0, 4.0], [0.0, 2.0], [-1.0, 0.0]]))
NAMES = ("first_frame_similarity", "reference_image_similarity")


def context(picture: np.ndarray | None) -> ClipContext:
    clip = ClipFeatures(3, 8, 8, 8.0, False, {"image_text_frames": {"frames": FRAMES}})
    return ClipContext(clip, Prompt("mug", "a mug"), picture=picture)


def test_values_by_hand() -> None:
    picture = np.array([1.0, 0.0])
    assert score_clip(FirstFrameSimilarity(), context(picture)).value == pytest.approx(0.6)
    assert score_clip(ReferenceImageSimilarity(), context(picture)).value == pytest.approx((0.6 + 0.0 + 0.0) / 3)
    assert score_clip(FirstFrameSimilarity(), context(-picture)).value == pytest.approx(-0.6)


@pytest.mark.parametrize("metric", [FirstFrameSimilarity(), ReferenceImageSimilarity()])
def test_a_prompt_without_an_image_has_no_value(metric: FirstFrameSimilarity) -> None:
    score = score_clip(metric, context(None))
    assert (score.value, score.reason_code) == (None, ReasonCode.NOT_APPLICABLE)


def test_named_sets_bring_them_only_for_suites_with_images() -> None:
    for wanted in (None, "builtin", "all"):
        without, with_images = ({m.name for m in metrics.select(wanted, images=images)} for images in (False, True))
        assert with_images - without == set(NAMES)
    assert [m.name for m in metrics.select(",".join(NAMES))] == list(NAMES)


def test_the_clip_that_goes_on_from_its_image_is_closer_than_that_of_another_thing() -> None:
    asked = find_composition("a red sneaker slides left on a white background")
    other = find_composition("a blue cup slides left on a black background")
    assert asked
    assert other
    pose = Pose(15.0, 1.1, 0.02, -0.02)
    own, another = render_from(asked, pose), render_from(other, pose)
    for name in NAMES:
        near, far = getattr(metrics, name)(np.stack([own, another]), own[0])
        assert near > 0.9
        assert far < near - 0.1
    assert metrics.first_frame_similarity(own, own[0]) == pytest.approx(1.0)
    mean = metrics.ReferenceImageSimilarity()
    mean.update(torch.from_numpy(np.stack([own, another])), images=[own[0], torch.from_numpy(another[0])])
    each = metrics.reference_image_similarity(np.stack([own, another]), [own[0], another[0]])
    assert float(mean.compute()) == pytest.approx(each.mean())


IMAGE = np.zeros((4, 4, 3), np.uint8)


@pytest.mark.parametrize("images", [IMAGE[0], IMAGE.astype(float), [IMAGE] * 3])
def test_images_of_another_shape_or_number_are_refused(images: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        metrics.first_frame_similarity(np.zeros((2, 3, 32, 32, 3), np.uint8), images)
