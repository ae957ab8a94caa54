"""VBench-I2V's files in their published layout: each prompt has its image, a camera motion that of its prompt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from vbench_lite.errors import BadFile
from vbench_lite.inputs.suites import load_suite

LIQUID, DOG = "a blue liquid", "a dog, close up"
FULL = [
    {"prompt_en": LIQUID, "dimension": ["i2v_background"], "image_type": "abstract", "image_name": f"{LIQUID}.jpg"},
    {"prompt_en": f"{LIQUID}, camera pans left", "dimension": ["camera_motion"], "image_type": "abstract"},
    {"prompt_en": DOG, "dimension": ["i2v_subject"], "image_type": "animal", "image_name": f"{DOG}.jpg"},
    {"prompt_en": DOG, "dimension": ["motion_smoothness"], "image_type": "animal", "image_name": f"{DOG}.jpg"},
    {"prompt_en": f"{DOG}, camera static", "dimension": ["camera_motion"], "image_type": "animal"},
]


def published(folder: Path, images: str = "data/crop/16-9", entries: object = FULL) -> str:
    (folder / images).mkdir(parents=True)
    for name, colour in (("a blue liquid.jpg", (0, 0, 200)), ("a dog, close up.jpg", (90, 60, 30))):
        Image.new("RGB", (64, 36), colour).save(folder / images / name)
    (folder / "vbench2_i2v_full_info.json").write_text(json.dumps(entries))
    return str(folder / "vbench2_i2v_full_info.json")


@pytest.mark.parametrize("images", ["data/crop/16-9", "crop/1-1", "data/origin", "origin"])
def test_prompts_and_camera_motions_have_the_image_of_their_text(tmp_path: Path, images: str) -> None:
    suite = load_suite(published(tmp_path, images))
    assert suite.clips_per_prompt == 5
    found = {p.text: Path(p.image.path).name for p in suite.prompts if p.image}
    assert found == {
        "a blue liquid": "a blue liquid.jpg", "a blue liquid, camera pans left": "a blue liquid.jpg",
        "a dog, close up": "a dog, close up.jpg", "a dog, close up, camera static": "a dog, close up.jpg",
    }
    assert suite.prompts[2].tags == ("i2v_subject", "motion_smoothness")


def test_the_list_of_captions_has_images_too(tmp_path: Path) -> None:
    published(tmp_path / "data", "origin")
    path = tmp_path / "data" / "i2v-bench-info.json"
    path.write_text('[{"file_name": "a dog, close up.jpg", "type": "animal", "caption": "a dog, close up"}]')
    (prompt,) = load_suite(str(path)).prompts
    assert prompt.image is not None
    assert prompt.image.path.endswith("origin/a dog, close up.jpg")


def test_without_its_images_the_file_is_refused_with_what_is_expected(tmp_path: Path) -> None:
    path = published(tmp_path)
    (tmp_path / "data" / "crop" / "16-9").rename(tmp_path / "elsewhere")
    with pytest.raises(BadFile, match=r"expected data/crop/16-9/ or data/origin/"):
        load_suite(path)
    (tmp_path / "elsewhere" / "a blue liquid.jpg").unlink()
    (tmp_path / "elsewhere").rename(tmp_path / "data" / "crop" / "16-9")
    with pytest.raises(BadFile, match="there is no file"):
        load_suite(path)


def test_an_entry_of_no_image_is_named(tmp_path: Path) -> None:
    entries = [*FULL, {"prompt_en": "a cat, camera static", "dimension": ["camera_motion"]}]
    with pytest.raises(BadFile, match='"a cat, camera static" names no image'):
        load_suite(published(tmp_path, entries=entries))
