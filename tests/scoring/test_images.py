"""Prompts with images are scored against their image, and against real clips that start from it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.runs import cpu, simulated
from vbench_lite.inputs.accepted import ANY
from vbench_lite.inputs.suites import load_suite
from vbench_lite.records import ClipSpec, ReasonCode, Scored, Suite
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.plan import make_plan
from vbench_lite.running import runner
from vbench_lite.running.sweep import expanded, parse
from vbench_lite.scoring.scorer import score_run

NAMES = ("first_frame_similarity", "reference_image_similarity")


def shots(folder: Path) -> Suite:
    """Two prompts of `product-shots`, one with a photo in place of the world's picture, and one without an image."""
    suite = load_suite("product-shots")
    photo, plain = suite.prompts[2:4]
    assert photo.image
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)).save(folder / "photo.png")
    other = dataclasses.replace(photo.image, path=str(folder / "photo.png"), sha256=_sha256(folder / "photo.png"))
    asked = (*suite.prompts[:2], dataclasses.replace(photo, image=other), dataclasses.replace(plain, image=None))
    return dataclasses.replace(suite, prompts=asked)


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    folder = tmp_path_factory.mktemp("shots")
    clip = ClipSpec()
    given = dataclasses.replace(simulated(clip=clip), inputs=ANY)
    both = [given, *expanded([given], [parse("inputs=text")])]
    run = RunFolder(folder / "run")
    runner.run(make_plan(shots(folder), both, 1, None, 0, "builtin"), run, cpu())
    manifest = run.manifest()
    chosen = dataclasses.replace(manifest.plan, metrics="detail," + ",".join(NAMES))
    return score_run(run, dataclasses.replace(manifest, plan=chosen), workers=1)


def values(scored: Scored, generator: str, metric: str) -> list[float | None]:
    return [scores[metric].value for key, scores in scored.clips.items() if key.generator == generator]


def test_a_clip_that_starts_from_the_image_is_nearer_to_it_than_one_of_the_text_alone(scored: Scored) -> None:
    with_image, without = (values(scored, name, NAMES[0]) for name in ("sim", "sim@inputs=text"))
    assert with_image[3] is None  # the prompt without an image
    for near, far in zip(with_image[:3], without[:3], strict=True):
        assert near is not None
        assert far is not None
        assert near > far
    assert min(value or 0 for value in values(scored, "sim", NAMES[0])[:2]) > 0.98


def test_real_clips_of_a_prompt_start_from_its_image_where_the_world_drew_it(scored: Scored) -> None:
    real = [score.value for score in scored.reference[NAMES[0]]]
    assert [value is not None and value > 0.98 for value in real] == [True] * 2 + [False] * 4
    details = [scores["detail"] for key, scores in scored.clips.items() if key.generator == "sim"]
    assert details[0].value == pytest.approx(1.0, abs=0.05)  # the very clip that the world shows
    assert details[2].value is None
    assert "did not draw this image" in str(details[2].reason)


def test_prompts_without_an_image_have_no_value_and_the_reason(scored: Scored) -> None:
    last = [scores for key, scores in scored.clips.items() if key.generator == "sim@inputs=text"][3]
    assert last[NAMES[0]].reason_code == ReasonCode.NOT_APPLICABLE
    assert last["detail"].value is not None
