"""Every committed network can be made again: a few steps of each recipe, end to end."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline, VQModel
from transformers import AutoModelForCausalLM

ROOT = Path(__file__).parents[1]


def run(recipe: str, *options: str) -> str:
    command = [sys.executable, ROOT / recipe, *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_diffusion_recipe_exports_a_stock_pipeline_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    options = ("--work", str(tmp_path / "work"), "--vae-steps", "2", "--out", str(tmp_path / "model"))
    run("generators/tiny-diffusion/train.py", *options, "--stage", "vae")
    again = run("generators/tiny-diffusion/train.py", *options, "--decoder-steps", "2", "--dit-steps", "2")
    assert "vae: goes on at step 2 of 2" in again
    pipeline = DiffusionPipeline.from_pretrained(tmp_path / "model", torch_dtype=torch.float32)
    assert type(pipeline).__name__ == "LTXPipeline"
    assert pipeline.vae.latents_std.min() > 0


def test_the_transformer_recipe_exports_stock_checkpoints(tmp_path: Path) -> None:
    run(
        "generators/tiny-transformer/train.py", "--work", str(tmp_path / "work"), "--vq-steps", "2", "--lm-steps", "2",
        "--decoder-steps", "2", "--out", str(tmp_path / "model"),
    )
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "model" / "language_model").config.vocab_size > 2048
    assert VQModel.from_pretrained(tmp_path / "model" / "video_tokenizer").config.num_vq_embeddings == 2048


@pytest.mark.parametrize(("name", "made"), [("video", "model.safetensors"), ("clip", "open_clip_model.safetensors")])
def test_the_backbone_recipes_write_their_weights(name: str, made: str, tmp_path: Path) -> None:
    run(
        f"vbench_lite/backbones/builtin/{name}/train.py", "--steps", "2", "--work", str(tmp_path / "work"),
        "--out", str(tmp_path),
    )
    assert (tmp_path / made).stat().st_size > 100_000
