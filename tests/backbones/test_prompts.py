"""What the text networks can read of a prompt: punctuation does not matter, length does."""

from __future__ import annotations

import numpy as np
import open_clip
import pytest

from vbench_lite import backbones
from vbench_lite.backbones.image_text import OpenClipEncoder
from vbench_lite.features.extractor import ClipFeatures
from vbench_lite.metrics.base import ClipContext
from vbench_lite.metrics.clip_text import ClipText
from vbench_lite.records import ReasonCode

PLAIN = "a red sneaker slides left on a mint background"


@pytest.fixture(scope="module")
def builtin():
    return backbones.load("builtin", "cpu").image


@pytest.fixture(scope="module")
def large():
    return OpenClipEncoder(open_clip.create_model("ViT-B-32"), open_clip.get_tokenizer("ViT-B-32"))


@pytest.mark.parametrize(
    "text",
    [PLAIN + "!", f'"{PLAIN}"', PLAIN.replace("left", "left;"), PLAIN.replace(" on", " - on"), f"({PLAIN})...",
     PLAIN.replace("slides", "«slides»"), PLAIN.upper(), PLAIN.replace(" slides", ", slides:"), f"'{PLAIN}'?",
     PLAIN.replace("red sneaker", "red\u2014sneaker")],
)  # fmt: skip
def test_punctuation_is_stripped_as_the_tokenizer_strips_it(builtin, text: str) -> None:
    assert builtin.cannot_read(text) is None
    np.testing.assert_allclose(builtin.embed_texts([text]), builtin.embed_texts([PLAIN]), atol=1e-6)


@pytest.mark.parametrize("text", ["a drone", "a red-ish sneaker", "²", "a sneaker 5 times"])
def test_words_that_the_network_does_not_know_are_named(builtin, text: str) -> None:
    assert "does not know" in builtin.cannot_read(text)


@pytest.mark.parametrize("name", ["builtin", "large"])
def test_longer_prompts_than_the_network_reads_are_said(request, name: str) -> None:
    encoder = request.getfixturevalue(name)
    assert encoder.truncates(PLAIN) is None
    head = " ".join([PLAIN] * 10)
    one, other = encoder.embed_texts([head + " a blue car", head + " a green duck"])
    assert np.array_equal(one, other)
    assert "reads only the first" in encoder.truncates(head)


@pytest.mark.parametrize("name", ["builtin", "large"])
def test_the_longest_prompt_that_is_read_whole_is_not_said_to_be_cut(request, name: str) -> None:
    encoder = request.getfixturevalue(name)
    words = 1
    while encoder.truncates(" ".join(["red"] * words)) is None:
        words += 1
    last = [" ".join(["red"] * (words - 2) + [word]) for word in ("red", "blue")]
    over = [" ".join(["red"] * words + [word]) for word in ("red", "blue")]
    assert encoder.truncates(last[1]) is None
    assert not np.array_equal(*encoder.embed_texts(last))
    assert encoder.truncates(over[0])
    assert np.array_equal(*encoder.embed_texts(over))


def test_reason_stands_beside_the_score() -> None:
    text = np.ones(4) / 2
    clip = ClipFeatures(2, 8, 8, 8.0, False, {"image_text": {"mean": text}})
    assert ClipText().score(ClipContext(clip, text=text)) == (pytest.approx(1.0), None, None)
    assert ClipText().score(ClipContext(clip, text=text, text_truncated="cut")) == (
        pytest.approx(1.0), "cut", ReasonCode.PROMPT_TRUNCATED,
    )
