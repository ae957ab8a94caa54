"""Stock pipelines with random weights, small enough to build in a moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel, UMT5Config, UMT5EncoderModel

from vbench_lite.records import ClipSpec

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


def anyflow() -> Any:
    from diffusers import AnyFlowPipeline, AnyFlowTransformer3DModel, FlowMapEulerDiscreteScheduler

    transformer = AnyFlowTransformer3DModel(
        num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=4, text_dim=32, freq_dim=16,
        ffn_dim=32, num_layers=1, rope_max_seq_len=32,
    )
    return AnyFlowPipeline(**{**wan_parts(), "transformer": transformer, "scheduler": FlowMapEulerDiscreteScheduler()})


def skyreels() -> Any:
    from diffusers import SkyReelsV2Pipeline

    return SkyReelsV2Pipeline(**skyreels_parts())


def skyreels_forcing() -> Any:
    from diffusers import SkyReelsV2DiffusionForcingPipeline

    return SkyReelsV2DiffusionForcingPipeline(**skyreels_parts())


def skyreels_parts() -> dict[str, Any]:
    from diffusers import SkyReelsV2Transformer3DModel, UniPCMultistepScheduler

    transformer = SkyReelsV2Transformer3DModel(
        num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=4, text_dim=32, freq_dim=16,
        ffn_dim=32, num_layers=1, rope_max_seq_len=32,
    )
    scheduler = UniPCMultistepScheduler(flow_shift=8.0, use_flow_sigmas=True)
    return {**wan_parts(), "transformer": transformer, "scheduler": scheduler}


def sana_video() -> Any:
    from diffusers import DPMSolverMultistepScheduler, SanaVideoPipeline, SanaVideoTransformer3DModel
    from transformers import Gemma2Config, Gemma2Model

    text_encoder = Gemma2Model(
        Gemma2Config(
            vocab_size=64, hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=2, head_dim=4, pad_token_id=0, eos_token_id=1, bos_token_id=2,
        )
    )
    transformer = SanaVideoTransformer3DModel(
        in_channels=4, out_channels=4, num_attention_heads=2, attention_head_dim=12, num_layers=1,
        num_cross_attention_heads=2, cross_attention_head_dim=12, cross_attention_dim=24, caption_channels=8,
        sample_size=8, patch_size=(1, 2, 2), qk_norm="rms_norm_across_heads", rope_max_seq_len=32,
    )
    parts = {**wan_parts(), "scheduler": DPMSolverMultistepScheduler(), "transformer": transformer}
    return SanaVideoPipeline(**{**parts, "text_encoder": text_encoder.eval()})


def cogvideox() -> Any:
    from diffusers import AutoencoderKLCogVideoX, CogVideoXDDIMScheduler, CogVideoXPipeline, CogVideoXTransformer3DModel

    vae = AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4, up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(4, 4, 4, 4), latent_channels=4, layers_per_block=1, norm_num_groups=2,
    )
    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=2, attention_head_dim=16, in_channels=4, out_channels=4, time_embed_dim=4,
        text_embed_dim=32, num_layers=1, sample_width=2, sample_height=2, sample_frames=5, max_text_seq_length=16,
    )
    return CogVideoXPipeline(
        tokenizer=tokenizer(), text_encoder=t5(), vae=vae, transformer=transformer, scheduler=CogVideoXDDIMScheduler()
    )


def picture_vae() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8, 8), latent_channels=4, down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, norm_num_groups=4, layers_per_block=1,
    )


def latte() -> Any:
    from diffusers import DDIMScheduler, LattePipeline, LatteTransformer3DModel

    transformer = LatteTransformer3DModel(
        sample_size=8, num_layers=1, patch_size=2, attention_head_dim=8, num_attention_heads=2, caption_channels=32,
        in_channels=4, cross_attention_dim=16, out_channels=8, attention_bias=True,
        activation_fn="gelu-approximate", num_embeds_ada_norm=1000, norm_type="ada_norm_single",
        norm_elementwise_affine=False, norm_eps=1e-6, video_length=4,
    )
    return LattePipeline(
        tokenizer=tokenizer(), text_encoder=t5(), vae=picture_vae(), transformer=transformer, scheduler=DDIMScheduler()
    )


def clip_text() -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=64, hidden_size=32, intermediate_size=32, num_attention_heads=2, num_hidden_layers=1,
            max_position_embeddings=77, projection_dim=32, bos_token_id=2, eos_token_id=1, pad_token_id=0,
        )
    ).eval()


def animatediff() -> Any:
    from diffusers import AnimateDiffPipeline, DDIMScheduler, MotionAdapter, UNet2DConditionModel

    unet = UNet2DConditionModel(
        block_out_channels=(8, 16), layers_per_block=1, sample_size=8, cross_attention_dim=32, norm_num_groups=4,
        attention_head_dim=4, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )
    adapter = MotionAdapter(
        block_out_channels=(8, 16), motion_layers_per_block=1, motion_norm_num_groups=4, motion_num_attention_heads=2
    )
    return AnimateDiffPipeline(
        vae=picture_vae(), text_encoder=clip_text(), tokenizer=tokenizer(), unet=unet, motion_adapter=adapter,
        scheduler=DDIMScheduler(beta_schedule="linear", clip_sample=False),
    )


def hunyuan() -> Any:
    from diffusers import (
        AutoencoderKLHunyuanVideo,
        FlowMatchEulerDiscreteScheduler,
        HunyuanVideoPipeline,
        HunyuanVideoTransformer3DModel,
    )
    from transformers import LlamaConfig, LlamaModel

    llama = LlamaModel(
        LlamaConfig(
            vocab_size=64, hidden_size=16, intermediate_size=16, num_attention_heads=2, num_hidden_layers=3,
            pad_token_id=0, bos_token_id=2, eos_token_id=1,
        )
    ).eval()
    vae = AutoencoderKLHunyuanVideo(
        latent_channels=4, block_out_channels=(4, 4, 4, 4), layers_per_block=1, norm_num_groups=2,
        down_block_types=("HunyuanVideoDownBlock3D",) * 4, up_block_types=("HunyuanVideoUpBlock3D",) * 4,
    )
    transformer = HunyuanVideoTransformer3DModel(
        in_channels=4, out_channels=4, num_attention_heads=2, attention_head_dim=12, num_layers=1,
        num_single_layers=1, num_refiner_layers=1, patch_size=1, patch_size_t=1, text_embed_dim=16,
        pooled_projection_dim=32, rope_axes_dim=(4, 4, 4),
    )
    return HunyuanVideoPipeline(
        text_encoder=llama, tokenizer=tokenizer(), transformer=transformer, vae=vae,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0), text_encoder_2=clip_text(), tokenizer_2=tokenizer(),
    )


def mochi() -> Any:
    from diffusers import AutoencoderKLMochi, FlowMatchEulerDiscreteScheduler, MochiPipeline, MochiTransformer3DModel

    vae = AutoencoderKLMochi(
        encoder_block_out_channels=(32, 32, 32, 32), decoder_block_out_channels=(32, 32, 32, 32),
        layers_per_block=(1, 1, 1, 1, 1),
    )
    transformer = MochiTransformer3DModel(
        num_attention_heads=2, attention_head_dim=8, num_layers=2, pooled_projection_dim=16, text_embed_dim=32,
        time_embed_dim=4, max_sequence_length=16,
    )
    return MochiPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=vae, text_encoder=t5(), tokenizer=tokenizer(),
        transformer=transformer,
    )


def allegro() -> Any:
    from diffusers import AllegroPipeline, AllegroTransformer3DModel, AutoencoderKLAllegro, DDIMScheduler

    vae = AutoencoderKLAllegro(
        down_block_types=("AllegroDownBlock3D",) * 4, up_block_types=("AllegroUpBlock3D",) * 4,
        block_out_channels=(4, 4, 4, 4), latent_channels=4, layers_per_block=1, norm_num_groups=2, sample_size=128,
    )
    transformer = AllegroTransformer3DModel(
        num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=4, num_layers=1,
        cross_attention_dim=24, sample_width=8, sample_height=8, sample_frames=8, caption_channels=32,
    )
    return AllegroPipeline(
        tokenizer=tokenizer(), text_encoder=t5(), vae=vae, transformer=transformer, scheduler=DDIMScheduler()
    )


SMALL = ClipSpec(5, 8.0, 16, 16)


@dataclass(frozen=True)
class Family:
    """How a family's tiny pipeline is built and asked."""

    build: Callable[[], Any]
    spec: ClipSpec = SMALL
    settings: Mapping[str, Any] = field(default_factory=lambda: {"max_sequence_length": 16})
    steps: int = 2
    """Denoising steps that a clip takes when two are asked for: a family may take them once a chunk."""


FAMILIES: dict[str, Family] = {
    "LTXPipeline": Family(ltx, ClipSpec(5, 8.0, 32, 32)),
    "WanPipeline": Family(wan),
    "AnyFlowPipeline": Family(anyflow),
    "SkyReelsV2Pipeline": Family(skyreels),
    "SkyReelsV2DiffusionForcingPipeline": Family(
        skyreels_forcing, settings={"max_sequence_length": 16, "base_num_frames": 5, "addnoise_condition": 0}
    ),
    "SanaVideoPipeline": Family(
        sana_video, ClipSpec(5, 8.0, 32, 32), {"max_sequence_length": 16, "complex_human_instruction": []}
    ),
    "CogVideoXPipeline": Family(cogvideox, ClipSpec(9, 8.0, 16, 16)),
    "LattePipeline": Family(latte, ClipSpec(4, 8.0, 16, 16), {}),
    "AnimateDiffPipeline": Family(animatediff, ClipSpec(4, 8.0, 16, 16), {}),
    "HunyuanVideoPipeline": Family(
        hunyuan, settings={"max_sequence_length": 16, "prompt_template": {"template": "{}", "crop_start": 0}}
    ),
    "MochiPipeline": Family(mochi, ClipSpec(7, 8.0, 16, 16)),
    # Its autoencoder decodes in tiles alone, and none of its tiles can be smaller than this.
    "AllegroPipeline": Family(allegro, ClipSpec(24, 8.0, 128, 128), {"max_sequence_length": 16, "vae_tiling": True}),
}


def saved(name: str, family: Family, folder: Path) -> Path:
    """A pipeline of that class, as `save_pretrained` writes it."""
    torch.manual_seed(0)
    pipeline = family.build()
    if hasattr(pipeline, "safety_checker"):
        pipeline.register_modules(safety_checker=None)  # it is never among the weights
    pipeline.save_pretrained(folder / name)
    return folder / name
