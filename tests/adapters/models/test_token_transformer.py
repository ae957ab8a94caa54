import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import VQModel
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from vbench_lite.adapters.models.token_transformer import TokenTransformer
from vbench_lite.errors import GeneratorError, UsageError
from vbench_lite.recipes.tokenizer import caption_and_video_tokenizer
from vbench_lite.records import ClipSpec, Definition, Request

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


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another project's checkpoint: a picture tokenizer, codes scattered over the vocabulary, tokens between rows."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("another")
    names = [f"<|visual token {code:06d}|>" for code in range(8)]
    words = ["<pad>", "<unk>", "<bos>", "<eol>", "<eof>", "<video>", "a", "red", "car", "spins"]
    vocabulary = [name for pair in zip(words, [*reversed(names), "x", "y"], strict=True) for name in pair]
    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", bos_token="<bos>", eos_token="<eof>")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<eol>", "<video>", *names]})
    tokenizer.save_pretrained(path / "tokenizer")
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocabulary), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
            num_attention_heads=2, max_position_embeddings=64, bos_token_id=4, eos_token_id=8, initializer_range=0.5,
        )
    ).save_pretrained(path / "language_model")
    VQModel(
        block_out_channels=(8, 8), num_vq_embeddings=8, vq_embed_dim=4, latent_channels=4, norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    ).save_pretrained(path / "video_tokenizer")
    return path


ANOTHER = {
    "code_token": "<|visual token {code:06d}|>", "prompt_template": "<bos> {prompt} <video>", "prompt_tokens": 8,
    "rows": 2, "columns": 3, "after_row": "<eol>", "after_frame": "<eof>", "guidance_scale": 2.5,
    "unconditional_text": "<bos> <video>", "temperature": 0.8, "top_k": 6,
}  # fmt: skip
ANOTHER_SPEC = ClipSpec(frames=2, fps=8, height=4, width=6)


def described(folder: Path, **settings: object) -> Definition:
    return Definition(
        "another", "transformer", "token-transformer", model=str(folder), clip=ANOTHER_SPEC,
        settings={**ANOTHER, **settings},
    )


@torch.inference_mode()
def slowly(generator: TokenTransformer, request: Request, sequence: list[str]) -> np.ndarray:
    """The codes of a clip without any of the adapter's ways: no cache, no batch, one token after another."""
    tokenizer, lm = generator._tokenizer, generator._lm
    chance = torch.Generator().manual_seed(request.seed)
    names = [f"<|visual token {code:06d}|>" for code in range(8)]
    tokens = torch.tensor(tokenizer.convert_tokens_to_ids(names))
    texts = [tokenizer(text).input_ids for text in (f"<bos> {request.prompt} <video>", "<bos> <video>")]
    written: list[int] = []
    codes = []
    for name in sequence:
        if name:
            written.append(tokenizer.convert_tokens_to_ids(name))
            continue
        wanted, plain = (lm(torch.tensor([text + written])).logits[0, -1] for text in texts)
        scores = (plain + 2.5 * (wanted - plain)) / 0.8
        scores[scores < scores.topk(6).values[-1]] = float("-inf")
        code = int((scores[tokens] - torch.empty(8).exponential_(generator=chance).log()).argmax())
        written.append(int(tokens[code]))
        codes.append(code)
    return np.array(codes)


def test_another_checkpoint_needs_no_code_but_a_description(another: Path) -> None:
    generator = loaded(described(another))
    request = Request("p", "a red car spins", 0, 7, ANOTHER_SPEC)
    sequence = ["", "", "", "<eol>", "", "", "", "<eol>", "<eof>", "", "", "", "<eol>", "", "", ""]
    codes = torch.from_numpy(slowly(generator, request, sequence)).view(2, 2, 3)
    (output,) = generator.generate([request])
    assert output.counts["tokens"] == len(sequence)
    for frame, picture in zip(output.frames, codes, strict=True):
        latents = generator._vq.quantize.embedding(picture).permute(2, 0, 1)[None]
        pixels = generator._vq.decode(latents, force_not_quantize=True).sample[0].permute(1, 2, 0)
        assert np.abs(frame.astype(int) - ((pixels.detach().numpy() + 1) * 127.5).round().clip(0, 255)).max() <= 1


def test_guided_clips_do_not_depend_on_their_batch(another: Path) -> None:
    generator = loaded(described(another))
    asked = [Request("p", prompt, 0, 7, ANOTHER_SPEC) for prompt in ("a red car spins", "a car")]
    together = generator.generate(asked)
    for request, output in zip(asked, together, strict=True):
        assert np.array_equal(generator.generate([request])[0].frames, output.frames)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"code_token": "", "first_code_token": "<v0>"}, 'no token "<v0>"'),
        ({"code_token": "", "first_code_token": 15}, "8 codes are not 8 different tokens"),
        ({"code_token": "<|visual token {n}|>"}, "expected a name with {code} in it"),
        ({"code_token": "a"}, "8 codes are not 8 different tokens"),
    ],
)
def test_a_vocabulary_that_is_not_as_described_is_named(
    another: Path, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(GeneratorError, match=re.escape(message)):
        loaded(described(another, **settings))


def test_sizes_and_lengths_that_the_model_cannot_make_are_refused(definition: Definition) -> None:
    generator = loaded(definition)
    with pytest.raises(UsageError, match="makes 16x16 frames only"):
        generator.generate(requests(1, replace(SPEC, width=32)))
    with pytest.raises(UsageError, match="has room for 48 video tokens"):
        generator.generate(requests(1, replace(SPEC, frames=99)))


def test_a_misspelt_setting_and_a_missing_folder_are_named(definition: Definition) -> None:
    with pytest.raises(UsageError, match="temprature"):
        TokenTransformer(replace(definition, settings={"temprature": 1}))
    with pytest.raises(GeneratorError, match="has no language_model/"):
        TokenTransformer(replace(definition, model="/nowhere")).load("cpu")
