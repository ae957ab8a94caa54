"""Sets of networks: the one that ships, the published one in its true form with random weights, and a user's own."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file

from tests.backbones.i3d import I3D
from vbench_lite import backbones
from vbench_lite.backbones import availability, load, read_set
from vbench_lite.errors import BadFile, UnknownName, WeightsError
from vbench_lite.features.extract import extract
from vbench_lite.features.image_text import ImageText
from vbench_lite.features.video import Video, spaced
from vbench_lite.world import Composition, held_out_compositions, render


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def builtin():
    return load("builtin")


def write(path, text):
    path.write_text(text)
    return str(path)


def test_the_built_in_clip_finds_the_caption_of_a_frame(builtin):
    captions = held_out_compositions()
    texts = builtin.image.embed_texts([c.caption for c in captions])
    right = 0
    for place in range(0, len(captions), 4):
        frame = render(captions[place], seed=5)[4]
        vector = builtin.image.embed_images(builtin.image.prepare(frame)[None])[0]
        best = captions[int((texts @ vector).argmax())]
        right += (best.thing, best.colour, best.background) == (
            captions[place].thing, captions[place].colour, captions[place].background,
        )
    assert right / len(captions[::4]) >= 0.9


def test_the_built_in_clip_says_which_word_it_does_not_know(builtin):
    assert builtin.image.cannot_read("a red sneaker spins on a white background.") is None
    assert '"drone"' in builtin.image.cannot_read("a drone shot of a red car")


def test_the_built_in_video_features_are_64_and_tell_motions_apart(builtin):
    left, right, again = (
        extract(render(Composition(0, 0, 0, motion), seed), [Video], builtin)["video"]["features"]
        for motion, seed in ((0, 1), (1, 1), (0, 2))
    )
    assert left.shape == (64,)
    assert np.linalg.norm(left - right) > 2 * np.linalg.norm(left - again)


def test_names_carry_the_digest_of_the_weights(builtin):
    path = backbones.Path(backbones.__file__).parent / "builtin/video/model.safetensors"
    assert builtin.video.name == f"builtin/video@{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
    assert builtin.video.name in builtin.video.protocol


def test_missing_standard_weights_name_the_command_that_fetches_them():
    with pytest.raises(WeightsError, match=r"open_clip.create_model\('ViT-B-32'"):
        load("standard")
    lenient = load("standard", strict=False)
    assert lenient.image is None
    assert "i3d_torchscript.pt" in lenient.missing["video"]
    assert "curl" in lenient.missing["video"]


def test_availability_tells_what_is_there():
    found = {row.name: row for row in availability()}
    assert found["builtin/image"].present
    assert found["builtin/video"].present
    assert not found["standard/video"].present
    assert "curl" in found["standard/video"].fetch


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Random weights of the published architectures, in the published forms."""
    folder = tmp_path_factory.mktemp("published")
    torch.manual_seed(0)
    with torch.no_grad():
        save_file(open_clip.create_model("ViT-B-32").state_dict(), folder / "vit.safetensors")
        torch.jit.script(I3D().eval()).save(str(folder / "i3d_torchscript.pt"))
    return folder


@pytest.fixture(scope="module")
def standard(published):
    """The shipped set with weights of the same form in place of the missing ones, and so without their digests."""
    own = re.sub(r"^sha256 = .*\n", "", backbones.shipped_sets()["standard"].read_text(), flags=re.MULTILINE)
    own = own.replace("[image]\n", '[image]\npath = "vit.safetensors"\n')
    (published / "own.toml").write_text(own)
    return load(str(published / "own.toml"))


def test_the_published_networks_load_and_see_clips_as_stated(standard, published):
    clip = render(Composition(3, 1, 2, 2), 0, height=72, width=128)
    seen = extract(clip, [ImageText, Video], standard)
    assert seen["image_text"]["mean"].shape == (512,)
    assert 0 < np.linalg.norm(seen["image_text"]["mean"]) <= 1 + 1e-12
    assert standard.image.embed_texts(["a red sneaker"]).shape == (1, 512)
    assert standard.image.cannot_read("anything at all") is None
    assert "16 frames" in standard.video.protocol
    assert "224x224" in standard.video.protocol
    frames = torch.from_numpy(clip[spaced(9, 16)]).permute(0, 3, 1, 2).float()
    squashed = torch.nn.functional.interpolate(frames, (224, 224), mode="bilinear", align_corners=False)
    net = torch.jit.load(str(published / "i3d_torchscript.pt"))
    with torch.no_grad():
        expected = net((squashed / 127.5 - 1).transpose(0, 1)[None], rescale=False, resize=False, return_features=True)
    assert seen["video"]["features"].shape == (400,)
    assert seen["video"]["features"] == pytest.approx(expected[0].double().numpy(), abs=1e-4)


def test_other_weights_than_the_set_names_are_refused(published):
    path = write(
        published / "pinned.toml", '[video]\nloader = "torchscript"\npath = "i3d_torchscript.pt"\nsha256 = "00"\n'
    )
    with pytest.raises(WeightsError, match="is not the file"):
        load(path)


def test_the_standard_set_takes_no_other_files_than_the_published_ones(published):
    own = backbones.shipped_sets()["standard"].read_text().replace("[image]\n", '[image]\npath = "vit.safetensors"\n')
    (published / "strict.toml").write_text(own)
    missing = load(str(published / "strict.toml"), strict=False).missing
    assert "expected ac4f8c4b88af" in missing["image"]
    assert "create_model('ViT-B-32'" in missing["image"]
    assert "expected bec6519f66ea" in missing["video"]


def test_a_network_of_another_width_is_refused(published):
    path = write(
        published / "narrow.toml",
        '[video]\nloader = "torchscript"\npath = "i3d_torchscript.pt"\nframes = 16\nsize = 64\nfeatures = 1024\n'
        "arguments = { rescale = false, resize = false, return_features = true }\n",
    )
    with pytest.raises(WeightsError, match="another network"):
        extract(render(Composition(0, 0, 0, 0), 0), [ImageText, Video], load(path))


def test_torchvision_networks_load_from_a_state_dict(tmp_path):
    from torchvision.models import get_model

    torch.manual_seed(0)
    torch.save(get_model("r3d_18").state_dict(), tmp_path / "r3d.pth")
    path = write(
        tmp_path / "tv.toml",
        '[video]\nloader = "torchvision"\nmodel = "r3d_18"\npath = "r3d.pth"\nsize = 32\nframes = 4\n',
    )
    seen = extract(render(Composition(0, 0, 0, 0), 0), [ImageText, Video], load(path))
    assert seen["video"]["features"].shape == (400,)
    assert "image_text" not in seen.arrays


def test_videomae_loads_from_its_own_folder(tmp_path):
    from transformers import VideoMAEConfig, VideoMAEModel

    torch.manual_seed(0)
    config = VideoMAEConfig(
        image_size=32, patch_size=16, num_frames=4, hidden_size=24, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=48,
    )
    VideoMAEModel(config).save_pretrained(tmp_path / "mae")
    path = write(tmp_path / "mae.toml", '[video]\nloader = "videomae"\npath = "mae"\nsize = 32\nframes = 4\n')
    assert extract(render(Composition(0, 0, 0, 0), 0), [Video], load(path))["video"]["features"].shape == (24,)


def test_mistakes_in_a_set_name_the_file_and_the_line(tmp_path):
    with pytest.raises(UnknownName, match='Did you mean "standard"'):
        read_set("standart")
    with pytest.raises(BadFile, match=r"a.toml:2: .*expected one of"):
        read_set(write(tmp_path / "a.toml", '[video]\nloader = "magic"\n'))
    with pytest.raises(BadFile, match=r'b.toml:3: "sizes" is not known'):
        read_set(write(tmp_path / "b.toml", '[image]\nloader = "open-clip"\nsizes = 3\n'))
    with pytest.raises(BadFile, match="expected an \\[image\\] table"):
        read_set(write(tmp_path / "c.toml", 'title = "none"\n'))
