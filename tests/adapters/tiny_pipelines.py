"""Stock pipelines with random weights, small enough to build in a moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel, UMT5Config, UMT5EncoderModel

WORDS = [
    "a", "red", "green", "sneaker", "cup", "car", "spins", "slides", "moves", "left", "right", "up", "on", "white",
    "black", "background", "the", "and",
]


def tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {word: i for i, word in enumerate(["<pad>", "</s>", "<unk>", *WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="<unk>", pad_token="<pad>", eos_token="</s>", model_max_length=32
    )


def t5(width: int = 32) -> T5EncoderModel:
    return T5EncoderModel(T5Config(vocab_size=64, d_model=width, d_kv=8, d_ff=32, num_layers=1, num_heads=2)).eval()


def umt5(width: int = 32) -> UMT5EncoderModel:
    return UMT5EncoderModel(UMT5Config(vocab_size=64, d_model=width, d_kv=8, d_ff=32, num_layers=1, num_heads=2)).eval()


def ltx() -> Any:
    from diffusers import (
        AutoencoderKLLTXVideo,
        FlowMatchEulerDiscreteScheduler,
        LTXPipeline,
        LTXVideoTransformer3DModel,
    )

    vae = AutoencoderKLLTXVideo(
        latent_channels=8, block_out_channels=(16, 32), decoder_block_out_channels=(16, 32), layers_per_block=(1, 1),
        decoder_layers_per_block=(1, 0, 1), spatio_temporal_scaling=(True, False),
        decoder_spatio_temporal_scaling=(True, False), decoder_inject_noise=(False, False, False),
        down_block_types=("LTXVideo095DownBlock3D",) * 2, downsample_type=("spatiotemporal",) * 2,
        upsample_residual=(True, True), upsample_factor=(1, 1), patch_size=4, encoder_causal=True,
        decoder_causal=False, spatial_compression_ratio=8, temporal_compression_ratio=2,
    )
    transformer = LTXVideoTransformer3DModel(
        in_channels=8, out_channels=8, num_attention_heads=2, attention_head_dim=16, cross_attention_dim=32,
        num_layers=1, caption_channels=32,
    )
    return LTXPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=vae, text_encoder=t5(), tokenizer=tokenizer(),
        transformer=transformer,
    )


def wan_parts() -> dict[str, Any]:
    from diffusers import AutoencoderKLWan, FlowMatchEulerDiscreteScheduler, WanTransformer3DModel

    vae = AutoencoderKLWan(
        base_dim=8, z_dim=4, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True],
        latents_mean=[0.0] * 4, latents_std=[1.0] * 4,
    )
    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=4,
        text_dim=32, freq_dim=16, ffn_dim=32, num_layers=1, rope_max_seq_len=32,
    )
    return {
        "scheduler": FlowMatchEulerDiscreteScheduler(), "vae": vae, "text_encoder": umt5(), "tokenizer": tokenizer(),
        "transformer": transformer,
    }


def wan() -> Any:
    from diffusers import WanPipeline

    return WanPipeline(**wan_parts())


BUILDERS: dict[str, Callable[[], Any]] = {"LTXPipeline": ltx, "WanPipeline": wan}


def saved(name: str, folder: Path) -> Path:
    """A pipeline of that class, as `save_pretrained` writes it."""
    torch.manual_seed(0)
    BUILDERS[name]().save_pretrained(folder / name)
    return folder / name
