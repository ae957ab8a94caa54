"""The definitions that ship say what their adapters understand, and where each figure comes from."""

from __future__ import annotations

import ast
import importlib.util
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from vbench_lite.adapters.command import CommandSettings
from vbench_lite.adapters.hosted.clip_form import check_definition
from vbench_lite.adapters.hosted.settings import ServiceSettings
from vbench_lite.adapters.hosted.templates import render_template, request_values
from vbench_lite.adapters.models.families import FRAME_ARGUMENTS, family_table
from vbench_lite.adapters.models.settings import LoadSettings
from vbench_lite.errors import UsageError
from vbench_lite.inputs.catalogue import definition_paths, parts, read_definition
from vbench_lite.measuring.rates import clip_price
from vbench_lite.programs.process import fill
from vbench_lite.records import Definition, Request

DEFINITIONS = {name: read_definition(path) for name, path in definition_paths().items()}
PUBLISHED = [name for name in DEFINITIONS if not name.startswith("tiny-")]


def by_adapter(adapter: str) -> list[str]:
    return [name for name in PUBLISHED if DEFINITIONS[name].adapter == adapter]


def request_for(definition: Definition) -> Request:
    return Request("p", "a red cup, steaming", 0, 2**50, definition.clip)


@cache
def call_arguments_by_class() -> dict[str, set[str]]:
    """What each pipeline's call takes, read from diffusers' source: importing all of them takes a minute."""
    spec = importlib.util.find_spec("diffusers")
    assert spec
    assert spec.origin
    found = {}
    for path in (Path(spec.origin).parent / "pipelines").rglob("pipeline_*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and method.name == "__call__":
                        found[node.name] = {argument.arg for argument in method.args.args}
    return found


@pytest.mark.parametrize("name", PUBLISHED)
def test_definition_says_its_source_licence_and_that_it_was_not_run(name: str) -> None:
    definition = DEFINITIONS[name]
    assert definition.source.startswith("https://")
    assert definition.licence
    assert "not" in definition.about["checked"]
    assert definition.price is None or (definition.price.date and definition.price.source)


@pytest.mark.parametrize("name", by_adapter("diffusers"))
def test_revision_is_a_commit_or_the_file_says_that_it_is_not_pinned(name: str) -> None:
    definition = DEFINITIONS[name]
    if "/" in definition.model and not re.fullmatch(r"[0-9a-f]{40}", definition.revision):
        assert "not pinned" in (definition.folder / f"{name}.toml").read_text("utf-8")


@pytest.mark.parametrize("name", by_adapter("diffusers"))
def test_pipeline_takes_every_setting(name: str) -> None:
    definition = DEFINITIONS[name]
    accepted = call_arguments_by_class()[definition.about["pipeline"]]
    _, call = LoadSettings.of(definition)
    assert set(call) <= accepted
    assert accepted & set(FRAME_ARGUMENTS)


def test_every_family_in_the_table_is_a_pipeline_and_its_arguments_exist() -> None:
    known = call_arguments_by_class()
    for name, entry in family_table().items():
        assert set(entry.get("call", {})) <= known[name], name
        assert entry.get("refine", name) in known, name
        assert "image" in known[entry.get("with_image", "LTXImageToVideoPipeline")], name


@pytest.mark.parametrize("name", by_adapter("diffusers"))
def test_inputs_are_those_that_the_pipelines_take(name: str) -> None:
    definition, known = DEFINITIONS[name], call_arguments_by_class()
    own = definition.about["pipeline"]
    takes = known[own] | known.get(family_table().get(own, {}).get("with_image", ""), set())
    assert not any("image" in each for each in definition.inputs) or "image" in takes
    assert not any("text" in each for each in definition.inputs) or "prompt" in takes


@pytest.mark.parametrize("name", by_adapter("http"))
def test_service_is_described_in_full(name: str) -> None:
    definition = DEFINITIONS[name]
    settings = ServiceSettings.of(definition)
    values = request_values(request_for(definition))
    if name.endswith("-i2v"):
        values["image"] = "the image"
    body = render_template(settings.submit.body, values)
    assert "a red cup, steaming" in str(body)
    assert ("the image" in str(body)) == name.endswith("-i2v")
    given = {**values, "key": "k", "id": "1", **dict.fromkeys(settings.submit.keep, "https://x")}
    for template in (settings.submit.headers, settings.poll.url, settings.result.url, settings.video.headers):
        render_template(template, given)
    assert settings.base.startswith("https://")
    assert settings.key_env
    check_definition(definition)
    if definition.price:
        clip = definition.clip
        assert clip_price(definition.price, clip.seconds, clip.height, clip.width).usd


@pytest.mark.parametrize(
    ("name", "clip", "usd"),
    [
        ("pika-2.2", {"frames": 240}, 0.40), ("pika-2.2", {"height": 1080, "width": 1920}, 0.45),
        ("luma-ray-3.2", {"height": 540, "width": 960}, 0.50), ("luma-ray-3.2", {"height": 1080, "width": 1920}, 2.0),
        ("veo-3.1", {"height": 2160, "width": 3840}, 4.80), ("veo-3.1", {"frames": 96}, 1.60),
        ("runway-gen4.5", {}, 0.60), ("kling-v3", {"frames": 240}, 0.84),
    ],
)
def test_listed_prices_follow_size_and_length(name: str, clip: dict[str, int], usd: float) -> None:
    definition = replace(DEFINITIONS[name], clip=replace(DEFINITIONS[name].clip, **clip))
    check_definition(definition)
    assert definition.price
    spec = definition.clip
    assert clip_price(definition.price, spec.seconds, spec.height, spec.width).usd == pytest.approx(usd)


@pytest.mark.parametrize(
    ("name", "clip"),
    [("runway-gen4.5", {"frames": 288}), ("luma-ray-3.2", {"frames": 144}), ("veo-3.1", {"frames": 72})],
)
def test_length_that_a_service_does_not_make_is_refused(name: str, clip: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="the service makes clips of"):
        check_definition(replace(DEFINITIONS[name], clip=replace(DEFINITIONS[name].clip, **clip)))


@pytest.mark.parametrize("name", by_adapter("command"))
def test_command_can_be_filled_in(name: str) -> None:
    definition = DEFINITIONS[name]
    settings = CommandSettings.of(definition)
    values = {"device": "cuda:0", "here": str(definition.folder)}
    if not settings.resident:
        spec = definition.clip
        values |= {"prompt": "p", "seed": 1, "out": "o.mp4", "frames": spec.frames}
    arguments = fill(settings.command, values)
    scripts = [Path(a) for a in arguments if a.endswith(".py")]
    assert all(script.exists() for script in scripts)


def test_hybrid_is_made_of_the_two_built_in_ones() -> None:
    assert [part.name for part in parts(DEFINITIONS["tiny-hybrid"])] == ["tiny-transformer", "tiny-diffusion"]
