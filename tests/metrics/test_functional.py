"""Metrics as functions: the networks, prompts, images and real clips that reach each metric. Networks are scripted."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vbench_lite import metrics
from vbench_lite.backbones import Backbones
from vbench_lite.distances.corrected import corrected_interval
from vbench_lite.distances.frechet import frechet_distance
from vbench_lite.distances.kernel import kernel_interval
from vbench_lite.features.image_text import ImageText, lag_cosines, unit_rows
from vbench_lite.features.pixels import Pixels
from vbench_lite.features.video import Video
from vbench_lite.metrics.base import ClipMetric
from vbench_lite.metrics.clip_frames import frames_consistency
from vbench_lite.metrics.functional import clip_list, features_of, networks_for, picture_vector, score_clips
from vbench_lite.records import ClipSpec, Prompt, ReasonCode

CLIPS = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 5, 3), dtype=np.uint8)
PICTURES = np.random.default_rng(1).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)


class Projection:
    """Projects the pixels of frames, and the letters of texts, to a few numbers."""

    frames, vbench = 3, True

    def __init__(self, seed, values=4):
        self.name = f"net {seed}"
        rng = np.random.default_rng(seed)
        self.pixels, self.letters = rng.normal(size=(60, values)), rng.normal(size=(256, values))

    def prepare(self, frame):
        return torch.from_numpy(frame).double().flatten()

    def embed_images(self, prepared):
        return unit_rows(prepared.numpy() @ self.pixels)

    def embed_texts(self, texts):
        return unit_rows(np.stack([self.letters[list(text.encode())].sum(0) for text in texts]))

    def cannot_read(self, text):
        return "it has a comma" if "," in text else None

    def embed(self, prepared):
        return prepared.numpy().sum(0) @ self.pixels

    def score(self, prepared):
        return np.abs(prepared.numpy() @ self.pixels[:, 0]) % 9 + 1

    def of(self, clip):
        return self.embed_images(torch.stack([self.prepare(frame) for frame in clip]))


NETS = Backbones(
    "scripted", Projection(1), Projection(2), dino=Projection(3), aesthetic=Projection(4), imaging=Projection(5)
)
TEXTS = ["a cup", "a lamp"]


def expected_of(name, clip, n):
    embedded = NETS.image.of(clip)
    pictures = NETS.image.of(PICTURES)
    return {
        "clip_frames": lambda: frames_consistency(embedded),
        "background_consistency": lambda: frames_consistency(embedded),
        "subject_consistency": lambda: frames_consistency(NETS.dino.of(clip)),
        "shape_stability": lambda: max(0, (embedded @ embedded.T).min()),
        "long_range_consistency": lambda: np.maximum(lag_cosines(embedded), 0).mean(),
        "clip_text": lambda: (embedded @ NETS.image.embed_texts([TEXTS[n]])[0]).mean(),
        "first_frame_similarity": lambda: embedded[0] @ pictures[n],
        "reference_image_similarity": lambda: np.clip(embedded @ pictures[n], 0, 1).mean(),
        "aesthetic_quality": lambda: NETS.aesthetic.score(torch.from_numpy(clip.reshape(4, -1)).double()).mean() / 10,
        "imaging_quality": lambda: NETS.imaging.score(torch.from_numpy(clip.reshape(4, -1)).double()).mean() / 100,
    }[name]()


GIVEN = {
    "clip_frames": {}, "background_consistency": {}, "subject_consistency": {}, "shape_stability": {},
    "aesthetic_quality": {}, "imaging_quality": {}, "long_range_consistency": {"fps": 2},
    "clip_text": {"prompts": TEXTS},
    "first_frame_similarity": {"images": PICTURES}, "reference_image_similarity": {"images": PICTURES},
}  # fmt: skip


@pytest.mark.parametrize("name", GIVEN)
def test_each_function_reads_the_given_network(name):
    found = getattr(metrics, name)(CLIPS, **GIVEN[name], backbones=NETS)
    expected = [expected_of(name, clip, n) for n, clip in enumerate(CLIPS)]
    assert found == pytest.approx(np.array(expected), abs=1e-6)
    assert found.dtype == np.float64
    assert found[0] != found[1]
    one = {key: value[:1] if key == "prompts" else value[0] if key == "images" else value
           for key, value in GIVEN[name].items()}  # fmt: skip
    alone = getattr(metrics, name)(CLIPS[0], **one, backbones=NETS)
    assert type(alone) is float
    assert alone == found[0]


@pytest.mark.parametrize("name", ["fvd", "fvd_corrected", "kvd"])
def test_each_distance_is_that_of_the_networks_features(name):
    rng = np.random.default_rng(2)
    generated, reference = rng.integers(0, 256, (2, 24, 3, 4, 5, 3), dtype=np.uint8)
    reference = reference[:20] // 2
    sides = [np.stack([NETS.video.embed(torch.from_numpy(c.reshape(3, -1)).double()) for c in side])
             for side in (generated, reference)]  # fmt: skip
    expected = {
        "fvd": lambda: frechet_distance(*sides),
        "kvd": lambda: kernel_interval(*sides, [""] * 24, [""] * 20).value,
        "fvd_corrected": lambda: corrected_interval(*sides, [""] * 24, [""] * 20).value,
    }[name]()
    assert getattr(metrics, name)(generated, reference, backbones=NETS) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(ValueError, match=r"^this set of backbones has no video network$"):
        getattr(metrics, name)(generated, reference, backbones=Backbones("none"))
    with pytest.raises(ValueError, match=rf"^no {name}: .+"):
        getattr(metrics, name)(generated[:1], reference, backbones=NETS)


def test_networks_are_loaded_by_name_only_as_far_as_extractors_need_them():
    assert networks_for([ImageText], NETS) is NETS
    assert networks_for([Pixels], "no set of this name") == Backbones("none")
    found = networks_for([Pixels, ImageText], "builtin")
    assert found.image is not None
    assert found.video is None
    assert networks_for([Video, ImageText], "builtin").video is not None


class Seen(ClipMetric):
    """Keeps what it is given."""

    name, title, unit, version = "seen", "Seen", "x", "1"
    higher_is_better, range, description = None, (0.0, 1.0), "Nothing."
    extractors = (Pixels, ImageText)

    def __init__(self):
        self.contexts = []

    def score(self, context):
        self.contexts.append(context)
        return 0.5


def contexts(clips=CLIPS, nets=NETS, **given):
    metric = Seen()
    assert score_clips(metric, clips, backbones=nets, **given) == [(0.5, None, None)] * len(metric.contexts)
    return metric.contexts


def test_a_context_has_the_clip_with_its_rate_and_nothing_that_was_not_given():
    first, second = contexts()
    assert (first.clip.frames, first.clip.height, first.clip.width, first.clip.fps) == (4, 4, 5, 0)
    assert first["pixels"]["brightness"].tolist() != second["pixels"]["brightness"].tolist()
    assert (first.prompt, second.prompt) == (Prompt("0", ""), Prompt("1", ""))
    assert (first.text, first.text_problem, first.spec, first.picture) == (None, "there is no prompt", None, None)
    assert (first.still_requested, len(first.real.clips)) == (False, 0)
    (rated,) = contexts(CLIPS[0], fps=12, spec=ClipSpec(5))
    assert (rated.clip.fps, rated.spec) == (12.0, ClipSpec(5))


def test_prompts_are_one_for_all_or_one_for_each_as_texts_or_records():
    assert [c.prompt for c in contexts(prompts="a cup")] == [Prompt("0", "a cup"), Prompt("1", "a cup")]
    record = Prompt("mug", "a mug", motion="still")
    assert [c.prompt for c in contexts(prompts=record)] == [record, record]
    first, second = contexts(prompts=["a cup, a lamp", record])
    assert (first.prompt, first.text, first.text_problem) == (Prompt("0", "a cup, a lamp"), None, "it has a comma")
    assert second.text == pytest.approx(NETS.image.embed_texts(["a mug"])[0])
    assert second.text_problem == ""
    with pytest.raises(ValueError, match=r"^3 prompts for 2 clips: pass one per clip, or one for all$"):
        contexts(prompts=["a"] * 3)


def test_real_clips_have_the_same_extractors_and_rate():
    first, second = contexts(reference=CLIPS[:1], fps=6)
    assert first.real is second.real
    assert [clip.fps for clip in first.real.clips] == [6.0]
    assert first.real.clips[0]["image_text"]["mean"] == pytest.approx(first["image_text"]["mean"])


@pytest.mark.parametrize(
    ("images", "used"),
    [
        (PICTURES, [0, 1]), (PICTURES[0], [0, 0]), (PICTURES[1:], [1, 1]), ([PICTURES[1], PICTURES[0]], [1, 0]),
        (torch.from_numpy(PICTURES), [0, 1]), ([torch.from_numpy(PICTURES[1])], [1, 1]),
    ],
)  # fmt: skip
def test_images_are_one_for_all_or_one_for_each_as_arrays_or_tensors(images, used):
    vectors = NETS.image.of(PICTURES)
    for context, n in zip(contexts(images=images), used, strict=True):
        assert context.picture == pytest.approx(vectors[n])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([PICTURES[0]] * 3, "3 images for 2 clips: pass one per clip, or one for all"),
        ([PICTURES[0].astype("f4")], r"an image is float32 \(4, 5, 3\): expected uint8 \(height, width, 3\)"),
        ([PICTURES[0, 0]], r"an image is uint8 \(5, 3\): expected uint8 \(height, width, 3\)"),
        ([PICTURES[0, :, :, :2]], r"an image is uint8 \(4, 5, 2\): .*"),
        ([PICTURES[0, :0]], r"an image is uint8 \(0, 5, 3\): .*"),
        ([PICTURES], r"an image is uint8 \(2, 4, 5, 3\): .*"),
    ],
)  # fmt: skip
def test_other_images_are_refused(images, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        contexts(images=images)


def test_a_network_that_is_missing_leaves_every_clip_without_a_score():
    metric = Seen()
    found = score_clips(metric, CLIPS, backbones=Backbones("none"))
    why = "this set of backbones has no image-and-text network"
    assert found == [(None, why, ReasonCode.NO_BACKBONE)] * 2
    assert metric.contexts == []
    assert picture_vector(Backbones("none"), PICTURES[0]) is None
    with pytest.raises(ValueError, match=r"^clip 0 has no clip_frames: this set of backbones has no image-and-text"):
        metrics.clip_frames(CLIPS, backbones=Backbones("none"))
    with pytest.raises(ValueError, match=r"^clip 1 has no clip_text: it has a comma$"):
        metrics.clip_text(CLIPS, ["a cup", "a, b"], backbones=NETS)


def test_background_consistency_needs_the_network_of_vbench():
    other = Projection(1)
    other.vbench = False
    (score, _) = score_clips(metrics.shipped_metrics()["background_consistency"](), CLIPS,
                             backbones=Backbones("mine", other))  # fmt: skip
    assert score.reason_code == ReasonCode.NO_BACKBONE
    assert score.reason.startswith('the image-and-text network of "mine" is not the one of VBench')
    unavailable = metrics.shipped_metrics()["background_consistency"].unavailable
    assert unavailable(NETS) is None
    assert unavailable(Backbones("none")) == "this set of backbones has no image-and-text network"


def test_clips_become_a_list_of_arrays():
    assert [clip.shape for clip in clip_list(CLIPS)] == [(4, 4, 5, 3)] * 2
    (alone,) = clip_list(torch.from_numpy(CLIPS[1]))
    assert np.array_equal(alone, CLIPS[1])
    assert len(clip_list(np.zeros((3, 1, 1, 1, 3), np.uint8))) == 3
    for bad in (CLIPS.astype(int), CLIPS[0, 0], CLIPS[None], CLIPS[..., :2], CLIPS[:, :0], CLIPS[..., None, :2]):
        with pytest.raises(ValueError, match=r"^clips are \w+ \([\d, ]+\): expected uint8 \(clips, frames, height, "):
            clip_list(bad)


def test_features_of_clips_have_no_rate_unless_it_is_given():
    assert [clip.fps for clip in features_of(CLIPS, [Pixels])] == [0.0, 0.0]
    (found,) = features_of(CLIPS[0], [Pixels, ImageText], NETS, 24)
    assert (found.fps, type(found.fps), set(found.arrays)) == (24.0, float, {"pixels", "image_text"})


def test_functions_without_networks_give_their_values():
    steps = np.stack([np.full((4, 4, 3), level, np.uint8) for level in (0, 51, 51, 102)])
    assert metrics.temporal_flickering(np.stack([steps, steps[::-1]])) == pytest.approx([13 / 15] * 2)
    assert metrics.temporal_flickering(steps) == pytest.approx(13 / 15)
    assert metrics.loop_seam(steps) == pytest.approx(0.4 - 0.4 / 3)
    assert metrics.conformance(np.stack([steps, steps])).tolist() == [0, 0]
    noisy = np.random.default_rng(3).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    assert metrics.conformance(noisy, fps=8, spec=ClipSpec(3, 8.0, 32, 32)) == 1
    assert metrics.conformance(noisy, fps=9, spec=ClipSpec(3, 8.0, 32, 32)) == 0
    assert metrics.conformance(noisy, fps=8, spec=ClipSpec(4, 8.0, 32, 32)) == 0
    assert metrics.conformance(noisy, spec=ClipSpec(3, 1.0, 32, 32)) == 0
    half = (noisy // 2).astype(np.uint8)
    assert metrics.detail(np.stack([noisy, half]), reference=noisy) == pytest.approx([1, 0.25], abs=0.01)
    assert metrics.motion(noisy, fps=16) == pytest.approx(2 * metrics.motion(noisy, fps=8))
    assert metrics.motion_adherence(noisy, "still", fps=8) == -1
    with pytest.raises(ValueError, match=r"^clip 0 has no motion_adherence: the file does not state its frame rate$"):
        metrics.motion_adherence(noisy, "still")
