"""The image of a prompt reaches the service that the definition names alone; a failed upload submits nothing."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.adapters.hosted.hosted_server import KEY, Service, serving, settings
from vbench_lite.adapters.hosted.adapter import HostedService
from vbench_lite.errors import UsageError
from vbench_lite.generator import Output, RunContext
from vbench_lite.records import ClipSpec, Definition, ReasonCode, Request

PICTURE = np.random.default_rng(0).integers(0, 256, (36, 64, 3), np.uint8)
UPLOAD = {"send": "upload", "url": "/images", "form_field": "file", "result": "file_url"}
PUT = {"send": "upload", "url": "/prepare", "body": {"type": "image/png"}, "put": "upload_url", "result": "file_url"}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("TEST_VIDEO_KEY", KEY)
    with serving(Service()) as running:
        yield running


def definition(service: Service, image: dict[str, Any], **changes: Any) -> Definition:
    given = settings(service, image=image)
    given["submit"] = {**given["submit"], "body": {"prompt": "{prompt}", "start": {"url": "{image}"}}, **changes}
    both = (("image", "text"),)
    return Definition("rented", "undisclosed", "http", clip=ClipSpec(40, 8.0, 36, 64), inputs=both, settings=given)


def ask() -> Request:
    return Request("mug", "a mug turns", 0, 7, ClipSpec(40, 8.0, 36, 64), PICTURE)


def make(service: Service, state: Path, image: dict[str, Any]) -> Output:
    made = HostedService(definition(service, image))
    made.begin(RunContext(state, ()))
    made.load("cpu")
    return made.generate([ask()])[0]


def sent(service: Service) -> str:
    return str(service.jobs["job-0"]["body"]["start"]["url"])


def pixels(content: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_an_image_inside_the_body_has_the_very_pixels(service: Service, tmp_path: Path) -> None:
    assert make(service, tmp_path, {}).file == service.clip
    head, _, text = sent(service).partition(",")
    assert head == "data:image/png;base64"
    assert np.array_equal(pixels(base64.b64decode(text)), PICTURE)
    assert service.uploads == []
    assert all("base64" not in path.read_text() for path in tmp_path.rglob("*.json"))


def test_base64_and_jpeg(service: Service, tmp_path: Path) -> None:
    make(service, tmp_path, {"send": "base64", "format": "jpeg"})
    opened = Image.open(io.BytesIO(base64.b64decode(sent(service))))
    assert (opened.format, opened.size) == ("JPEG", (64, 36))


def test_the_users_own_address_is_all_that_is_sent(service: Service, tmp_path: Path) -> None:
    make(service, tmp_path, {"send": "url", "url": "https://cdn.example.com/shots/{prompt_id}.png"})
    assert sent(service) == "https://cdn.example.com/shots/mug.png"
    assert service.uploads == []


def test_an_upload_as_a_form_and_as_a_file(service: Service, tmp_path: Path) -> None:
    make(service, tmp_path / "form", UPLOAD)
    kind, content = service.uploads[0]
    assert kind.startswith("multipart/form-data; boundary=")
    assert b'name="file"; filename="image.png"' in content
    assert sent(service) == f"{service.base}/images/0"
    make(service, tmp_path / "file", {**UPLOAD, "form_field": ""})
    assert service.uploads[1][0] == "image/png"
    assert np.array_equal(pixels(service.uploads[1][1]), PICTURE)


def test_an_upload_to_a_prepared_address_is_given_no_key(service: Service, tmp_path: Path) -> None:
    assert make(service, tmp_path, PUT).file == service.clip
    assert np.array_equal(pixels(service.uploads[0][1]), PICTURE)


FAULTS = {
    # fault                  script of uploads                    jobs  clip   what the reason says
    "busy":                 (["429", "503", "500"],                1, True,  ""),
    "cut and unanswered":   (["cut", "hang", "drip"],              1, True,  ""),
    "too large":            (["413"],                              0, False, "not accept the image: it answers 413"),
    "wrong key":            (["401"],                              0, False, "not accept the image: it answers 401"),
    "refused":              (["refuse"],                           0, False, "refused by moderation"),
    "answers HTML":         (["garbage"],                          0, False, "has no file_url"),
    "answers a flood":      (["flood"],                            0, False, "cannot be uploaded"),
    "answers a bomb":       (["bomb"],                             0, False, "has no file_url"),
    "points elsewhere":     (["elsewhere"],                        0, False, "it answers 303"),
    "repeats the key":      (["repeats the key"],                  0, False, "it answers 400"),
    "out of reach":         (["cut"] * 8,                          0, False, "Nothing was submitted"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_uploads(service: Service, tmp_path: Path, fault: str) -> None:
    service.upload, jobs, made, reason = list(FAULTS[fault][0]), *FAULTS[fault][1:]
    output = make(service, tmp_path, UPLOAD)
    assert len(service.jobs) == jobs
    assert (output.file is not None) == made
    assert reason in (output.failure or "")
    assert KEY not in (output.failure or "")
    if not made:
        assert output.usd_charged == 0.0
    if fault == "refused":
        assert output.failure_code == ReasonCode.REFUSED


def test_a_prepared_address_on_another_host_is_given_no_image(service: Service, tmp_path: Path) -> None:
    with serving(Service()) as other:
        service.put_to = f"{other.base}/put/1"
        output = make(service, tmp_path, PUT)
    assert "not in its hosts" in str(output.failure)
    assert (other.uploads, other.calls, len(service.jobs)) == ([], [], 0)


def test_a_restart_goes_on_with_the_job_and_uploads_nothing_again(service: Service, tmp_path: Path) -> None:
    service.download = ["500"] * 40
    assert make(service, tmp_path, UPLOAD).file is None
    service.download = []
    assert make(service, tmp_path, UPLOAD).file == service.clip
    assert len(service.jobs) == len(service.uploads) == 1


def test_an_image_over_the_services_limit_is_not_sent(service: Service, tmp_path: Path) -> None:
    output = make(service, tmp_path, {"most_mb": 0.001})
    assert "the service takes 0.001 MB" in str(output.failure)
    assert service.calls == []


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ({"send": "post"}, "expected one of data-url, base64, upload, url"),
        ({"send": "upload", "result": "x"}, 'needs "url"'),
        ({"send": "upload", "url": "/images"}, 'needs "result"'),
        ({"format": "gif"}, "expected one of png, jpeg"),
        ({"host": "x"}, 'has no setting "image.host"'),
    ],
)
def test_an_incomplete_description_is_refused(service: Service, image: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        HostedService(definition(service, image))


def test_body_and_inputs_must_agree(service: Service) -> None:
    with pytest.raises(UsageError, match=r"has no \{image\}"):
        HostedService(definition(service, {}, body={"prompt": "{prompt}"}))
    texts = definition(service, {})
    with pytest.raises(UsageError, match='Write inputs = '):
        HostedService(Definition("rented", "undisclosed", "http", clip=texts.clip, settings=texts.settings))
