from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import VQModel
from transformers import LlamaConfig, LlamaForCausalLM

from vbench_lite.adapters.token_transformer import TokenTransformer
from vbench_lite.errors import GeneratorError
from vbench_lite.records import ClipSpec, Definition, Request
from vbench_lite.world.tokenizer import caption_and_video_tokenizer

SPEC = ClipSpec(frames=5, fps=8, height=16, width=16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published checkpoint's form at a tiny size: 16 codes, 2x2 codes for each pair of frames."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model")
    tokenizer = caption_and_video_tokenizer(16)
    tokenizer.save_pretrained(path / "tokenizer")
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=64, pad_token_id=0, eos_token_id=None,
        )
    ).save_pretrained(path / "language_model")
    VQModel(
        in_channels=96, out_channels=96, block_out_channels=(8, 8), num_vq_embeddings=16, vq_embed_dim=4,
        latent_channels=4, norm_num_groups=4, down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    ).save_pretrained(path / "video_tokenizer")
    return path


@pytest.fixture
def definition(folder: Path) -> Definition:
    settings = {
        "prompt_tokens": 16, "frames_per_code": 2, "first_frame_alone": True, "pixel_unshuffle": 4, "rows": 2,
        "columns": 2, "batch_size": 4,
    }
    return Definition("tiny", "transformer", "token-transformer", model=str(folder), clip=SPEC, settings=settings)


def requests(count: int, spec: ClipSpec = SPEC) -> list[Request]:
    return [Request("p", "a red car spins on a white background", k, 100 + k, spec) for k in range(count)]


def loaded(definition: Definition) -> TokenTransformer:
    generator = TokenTransformer(definition)
    generator.load("cpu")
    return generator


def test_clips_have_the_form_asked_for_and_report_their_stages(definition: Definition) -> None:
    outputs = loaded(definition).generate(requests(2))
    assert [o.frames.shape for o in outputs] == [(5, 16, 16, 3)] * 2
    assert outputs[0].frames.dtype == np.uint8
    assert set(outputs[0].stages_s) == {"prefill", "decode", "detokenize"}
    assert all(seconds > 0 for seconds in outputs[0].stages_s.values())
    assert outputs[0].counts["tokens"] == 3 * 4


def test_a_clip_depends_on_its_seed_and_not_on_its_batch(definition: Definition) -> None:
    generator = loaded(definition)
    together = generator.generate(requests(3))
    alone = generator.generate(requests(3)[1:2])[0]
    assert np.array_equal(together[1].frames, alone.frames)
    assert not np.array_equal(together[0].frames, together[1].frames)


def test_a_low_temperature_and_a_small_nucleus_leave_one_choice(definition: Definition) -> None:
    greedy = loaded(replace(definition, settings={**definition.settings, "temperature": 0.1, "top_k": 1, "top_p": 0.9}))
    first, second = greedy.generate(requests(2))
    assert np.array_equal(first.frames, second.frames)


def test_sizes_and_lengths_that_the_model_cannot_make_are_refused(definition: Definition) -> None:
    generator = loaded(definition)
    with pytest.raises(GeneratorError, match="makes 16x16 frames only"):
        generator.generate(requests(1, replace(SPEC, width=32)))
    with pytest.raises(GeneratorError, match="has room for 48 video tokens"):
        generator.generate(requests(1, replace(SPEC, frames=99)))


def test_a_misspelt_setting_and_a_missing_folder_are_named(definition: Definition) -> None:
    with pytest.raises(GeneratorError, match="temprature"):
        TokenTransformer(replace(definition, settings={"temprature": 1}))
    with pytest.raises(GeneratorError, match="has no language_model/"):
        TokenTransformer(replace(definition, model="/nowhere")).load("cpu")
