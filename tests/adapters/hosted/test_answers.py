"""Errors, states and refusals in the answers of hosted services, however they are put."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.hosted.hosted_server import KEY, Service, serving, settings
from tests.adapters.hosted.test_adapter import ask, generator, make
from vbench_lite.adapters.hosted.answers import (
    JobState,
    get_paths,
    parse_amount,
    read_error,
    read_state,
    video_defect,
)
from vbench_lite.adapters.hosted.settings import Poll
from vbench_lite.records import ReasonCode

POLL = Poll(
    "/x", "status", done=["done"], failed=["failed"], queued=["queued"], refused=["blocked"], error="problem.text",
    refusal="filtered.*",
)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("TEST_VIDEO_KEY", KEY)
    with serving(Service()) as running:
        yield running


@pytest.mark.parametrize(
    ("content", "state", "error"),
    [
        ({"status": "queued"}, JobState.QUEUED, ""),
        ({"status": "QUEUED"}, JobState.QUEUED, ""),
        ({"status": "In Progress"}, JobState.RUNNING, ""),
        ({"status": "Done"}, JobState.DONE, ""),
        ({"status": "done", "error": {}}, JobState.DONE, ""),
        ({"status": "done", "error": {"code": 0, "message": ""}}, JobState.DONE, ""),
        ({"status": "done", "problem": {"text": "GPU exploded"}}, JobState.FAILED, "GPU exploded"),
        ({"status": "failed"}, JobState.FAILED, "failed"),
        ({"status": "failed", "errors": [{"message": "no memory"}]}, JobState.FAILED, "no memory"),
        ({"status": "blocked"}, JobState.REFUSED, "blocked"),
        ({"status": "failed", "error": "unsafe: moderation"}, JobState.REFUSED, "unsafe: moderation"),
        ({"status": "failed", "error": {"msg": "no", "type": "content_policy_violation"}}, JobState.REFUSED, "no"),
        ({"status": "done", "filtered": ["a celebrity"]}, JobState.REFUSED, "a celebrity"),
        ({"status": "ERROR", "error": "GPU exploded"}, JobState.FAILED, "GPU exploded"),
        ({"status": "TIMED_OUT"}, JobState.FAILED, "TIMED_OUT"),
        ({"status": "canceled"}, JobState.FAILED, "canceled"),
        ({"status": "CONTENT_MODERATED"}, JobState.REFUSED, "CONTENT_MODERATED"),
        ({"error": {"message": "job not found", "code": 404}}, JobState.FAILED, "job not found"),
        ({"error": True, "message": "worker lost"}, JobState.FAILED, "worker lost"),
        ({"status": "odd", "detail": [{"msg": "a"}, {"msg": "b"}]}, JobState.FAILED, "a; b"),
        ({"status": "running", "error": {"code": 500, "message": "GPU exploded"}}, JobState.UNKNOWN, "GPU exploded"),
        ({"status": "running", "detail": "number 3 in the line"}, JobState.RUNNING, ""),
        ({"status": "paused"}, JobState.UNKNOWN, ""),
        ({"status": 7}, JobState.UNKNOWN, ""),
        ({"hello": 1}, JobState.UNKNOWN, ""),
    ],
)
def test_state_of_a_job(content: Any, state: JobState, error: str) -> None:
    found = read_state(content, POLL, has_clip=True)
    assert (found.state, found.error) == (state, error)


def test_state_given_as_true_or_a_number() -> None:
    flag = Poll("/x", "done", done=[True], error="error.message")
    assert read_state({"name": "a"}, flag, False).state is JobState.RUNNING
    assert read_state({"done": False}, flag, False).state is JobState.RUNNING
    assert read_state({"done": True, "response": {}}, flag, True).state is JobState.DONE
    assert read_state({"done": True, "error": {"message": "quota"}}, flag, False).state is JobState.FAILED
    number = Poll("/x", "status", done=[2], failed=[3], running=[1])
    assert [read_state({"status": n}, number, True).state.value for n in (1, 2, "2", 3)] == [
        "running", "done", "done", "failed",
    ]  # fmt: skip


@pytest.mark.parametrize("value", [None, "", " ", 0, False, [], {}, "none", "OK", {"code": 0}, [{}], {"message": ""}])
def test_empty_error_is_none(value: Any) -> None:
    assert read_error({"error": value}).message == ""


def test_paths_go_through_lists_and_tables() -> None:
    content = {"a": [{"b": 1}, {"b": 2}], "c": {"x": {"d": 3}, "y": {"d": 4}}}
    assert get_paths(content, "a.*.b") == [1, 2]
    assert get_paths(content, "a[1].b") == [2]
    assert get_paths(content, "c.*.d") == [3, 4]
    assert get_paths(content, "a.9.b") == get_paths(content, "a.b") == get_paths(content, "") == []


@pytest.mark.parametrize(
    ("value", "amount"), [("0.25", 0.25), (3, 3.0), ("x", None), (-1, None), ("nan", None), (True, None), ({}, None)]
)
def test_amounts_are_numbers_of_zero_or_more(value: Any, amount: float | None) -> None:
    assert parse_amount(value) == amount


@pytest.mark.parametrize("tail", [b"", b"\n", b"\0" * 16])
def test_whole_video_with_padding_is_whole(tail: bytes) -> None:
    assert video_defect((20).to_bytes(4, "big") + b"ftyp" + b"x" * 12 + tail) == ""
    assert "incomplete" in video_defect((200).to_bytes(4, "big") + b"ftyp" + b"x" * 12)


ENDED = {
    # answers                                                              code               what the reason says
    "error in a 200 answer": ({"poll": {"status": "running?", "error": "GPU exploded"}}, "failed", "GPU exploded"),
    "error in another field": ({"poll": {"status": "failed", "failure_reason": "no memory"}}, "failed", "no memory"),
    "error in the result": ({"result": {"detail": [{"msg": "lost"}]}}, "failed", "lost"),
    "moderation in the result": (
        {"result": {"detail": [{"msg": "flagged by content policy", "type": "content_policy_violation"}]}},
        "refused", "refused by moderation: flagged by content policy",
    ),
    "moderation while working": ({"poll": {"status": "failed", "error": {"code": "nsfw"}}}, "refused", "moderation"),
    "state that stays unknown": ({"poll": {"status": "exploded"}}, "failed", 'add "exploded" to running'),
    "error beside a running state": ({"poll": {"status": "running", "error": "stuck"}}, "failed", "stuck"),
}


@pytest.mark.parametrize("case", ENDED)
def test_final_answer_ends_the_job(service: Service, tmp_path: Path, case: str) -> None:
    answers, code, reason = ENDED[case]
    service.answers = answers
    output = make(service, tmp_path, unknown_polls=3)
    assert reason in (output.failure or "")
    assert output.failure_code is ReasonCode(code)
    assert service.calls.count("poll") <= 4
    service.answers = {}
    assert make(service, tmp_path).file == service.clip, "another try is another job"
    assert len(service.jobs) == 2


def test_job_that_polling_forgets_is_over(service: Service, tmp_path: Path) -> None:
    service.poll = ["well", "404", "404", "404", "404"]
    output = make(service, tmp_path)
    assert "no longer exists" in (output.failure or "")
    assert make(service, tmp_path).file == service.clip
    assert len(service.jobs) == 2


def test_answers_without_a_state_keep_the_job(service: Service, tmp_path: Path) -> None:
    service.answers = {"poll": {"hello": 1}}
    output = make(service, tmp_path, unknown_polls=3)
    assert "names no state at status" in (output.failure or "")
    service.answers = {}
    assert make(service, tmp_path).file == service.clip
    assert len(service.jobs) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"error": {"message": "prompt violates our usage policies"}}, ReasonCode.REFUSED),
        ({"code": 1102, "error": "balance not enough", "data": None}, ReasonCode.FAILED),
    ],
)
def test_error_in_a_200_answer_to_a_submit_is_a_no(
    service: Service, tmp_path: Path, answer: Any, code: ReasonCode
) -> None:
    service.answers = {"submit": answer}
    output = make(service, tmp_path)
    assert (output.usd_charged, output.failure_code) == (0, code)
    service.answers = {}
    assert make(service, tmp_path).file == service.clip


def test_one_job_for_two_clips_is_paid_once(service: Service, tmp_path: Path) -> None:
    service.same_id = True
    first, second = generator(service, tmp_path).generate([ask(0), ask(1, "a dog")])
    made = [output for output in (first, second) if output.file]
    other = [output for output in (first, second) if output.failure]
    assert [output.usd_charged for output in made] == [0.25]
    assert [output.usd_charged for output in other] == [0]
    assert "is already the job of cat/" in (other[0].failure or "")
    again = generator(service, tmp_path).generate([ask(0), ask(1, "a dog")])
    assert [output.file for output in again].count(service.clip) == 1


def test_charge_in_credits_becomes_dollars(service: Service, tmp_path: Path) -> None:
    service.answers = {"result": {"video": {"url": f"{service.base}/files/x"}, "cost": {"credits": 60}}}
    video = {"url": "video.url", "usd": "cost.credits", "usd_factor": 0.01}
    assert make(service, tmp_path, video=video).usd_charged == pytest.approx(0.6)


def test_settings_of_another_type_are_named(service: Service) -> None:
    from vbench_lite.adapters.hosted.settings import ServiceSettings
    from vbench_lite.errors import UsageError
    from vbench_lite.records import Definition

    for change, message in (
        ({"poll_every_s": "5"}, "expected a number"), ({"hosts": "api"}, "expected a list"),
        ({"poll": {"url": "/x", "state": "s", "done": "succeed"}}, '"poll.done" is \'succeed\': expected a list'),
    ):
        with pytest.raises(UsageError, match=message):
            ServiceSettings.of(Definition("d", "undisclosed", "http", settings=settings(service, **change)))
