from pathlib import Path

from transformers import AutoTokenizer

from vbench_lite.recipes.tokenizer import caption_and_video_tokenizer, caption_tokenizer
from vbench_lite.world import compositions


def test_every_caption_is_known_and_fits_into_sixteen_tokens() -> None:
    for tokenizer in (caption_tokenizer(), caption_and_video_tokenizer(8)):
        ids = tokenizer([caption for c in compositions() for caption in c.captions]).input_ids
        assert max(map(len, ids)) <= 16
        assert not any(tokenizer.unk_token_id in row for row in ids)


def test_prompts_for_the_language_model_end_where_the_video_begins() -> None:
    tokenizer = caption_and_video_tokenizer(8)
    row = tokenizer(["a red car spins"], padding="max_length", max_length=10).input_ids[0]
    assert tokenizer.convert_ids_to_tokens(row) == ["<pad>"] * 4 + ["<s>", "a", "red", "car", "spins", "<bov>"]
    assert tokenizer.convert_tokens_to_ids("<v7>") == tokenizer.convert_tokens_to_ids("<v0>") + 7


def test_punctuation_and_case_do_not_matter_and_strange_words_become_unknown() -> None:
    tokenizer = caption_tokenizer()
    assert tokenizer(["A red car, spins."]).input_ids == tokenizer(["a red car spins"]).input_ids
    assert tokenizer.unk_token_id in tokenizer(["a crimson car"]).input_ids[0]


def test_a_saved_tokenizer_loads_with_the_stock_loader(tmp_path: Path) -> None:
    caption_and_video_tokenizer(8).save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded(["a red car spins"]).input_ids == caption_and_video_tokenizer(8)(["a red car spins"]).input_ids
