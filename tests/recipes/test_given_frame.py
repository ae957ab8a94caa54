"""What the built-in generators see of a given first frame in training is what their pipelines show them."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, LTXImageToVideoPipeline, LTXVideoTransformer3DModel
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from torch import Tensor, nn

from vbench_lite.recipes.batches import Batch, world_batches
from vbench_lite.recipes.tokenizer import caption_tokenizer
from vbench_lite.world import training_compositions

ROOT = Path(__file__).parents[2]


def recipe(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), ROOT / "generators" / name / "train.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def diffusion() -> ModuleType:
    return recipe("tiny-diffusion")


@pytest.fixture(scope="module")
def vae(diffusion: ModuleType) -> nn.Module:
    torch.manual_seed(0)
    net = diffusion.make_vae().eval()
    net.latents_mean.copy_(torch.linspace(-0.2, 0.2, 16))
    net.latents_std.copy_(torch.linspace(0.5, 1.5, 16))
    return net


@pytest.fixture
def parts(diffusion: ModuleType) -> dict[str, nn.Module]:
    torch.manual_seed(1)
    transformer = LTXVideoTransformer3DModel(
        in_channels=16, out_channels=16, num_attention_heads=2, attention_head_dim=16, cross_attention_dim=32,
        num_layers=1, caption_channels=128,
    )
    return {"transformer": transformer, "text_encoder": diffusion.make_text_encoder(len(caption_tokenizer()))}


@pytest.fixture
def batch() -> Batch:
    return next(world_batches(training_compositions(), 3, 1, from_picture=2))


def watch(net: nn.Module) -> list[dict[str, Any]]:
    """What the transformer is called with, call by call, and its answer, with gradients kept."""
    calls: list[dict[str, Any]] = []

    def note(_: nn.Module, __: Any, kwargs: dict[str, Any], answer: tuple[Tensor]) -> None:
        if answer[0].requires_grad:
            answer[0].retain_grad()
        calls.append({**kwargs, "answer": answer[0]})

    net.register_forward_hook(note, with_kwargs=True)
    return calls


def in_training(diffusion: ModuleType, vae: nn.Module, parts: dict[str, nn.Module], batch: Batch, work: Path) -> Any:
    calls = watch(parts["transformer"])
    diffusion.train_transformer("one", vae, parts, iter([batch]), work, 1)
    return calls[0]


def in_the_pipeline(vae: nn.Module, parts: dict[str, nn.Module], batch: Batch, steps: int = 3) -> list[dict[str, Any]]:
    pipeline = LTXImageToVideoPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0), vae=vae, tokenizer=caption_tokenizer(), **parts
    )
    pipeline.set_progress_bar_config(disable=True)
    calls = watch(parts["transformer"])
    pipeline(
        image=(batch.clips[:, :, 0] + 1) / 2, prompt=batch.captions, height=64, width=64, num_frames=17, frame_rate=8,
        num_inference_steps=steps, guidance_scale=1.0, max_sequence_length=16, output_type="latent",
        generator=torch.Generator().manual_seed(0),
    )
    return calls


def test_the_transformer_is_called_in_training_as_the_pipeline_calls_it(
    diffusion: ModuleType, vae: nn.Module, parts: dict[str, nn.Module], batch: Batch, tmp_path: Path
) -> None:
    made, trained = in_the_pipeline(vae, parts, batch)[0], in_training(diffusion, vae, parts, batch, tmp_path)
    for key in ("num_frames", "height", "width", "rope_interpolation_scale"):
        assert made[key] == trained[key]
    for key in ("hidden_states", "timestep", "encoder_hidden_states"):
        assert made[key].shape == trained[key].shape


def test_given_tokens_are_clean_and_at_time_zero_at_every_step_as_in_training(
    diffusion: ModuleType, vae: nn.Module, parts: dict[str, nn.Module], batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DiagonalGaussianDistribution, "sample", lambda self, generator=None: self.mode())
    clean, picture = diffusion.packed_latents(vae, batch.clips)
    given = diffusion.given_tokens(torch.ones(3, dtype=torch.bool), 320)
    calls = in_the_pipeline(vae, parts, batch)
    assert len(calls) == 3
    for call in calls:
        t = call["timestep"].max(1).values / 1000
        trained = diffusion.noisy_input(clean, picture, torch.zeros_like(clean), t, given)
        assert torch.allclose(trained["timestep"], call["timestep"])
        assert torch.allclose(trained["hidden_states"][:, :64], call["hidden_states"][:, :64], atol=0.05)
    start = calls[0]["hidden_states"]
    assert torch.equal(diffusion.noisy_input(clean, start, start, torch.ones(3), given)["hidden_states"], start)


def test_a_given_frame_is_sampled_from_the_encoder_as_the_pipeline_does(
    diffusion: ModuleType, vae: nn.Module, batch: Batch
) -> None:
    clean, picture = diffusion.packed_latents(vae, batch.clips)
    spread = (picture - clean)[:, :64] * vae.latents_std
    expected = vae.encode(batch.clips[:, :, :1]).latent_dist.std
    assert float(spread.std()) == pytest.approx(float(expected.square().mean().sqrt()), rel=0.1)


def test_only_what_the_pipeline_makes_enters_the_loss(
    diffusion: ModuleType, vae: nn.Module, parts: dict[str, nn.Module], batch: Batch, tmp_path: Path
) -> None:
    call = in_training(diffusion, vae, parts, batch, tmp_path)
    pulled = call["answer"].grad.abs().sum(-1) > 0
    text_only, from_picture = pulled[:1], pulled[1:]
    assert text_only.all()
    assert not from_picture[:, :64].any()
    assert from_picture[:, 64:].all()
    assert (call["timestep"][0] == call["timestep"][0, 0]).all()
    assert not call["timestep"][1:, :64].any()


@pytest.fixture(scope="module")
def transformer() -> ModuleType:
    return recipe("tiny-transformer")


def test_the_first_64_tokens_are_those_of_the_picture_alone_and_no_answer_is_asked_for_them(
    transformer: ModuleType, batch: Batch
) -> None:
    torch.manual_seed(2)
    vq = transformer.make_vq().eval()
    nn.init.normal_(vq.quantize.embedding.weight)
    video = transformer.encode(vq, batch.clips)
    picture = vq.encode(transformer.LAYOUT.stack(batch.clips[:, :, :1])).latents
    alone = vq.quantize(picture)[2][2].view(3, -1)
    assert (video[:, :64] == alone).float().mean() > 0.9  # training encodes in bfloat16
    asked = transformer.asked_for(video, batch.from_picture)
    assert torch.equal(asked[0], video[0])
    assert (asked[1:, :64] == transformer.GIVEN).all()
    assert torch.equal(asked[1:, 64:], video[1:, 64:])


def test_the_language_model_learns_nothing_from_writing_a_given_frame(
    transformer: ModuleType, batch: Batch, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    vq, lm = transformer.make_vq().eval(), transformer.fresh_lm()
    answers: list[Tensor] = []

    def note(_: nn.Module, __: Any, answer: Tensor) -> None:
        answer.retain_grad()
        answers.append(answer)

    lm.lm_head.register_forward_hook(note)

    def batches() -> Iterator[Batch]:
        yield batch

    transformer.train_lm("one", vq, lm, batches(), tmp_path, 1)
    pulled = answers[0].grad.abs().sum(-1) > 0
    assert pulled[0].all()
    assert not pulled[1:, :64].any()
    assert pulled[1:, 64:].all()
