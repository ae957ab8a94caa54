"""Which plans belong together, what a growing plan becomes, and how differences are named."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from vbench_lite.errors import PlanConflict
from vbench_lite.records import FORMAT, ClipSpec, DeviceFacts, Price, Prompt, PromptImage, Suite, Threshold
from vbench_lite.run.manifest import Manifest, PlanRecord, StoredDefinition, Typed
from vbench_lite.run.plan_changes import extended, refuse_other_plan, same_clips

ONE = StoredDefinition("one", "diffusion", "simulated", clip=ClipSpec(), weights_digest="w", code_digest="c")
PROMPTS = tuple(Prompt(id_, f"a {id_}") for id_ in "abcd")


def plan_of(prompts: str = "abcd", clips: int = 2, **how: Any) -> Manifest:
    plan = PlanRecord(tuple(prompts), clips, **{key: how.pop(key) for key in [*how] if key in _PLAN})
    given = {"suite": Suite("ads", "Ads", PROMPTS, "d"), "generators": {"one": ONE}} | how
    return Manifest(FORMAT, "run", plan=plan, **given)


_PLAN = ("seed", "backbones", "metrics", "thresholds", "reference", "clips_of")


def suite(**changes: Prompt) -> Suite:
    return Suite("ads", "Ads", tuple(changes.get(prompt.id, prompt) for prompt in PROMPTS), "d")


def but(id_: str, **change: Any) -> Prompt:
    return dataclasses.replace(PROMPTS["abcd".index(id_)], **change)


IMAGE = PromptImage("a.png", "0" * 64)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"suite": Suite("film", "", PROMPTS, "d")}, 'its suite is "ads", requested: "film"'),
        ({"suite": suite(b=but("b", text="x"))}, 'the text of the prompt "b" differs'),
        ({"suite": suite(b=but("b", text="x"), c=but("c", text="x"))}, 'the text of the prompt "b" and 1 more differs'),
        ({"suite": suite(b=but("b", generator_text="x"))}, 'the text of the prompt "b" differs'),
        ({"suite": suite(a=but("a", image=IMAGE))}, 'the image of the prompt "a" differs'),
        ({"seed": 5}, "it has seed 0, requested: 5"),
        ({"generators": {"two": dataclasses.replace(ONE, name="two")}}, "its generators are one, requested: two"),
        ({"generators": {"one": dataclasses.replace(ONE, weights_digest="x", code_digest="y", model="m")}},
         'the definition of the generator "one" differs (model, weights, code)'),
        ({"generators": {"one": dataclasses.replace(ONE, settings={"steps": 4}, clip=None)}},
         'the definition of the generator "one" differs (clip, settings)'),
        ({"device": DeviceFacts("cuda")}, 'it was made on "", requested: "cuda"'),
        ({"seed": 5, "device": DeviceFacts("cuda")},
         'it has seed 0, requested: 5; it was made on "", requested: "cuda"'),
    ],
)  # fmt: skip
def test_another_plan_is_refused_by_what_differs(change: dict[str, Any], found: str) -> None:
    with pytest.raises(PlanConflict) as caught:
        refuse_other_plan(Path("here"), plan_of(), plan_of(**change))
    assert str(caught.value).startswith(f"here contains a run of another plan: {found}. Nothing was changed. ")


@pytest.mark.parametrize(
    "change",
    [
        {"clips": 5}, {"backbones": "full"}, {"thresholds": {}}, {"reference": "x"},
        {"device": DeviceFacts("", "Other", 4)},
        {"suite": Suite("ads", "Other", PROMPTS[::-1], "e", usable={"detail": Threshold(min=1)})},
        {"suite": suite(a=but("a", category="x", tags=("t",), motion="still"))}, {"prompts": "ab"},
        {"suite": suite(a=but("a", text="said", generator_text="a a"))},
        {"generators": {"one": dataclasses.replace(
            ONE, price=Price(usd_per_clip=1.0), about={"a": 1}, source="s", licence="l", folder="f", route="hybrid",
            inputs=(("image",),))}},
    ],
)  # fmt: skip
def test_what_changes_no_clip_is_no_other_plan(change: dict[str, Any]) -> None:
    refuse_other_plan(Path("here"), plan_of(), plan_of(**change))
    refuse_other_plan(Path("here"), plan_of(**change), plan_of())


def test_only_prompts_of_both_plans_are_compared() -> None:
    changed = suite(a=but("a", text="x"), c=but("c", text="x"))
    refuse_other_plan(Path("here"), plan_of("ab"), plan_of("bcd", suite=changed))


@pytest.mark.parametrize(
    ("key", "value"), [("adapter", "other"), ("revision", "2"), ("weights", {"a": "1"}), ("code_digest", None)]
)
def test_definitions_make_the_same_clips_where_nothing_that_makes_them_differs(key: str, value: Any) -> None:
    assert same_clips(ONE, dataclasses.replace(ONE, price=Price(), about={"x": 1}))
    assert not same_clips(ONE, dataclasses.replace(ONE, **{key: value}))


@pytest.mark.parametrize(
    ("stored", "wanted", "prompts", "clips", "clips_of"),
    [
        (plan_of("ab", 2), plan_of("abcd", 2), "abcd", 2, {}), (plan_of("ab", 1), plan_of("abcd", 3), "abcd", 3, {}),
        (plan_of("ab", 3), plan_of("bcd", 2), "abcd", 3, {"c": 2, "d": 2}),
        (plan_of("abcd", 2), plan_of("a", 1), "abcd", 2, {}),
        (plan_of("ab", 1, clips_of={"a": 4}), plan_of("abc", 2), "abc", 4, {"b": 2, "c": 2}),
        (plan_of("db", 1), plan_of("a", 1), "abd", 1, {}), (plan_of("", 1), plan_of("", 3), "", 3, {}),
    ],
)  # fmt: skip
def test_a_plan_grows_to_every_prompt_and_clip_of_both(
    stored: Manifest, wanted: Manifest, prompts: str, clips: int, clips_of: dict[str, int]
) -> None:
    plan = extended(stored, wanted).plan
    assert (plan.prompts, plan.clips_per_prompt, dict(plan.clips_of)) == (tuple(prompts), clips, clips_of)


def test_a_plan_that_grows_keeps_how_it_was_scored_and_takes_the_new_suite_and_prices() -> None:
    smaller = Suite("ads", "New", PROMPTS[:3], "e")
    stored = plan_of(
        created="then", metrics="a", thresholds={"m": Threshold(1.0)}, reference="r", backbones="old", prices={
            "one": Price(usd_per_clip=1.0), "two": Price(usd_per_clip=2.0)},
        typed=Typed(suite="s", thresholds="t.toml"),
    )  # fmt: skip
    wanted = plan_of(
        "abc", suite=smaller, created="now", metrics="b", thresholds={}, reference="", backbones="new",
        prices={"one": Price(usd_per_clip=3.0)}, typed=Typed(suite="n", prices="p.toml", thresholds="u.toml"),
    )  # fmt: skip
    found = extended(stored, wanted)
    assert found == dataclasses.replace(
        stored, suite=smaller, prices={"one": Price(usd_per_clip=3.0), "two": Price(usd_per_clip=2.0)},
        typed=Typed(suite="n", prices="p.toml", thresholds="t.toml"), plan=PlanRecord(
            tuple("abc"), 2, backbones="new", metrics="a", thresholds={"m": Threshold(1.0)}, reference="r"),
    )  # fmt: skip
