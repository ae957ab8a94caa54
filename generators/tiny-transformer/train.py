"""Trains `tiny-transformer` from nothing: a VQ autoencoder of four frames at a time, then a causal language model.

    python generators/tiny-transformer/train.py [--work DIR]

Five stages: the autoencoder; the language model on text; the decoder alone; the language model on text, with and
without a first frame; the decoder alone again.

Every class is stock `diffusers`/`transformers`. A clip of 17 frames is 5 stacks of 4 frames (the
first frame stands alone, repeated, as causal video tokenizers treat it), 8 x 8 codes each: 320
tokens, in order of time, then row, then column. Interrupted, the same command goes on.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import click
import torch
import torch.nn.functional as F
from diffusers import VQModel
from torch import Tensor
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from vbench_lite.adapters.models.video_tokens import VideoTokenLayout
from vbench_lite.inputs.catalogue import find_definition
from vbench_lite.recipes.batches import Batch, hard_ones_oftener, picture_loss, psnr_db, world_batches
from vbench_lite.recipes.judge import share_right
from vbench_lite.recipes.tokenizer import caption_and_video_tokenizer
from vbench_lite.recipes.training import (
    Average,
    MuonWithAdam,
    Stage,
    data_seed,
    draw_curves,
    forget_paths,
    record_digests,
)
from vbench_lite.world import held_out_compositions, training_compositions

HERE = Path(__file__).parent
CODES = 2048
PROMPT_TOKENS = 16
LAYOUT = VideoTokenLayout(frames_per_code=4, first_frame_alone=True, pixel_unshuffle=4, rows=8, columns=8)
SEED = 20261122
CONTINUOUS_STEPS = 300
GIVEN = -100


def make_vq() -> VQModel:
    return VQModel(
        in_channels=192, out_channels=192, down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, block_out_channels=(96, 128), layers_per_block=1,
        latent_channels=8, num_vq_embeddings=CODES, vq_embed_dim=8, mid_block_add_attention=True,
    )


def make_lm(vocabulary: int, bos: int) -> LlamaForCausalLM:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary, hidden_size=256, intermediate_size=672, num_hidden_layers=6,
            num_attention_heads=4, max_position_embeddings=512, tie_word_embeddings=True,
            bos_token_id=bos, eos_token_id=None, pad_token_id=0,
            attn_implementation="eager",  # at this size quicker backwards than the fused CPU kernel
        )
    )


def stacks_of(data: Iterator[Batch], clips: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Random stacks of frames, as (pictures, thing masks), both (batch, channels, 16, 16)."""
    for batch in data:
        pictures, things = LAYOUT.stack(batch.clips), LAYOUT.stack(batch.things)
        pick = torch.randperm(pictures.shape[0])[: 2 * clips]
        yield pictures[pick], things[pick]


def as_frames(stacks: Tensor) -> Tensor:
    """(batch, channels x 4 x 16, 16, 16) to (batch, channels, 4, 64, 64), to weigh errors as pictures."""
    return LAYOUT.unfold(stacks)


def train_vq(work: Path, steps: int) -> VQModel:
    torch.manual_seed(SEED)
    vq = make_vq()
    data = stacks_of(world_batches(training_compositions(), 8, data_seed(work, "vq", SEED)), 8)
    unseen = LAYOUT.stack(next(world_batches(held_out_compositions(), 16, 1)).clips)
    codebook = vq.quantize.embedding
    used = torch.full((CODES,), -1)

    def loss_of_step(step: int) -> dict[str, Tensor]:
        stacks, things = next(data)
        with torch.autocast("cpu", torch.bfloat16):
            latents = vq.quant_conv(vq.encoder(stacks))
        latents = latents.float()
        commitment = latents.new_zeros(())
        quantised = latents
        if step == CONTINUOUS_STEPS:
            start_codebook(latents)
        if step >= CONTINUOUS_STEPS:
            used[used < 0] = step
            with torch.autocast("cpu", enabled=False):
                quantised, commitment, (_, _, indices) = vq.quantize(latents)
            used[indices.flatten().unique()] = step
            if step % 20 == 0 and step < 0.75 * steps:
                revive(latents, step)
        with torch.autocast("cpu", torch.bfloat16):
            made = vq.decoder(vq.post_quant_conv(quantised)).float()
        loss = picture_loss(as_frames(made), as_frames(stacks), as_frames(things)) + 0.5 * commitment
        loss = loss + (1e-3 * latents.square().mean() if step < CONTINUOUS_STEPS else 0)
        return {"loss": loss, "commitment": commitment}

    @torch.no_grad()
    def start_codebook(latents: Tensor) -> None:
        flat = [latents]
        while sum(f.numel() for f in flat) < 8 * CODES * 4:
            flat.append(vq.quant_conv(vq.encoder(next(data)[0])))
        vectors = torch.cat([f.movedim(1, -1).reshape(-1, 8) for f in flat])
        codebook.weight.copy_(vectors[torch.randperm(len(vectors))[:CODES]])

    @torch.no_grad()
    def revive(latents: Tensor, step: int) -> None:
        dead = (used < step - 100).nonzero().flatten()
        vectors = latents.movedim(1, -1).reshape(-1, 8)
        fresh = vectors[torch.randint(len(vectors), (len(dead),))]
        codebook.weight[dead] = fresh + 0.01 * torch.randn_like(fresh)
        used[dead] = step

    optimiser = MuonWithAdam([vq], 0.02, 1e-3, lambda name: "embedding" in name)
    stage = Stage(
        "vq", work, steps, {"vq": vq}, optimiser,
        evaluate=lambda: {
            "psnr_db": float(reconstruction_psnr(vq, unseen)),
            "live_codes": float((used > stage.step - 100).sum()),
        },
    )
    stage.run(loss_of_step)
    return vq.eval()


def polish_decoder(name: str, vq: VQModel, batches: Iterator[Batch], work: Path, steps: int) -> VQModel:
    """Train only the decoder, with averaged weights, so that the language model's codes do not change."""
    torch.manual_seed(SEED + 4)
    vq.requires_grad_(False)
    parts = {"decoder": vq.decoder.requires_grad_(True), "post_quant_conv": vq.post_quant_conv.requires_grad_(True)}
    data = stacks_of(batches, 8)
    unseen = LAYOUT.stack(next(world_batches(held_out_compositions(), 16, 1)).clips)

    def loss_of_step(step: int) -> dict[str, Tensor]:
        stacks, things = next(data)
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                quantised = vq.quantize(vq.quant_conv(vq.encoder(stacks)).float())[0]
            made = vq.decoder(vq.post_quant_conv(quantised)).float()
        return {"loss": picture_loss(as_frames(made), as_frames(stacks), as_frames(things))}

    stage = Stage(
        name, work, steps, parts, MuonWithAdam(parts.values(), 0.01, 1e-3, lambda name: False),
        Average(parts, 0.998), evaluate=lambda: {"psnr_db": float(reconstruction_psnr(vq, unseen))},
    )
    stage.run(loss_of_step)
    return vq.eval()


@torch.no_grad()
def reconstruction_psnr(vq: VQModel, stacks: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        made = vq(stacks).sample
    return psnr_db(made, stacks)


@torch.no_grad()
def encode(vq: VQModel, clips: Tensor) -> Tensor:
    """Code indices of clips, (batch, 320)."""
    with torch.autocast("cpu", torch.bfloat16):
        latents = vq.encode(LAYOUT.stack(clips)).latents
    indices = vq.quantize(latents.float())[2][2]
    return indices.view(clips.shape[0], -1)


def fresh_lm() -> LlamaForCausalLM:
    torch.manual_seed(SEED + 2)
    tokenizer = caption_and_video_tokenizer(CODES)
    return make_lm(len(tokenizer), tokenizer.bos_token_id)


def train_lm(
    name: str, vq: VQModel, lm: LlamaForCausalLM, data: Iterator[Batch], work: Path, steps: int
) -> LlamaForCausalLM:
    """Train on the next token with the batches of `data`: text only, or text and the tokens of a given first frame."""
    tokenizer = caption_and_video_tokenizer(CODES)
    first_code = tokenizer.convert_tokens_to_ids("<v0>")

    def loss_of_step(step: int) -> dict[str, Tensor]:
        batch = next(data)
        text = tokenizer(batch.captions, padding="max_length", max_length=PROMPT_TOKENS, return_tensors="pt")
        video = encode(vq, batch.clips) + first_code
        tokens = torch.cat([text.input_ids, video], 1)
        mask = torch.cat([text.attention_mask, torch.ones_like(video)], 1)
        places = (mask.cumsum(1) - 1).clamp_min(0)
        with torch.autocast("cpu", torch.bfloat16):
            states = lm.model(input_ids=tokens, attention_mask=mask, position_ids=places, use_cache=False)[0]
            logits = lm.lm_head(states[:, PROMPT_TOKENS - 1 : -1])
        asked = asked_for(video, batch.from_picture)
        return {"loss": F.cross_entropy(logits.float().flatten(0, 1), asked.flatten(), ignore_index=GIVEN)}

    def judged() -> dict[str, float]:
        export(copy.deepcopy(vq), average.copies()["lm"], work / "preview")
        return share_right(find_definition(str(HERE / "tiny-transformer.toml")), work / "preview")

    average = Average({"lm": lm}, 0.997)
    optimiser = MuonWithAdam([lm], 0.01, 2e-3, lambda name: "embed" in name or "lm_head" in name)
    stage = Stage(name, work, steps, {"lm": lm}, optimiser, average, judged, evaluate_every=500, save_every=50)
    stage.run(loss_of_step)
    return lm


def asked_for(video: Tensor, from_picture: Tensor) -> Tensor:
    """The target tokens of the model, (batch, 320); `GIVEN` for the tokens of a given first frame."""
    first_frame = torch.arange(video.shape[1]) < LAYOUT.rows * LAYOUT.columns
    return video.masked_fill(from_picture[:, None] & first_frame, GIVEN)


def export(vq: VQModel, lm: LlamaForCausalLM, folder: Path) -> None:
    tokenizer = caption_and_video_tokenizer(CODES)
    first_code = tokenizer.convert_tokens_to_ids("<v0>")
    lm.generation_config = GenerationConfig(
        do_sample=True, top_p=0.9, top_k=0, pad_token_id=0, bos_token_id=tokenizer.bos_token_id,
        suppress_tokens=list(range(first_code)),
    )
    lm.half().save_pretrained(folder / "language_model")
    tokenizer.save_pretrained(folder / "tokenizer")
    vq.half().save_pretrained(folder / "video_tokenizer")
    forget_paths(folder)


def load_exported(folder: Path) -> tuple[VQModel, LlamaForCausalLM]:
    """The networks of an exported model, in float32."""
    vq = VQModel.from_pretrained(folder / "video_tokenizer", torch_dtype=torch.float32)
    lm = LlamaForCausalLM.from_pretrained(
        folder / "language_model", dtype=torch.float32, attn_implementation="eager"
    )
    return vq.eval(), lm.train()


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path), default=Path("training/tiny-transformer"))
@click.option(
    "--begin-with", type=click.Path(path_type=Path, exists=True), help="An exported model instead of stages 1 to 3."
)
@click.option("--vq-steps", default=4500, show_default=True)
@click.option("--lm-steps", default=3600, show_default=True)
@click.option("--decoder-steps", default=500, show_default=True)
@click.option("--lm-pictures-steps", default=3600, show_default=True)
@click.option("--decoder-pictures-steps", default=500, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=HERE / "model")
@click.option("--threads", default=1, show_default=True)
@click.option("--compiled", is_flag=True, help="Compile first, with a C++ compiler: a fifth less time.")
def main(
    work: Path, begin_with: Path | None, vq_steps: int, lm_steps: int, decoder_steps: int, lm_pictures_steps: int,
    decoder_pictures_steps: int, out: Path, threads: int, compiled: bool,
) -> None:
    torch.set_num_threads(threads)
    plain = training_compositions()
    if begin_with:
        vq, lm = load_exported(begin_with)
    else:
        vq, lm = train_vq(work, vq_steps), fresh_lm()
        data = world_batches(plain, 8, data_seed(work, "lm", SEED + 3))
        train_lm("lm", vq, lm, data, work, lm_steps)
        data = world_batches(plain, 8, data_seed(work, "vq-decoder", SEED + 5))
        vq = polish_decoder("vq-decoder", vq, data, work, decoder_steps)
    if compiled:
        lm.model.compile()
    hard = hard_ones_oftener(plain)
    mixed = world_batches(hard, 8, data_seed(work, "lm-pictures", SEED + 6), from_picture=4)
    train_lm("lm-pictures", vq, lm, mixed, work, lm_pictures_steps)
    mixed = world_batches(hard, 8, data_seed(work, "vq-decoder-pictures", SEED + 7), from_picture=4)
    vq = polish_decoder("vq-decoder-pictures", vq, mixed, work, decoder_pictures_steps)
    export(vq, lm, out)
    draw_curves(work, ("vq", "lm", "vq-decoder", "lm-pictures", "vq-decoder-pictures"), out.parent / "curves.svg")
    if out == HERE / "model":
        record_digests(HERE / "tiny-transformer.toml", out)


if __name__ == "__main__":
    main()
