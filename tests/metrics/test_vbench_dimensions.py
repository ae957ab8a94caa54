"""VBench's dimensions equal the published procedures with the same random weights, on any aspect ratio."""

from __future__ import annotations

import numpy as np
import open_clip
import pytest
import timm
import torch

from tests.metrics import published
from vbench_lite.backbones import Backbones
from vbench_lite.backbones.dino import Dino
from vbench_lite.backbones.frame_quality import Aesthetic, Musiq
from vbench_lite.backbones.image_text import OpenClipEncoder
from vbench_lite.backbones.raft import Correlations, Raft
from vbench_lite.features.extract import extract
from vbench_lite.features.flow import top_magnitude
from vbench_lite.features.raft import RaftMotion
from vbench_lite.metrics import select, shipped_metrics
from vbench_lite.metrics.aesthetic_quality import aesthetic_quality
from vbench_lite.metrics.background_consistency import background_consistency
from vbench_lite.metrics.base import ClipContext
from vbench_lite.metrics.dynamic_degree import DynamicDegree, dynamic_degree
from vbench_lite.metrics.functional import score_clips
from vbench_lite.metrics.imaging_quality import imaging_quality
from vbench_lite.metrics.subject_consistency import subject_consistency
from vbench_lite.records import ReasonCode

DIMENSIONS = [name for name, m in shipped_metrics().items() if "vbench" in m.sets and m.default_backbones == "vbench"]
NARROW = {"embed_dim": 96, "num_heads": 3, "depth": 2}


@pytest.fixture(scope="module")
def vit():
    """DINO's architecture with its true patches and table of positions, but narrow; a table that matters."""
    torch.manual_seed(0)
    model = timm.create_model("vit_base_patch16_224.dino", pretrained=False, num_classes=0, **NARROW).eval()
    with torch.no_grad():
        model.pos_embed.normal_(std=0.2)
        for weight in model.blocks.parameters():  # as drawn, they hardly look at the frame
            weight.mul_(8 if weight.ndim == 2 else 1)
    return model


@pytest.fixture(scope="module")
def raft():
    return published.random_raft()


def clip_of(size, count=3, seed=1):
    """Frames of coarse blocks that have nothing in common, so that the networks tell them apart."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (count, size[0] // 24 + 1, size[1] // 24 + 1, 3), dtype=np.uint8)
    return blocks.repeat(24, 1).repeat(24, 2)[:, : size[0], : size[1]]


@pytest.mark.parametrize("size", [(224, 224), (240, 426), (300, 200), (64, 96), (448, 224), (97, 131)])
def test_subject_consistency_equals_dinos_own_forward_pass(vit, size):
    frames = clip_of(size)
    ours = subject_consistency(frames, Backbones("random", dino=Dino(vit)))
    assert ours == pytest.approx(published.subject_consistency(vit, frames), abs=1e-5)
    assert ours < 0.95, "the frames must differ for the comparison to mean something"


def test_timms_own_position_table_would_miss_the_tolerance_on_wide_frames(vit):
    other = timm.create_model(
        "vit_base_patch16_224.dino", pretrained=False, num_classes=0, dynamic_img_size=True, **NARROW
    ).eval()
    other.load_state_dict(vit.state_dict())
    image = published.DINO_TRANSFORM(published.float_frames(clip_of((224, 336), count=2)))[:1]
    with torch.no_grad():
        theirs = published.dino_features(vit, image)
        assert (other(image) - theirs).abs().max() > 1e-3
    assert Dino(vit).embed_images(image) == pytest.approx(theirs.numpy(), abs=1e-4)


def small_clip():
    """OpenAI's architecture, two layers deep."""
    torch.manual_seed(0)
    vision = {"image_size": 224, "layers": 2, "width": 128, "patch_size": 32}
    text = {"width": 64, "heads": 1, "layers": 1}
    model = open_clip.model.CLIP(embed_dim=64, vision_cfg=vision, text_cfg=text, quick_gelu=True).eval()
    open_clip.model.set_model_preprocess_cfg(model, {"mean": published.CLIP_MEAN, "std": published.CLIP_STD})
    with torch.no_grad():
        model.visual.conv1.weight.mul_(3)
    return model


@pytest.mark.parametrize("size", [(240, 426), (96, 64)])
def test_background_consistency_equals_vbench(size):
    torch.manual_seed(0)
    model = small_clip()
    frames = clip_of(size)
    ours = background_consistency(frames, Backbones("random", OpenClipEncoder(model, vbench=True)))
    assert ours == pytest.approx(published.background_consistency(model, frames), abs=1e-6)
    assert ours < 0.999


def smooth_clip(size, count, shift=5):
    """A textured picture that slides."""
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 256, (size[0] // 8 + 2, size[1] // 8 + 2, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    return np.stack([np.roll(picture, n * shift, 1)[: size[0], : size[1]] for n in range(count)])


def test_correlations_around_any_point_equal_torchvisions(raft):
    """Inside, at the border, between pixels, and far outside of the frame, where they are 0."""
    rng = np.random.default_rng(0)
    first, second = (torch.from_numpy(rng.normal(size=(1, 256, 17, 20)).astype("f4")) for _ in range(2))
    points = torch.from_numpy(rng.uniform(-40, 60, (1, 2, 17, 20)).astype("f4"))
    points[..., :5] = points[..., :5].round()
    points[..., 0] = 1e6
    raft.corr_block.build_pyramid(first, second)
    expected = raft.corr_block.index_pyramid(points)
    found = Correlations(first, second).around(points)
    assert (found - expected).abs().max() < 1e-3
    assert expected.abs().max() > 1


class FakeFlow:
    """Encodes nothing and moves each pair as far as a list says, in pixels of a frame of 256."""

    name, asked = "fake", 0

    def __init__(self, lengths):
        self.lengths = iter(lengths)

    def encode(self, frame):
        return frame

    def flow(self, first, second):
        self.asked += 1
        return np.full((2, 16, 16), next(self.lengths) / 2**0.5, np.float32)


def published_decision(lengths, frames):
    wanted, moving = round(4 * (frames / 16)), 0
    for length in lengths:
        moving += length > 6.0
        if moving >= wanted:
            return True
    return False


def test_stopping_early_never_changes_the_decision():
    decisions = set()
    for seed in range(200):
        rng = np.random.default_rng(seed)
        count, fps = int(rng.integers(2, 40)), float(rng.choice([4, 8, 12, 16, 24, 30, 60]))
        sampled = len(range(0, count, max(1, round(fps / 8))))
        share = rng.uniform(0, 0.6)
        net = FakeFlow(rng.choice([2.0, 9.0], size=sampled - 1, p=[1 - share, share]))
        given = list(net.lengths)
        net.lengths = iter(given)
        found = dynamic_degree(np.zeros((count, 256, 256, 3), np.uint8), fps, Backbones("fake", raft=net))
        assert found == published_decision(given, sampled), (seed, count, fps, given)
        assert net.asked <= len(given)
        decisions.add(found)
    assert decisions == {0.0, 1.0}


def test_pairs_after_the_decision_are_not_compared():
    frames = np.zeros((16, 256, 256, 3), np.uint8)
    moving, still = FakeFlow([9.0] * 15), FakeFlow([1.0] * 15)
    assert dynamic_degree(frames, 8.0, Backbones("fake", raft=moving)) == 1
    assert dynamic_degree(frames, 8.0, Backbones("fake", raft=still)) == 0
    assert (moving.asked, still.asked) == (4, 12)


def test_dynamic_degree_needs_a_rate_two_frames_and_a_size_that_raft_can_compare():
    nets = Backbones("fake", raft=FakeFlow([9.0] * 3))
    for clip, fps, code in (
        (np.zeros((4, 256, 256, 3), np.uint8), 0.0, ReasonCode.NOT_MEASURED),
        (np.zeros((1, 256, 256, 3), np.uint8), 8.0, ReasonCode.ONE_FRAME),
        (np.zeros((4, 120, 256, 3), np.uint8), 8.0, ReasonCode.NOT_MEASURED),
        (np.zeros((2, 1440, 2560, 3), np.uint8), 8.0, ReasonCode.NOT_MEASURED),
    ):
        (score,) = score_clips(DynamicDegree(), clip, fps=fps, backbones=nets)
        assert (score.value, score.reason_code) == (None, code)


def test_flow_and_decision_equal_the_published_ones(raft):
    frames = smooth_clip((123, 150), 3)
    expected, lengths = published.dynamic_degree(raft, frames, 8)
    net = Raft(raft)
    first, second, third = map(net.encode, frames)
    flows = [net.flow(first, second), net.flow(second, third)]
    assert [top_magnitude(flow.transpose(1, 2, 0)) for flow in flows] == pytest.approx(lengths, abs=1e-4)
    features = extract(frames, [RaftMotion], Backbones("random", raft=net), fps=8)
    assert DynamicDegree().score(ClipContext(features)).value == expected


@pytest.mark.parametrize("size", [(240, 426), (96, 64)])
def test_aesthetic_quality_equals_vbench(size):
    model, head = small_clip(), torch.nn.Linear(64, 1)
    net = Aesthetic(OpenClipEncoder(model), head.weight[0].detach().numpy(), head.bias.item(), name="random")
    frames = clip_of(size, count=18)
    ours = aesthetic_quality(frames, Backbones("random", aesthetic=net))
    assert ours == pytest.approx(published.aesthetic_quality(model, head, frames), abs=1e-5)


@pytest.mark.parametrize("size", [(200, 620), (600, 96), (120, 90)])
def test_imaging_quality_equals_vbench(size):
    musiq_arch = pytest.importorskip("pyiqa.archs.musiq_arch", reason="the extra iqa is not installed")
    torch.manual_seed(0)
    musiq = musiq_arch.MUSIQ(pretrained=False, num_layers=2).eval()
    frames = clip_of(size, count=2)
    ours = imaging_quality(frames, Backbones("random", imaging=Musiq(musiq)))
    assert ours == pytest.approx(published.imaging_quality(musiq, frames), abs=1e-6)


@pytest.mark.parametrize("name", DIMENSIONS)
def test_other_sets_leave_the_dimensions_unscored_and_name_the_set_that_scores_them(name):
    (metric,) = select(name)
    clip = np.zeros((3, 128, 128, 3), np.uint8)
    (score,) = score_clips(metric, clip, fps=8, backbones="builtin")
    assert (score.value, score.reason_code) == (None, ReasonCode.NO_BACKBONE)
    assert "--backbones vbench" in score.reason
