"""Likeness of frames and of text: against VBench's procedure with the true architecture, and closed forms."""

from __future__ import annotations

import numpy as np
import open_clip
import pytest
import torch
import torch.nn.functional as F
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize

from vbench_lite.backbones import Backbones
from vbench_lite.backbones.image_text import OpenClipEncoder, embed_frames
from vbench_lite.features.extractor import ClipFeatures, ClipStream
from vbench_lite.features.image_text import ImageText
from vbench_lite.metrics.base import ClipContext
from vbench_lite.metrics.clip_frames import clip_frames, frames_consistency
from vbench_lite.metrics.clip_text import ClipText, clip_text

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@pytest.fixture(scope="module")
def vit_b_32():
    """The published architecture with random weights; large ones, so that frames differ clearly."""
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-32").eval()
    with torch.no_grad():
        model.visual.conv1.weight.mul_(3)
    return model


def vbench_background_consistency(model, frames):
    """The published procedure for one clip: float frames, its transform, and its loop over frames."""
    images = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
    transform = Compose([
        Resize(224, interpolation=InterpolationMode.BICUBIC, antialias=False), CenterCrop(224),
        lambda x: x.float().div(255.0), Normalize(MEAN, STD),
    ])
    with torch.no_grad():
        features = F.normalize(model.encode_image(transform(images)), dim=-1, p=2)
    total = 0.0
    for i in range(1, len(features)):
        before = max(0.0, F.cosine_similarity(features[i - 1 : i], features[i : i + 1]).item())
        first = max(0.0, F.cosine_similarity(features[:1], features[i : i + 1]).item())
        total += (before + first) / 2
    return total / (len(features) - 1)


@pytest.mark.parametrize("size", [(240, 426), (300, 200), (64, 96)])
def test_clip_frames_equals_vbench_with_the_same_weights(vit_b_32, size):
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 256, (3, *size, 3), dtype=np.uint8)
    frames[1] = frames[1] // 4 + 60
    ours = clip_frames(frames, Backbones("random", OpenClipEncoder(vit_b_32)))
    theirs = vbench_background_consistency(vit_b_32, frames)
    assert ours == pytest.approx(theirs, abs=1e-6)
    assert ours < 0.9999, "the frames must differ for the comparison to mean something"


def test_frames_consistency_of_a_cut_is_known():
    cut = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    # frame 1: 1 and 1; frame 2: 0 and 0; frame 3: 1 to the one before, 0 to the first
    assert frames_consistency(cut) == pytest.approx((1 + 0 + 0.5) / 3)


def test_opposite_embeddings_count_as_zero_not_below():
    assert frames_consistency(np.array([[1.0, 0], [-1, 0]])) == 0


def test_lengths_of_embeddings_do_not_matter():
    vectors = np.random.default_rng(0).normal(size=(5, 8))
    assert frames_consistency(vectors * np.arange(1, 6)[:, None]) == pytest.approx(frames_consistency(vectors))


def test_one_frame_is_refused():
    with pytest.raises(ValueError, match="at least two"):
        frames_consistency(np.ones((1, 4)))


class FlatEncoder:
    """Pixels through a fixed matrix, in float64; every text is one vector."""

    name = "flat"

    def prepare(self, frame):
        return torch.from_numpy(frame).double().flatten()

    def embed_images(self, prepared):
        return np.asarray(prepared) @ np.random.default_rng(0).normal(size=(48, 5))

    def embed_texts(self, texts):
        return np.tile(np.arange(5.0), (len(texts), 1))

    def cannot_read(self, text):
        return "too many words" if "," in text else None


FLAT = Backbones("flat", FlatEncoder())


def of_mean(mean, text):
    return ClipText().score(ClipContext(ClipFeatures(2, 4, 4, 8.0, False, {"image_text": {"mean": mean}}), text=text))


def test_clip_text_is_a_mean_of_cosines_and_may_fall_below_zero():
    assert of_mean(np.array([0.0, 1 / 3]), np.array([5.0, 0])).value == pytest.approx(0)
    assert of_mean(np.array([-1.0, 0]), np.array([1.0, 0])).value == pytest.approx(-1)


def test_embeddings_of_zeros_give_zero_and_never_nan():
    assert of_mean(np.zeros(4), np.ones(4)).value == 0
    assert frames_consistency(np.zeros((3, 4))) == 0


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 33])
def test_streamed_batches_give_what_the_whole_clip_gives(count):
    frames = np.random.default_rng(2).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    seen, whole, text = ImageText(), embed_frames(FlatEncoder(), frames), np.arange(5.0)
    seen.start(ClipStream(count, FlatEncoder()))
    for frame in frames:
        seen.see(frame)
    arrays = seen.finish()
    unit = whole / np.linalg.norm(whole, axis=1, keepdims=True)
    expected = float((unit @ (text / np.linalg.norm(text))).mean())
    assert len(arrays["likeness"]) == count - 1
    assert of_mean(arrays["mean"], text).value == pytest.approx(expected, abs=1e-14)
    assert clip_text(frames, "any", FLAT) == pytest.approx(expected, abs=1e-14)
    if count > 1:
        assert arrays["likeness"].mean() == pytest.approx(frames_consistency(whole), abs=1e-14)


def test_a_prompt_that_the_network_cannot_read_is_refused_with_its_reason():
    with pytest.raises(ValueError, match="clip 0 has no clip_text: too many words"):
        clip_text(np.zeros((2, 4, 4, 3), np.uint8), "one, two", FLAT)


def test_a_prompt_a_clip_is_needed():
    with pytest.raises(ValueError, match="3 prompts for 2 clips"):
        clip_text(np.zeros((2, 2, 4, 4, 3), np.uint8), ["a", "b", "c"], FLAT)
