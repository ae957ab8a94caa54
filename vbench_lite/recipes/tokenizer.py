"""A word-level tokenizer over the world's captions, in the libraries' own format."""

from __future__ import annotations

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from vbench_lite.world.vocabulary import words


def caption_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of lower-case words, with `<pad>` 0, `</s>` 1, `<unk>` 2. Every caption ends with `</s>`."""
    vocabulary = {word: i for i, word in enumerate(["<pad>", "</s>", "<unk>", *words()])}
    return _wrap(_word_level(vocabulary, "$A </s>", ["</s>"]))


def caption_and_video_tokenizer(codes: int) -> PreTrainedTokenizerFast:
    """A tokenizer of the words, with one token `<v0>`, `<v1>`, ... for each code of a video tokenizer.

    A prompt is `<s> words <bov>`, padded with `<pad>` on the left; the model continues it with
    video tokens.
    """
    special = ["<pad>", "<s>", "<bov>", "<unk>"]
    video = [f"<v{i}>" for i in range(codes)]
    vocabulary = {token: i for i, token in enumerate([*special, *words(), *video])}
    return _wrap(_word_level(vocabulary, "<s> $A <bov>", ["<s>", "<bov>"]), padding_side="left", bos_token="<s>")


def _word_level(vocabulary: dict[str, int], template: str, special: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    splits = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("removed")]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(splits)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[(token, vocabulary[token]) for token in special]
    )
    return tokenizer


def _wrap(tokenizer: Tokenizer, **settings: str) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", **settings)
