from __future__ import annotations

import pytest

from vbench_lite.errors import UsageError
from vbench_lite.records import Definition
from vbench_lite.running.sweep import MOST, expanded, parse

HYBRID = Definition("tiny-hybrid", "hybrid", "hybrid", settings={"strength": 0.6, "batch_size": 20})


def test_each_value_is_a_generator_named_after_it() -> None:
    made = expanded([HYBRID], [parse("strength=0.2,0.4")])
    assert [d.name for d in made] == ["tiny-hybrid@strength=0.2", "tiny-hybrid@strength=0.4"]
    assert [d.settings for d in made] == [{"strength": 0.2, "batch_size": 20}, {"strength": 0.4, "batch_size": 20}]
    assert [d.about["sweep"] for d in made] == [{"of": "tiny-hybrid", "strength": s} for s in (0.2, 0.4)]
    assert HYBRID.settings["strength"] == 0.6


def test_two_sweeps_give_every_combination() -> None:
    made = expanded([HYBRID], [parse("strength=0.2,1"), parse("num_inference_steps=4,8")])
    assert [d.name for d in made] == [
        f"tiny-hybrid@strength={s},num_inference_steps={n}" for s in ("0.2", "1") for n in (4, 8)
    ]


def test_the_form_of_clip_can_be_swept_beside_a_setting() -> None:
    made = expanded([HYBRID], [parse("clip.frames=9,25"), parse("strength=1")])
    assert [d.name for d in made] == [f"tiny-hybrid@clip.frames={n},strength=1" for n in (9, 25)]
    assert [d.clip.frames for d in made] == [9, 25]
    assert all(d.clip.width == HYBRID.clip.width and "clip.frames" not in d.settings for d in made)


@pytest.mark.parametrize(
    "text",
    [
        "clip.frames=0", "clip.frames=2.5", "clip.frames=true", "clip.long=9", "clip.fps=x", "clip.fps=nan",
        "clip.fps=inf",
    ],
)
def test_a_form_that_no_clip_has_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--sweep"):
        expanded([HYBRID], [parse(text)])


def test_without_a_sweep_nothing_changes() -> None:
    assert expanded([HYBRID], []) == [HYBRID]


@pytest.mark.parametrize(
    ("text", "values"),
    [("a=1,2.5", (1, 2.5)), ("a=true,false", (True, False)), ("a=bf16", ("bf16",)), ('a="x y"', ("x y",))],
)
def test_values_are_read_as_toml_has_them(text: str, values: tuple[object, ...]) -> None:
    assert parse(text).values == values


def test_name_of_a_text_value_can_be_a_folder() -> None:
    (made,) = expanded([HYBRID], [parse("negative_prompt=../bad / blurry")])
    assert made.name == "tiny-hybrid@negative_prompt=..-bad-blurry"


@pytest.mark.parametrize("text", ["strength", "strength=", "=1", "strength=1,,2", "a b=1", "strength=1,1"])
def test_what_is_no_sweep_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--sweep"):
        parse(text)


def test_one_setting_is_swept_once_and_not_without_end() -> None:
    with pytest.raises(UsageError, match="swept once"):
        expanded([HYBRID], [parse("a=1"), parse("a=2")])
    with pytest.raises(UsageError, match=f"at most {MOST}"):
        expanded([HYBRID], [parse(f"a={','.join(map(str, range(MOST + 1)))}")])
