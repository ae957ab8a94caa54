"""Trains `tiny-diffusion` from nothing: LTX-2's kind of video autoencoder, then a text-conditioned LTX transformer.

    python generators/tiny-diffusion/train.py [--work DIR]

Five stages: the autoencoder; the transformer on text; the decoder alone; the transformer on text, with and without a
first frame; the decoder alone again. Every class is stock `diffusers`/`transformers`; the export is an ordinary
`LTXPipeline` folder that `LTXImageToVideoPipeline` loads too. Interrupted, the same command goes on where it stopped.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import click
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLLTX2Video, FlowMatchEulerDiscreteScheduler, LTXPipeline, LTXVideoTransformer3DModel
from torch import Tensor, nn
from transformers import T5Config, T5EncoderModel

from vbench_lite.inputs.catalogue import find_definition
from vbench_lite.recipes.batches import Batch, hard_ones_oftener, picture_loss, psnr_db, world_batches
from vbench_lite.recipes.judge import share_right
from vbench_lite.recipes.tokenizer import caption_tokenizer
from vbench_lite.recipes.training import (
    Average,
    MuonWithAdam,
    Stage,
    data_seed,
    draw_curves,
    forget_paths,
    plain_attention,
    record_digests,
)
from vbench_lite.world import held_out_compositions, training_compositions

HERE = Path(__file__).parent
TEXT_TOKENS = 16
FIRST_FRAME_TOKENS = 64
FRAME_RATE = 8
SEED = 20261122


def make_vae() -> AutoencoderKLLTX2Video:
    """Patches of 4, one halving of space, two of time: 17x64x64 pixels to 5x8x8 latents of 16 values."""
    return AutoencoderKLLTX2Video(
        latent_channels=16,
        block_out_channels=(32, 128),
        down_block_types=("LTX2VideoDownBlock3D", "LTX2VideoDownBlock3D"),
        decoder_block_out_channels=(48, 96),
        layers_per_block=(2, 2, 1),
        decoder_layers_per_block=(1, 1, 1),
        spatio_temporal_scaling=(True, True),
        decoder_spatio_temporal_scaling=(True, True),
        decoder_inject_noise=(False, False, False),
        downsample_type=("temporal", "spatiotemporal"),
        upsample_type=("spatiotemporal", "temporal"),
        upsample_residual=(True, True),
        upsample_factor=(1, 1),
        patch_size=4,
        encoder_causal=True,
        decoder_causal=False,
        decoder_spatial_padding_mode="zeros",
        spatial_compression_ratio=8,
        temporal_compression_ratio=4,
    )


def make_transformer() -> LTXVideoTransformer3DModel:
    return LTXVideoTransformer3DModel(
        in_channels=16, out_channels=16, num_attention_heads=6, attention_head_dim=32,
        cross_attention_dim=192, num_layers=6, caption_channels=128,
    )


def make_text_encoder(vocabulary: int) -> T5EncoderModel:
    return T5EncoderModel(
        T5Config(vocab_size=vocabulary, d_model=128, d_kv=32, d_ff=256, num_layers=2, num_heads=4, dropout_rate=0.0)
    )


def train_vae(work: Path, steps: int) -> AutoencoderKLLTX2Video:
    torch.manual_seed(SEED)
    vae = make_vae()
    data = world_batches(training_compositions(), 8, data_seed(work, "vae", SEED))
    unseen = next(world_batches(held_out_compositions(), 16, 1))

    def loss_of_step(step: int) -> dict[str, Tensor]:
        batch = next(data)
        with torch.autocast("cpu", torch.bfloat16):
            moments = vae.encoder(batch.clips)
            mean, spread = moments.float().chunk(2, dim=1)
            made = vae.decoder(mean + 0.12 * torch.randn_like(mean)).float()
        loss = picture_loss(made, batch.clips, batch.things)
        loss = loss + 2e-3 * mean.square().mean() + 1e-4 * (spread + 6).square().mean()
        return {"loss": loss}

    optimiser = MuonWithAdam([vae], 0.02, 2e-3, lambda name: "upsamplers" in name or "conv_in" in name)
    stage = Stage(
        "vae", work, steps, {"vae": vae}, optimiser, Average({"vae": vae}, 0.99),
        evaluate=lambda: {"psnr_db": float(reconstruction_psnr(vae, unseen.clips))},
    )
    stage.run(loss_of_step)
    return vae.eval()


def polish_decoder(
    name: str, vae: AutoencoderKLLTX2Video, data: Iterator[Batch], work: Path, steps: int
) -> AutoencoderKLLTX2Video:
    """Train only the decoder, with a longer average and less noise, so that the transformer's latents do not change."""
    torch.manual_seed(SEED + 4)
    vae.requires_grad_(False)
    decoder = {"decoder": vae.decoder.requires_grad_(True)}
    unseen = next(world_batches(held_out_compositions(), 16, 1))

    def loss_of_step(step: int) -> dict[str, Tensor]:
        batch = next(data)
        latents = encode(vae, batch.clips)
        with torch.autocast("cpu", torch.bfloat16):
            made = vae.decoder(latents + 0.06 * torch.randn_like(latents)).float()
        return {"loss": picture_loss(made, batch.clips, batch.things)}

    optimiser = MuonWithAdam(decoder.values(), 0.01, 1e-3, lambda name: "upsamplers" in name or "conv_in" in name)
    stage = Stage(
        name, work, steps, decoder, optimiser, Average(decoder, 0.995),
        evaluate=lambda: {"psnr_db": float(reconstruction_psnr(vae, unseen.clips))},
    )
    stage.run(loss_of_step)
    return vae.eval()


@torch.no_grad()
def reconstruction_psnr(vae: AutoencoderKLLTX2Video, clips: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        made = vae.decode(vae.encode(clips).latent_dist.mode()).sample
    return psnr_db(made, clips)


@torch.no_grad()
def encode(vae: AutoencoderKLLTX2Video, clips: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return vae.encode(clips).latent_dist.mode().float()


def measure_latents(vae: AutoencoderKLLTX2Video) -> None:
    """Write the latents' mean and standard deviation into the autoencoder, as the pipeline expects."""
    data = world_batches(training_compositions(), 32, SEED + 1)
    latents = torch.cat([encode(vae, next(data).clips) for _ in range(8)])
    vae.latents_mean.copy_(latents.mean((0, 2, 3, 4)))
    vae.latents_std.copy_(latents.std((0, 2, 3, 4)))


def fresh_transformer() -> dict[str, nn.Module]:
    torch.manual_seed(SEED + 2)
    return {"transformer": make_transformer(), "text_encoder": make_text_encoder(len(caption_tokenizer()))}


def train_transformer(
    name: str, vae: AutoencoderKLLTX2Video, parts: dict[str, nn.Module], data: Iterator[Batch], work: Path, steps: int
) -> None:
    """Train by flow matching on the batches of `data`: text only, or text and a given first frame."""
    tokenizer = caption_tokenizer()

    def loss_of_step(step: int) -> dict[str, Tensor]:
        batch = next(data)
        clean, picture = packed_latents(vae, batch.clips)
        captions = ["" if torch.rand(()) < 0.1 else c for c in batch.captions]
        text = tokenizer(captions, padding="max_length", max_length=TEXT_TOKENS, truncation=True, return_tensors="pt")
        t = torch.sigmoid(torch.randn(len(captions)) + 0.4)
        noise = torch.randn_like(clean)
        given = given_tokens(batch.from_picture, clean.shape[1])
        with torch.autocast("cpu", torch.bfloat16), plain_attention():
            states = parts["text_encoder"](text.input_ids)[0]
            velocity = parts["transformer"](
                **noisy_input(clean, picture, noise, t, given), encoder_hidden_states=states,
                encoder_attention_mask=text.attention_mask, num_frames=5, height=8, width=8,
                rope_interpolation_scale=(4 / FRAME_RATE, 8, 8), return_dict=False,
            )[0].float()
        return {"loss": F.mse_loss(velocity[~given], (noise - clean)[~given])}

    def for_adam(name: str) -> bool:
        return any(part in name for part in ("proj_in", "proj_out", "table", "shared", "relative", "time_embed"))

    def judged() -> dict[str, float]:
        export(copy.deepcopy(vae), average.copies(), work / "preview")
        return share_right(find_definition(str(HERE / "tiny-diffusion.toml")), work / "preview")

    average = Average(parts, 0.997)
    optimiser = MuonWithAdam(parts.values(), 0.01, 1.5e-3, for_adam)
    stage = Stage(name, work, steps, parts, optimiser, average, judged, evaluate_every=500, save_every=50)
    stage.run(loss_of_step)


@torch.no_grad()
def packed_latents(vae: AutoencoderKLLTX2Video, clips: Tensor) -> tuple[Tensor, Tensor]:
    """Normalised latents as tokens, (batch, tokens, 16): of the clips, and as the pipeline reads a given picture.

    The pipeline samples a picture's latents from the encoder's distribution, those of a clip are its mode. The
    encoder is causal: the first 64 tokens depend on the first frame alone.
    """
    mean, std = (t.view(1, -1, 1, 1, 1) for t in (vae.latents_mean, vae.latents_std))
    with torch.autocast("cpu", torch.bfloat16):
        distribution = vae.encode(clips).latent_dist
    mode, sample = (
        ((latents.float() - mean) / std).flatten(2).transpose(1, 2)
        for latents in (distribution.mode(), distribution.sample())
    )
    return mode, sample


def given_tokens(from_picture: Tensor, tokens: int) -> Tensor:
    """Whether each token is given and not generated, (batch, tokens): the tokens of a given first frame."""
    return from_picture[:, None] & (torch.arange(tokens) < FIRST_FRAME_TOKENS)


def noisy_input(clean: Tensor, picture: Tensor, noise: Tensor, t: Tensor, given: Tensor) -> dict[str, Tensor]:
    """What `LTXImageToVideoPipeline` shows to the transformer: given tokens are clean, and at time 0.

    `t` is the share of noise, (batch,), 0 to 1; the transformer takes a time for each token, of 1000.
    """
    noisy = torch.lerp(clean, noise, t[:, None, None])
    return {
        "hidden_states": torch.where(given[..., None], picture, noisy),
        "timestep": 1000 * t[:, None] * ~given,
    }


def export(vae: AutoencoderKLLTX2Video, parts: dict[str, nn.Module], folder: Path) -> None:
    pipeline = LTXPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
        vae=vae, tokenizer=caption_tokenizer(), **parts,
    )
    pipeline.to(torch.float16)
    pipeline.save_pretrained(folder, safe_serialization=True)
    forget_paths(folder)


def load_exported(folder: Path) -> tuple[AutoencoderKLLTX2Video, dict[str, nn.Module]]:
    """The networks of an exported model, in float32."""
    vae = AutoencoderKLLTX2Video.from_pretrained(folder / "vae", torch_dtype=torch.float32)
    transformer = LTXVideoTransformer3DModel.from_pretrained(folder / "transformer", torch_dtype=torch.float32)
    text_encoder = T5EncoderModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
    return vae.eval(), {"transformer": transformer.train(), "text_encoder": text_encoder.train()}


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path), default=Path("training/tiny-diffusion"))
@click.option(
    "--begin-with", type=click.Path(path_type=Path, exists=True), help="An exported model instead of stages 1 to 3."
)
@click.option("--vae-steps", default=2300, show_default=True)
@click.option("--dit-steps", default=2600, show_default=True)
@click.option("--decoder-steps", default=400, show_default=True)
@click.option("--dit-pictures-steps", default=2600, show_default=True)
@click.option("--decoder-pictures-steps", default=400, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=HERE / "model")
@click.option("--threads", default=1, show_default=True)
@click.option("--compiled", is_flag=True, help="Compile first, with a C++ compiler: a fifth less time.")
def main(
    work: Path, begin_with: Path | None, vae_steps: int, dit_steps: int, decoder_steps: int, dit_pictures_steps: int,
    decoder_pictures_steps: int, out: Path, threads: int, compiled: bool,
) -> None:
    torch.set_num_threads(threads)
    plain = training_compositions()
    if begin_with:
        vae, parts = load_exported(begin_with)
    else:
        vae, parts = train_vae(work, vae_steps), fresh_transformer()
        measure_latents(vae)
        data = world_batches(plain, 12, data_seed(work, "dit", SEED + 3))
        train_transformer("dit", vae, parts, data, work, dit_steps)
        data = world_batches(plain, 8, data_seed(work, "vae-decoder", SEED + 5))
        vae = polish_decoder("vae-decoder", vae, data, work, decoder_steps)
    if compiled:
        parts["transformer"].compile()
    hard = hard_ones_oftener(plain)
    mixed = world_batches(hard, 12, data_seed(work, "dit-pictures", SEED + 6), from_picture=6)
    train_transformer("dit-pictures", vae, parts, mixed, work, dit_pictures_steps)
    mixed = world_batches(hard, 8, data_seed(work, "vae-decoder-pictures", SEED + 7), from_picture=4)
    vae = polish_decoder("vae-decoder-pictures", vae, mixed, work, decoder_pictures_steps)
    export(vae, parts, out)
    draw_curves(work, ("vae", "dit", "vae-decoder", "dit-pictures", "vae-decoder-pictures"), out.parent / "curves.svg")
    if out == HERE / "model":
        record_digests(HERE / "tiny-diffusion.toml", out)


if __name__ == "__main__":
    main()
