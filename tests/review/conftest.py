"""A run to review, and a review of it that is being served."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.built_runs import DEFAULT, Built, Fake, build_run
from tests.report.conftest import EVIL, browser  # noqa: F401  # the fixture
from vbench_lite.analysis.summary import summarise
from vbench_lite.review.opening import ReviewOrder, open_review, serve
from vbench_lite.review.server import Running
from vbench_lite.run.view import Run, open_run
from vbench_lite.video import encode_mp4

SHORT, FPS = 3, 24
"""Frames of each clip, and their rate: a browser plays it in a fraction of a second."""


def short_clip(*key: int) -> bytes:
    """A real clip of its own colours."""
    frames = np.random.default_rng(key).integers(0, 255, (SHORT, 4, 4, 3)).repeat(8, 1).repeat(8, 2)
    return encode_mp4(frames.astype(np.uint8), FPS)


def build(path: Path, prompts: int = 6, fakes: Sequence[Fake] = DEFAULT, texts: dict[int, str] | None = None) -> Built:
    """A scored run of short clips, all of them different."""
    built = build_run(path, prompts=prompts, clips=1, generators=fakes, texts=texts, video=False)
    for nth, record in enumerate(built.folder.records()):
        if record.status == "ok":
            built.folder.write_clip(record, short_clip(nth, len(path.name)))
    summarise(built.folder, built.scored)
    return built


@pytest.fixture(scope="session")
def stored(tmp_path_factory) -> Path:
    """A run that no test changes."""
    return build(tmp_path_factory.mktemp("review") / "ads", texts={0: EVIL}).folder.path


@pytest.fixture
def run(stored, tmp_path) -> Run:
    """A copy of it for one test."""
    return open_run(shutil.copytree(stored, tmp_path / "ads"))


@contextmanager
def served(run: Run | list[Run], **order: Any) -> Iterator[Running]:
    asked = ReviewOrder(**order)
    running = serve(open_review(run if isinstance(run, list) else [run], asked), asked)
    try:
        yield running
    finally:
        running.stop()


def call(link: str, body: Any = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of a request."""
    data = None if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = ({"Content-Type": "application/json"} if data else {}) | named
    request = urllib.request.Request(link, data, given)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


def ask(link: str, action: str, **body: Any) -> Any:
    status, content, _ = call(f"{link}api/{action}", body)
    assert status == 200, content
    return json.loads(content)
