"""The set "vbench": its files in their published forms, with random weights, and what happens without them."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
import timm
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from tests.metrics import published
from tests.metrics.test_vbench_dimensions import NARROW, clip_of, small_clip
from vbench_lite import backbones
from vbench_lite.backbones import availability, load, read_set, require_weights
from vbench_lite.cli import group
from vbench_lite.errors import ExtraMissing, OtherWeights, WeightsError
from vbench_lite.metrics.aesthetic_quality import aesthetic_quality
from vbench_lite.metrics.background_consistency import background_consistency
from vbench_lite.metrics.registry import networks_of, select
from vbench_lite.metrics.subject_consistency import subject_consistency
from vbench_lite.video import encode_mp4


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "cache"))


class AsOpenAi(torch.nn.Module):
    """A CLIP as OpenAI stores it: a TorchScript archive that also holds three numbers of the model."""

    def __init__(self, model):
        super().__init__()
        for name, child in model.named_children():
            self.add_module(name, child)
        for name in ("positional_embedding", "text_projection", "logit_scale"):
            self.register_parameter(name, getattr(model, name))
        for name, value in (("input_resolution", 224), ("context_length", 77), ("vocab_size", 49408)):
            self.register_buffer(name, torch.tensor(value))

    def forward(self, image):
        return self.visual(image)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("vbench")
    torch.manual_seed(0)
    clip = small_clip().half().float()  # OpenAI's weights are halves
    with torch.no_grad():
        torch.jit.trace(AsOpenAi(clip), torch.zeros(1, 3, 224, 224)).save(str(path / "clip.pt"))
    vit = timm.create_model("vit_base_patch16_224.dino", pretrained=False, num_classes=0, **NARROW)
    torch.save(vit.state_dict(), path / "dino.pth")
    save_file(vit.state_dict(), path / "dino.safetensors")
    torch.save(published.random_raft().state_dict(), path / "raft.pth")
    torch.save(torch.nn.Linear(64, 1).state_dict(), path / "head.pth")
    digest = hashlib.sha256((path / "raft.pth").read_bytes()).hexdigest()
    (path / "random.toml").write_text(f"""
[image]
loader = "open-clip"
model = "ViT-B-32"
pretrained = "openai"
path = "clip.pt"
vbench = true
[dino]
loader = "timm-dino"
path = "dino.pth"
arguments = {{ embed_dim = 96, num_heads = 3, depth = 2 }}
[raft]
loader = "torchvision-raft"
path = "raft.pth"
sha256 = "{digest[:8]}"
[aesthetic]
loader = "open-clip-aesthetic"
model = "ViT-L-14"
pretrained = "openai"
path = "clip.pt"
head = "head.pth"
[imaging]
loader = "pyiqa-musiq"
path = "musiq.pth"
""")
    return path


def test_files_in_their_published_forms_give_the_published_numbers(folder):
    nets = load(str(folder / "random.toml"), kinds=["image", "dino", "raft", "aesthetic"])
    frames, clip = clip_of((120, 200)), small_clip().half().float()
    background, subject = background_consistency(frames, nets), subject_consistency(frames, nets)
    assert background == pytest.approx(published.background_consistency(clip, frames), abs=1e-6)
    assert subject == pytest.approx(published.subject_consistency(nets.dino.model, frames), abs=1e-5)
    head = torch.nn.Linear(64, 1)
    head.load_state_dict(torch.load(folder / "head.pth"))
    assert aesthetic_quality(frames, nets) == pytest.approx(published.aesthetic_quality(clip, head, frames), abs=1e-5)
    for name, net in (("clip.pt", nets.image), ("dino.pth", nets.dino), ("raft.pth", nets.raft)):
        assert net.name.endswith("@" + hashlib.sha256((folder / name).read_bytes()).hexdigest()[:8])
        assert net.name.startswith("random/")


def test_timms_file_of_the_same_weights_is_read_as_dinos_own(folder):
    text = (folder / "random.toml").read_text().replace("dino.pth", "dino.safetensors")
    (folder / "timm.toml").write_text(text)
    frame = clip_of((120, 200))[0]
    one, other = (load(str(folder / name), kinds=["dino"]).dino for name in ("random.toml", "timm.toml"))
    assert np.array_equal(one.embed_images(one.prepare(frame)[None]), other.embed_images(other.prepare(frame)[None]))


def test_only_the_networks_that_metrics_need_are_loaded(folder):
    wanted = networks_of(select("subject_consistency,temporal_flickering"))
    assert wanted == {"dino"}
    nets = load(str(folder / "random.toml"), kinds=wanted)
    assert (nets.image, nets.raft, nets.missing) == (None, None, {})
    require_weights(str(folder / "random.toml"), wanted)


def test_weights_of_another_digest_leave_a_reason_or_raise(folder):
    path = folder / "altered.toml"
    path.write_text((folder / "random.toml").read_text().replace('sha256 = "', 'sha256 = "0'))
    nets = load(str(path), partial=True, kinds=["dino", "raft"])
    assert "is not the file" in nets.lacks("raft")
    assert nets.dino is not None
    with pytest.raises(OtherWeights, match=r"sha256 is .*, expected 0"):
        load(str(path), kinds=["raft"])


def test_the_head_and_the_network_below_it_have_digests_of_their_own(folder):
    text = (folder / "random.toml").read_text().replace('head = "head.pth"', 'head = "head.pth"\nhead_sha256 = "00"')
    (folder / "head.toml").write_text(text)
    altered = load(str(folder / "head.toml"), partial=True, kinds=["aesthetic"])
    assert "head.pth is not the file" in altered.lacks("aesthetic")
    names = load(str(folder / "random.toml"), kinds=["aesthetic"]).aesthetic.name
    digests = [hashlib.sha256((folder / file).read_bytes()).hexdigest()[:8] for file in ("clip.pt", "head.pth")]
    assert names == "random/ViT-L-14@{}+head@{}".format(*digests)


def test_musiq_is_read_from_its_file_and_its_licence_is_logged(folder, caplog):
    musiq_arch = pytest.importorskip("pyiqa.archs.musiq_arch", reason="the extra iqa is not installed")
    torch.save(musiq_arch.MUSIQ(pretrained=False).state_dict(), folder / "musiq.pth")
    net = load(str(folder / "random.toml"), kinds=["imaging"]).imaging
    assert net.name.startswith("random/musiq@")
    assert "no commercial use" in caplog.text


def test_a_missing_extra_leaves_the_reason_with_the_command(folder, monkeypatch):
    monkeypatch.setattr(backbones, "find_spec", lambda module: None)
    why = load(str(folder / "random.toml"), kinds=["imaging"], partial=True).lacks("imaging")
    assert "pip install pyiqa" in why
    with pytest.raises(ExtraMissing):
        load(str(folder / "random.toml"), kinds=["imaging"])
    require_weights(str(folder / "random.toml"), ["imaging"])


def test_a_clip_prepared_otherwise_is_not_vbenchs(folder):
    path = folder / "squash.toml"
    path.write_text((folder / "random.toml").read_text().replace("vbench = true", 'vbench = true\nresize = "squash"'))
    nets = load(str(path), kinds=["image"])
    with pytest.raises(ValueError, match="is not the one of VBench"):
        background_consistency(clip_of((64, 64)), nets)


def test_every_network_of_the_shipped_set_names_its_file_and_its_command():
    entries = {entry.kind: entry for entry in read_set("vbench")}
    rows = {row.name: row for row in availability()}
    assert set(backbones.OF_VBENCH) | {"image"} == set(entries)
    for kind, entry in entries.items():
        row = rows[f"vbench/{kind}"]
        assert not row.present
        assert "curl" in row.fetch
        assert entry.path.name in row.fetch
        if kind != "imaging":
            with pytest.raises(WeightsError, match="Fetch it with: curl"):
                require_weights("vbench", [kind])


def test_vbench_networks_add_vbench_metrics_to_the_default(folder):
    names = {metric.name for metric in select(None, str(folder / "random.toml"))}
    assert {"subject_consistency", "dynamic_degree", "clip_text"} <= names
    assert "subject_consistency" not in {metric.name for metric in select(None)}
    assert "subject_consistency" not in {metric.name for metric in select(None, "standard")}


def test_a_run_is_scored_with_what_is_there_and_gives_reasons_for_the_rest(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.txt").write_text("a red cup\n")
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "a red cup-0.mp4").write_bytes(encode_mp4(clip_of((128, 128)), 8.0))
    (folder / "partly.toml").write_text(
        (folder / "random.toml").read_text().replace('"dino.pth"', '"dino.pth"\nsha256 = "00"')
    )
    command = ["score", "made", "--suite", "two.txt", "--out", "run", "--backbones", str(folder / "partly.toml")]
    done = CliRunner().invoke(group, [*command, "--metrics", "vbench", "--workers", "1"])
    assert done.exit_code == 0, done.output
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    scores = summary["generators"]["made"]["scores"]
    assert scores["dynamic_degree"]["value"] in (0, 1)
    assert 0 < scores["background_consistency"]["value"] < 1
    assert scores["subject_consistency"]["value"] is None
    assert "is not the file" in scores["subject_consistency"]["reason"]
    assert summary["metrics"]["dynamic_degree"]["backbone"].startswith("partly/raft@")
