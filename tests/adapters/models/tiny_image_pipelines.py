"""Stock pipelines that start from an image, with random weights, small enough to build in a moment."""

from __future__ import annotations

from typing import Any

from tests.adapters.models.tiny_newer_pipelines import WIDE, ltx2
from tests.adapters.models.tiny_pipelines import (
    Family,
    clip_text,
    cogvideox,
    hunyuan,
    ltx,
    sana_video,
    skyreels_forcing,
    skyreels_parts,
    tokenizer,
    wan,
    wan_parts,
)
from vbench_lite.records import ClipSpec

SIDE = 16
"""Of the pictures that image encoders read."""


def clip_processor(side: int = SIDE) -> Any:
    from transformers import CLIPImageProcessor

    return CLIPImageProcessor(crop_size={"height": side, "width": side}, size={"shortest_edge": side})


def clip_vision(side: int = SIDE, *, projects: bool = False) -> Any:
    from transformers import CLIPVisionConfig, CLIPVisionModel, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, projection_dim=32, num_hidden_layers=2, num_attention_heads=2,
        image_size=side, patch_size=side // 2,
    )
    return (CLIPVisionModelWithProjection if projects else CLIPVisionModel)(config).eval()


def wan_from_image() -> Any:
    from diffusers import WanImageToVideoPipeline, WanTransformer3DModel

    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=12, out_channels=4,
        text_dim=32, freq_dim=16, ffn_dim=32, num_layers=1, rope_max_seq_len=32, image_dim=16,
    )
    return WanImageToVideoPipeline(
        **{**wan_parts(), "transformer": transformer}, image_encoder=clip_vision(), image_processor=clip_processor()
    )


def wan_for_both() -> Any:
    """As Wan 2.2 5B: one checkpoint for texts and images, whose first latent frame is at time zero."""
    pipeline = wan()
    pipeline.register_to_config(expand_timesteps=True)
    return pipeline


def skyreels_from_image() -> Any:
    from diffusers import SkyReelsV2ImageToVideoPipeline, SkyReelsV2Transformer3DModel

    transformer = SkyReelsV2Transformer3DModel(
        num_attention_heads=2, attention_head_dim=12, in_channels=12, out_channels=4, text_dim=32, freq_dim=16,
        ffn_dim=32, num_layers=1, rope_max_seq_len=32, image_dim=16,
    )
    return SkyReelsV2ImageToVideoPipeline(
        **{**skyreels_parts(), "transformer": transformer}, image_encoder=clip_vision(),
        image_processor=clip_processor(),
    )


def cogvideox_from_image() -> Any:
    from diffusers import CogVideoXImageToVideoPipeline, CogVideoXTransformer3DModel

    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=2, attention_head_dim=16, in_channels=8, out_channels=4, time_embed_dim=4,
        text_embed_dim=32, num_layers=1, sample_width=2, sample_height=2, sample_frames=9, max_text_seq_length=16,
        use_rotary_positional_embeddings=True,
    )
    parts = {**cogvideox().components, "transformer": transformer}
    return CogVideoXImageToVideoPipeline(**parts)


def stable_video() -> Any:
    """From an image alone: it reads no text."""
    from diffusers import (
        AutoencoderKLTemporalDecoder,
        EulerDiscreteScheduler,
        StableVideoDiffusionPipeline,
        UNetSpatioTemporalConditionModel,
    )

    unet = UNetSpatioTemporalConditionModel(
        block_out_channels=(32, 64), layers_per_block=1, sample_size=8, in_channels=8, out_channels=4,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"), cross_attention_dim=32,
        num_attention_heads=8, projection_class_embeddings_input_dim=96, addition_time_embed_dim=32,
    )
    vae = AutoencoderKLTemporalDecoder(
        block_out_channels=(32, 64), down_block_types=("DownEncoderBlock2D",) * 2, latent_channels=4,
    )
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", interpolation_type="linear",
        prediction_type="v_prediction", use_karras_sigmas=True,
    )
    return StableVideoDiffusionPipeline(
        vae=vae, image_encoder=clip_vision(224, projects=True), unet=unet, scheduler=scheduler,
        feature_extractor=clip_processor(224),
    )


def hunyuan_from_image() -> Any:
    from diffusers import HunyuanVideoImageToVideoPipeline, HunyuanVideoTransformer3DModel
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    words = tokenizer()
    words.add_special_tokens({"additional_special_tokens": ["<image>", "<|end_header_id|>"]})
    llava = LlavaForConditionalGeneration(
        LlavaConfig(
            text_config=LlamaConfig(
                vocab_size=64, hidden_size=16, intermediate_size=16, num_attention_heads=2, num_hidden_layers=3,
                pad_token_id=0, bos_token_id=2, eos_token_id=1,
            ),
            vision_config=CLIPVisionConfig(
                hidden_size=8, intermediate_size=8, projection_dim=16, num_attention_heads=2, num_hidden_layers=2,
                image_size=SIDE, patch_size=8,
            ),
            pad_token_id=0, image_token_index=words.convert_tokens_to_ids("<image>"),
        )
    ).eval()
    transformer = HunyuanVideoTransformer3DModel(
        in_channels=4, out_channels=4, num_attention_heads=2, attention_head_dim=12, num_layers=1,
        num_single_layers=1, num_refiner_layers=1, patch_size=1, patch_size_t=1, text_embed_dim=16,
        pooled_projection_dim=32, rope_axes_dim=(4, 4, 4), image_condition_type="token_replace",
    )
    parts = {**hunyuan().components, "transformer": transformer, "text_encoder": llava, "tokenizer": words}
    return HunyuanVideoImageToVideoPipeline(
        **{**parts, "text_encoder_2": clip_text()}, image_processor=clip_processor()
    )


HUNYUAN_TEMPLATE = {
    "template": "a <image> <|end_header_id|> <|end_header_id|> {} the the the <|end_header_id|>",
    "crop_start": 4, "image_emb_len": 4, "image_emb_start": 1, "image_emb_end": 5,
}
IMAGE_FAMILIES: dict[str, Family] = {
    "LTXImageToVideoPipeline": Family(ltx, ClipSpec(5, 8.0, 32, 32)),
    "WanImageToVideoPipeline": Family(wan_from_image),
    "WanImageToVideoPipeline of a checkpoint for both": Family(wan_for_both),
    "CogVideoXImageToVideoPipeline": Family(cogvideox_from_image, ClipSpec(9, 8.0, 16, 16)),
    "SkyReelsV2ImageToVideoPipeline": Family(skyreels_from_image),
    "SkyReelsV2DiffusionForcingImageToVideoPipeline": Family(
        skyreels_forcing, settings={"max_sequence_length": 16, "base_num_frames": 5, "addnoise_condition": 0}
    ),
    "SanaImageToVideoPipeline": Family(
        sana_video, ClipSpec(5, 8.0, 32, 32), {"max_sequence_length": 16, "complex_human_instruction": []}
    ),
    "LTX2ImageToVideoPipeline": Family(ltx2, WIDE, {"max_sequence_length": 16, "spatio_temporal_guidance_blocks": [0]}),
    "HunyuanVideoImageToVideoPipeline": Family(
        hunyuan_from_image, settings={"max_sequence_length": 16, "prompt_template": HUNYUAN_TEMPLATE}
    ),
    "StableVideoDiffusionPipeline": Family(stable_video, ClipSpec(4, 8.0, 32, 32), {"decode_chunk_size": 4}),
}
"""The class that is driven > the checkpoint that it is driven from."""
