"""Stock pipelines of 2025 and 2026 with random weights: most read their prompts with a language model."""

from __future__ import annotations

import importlib
import string
from typing import Any

import pytest
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from tests.adapters.models.tiny_pipelines import Family, clip_text, t5, tokenizer, wan_parts
from vbench_lite.records import ClipSpec

CHAT = (
    "{% for m in messages %}{% if m['content'] is string %}{{ m['content'] }}"
    "{% else %}{{ m['content'][0]['text'] }}{% endif %}\n{% endfor %}"
)
VISION = {"hidden_size": 16, "intermediate_size": 16}


def letters() -> PreTrainedTokenizerFast:
    """One token a letter, because these pipelines cut a hundred tokens of their own instructions off the front."""
    vocabulary = {c: i for i, c in enumerate(["<pad>", "</s>", "<unk>", *string.ascii_lowercase, " ", "\n"])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="<unk>", pad_token="<pad>", eos_token="</s>", model_max_length=2048,
        chat_template=CHAT,
    )


def qwen_text() -> dict[str, Any]:
    return {
        "vocab_size": 64, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2,
        "num_key_value_heads": 2, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 1,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]},
    }


def qwen_vl() -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    vision = {**VISION, "depth": 1, "num_heads": 2, "out_hidden_size": 16}
    return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=qwen_text(), vision_config=vision)).eval()


def hunyuan_15() -> Any:
    from diffusers import (
        AutoencoderKLHunyuanVideo15,
        FlowMatchEulerDiscreteScheduler,
        HunyuanVideo15Pipeline,
        HunyuanVideo15Transformer3DModel,
    )
    from diffusers.guiders import ClassifierFreeGuidance
    from transformers import Qwen2_5_VLTextConfig, Qwen2_5_VLTextModel

    transformer = HunyuanVideo15Transformer3DModel(
        in_channels=9, out_channels=4, num_attention_heads=2, attention_head_dim=8, num_layers=1, num_refiner_layers=1,
        mlp_ratio=2.0, patch_size=1, patch_size_t=1, text_embed_dim=16, text_embed_2_dim=32, image_embed_dim=12,
        rope_axes_dim=(2, 2, 4), target_size=16, task_type="t2v",
    )
    vae = AutoencoderKLHunyuanVideo15(
        latent_channels=4, block_out_channels=(16, 16), layers_per_block=1, spatial_compression_ratio=4,
        temporal_compression_ratio=2, downsample_match_channel=False, upsample_match_channel=False,
    )
    return HunyuanVideo15Pipeline(
        text_encoder=Qwen2_5_VLTextModel(Qwen2_5_VLTextConfig(**qwen_text())).eval(), tokenizer=letters(),
        transformer=transformer, vae=vae, scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0), text_encoder_2=t5(),
        tokenizer_2=tokenizer(), guider=ClassifierFreeGuidance(guidance_scale=6.0),
    )


def kandinsky5() -> Any:
    from diffusers import (
        AutoencoderKLHunyuanVideo,
        FlowMatchEulerDiscreteScheduler,
        Kandinsky5T2VPipeline,
        Kandinsky5Transformer3DModel,
    )
    from transformers import Qwen2VLImageProcessor, Qwen2VLProcessor, Qwen2VLVideoProcessor

    transformer = Kandinsky5Transformer3DModel(
        in_visual_dim=4, in_text_dim=16, in_text_dim2=32, time_dim=32, out_visual_dim=4, patch_size=(1, 2, 2),
        model_dim=48, ff_dim=64, num_text_blocks=1, num_visual_blocks=1, axes_dims=(8, 8, 8), visual_cond=False,
    )
    vae = AutoencoderKLHunyuanVideo(
        latent_channels=4, block_out_channels=(4, 4, 4, 4), layers_per_block=1, norm_num_groups=2,
        down_block_types=("HunyuanVideoDownBlock3D",) * 4, up_block_types=("HunyuanVideoUpBlock3D",) * 4,
    )
    words = letters()
    words.add_special_tokens({"additional_special_tokens": ["<|image_pad|>", "<|video_pad|>"]})
    processor = Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(), tokenizer=words, video_processor=Qwen2VLVideoProcessor()
    )
    return Kandinsky5T2VPipeline(
        transformer=transformer, vae=vae, text_encoder=qwen_vl(), tokenizer=processor, text_encoder_2=clip_text(),
        tokenizer_2=tokenizer(), scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
    )


def motif() -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler, MotifVideoPipeline, MotifVideoTransformer3DModel
    from diffusers.guiders import AdaptiveProjectedGuidance
    from transformers import T5Gemma2Encoder, T5Gemma2EncoderConfig, T5Gemma2TextConfig

    text = T5Gemma2TextConfig(
        vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, head_dim=16, max_position_embeddings=128, dropout_rate=0.0,
    )
    vision = {**VISION, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28, "patch_size": 14}
    config = T5Gemma2EncoderConfig(text_config=text, vision_config=vision, image_token_index=3)
    transformer = MotifVideoTransformer3DModel(
        in_channels=9, out_channels=4, num_attention_heads=2, attention_head_dim=12, num_layers=1,
        num_single_layers=1, mlp_ratio=4.0, patch_size=1, patch_size_t=1, qk_norm="rms_norm", text_embed_dim=32,
        rope_axes_dim=(4, 4, 4),
    )
    return MotifVideoPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0), vae=wan_parts()["vae"],
        text_encoder=T5Gemma2Encoder(config).eval(), tokenizer=tokenizer(), transformer=transformer,
        guider=AdaptiveProjectedGuidance(guidance_scale=8.0),
    )


def helios() -> Any:
    from diffusers import HeliosPipeline, HeliosScheduler, HeliosTransformer3DModel

    transformer = HeliosTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=4,
        text_dim=32, freq_dim=16, ffn_dim=32, num_layers=1, rope_dim=(4, 4, 4), has_multi_term_memory_patch=True,
        guidance_cross_attn=True, zero_history_timestep=True, is_amplify_history=False,
    )
    scheduler = HeliosScheduler(stage_range=[0, 1], stages=1, use_dynamic_shifting=True)
    return HeliosPipeline(**{**wan_parts(), "transformer": transformer, "scheduler": scheduler})


def anyflow_far() -> Any:
    from diffusers import AnyFlowFARPipeline, AnyFlowFARTransformer3DModel, FlowMapEulerDiscreteScheduler

    transformer = AnyFlowFARTransformer3DModel(
        patch_size=(1, 2, 2), compressed_patch_size=(1, 4, 4), full_chunk_limit=3, num_attention_heads=2,
        attention_head_dim=12, in_channels=4, out_channels=4, text_dim=32, freq_dim=16, ffn_dim=32, num_layers=1,
        rope_max_seq_len=32,
    )
    scheduler = FlowMapEulerDiscreteScheduler(shift=5.0)
    return AnyFlowFARPipeline(**{**wan_parts(), "transformer": transformer, "scheduler": scheduler})


def gemma3() -> Any:
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    text = {
        "vocab_size": 64, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2,
    }
    vision = {**VISION, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28, "patch_size": 14}
    config = Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4, image_token_index=3)
    return Gemma3ForConditionalGeneration(config).eval()


def sound() -> dict[str, Any]:
    """LTX-2's second stream; what it makes is not judged."""
    from diffusers import AutoencoderKLLTX2Audio
    from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder

    audio_vae = AutoencoderKLLTX2Audio(
        base_channels=4, output_channels=2, ch_mult=(1,), num_res_blocks=1, attn_resolutions=None, in_channels=2,
        resolution=32, latent_channels=2, norm_type="pixel", causality_axis="height", mid_block_add_attention=False,
        sample_rate=16000, mel_hop_length=160, is_causal=True, mel_bins=8,
    )
    vocoder = LTX2Vocoder(
        in_channels=16, hidden_channels=16, out_channels=2, upsample_kernel_sizes=[4, 4], upsample_factors=[2, 2],
        resnet_kernel_sizes=[3], resnet_dilations=[[1, 3, 5]], output_sampling_rate=16000,
    )
    return {"audio_vae": audio_vae, "vocoder": vocoder}


def ltx2() -> Any:
    from diffusers import (
        AutoencoderKLLTX2Video,
        FlowMatchEulerDiscreteScheduler,
        LTX2Pipeline,
        LTX2VideoTransformer3DModel,
    )
    from diffusers.pipelines.ltx2 import LTX2TextConnectors

    transformer = LTX2VideoTransformer3DModel(
        in_channels=4, out_channels=4, patch_size=1, patch_size_t=1, num_attention_heads=2, attention_head_dim=8,
        cross_attention_dim=16, audio_in_channels=4, audio_out_channels=4, audio_num_attention_heads=2,
        audio_attention_head_dim=4, audio_cross_attention_dim=8, num_layers=1, caption_channels=16,
        rope_double_precision=False, rope_type="split",
    )
    connectors = LTX2TextConnectors(
        caption_channels=16, text_proj_in_factor=3, video_connector_num_attention_heads=2,
        video_connector_attention_head_dim=8, video_connector_num_layers=1,
        video_connector_num_learnable_registers=None, audio_connector_num_attention_heads=2,
        audio_connector_attention_head_dim=8, audio_connector_num_layers=1,
        audio_connector_num_learnable_registers=None, connector_rope_base_seq_len=32, rope_theta=10000.0,
        rope_double_precision=False, causal_temporal_positioning=False, rope_type="split",
    )
    vae = AutoencoderKLLTX2Video(
        latent_channels=4, block_out_channels=(8,), decoder_block_out_channels=(8,), layers_per_block=(1,),
        decoder_layers_per_block=(1, 1), spatio_temporal_scaling=(True,), decoder_spatio_temporal_scaling=(True,),
        decoder_inject_noise=(False, False), downsample_type=("spatial",), upsample_residual=(False,),
        upsample_factor=(1,), patch_size=1, patch_size_t=1,
    )
    return LTX2Pipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=vae, text_encoder=gemma3(), tokenizer=tokenizer(),
        connectors=connectors, transformer=transformer, **sound(),
    )


class NoGuard(torch.nn.Module):
    """In place of NVIDIA's guard models, which cannot be had offline: lets everything pass."""

    dtype, device = torch.float32, torch.device("cpu")

    def check_text_safety(self, prompt: str) -> bool:
        return True

    def check_video_safety(self, frames: Any) -> Any:
        return frames


def without_guard(patch: pytest.MonkeyPatch, name: str) -> None:
    """Lets a Cosmos pipeline be built and loaded here; everything else of it is the true class."""
    modules = {
        "CosmosTextToWorldPipeline": "pipeline_cosmos_text2world",
        "Cosmos2_5_PredictBasePipeline": "pipeline_cosmos2_5_predict",
    }
    if name in modules:
        module = importlib.import_module(f"diffusers.pipelines.cosmos.{modules[name]}")
        patch.setattr(module, "CosmosSafetyChecker", NoGuard)


def cosmos_transformer(**sizes: int) -> Any:
    from diffusers import CosmosTransformer3DModel

    return CosmosTransformer3DModel(
        out_channels=4, num_attention_heads=2, attention_head_dim=16, num_layers=1, mlp_ratio=2, adaln_lora_dim=4,
        max_size=(4, 32, 32), patch_size=(1, 2, 2), rope_scale=(2.0, 1.0, 1.0), concat_padding_mask=True,
        extra_pos_embed_type="learnable", **sizes,
    )


def cosmos1() -> Any:
    from diffusers import AutoencoderKLCosmos, CosmosTextToWorldPipeline, EDMEulerScheduler

    vae = AutoencoderKLCosmos(
        latent_channels=4, encoder_block_out_channels=(8,) * 4, decode_block_out_channels=(8,) * 4,
        attention_resolutions=(8,), resolution=64, num_layers=1, patch_size=4, patch_type="haar", scaling_factor=1.0,
        spatial_compression_ratio=4, temporal_compression_ratio=4,
    )
    return CosmosTextToWorldPipeline(
        text_encoder=t5(), tokenizer=tokenizer(), transformer=cosmos_transformer(in_channels=4, text_embed_dim=32),
        vae=vae, scheduler=EDMEulerScheduler(sigma_schedule="karras", final_sigmas_type="sigma_min"),
    )


def cosmos25() -> Any:
    from diffusers import Cosmos2_5_PredictBasePipeline, UniPCMultistepScheduler

    return Cosmos2_5_PredictBasePipeline(
        text_encoder=qwen_vl(), tokenizer=letters(), vae=wan_parts()["vae"],
        transformer=cosmos_transformer(in_channels=5, text_embed_dim=48),
        scheduler=UniPCMultistepScheduler(use_flow_sigmas=True, prediction_type="flow_prediction"),
    )


WIDE = ClipSpec(5, 8.0, 32, 32)
NEWER_FAMILIES: dict[str, Family] = {
    "LTX2Pipeline": Family(ltx2, WIDE, {"max_sequence_length": 16, "spatio_temporal_guidance_blocks": [0]}),
    "HunyuanVideo15Pipeline": Family(hunyuan_15, settings={}),
    "Kandinsky5T2VPipeline": Family(kandinsky5, WIDE, {"max_sequence_length": 1000}),
    "MotifVideoPipeline": Family(motif),
    # It makes whole chunks of 33 frames, at their shortest.
    "HeliosPipeline": Family(helios, ClipSpec(33, 8.0, 16, 16)),
    "AnyFlowFARPipeline": Family(anyflow_far, settings={"max_sequence_length": 16, "chunk_partition": [1, 1]}, steps=4),
    "CosmosTextToWorldPipeline": Family(cosmos1, ClipSpec(9, 8.0, 32, 32)),
    "Cosmos2_5_PredictBasePipeline": Family(cosmos25, WIDE, {"max_sequence_length": 160}),
}
