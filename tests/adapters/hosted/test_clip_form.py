"""A service is asked for the clips that the plan wants, or nothing is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.adapters.hosted.hosted_server import Service, settings
from vbench_lite.adapters.hosted.clip_form import check_definition, check_request
from vbench_lite.adapters.hosted.settings import ServiceSettings
from vbench_lite.adapters.hosted.templates import aspect_ratio, render_template, request_values, whole_seconds
from vbench_lite.errors import UsageError
from vbench_lite.records import ClipSpec, Definition, Prompt, Request, Suite
from vbench_lite.run.plan import make_plan
from vbench_lite.running.sweep import expanded, parse

CLIP = ClipSpec(frames=120, fps=24.0, height=720, width=1280)
SERVICE = Service(base="http://127.0.0.1:9")


def definition(body: dict[str, Any], clip: ClipSpec = CLIP, **changes: Any) -> Definition:
    submit = {"url": "/videos", "id": "id", "body": {"prompt": "{prompt}", **body}}
    return Definition(
        "rented", "undisclosed", "http", clip=clip, settings=settings(SERVICE, submit=submit, **changes)
    )


@pytest.mark.parametrize(("frames", "fps"), [(20, 8), (9, 24), (60, 24), (1, 24), (41, 8)])
def test_fraction_of_a_second_is_refused_where_whole_seconds_are_sent(frames: int, fps: float) -> None:
    spec = replace(CLIP, frames=frames, fps=fps)
    with pytest.raises(UsageError, match="seconds_exact"):
        check_definition(definition({"duration": "{seconds}"}, spec))
    with pytest.raises(UsageError, match="is a whole number"):
        check_definition(definition({"length": "{seconds}s"}, spec))
    check_definition(definition({"duration": "{seconds_exact}"}, spec))


@pytest.mark.parametrize(("frames", "fps", "seconds"), [(120, 24, 5), (121, 24, 5), (81, 16, 5), (150, 29.97, 5)])
def test_customary_frame_counts_are_whole_seconds(frames: int, fps: float, seconds: int) -> None:
    assert whole_seconds(ClipSpec(frames, fps)) == seconds
    sent = render_template({"d": "{seconds}"}, request_values(Request("p", "x", 0, 1, ClipSpec(frames, fps))))
    assert sent == {"d": seconds}


def test_shape_is_the_ratio_that_services_name() -> None:
    shapes = {(480, 832): "16:9", (720, 1280): "16:9", (1280, 720): "9:16", (512, 512): "1:1", (480, 720): "3:2"}
    assert {size: aspect_ratio(ClipSpec(height=size[0], width=size[1])) for size in shapes} == shapes


@pytest.mark.parametrize(
    "body",
    [
        {"duration": "10"}, {"duration": 10}, {"durationSeconds": "10s"}, {"parameters": {"duration": 4}},
        {"seconds": "8"}, {"num_frames": 81}, {"fps": 30}, {"resolution": "1080p"}, {"size": "1920x1080"},
        {"size": "1280*704"}, {"aspect_ratio": "9:16"}, {"aspectRatio": "1:1"}, {"height": 480},
        {"input": [{"video_length": 6.5}]}, {"ratio": "720:1280"}, {"resolution": "4k"},
    ],
)
def test_fixed_value_that_contradicts_the_clip_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"has the fixed value .* but the requested clips have"):
        check_definition(definition(body))


@pytest.mark.parametrize(
    "body",
    [
        {"duration": "5"}, {"duration": 5.0}, {"durationSeconds": "5s"}, {"num_frames": 120}, {"resolution": "720p"},
        {"size": "1280x720"}, {"aspect_ratio": "16:9"}, {"quality": "high"}, {"batch_size": 1}, {"resolution": "auto"},
    ],
)
def test_fixed_value_that_agrees_with_the_clip_is_sent(body: dict[str, Any]) -> None:
    check_definition(definition(body))


@pytest.mark.parametrize(
    ("body", "sweep"),
    [
        ({"duration": "5"}, "clip.frames=120,240"),
        ({}, "clip.frames=120,240"),
        ({"aspect_ratio": "{aspect_ratio}", "resolution": "720p"}, "clip.height=720,480"),
        ({"duration": "{seconds}"}, "clip.width=1280,1920"),
    ],
)
def test_sweep_that_the_service_is_not_asked_for_is_refused(body: dict[str, Any], sweep: str) -> None:
    last = expanded([definition(body)], [parse(sweep)])[-1]
    with pytest.raises(UsageError, match=r"rented@clip"):
        check_definition(last)


def test_sweep_that_reaches_the_service_is_fine() -> None:
    for variant in expanded([definition({"duration": "{seconds}"})], [parse("clip.frames=120,240")]):
        check_definition(variant)


def test_plan_refuses_it_before_anything_is_made() -> None:
    suite = Suite("s", "S", (Prompt("p", "a cat"),), "d")
    variants = expanded([definition({"duration": "5"})], [parse("clip.frames=120,240")])
    with pytest.raises(UsageError, match=r"rented@clip"):
        make_plan(suite, variants, 1, None, 0, "builtin")


def test_what_a_service_takes_is_checked_before_it_is_sent() -> None:
    takes = {"seconds": [4, 6, 8], "prompt_characters": 10}
    with pytest.raises(UsageError, match="makes clips of 4, 6, 8 s"):
        check_definition(definition({"duration": "{seconds}"}, takes=takes))
    with pytest.raises(UsageError, match="are 16:9"):
        check_definition(definition({}, takes={"aspect_ratios": ["1:1"]}))
    fits = definition({}, replace(CLIP, frames=96), takes=takes)
    check_definition(fits)
    with pytest.raises(UsageError, match="has 11 characters"):
        check_request(ServiceSettings.of(fits), Request("p", "x" * 11, 0, 1, fits.clip))
