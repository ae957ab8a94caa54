"""A real server on loopback that misbehaves: never submitted twice, never a lost paid clip."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.hosted.hosted_server import KEY, Service, serving, settings
from vbench_lite.adapters.hosted.adapter import HostedService
from vbench_lite.adapters.hosted.journal import Job, Journal
from vbench_lite.adapters.hosted.templates import signed_token
from vbench_lite.adapters.hosted.urls import UnsafeUrlError, checked, parsed
from vbench_lite.errors import GeneratorError, StoreError, UsageError
from vbench_lite.generator import Output, RunContext
from vbench_lite.inputs.readiness import what_is_missing
from vbench_lite.records import ClipSpec, Definition, Request


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("TEST_VIDEO_KEY", KEY)
    with serving(Service()) as running:
        yield running


def ask(index: int = 0, prompt: str = "a cat") -> Request:
    return Request("cat", prompt, index, 2**40 + 7 + index, ClipSpec(40, 8.0, 720, 1280))


def generator(service: Service, state: Path, **changes: Any) -> HostedService:
    made = HostedService(Definition("rented", "undisclosed", "http", settings=settings(service, **changes)))
    made.begin(RunContext(state, ()))
    made.load("cpu")
    return made


def make(service: Service, state: Path, **changes: Any) -> Output:
    return generator(service, state, **changes).generate([ask()])[0]


def test_clip_charge_and_computing_time_come_back(service: Service, tmp_path: Path) -> None:
    output = make(service, tmp_path)
    assert (output.file, output.usd_charged, output.device_s, output.execution) == (
        service.clip, 0.25, 12.5, "remote",
    )
    assert service.jobs["job-0"]["body"] == {"prompt": "a cat", "seed": (2**40 + 7) % 2**31}
    assert output.stages_s["queue"] > 0
    assert output.stages_s["work"] > 0


FAULTS = {
    # fault                  script of the server                        jobs  clip   what the reason says
    "busy on submit":        ({"submit": ["429", "429", "503"]},          1, True,  ""),
    "server error on submit": ({"submit": ["500"]},                       1, False, "not known whether"),
    "submit cut":            ({"submit": ["cut"]},                        1, False, "not known whether"),
    "submit unanswered":     ({"submit": ["hang"]},                       1, False, "not known whether"),
    "submit answers HTML":   ({"submit": ["garbage"]},                    1, False, "has no id"),
    "submit answers in drips": ({"submit": ["drip"]},                     1, False, "not known whether"),
    "submit answers a bomb": ({"submit": ["bomb"]},                       1, False, "has no id"),
    "submit floods":         ({"submit": ["flood"]},                      1, False, "not known whether"),
    "submit points elsewhere": ({"submit": ["elsewhere"]},                1, False, "a redirect"),
    "id is an object":       ({"submit": ["object id"]},                  1, False, "has no id"),
    "no money":              ({"submit": ["402"]},                        0, False, "Check the key and the account"),
    "bad request":           ({"submit": ["400"]},                        0, False, "answers 400"),
    "refused on submit":     ({"submit": ["refuse"]},                     0, False, "refused by moderation"),
    "busy on polling":       ({"poll": ["429", "500", "502", "cut"]},     1, True,  ""),
    "polling unanswered":    ({"poll": ["hang"]},                         1, True,  ""),
    "job unknown at first":  ({"poll": ["404", "404"]},                   1, True,  ""),
    "job fails":             ({"poll": ["failed"]},                       1, False, "GPU fell over"),
    "refused while working": ({"poll": ["refused"]},                      1, False, "refused by moderation"),
    "refused in the result": ({"result": ["refuse"]},                     1, False, "refused by moderation"),
    "server error on result": ({"result": ["500", "cut"]},                1, True,  ""),
    "polling in drips":      ({"poll": ["drip", "bomb"]},                 1, True,  ""),
    "download is a page":    ({"download": ["page", "page"]},             1, True,  ""),
    "download stays a page": ({"download": ["page"] * 3},                 1, False, "is not a video"),
    "download cut unseen":   ({"download": ["cut without a length"] * 3}, 1, False, "the video is incomplete"),
    "download cut":          ({"download": ["half", "half"]},             1, True,  ""),
    "download error":        ({"download": ["500", "cut", "hang"]},       1, True,  ""),
    "link expired":          ({"download": ["403", "410"]},               1, True,  ""),
    "download redirected":   ({"download": ["elsewhere"]},                1, True,  ""),
    "redirected to plain http": ({"download": ["insecure"]},              1, False, "not https"),
    "download too large":    ({"download": ["huge"]},                     1, False, "at most 1000 MB"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_costs_at_most_one_job(service: Service, tmp_path: Path, fault: str) -> None:
    script, jobs, clip, reason = FAULTS[fault]
    for kind, actions in script.items():
        setattr(service, kind, list(actions))
    output = make(service, tmp_path)
    assert len(service.jobs) == jobs, output.failure
    assert (output.file == service.clip) == clip
    assert reason in (output.failure or "")
    assert (output.failure is None) == clip


@pytest.mark.parametrize("fault", [name for name, (_, jobs, clip, _) in FAULTS.items() if jobs and not clip])
def test_asking_again_after_a_fault_makes_no_second_job_unless_the_first_failed(
    service: Service, tmp_path: Path, fault: str
) -> None:
    script, _, _, reason = FAULTS[fault]
    for kind, actions in script.items():
        setattr(service, kind, list(actions))
    make(service, tmp_path)
    again = make(service, tmp_path)
    failed_for_good = "GPU fell over" in reason or "refused" in reason
    assert len(service.jobs) == (2 if failed_for_good else 1)
    if any(words in reason for words in ("not known", "has no id", "a redirect")):
        assert "delete" in (again.failure or "")
    else:
        assert again.file == service.clip


def test_known_repeats_make_an_unclear_submit_safe(service: Service, tmp_path: Path) -> None:
    service.idempotent = True
    service.submit = ["cut", "500", "hang"]
    submit = {**settings(service)["submit"], "idempotency_header": "Idempotency-Key"}
    output = make(service, tmp_path, submit=submit)
    assert output.file == service.clip
    assert len(service.jobs) == 1


def test_time_limit_keeps_the_job_for_the_next_run(service: Service, tmp_path: Path) -> None:
    service.states = ["running"] * 40
    late = make(service, tmp_path, time_limit_s=0.1)
    assert "still running after 0.1 s" in late.failure
    assert "--retry-failed" in late.failure
    assert make(service, tmp_path).file == service.clip
    assert len(service.jobs) == 1


def test_finished_clip_is_not_fetched_twice(service: Service, tmp_path: Path) -> None:
    first = make(service, tmp_path)
    calls = len(service.calls)
    again = make(service, tmp_path)
    assert again.file == first.file
    assert again.usd_charged == 0.25
    assert len(service.calls) == calls


def test_changed_request_is_another_job(service: Service, tmp_path: Path) -> None:
    maker = generator(service, tmp_path)
    maker.generate([ask()])
    maker.generate([ask(prompt="a dog")])
    assert len(service.jobs) == 2


def test_several_clips_are_worked_on_together(service: Service, tmp_path: Path) -> None:
    outputs = generator(service, tmp_path).generate([ask(index) for index in range(6)])
    assert all(output.file == service.clip for output in outputs)
    assert len(service.jobs) == 6


def test_bad_key_stops_before_the_next_clip(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_VIDEO_KEY", "sk-other-secret")
    maker = generator(service, tmp_path)
    first, second = maker.generate([ask()])[0], maker.generate([ask(1)])[0]
    assert "answers 401" in first.failure
    assert second.failure == first.failure
    assert service.calls == ["submit"]
    assert (first.usd_charged, second.usd_charged) == (0, 0)
    assert "sk-other-secret" not in first.failure, "the server repeats the key; the record must not"


def test_key_at_the_edge_of_a_message_is_not_cut_but_hidden(service: Service, tmp_path: Path) -> None:
    service.submit = ["repeats the key"]
    failure = make(service, tmp_path).failure or ""
    assert KEY[:6] not in failure
    assert "***" in failure
    assert failure.isprintable(), "a service's words must not steer the terminal"


def test_signed_token_that_a_service_repeats_is_hidden(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_VIDEO_SECRET", "a-secret")
    output = make(service, tmp_path, auth="jwt-hs256", secret_env="TEST_VIDEO_SECRET")
    assert "answers 401" in (output.failure or "")
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*.json"))
    assert "eyJ" not in (output.failure or "")
    assert b"eyJ" not in stored


def test_header_that_cannot_be_sent_is_named_without_its_key(service: Service, tmp_path: Path) -> None:
    submit = {**settings(service)["submit"], "headers": {"Authorization": "Key {key}\n"}}
    failure = make(service, tmp_path, submit=submit).failure or ""
    assert "the header 'Authorization' contains invalid characters" in failure
    assert KEY not in failure
    assert service.calls == []


def test_full_disk_after_a_submit_tells_the_job_by_its_name(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Journal.write

    def write(self: Journal, path: Path, job: Job, **changes: Any) -> Job:
        if changes.get("state") == "submitted":
            raise StoreError("cannot write: no space left on device.")
        return written(self, path, job, **changes)

    with monkeypatch.context() as full:
        full.setattr(Journal, "write", write)
        assert "accepted the job as job-0, which could not be stored" in (make(service, tmp_path).failure or "")
    assert "not known whether" in (make(service, tmp_path).failure or "")
    assert len(service.jobs) == 1


def test_key_is_in_no_file(service: Service, tmp_path: Path) -> None:
    service.submit = ["well", "500"]
    generator(service, tmp_path).generate([ask(), ask(1)])
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"job-0" in stored
    assert KEY.encode() not in stored


PROGRAM = """
import json, sys
from pathlib import Path
from vbench_lite.adapters.hosted.adapter import HostedService
from vbench_lite.generator import RunContext
from vbench_lite.records import ClipSpec, Definition, Request
maker = HostedService(Definition("rented", "undisclosed", "http", settings=json.loads(sys.argv[1])))
maker.begin(RunContext(Path(sys.argv[2]), ()))
maker.load("cpu")
maker.generate([Request("cat", "a cat", 0, 2**40 + 7, ClipSpec(40, 8.0, 720, 1280))])
"""


def killed_when(service: Service, state: Path, happened: str) -> None:
    """Runs a generator in a process of its own and kills it in the middle."""
    given = json.dumps(settings(service, call_limit_s=30))
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, given, str(state)], env={**os.environ})
    try:
        assert getattr(service, happened).wait(20)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_killed_while_polling_goes_on_polling(service: Service, tmp_path: Path) -> None:
    service.states = ["running"] * 10_000
    killed_when(service, tmp_path, "polled")
    service.states = []
    assert make(service, tmp_path).file == service.clip
    assert len(service.jobs) == 1


def test_killed_while_submitting_does_not_submit_again(service: Service, tmp_path: Path) -> None:
    service.submit = ["hang"]
    killed_when(service, tmp_path, "submitted")
    assert "not known whether the service accepted this job" in make(service, tmp_path).failure
    assert len(service.jobs) == 1


def test_torn_journal_is_not_taken_for_an_empty_one(service: Service, tmp_path: Path) -> None:
    make(service, tmp_path)
    (entry,) = tmp_path.rglob("*.json")
    entry.write_text(entry.read_text()[:20])
    assert "nothing is submitted again" in make(service, tmp_path).failure
    assert len(service.jobs) == 1


def test_key_goes_to_no_other_host(service: Service, tmp_path: Path) -> None:
    poll = {**settings(service)["poll"], "url": "https://elsewhere.example/{id}"}
    output = make(service, tmp_path, poll=poll)
    assert "its key is not sent there" in output.failure


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://example.com/x", "file:///etc/passwd", "https:///x"])
def test_only_https_is_called(url: str) -> None:
    with pytest.raises(UnsafeUrlError):
        checked(parsed(url), allow_loopback=False, own=True)


def test_service_on_the_net_cannot_point_to_this_machine() -> None:
    with pytest.raises(UnsafeUrlError, match="this machine"):
        checked(parsed("http://127.0.0.1:8080/metadata"), allow_loopback=False, own=False)


@pytest.mark.parametrize(
    "change",
    [{"base": "https://api.example.com"}, {"base": "http://example.org:8080/v1"}, {"base": "https://Video.EXAMPLE/"},
     {"hosts": ["cdn.ours.net", "files.example.net:443"]}, {"base": "https://service.invalid."}],
)  # fmt: skip
def test_an_address_for_examples_is_named_at_once_with_its_file(
    service: Service, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    monkeypatch.chdir("/")
    ((key, address),) = ((key, value if isinstance(value, str) else value[-1]) for key, value in change.items())
    definition = Definition("rented", "undisclosed", "http", settings=settings(service, **change), folder=Path("/own"))
    expected = f'the address of its service: write it as "{key}" in own/rented.toml, instead of {address}'
    with pytest.raises(GeneratorError, match=re.escape(f'"rented" needs {expected}.')):
        HostedService(definition).load("cpu")
    assert what_is_missing(definition) == f"needs {expected}"


@pytest.mark.parametrize("base", ["https://api.example.com.ours.net", "https://myexample.com", "https://example.ours.dev"])
def test_an_address_that_only_looks_like_one_for_examples_is_used(service: Service, base: str) -> None:
    HostedService(Definition("rented", "undisclosed", "http", settings=settings(service, base=base))).load("cpu")


@pytest.mark.parametrize("value", ["", " ", "..."])
def test_missing_key_is_asked_for_by_its_variable(
    service: Service, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TEST_VIDEO_KEY", value)
    with pytest.raises(GeneratorError, match="export TEST_VIDEO_KEY="):
        HostedService(Definition("rented", "undisclosed", "http", settings=settings(service))).load("cpu")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"submit": {}}, r"\[settings\.submit\] lacks \"url\""),
        ({"poll": {"url": "/x", "state": "s"}}, r'\[settings\.poll\] lacks "done"'),
        ({"pollevery": 3}, 'has no setting "pollevery". Did you mean "poll_every_s"'),
        ({"auth": "oauth"}, "expected one of key, jwt-hs256"),
    ],
)
def test_incomplete_description_is_a_sentence(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        HostedService(Definition("rented", "undisclosed", "http", settings=settings(Service(), **change)))


def test_signed_token_is_a_json_web_token() -> None:
    head, claims, signature = signed_token("ak", "sk", now=1_700_000_000).split(".")

    def decoded(part: str) -> Any:
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

    assert decoded(head) == {"alg": "HS256", "typ": "JWT"}
    assert decoded(claims) == {"iss": "ak", "exp": 1_700_001_800, "nbf": 1_699_999_995}
    expected = hmac.new(b"sk", f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(expected).rstrip(b"=").decode() == signature
