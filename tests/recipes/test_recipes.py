"""Every committed network can be made again: a few steps of each recipe, end to end."""

import runpy
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline, LTXImageToVideoPipeline, VQModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def run(recipe: str, *options: str) -> str:
    """The recipe as `python RECIPE OPTIONS` runs it, in this process: the libraries are imported once."""
    said = StringIO()
    with redirect_stdout(said), torch.random.fork_rng():
        runpy.run_path(recipe)["main"].main(list(options), standalone_mode=False)
    return said.getvalue()


def test_the_diffusion_recipe_exports_a_stock_pipeline_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    steps = [f"--{stage}-steps=2" for stage in ("vae", "dit", "decoder", "dit-pictures", "decoder-pictures")]
    options = ("--work", str(tmp_path / "work"), "--out", str(tmp_path / "model"), *steps)
    run("generators/tiny-diffusion/train.py", *options)
    again = run("generators/tiny-diffusion/train.py", *options)
    for stage in ("vae", "dit", "vae-decoder", "dit-pictures", "vae-decoder-pictures"):
        assert f"{stage}: continues at step 2 of 2" in again
    pipeline = DiffusionPipeline.from_pretrained(tmp_path / "model", torch_dtype=torch.float32)
    assert type(pipeline).__name__ == "LTXPipeline"
    assert pipeline.vae.latents_std.min() > 0


def test_the_stages_for_pictures_can_begin_with_an_exported_model(tmp_path: Path) -> None:
    made = run(
        "generators/tiny-diffusion/train.py", "--work", str(tmp_path / "work"), "--out", str(tmp_path / "model"),
        "--begin-with", "generators/tiny-diffusion/model", "--dit-pictures-steps=1", "--decoder-pictures-steps=1",
    )
    assert "vae step" not in made
    pipeline = LTXImageToVideoPipeline.from_pretrained(tmp_path / "model", torch_dtype=torch.float32)
    shipped = load_file(ROOT / "generators/tiny-diffusion/model/vae/diffusion_pytorch_model.safetensors")
    latents = pipeline.vae.encoder.conv_out.conv.weight
    assert torch.equal(latents, shipped["encoder.conv_out.conv.weight"].float())


def test_the_transformer_recipe_exports_stock_checkpoints(tmp_path: Path) -> None:
    steps = [f"--{stage}-steps=2" for stage in ("vq", "lm", "decoder", "lm-pictures", "decoder-pictures")]
    run(
        "generators/tiny-transformer/train.py", "--work", str(tmp_path / "work"), "--out", str(tmp_path / "model"),
        *steps,
    )
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "model" / "language_model").config.vocab_size > 2048
    assert VQModel.from_pretrained(tmp_path / "model" / "video_tokenizer").config.num_vq_embeddings == 2048


@pytest.mark.parametrize(("name", "made"), [("video", "model.safetensors"), ("clip", "open_clip_model.safetensors")])
def test_the_backbone_recipes_write_their_weights(name: str, made: str, tmp_path: Path) -> None:
    run(
        f"vbench_lite/recipes/builtin_{name}.py", "--steps", "2", "--work", str(tmp_path / "work"),
        "--out", str(tmp_path),
    )
    assert (tmp_path / made).stat().st_size > 100_000
