"""Scored runs that the report's tests share; built once, never changed by a test."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.built_runs import DEFAULT, Fake, build_run
from vbench_lite.analysis.summary import summarise
from vbench_lite.report import write_report
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.view import Run

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
EVIL = (
    '<script>window.pwned=1</script><img src=x onerror="window.pwned=1"></script><!--"\'`{{7*7}}|@everyone [x](http://evil)'
)


def scored(path: Path, **settings) -> RunFolder:
    run = build_run(path, **settings)
    summarise(run.folder, run.scored)
    return run.folder


def give_image(folder: RunFolder, side: int = 300) -> None:
    """Lets the clips of the first prompt start from a red image."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, 2 * side // 3), (200, 30, 30)).save(buffer, "PNG")
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    (folder.path / "images").mkdir()
    (folder.path / f"images/{digest[:16]}.png").write_bytes(buffer.getvalue())
    manifest = json.loads(folder.manifest_path.read_text())
    manifest["suite"]["prompts"][0]["image"] = {"path": f"images/{digest[:16]}.png", "sha256": digest}
    folder.manifest_path.write_text(json.dumps(manifest))


@pytest.fixture(scope="session")
def ads(tmp_path_factory) -> RunFolder:
    """Two generators, one failed and one missing clip, and a prompt that attacks the page."""
    fakes = (
        Fake("tiny-transformer", "transformer", skill=0.7, skills={"detail": -2.0}, device_s=0.25, failed=[(1, 1)]),
        Fake("tiny-diffusion", "diffusion", skill=0.6, skills={"clip_frames": -2.0}, device_s=0.7, missing=[(2, 0)]),
    )
    return scored(tmp_path_factory.mktemp("runs") / "ads", prompts=24, generators=fakes, texts={0: EVIL})


@pytest.fixture(scope="session")
def releases(tmp_path_factory) -> list[RunFolder]:
    """Three runs of the same suite on three days, each better than the one before."""
    folder = tmp_path_factory.mktemp("releases")
    made = []
    for nth in range(3):
        fakes = [Fake(fake.name, fake.route, skill=nth - 1.0) for fake in DEFAULT]
        day = f"2026-11-{10 + nth}T10:00:00Z"
        made.append(scored(folder / f"v{nth}", prompts=20, generators=fakes, created=day, seed=nth, video=False))
    return made


@pytest.fixture(scope="module")
def browser():
    """Of one test file alone: playwright keeps an event loop running, and two of them exclude each other."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright here: pip install -e '.[dev]'")
    if not CHROMIUM:
        pytest.skip("no Chromium here: apt-get install chromium, or set CHROMIUM")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(ads, tmp_path_factory) -> str:
    return write_report([Run(ads)], tmp_path_factory.mktemp("page") / "ads.html").as_uri()


@pytest.fixture
def page(browser, address):
    """A fresh view of the page that fails the test on any console error or outside request."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    view = context.new_page()
    troubles: list[str] = []
    view.on("console", lambda message: troubles.append(message.text) if message.type in ("error", "warning") else None)
    view.on("pageerror", lambda error: troubles.append(str(error)))
    view.on("request", lambda r: troubles.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
    view.goto(address)
    yield view
    assert not troubles
    context.close()


def wait_until(page, expression: str, seconds: float = 20) -> None:
    """Asks again and again from outside: the page's content policy forbids Playwright's own waiting."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def data_of(page) -> dict:
    return json.loads(page.evaluate("document.querySelector('#data').textContent"))
