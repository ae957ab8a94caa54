"""Images of prompts inside a run: their names, their copies, and what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vbench_lite.errors import StoreError
from vbench_lite.inputs.images import NotAnImageError
from vbench_lite.records import Prompt, PromptImage
from vbench_lite.run.images import as_stored, check_images, load_original, load_picture, store_images, stored_path

SHA = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("path", "suffix"),
    [("a/Mug.PNG", ".png"), ("a.jpeg", ".jpeg"), ("a.x", ".x"), ("a.abcdef", ""), ("a", ""), ("a.p-g", ""),
     ("a.b.7z", ".7z")],
)  # fmt: skip
def test_a_stored_image_is_named_by_its_digest_and_kind(path: str, suffix: str) -> None:
    assert stored_path(PromptImage(path, SHA)) == f"images/0123456789abcdef{suffix}"


def image(path: Path, level: int = 200) -> PromptImage:
    """4 rows of 8 pixels, the left half dark."""
    pixels = np.full((4, 8, 3), level, np.uint8)
    pixels[:, :4] = 10
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return PromptImage(str(path), hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_run_holds_each_image_once_in_its_own_size_and_in_the_size_of_the_clip(tmp_path: Path) -> None:
    found = image(tmp_path / "suite" / "mug.PNG")
    prompt, plain = Prompt("a", "a mug", image=found), Prompt("b", "a bag")
    check_images([plain, prompt])
    store_images(tmp_path / "run", [plain, prompt])
    (stored,) = (tmp_path / "run" / "images").iterdir()
    assert stored.read_bytes() == Path(found.path).read_bytes()
    kept = as_stored(prompt)
    assert kept.image is not None
    assert (kept.image.path, kept.image.sha256, kept.text) == (f"images/{stored.name}", found.sha256, "a mug")
    assert as_stored(plain) is plain
    Path(found.path).write_bytes(b"later")
    store_images(tmp_path / "run", [prompt])
    original = load_original(tmp_path / "run", found)
    assert (original.shape, original[0, 0, 0], original[0, 7, 0]) == ((4, 8, 3), 10, 200)
    assert load_picture(tmp_path / "run", found, 2, 4).shape == (2, 4, 3)
    picture = load_picture(tmp_path / "run", found, 4, 8)
    assert (picture.shape, picture.dtype, picture[0, 0, 0], picture[0, 7, 0]) == ((4, 8, 3), np.uint8, 10, 200)
    picture[:] = 0
    assert load_picture(tmp_path / "run", found, 4, 8)[0, 7, 0] == 200, "each caller has a copy of its own"


def test_an_image_that_is_gone_changed_or_broken_is_refused_with_the_way_out(tmp_path: Path) -> None:
    found = image(tmp_path / "suite" / "mug.png")
    path = tmp_path / stored_path(found)
    way_out = "Run the same command again with --fresh, or restore the file."
    with pytest.raises(StoreError) as caught:
        load_original(tmp_path, found)
    assert str(caught.value).startswith(f"{path} cannot be read: ")
    assert str(caught.value).endswith(way_out)
    store_images(tmp_path, [Prompt("a", "", image=found)])
    path.write_bytes(b"other")
    with pytest.raises(StoreError, match="is not the image of the start of the run: its sha256 differs") as caught:
        load_picture(tmp_path, found, 4, 4)
    assert str(caught.value).endswith(way_out)
    broken = PromptImage(found.path, hashlib.sha256(b"other").hexdigest())
    (tmp_path / stored_path(broken)).write_bytes(b"other")
    with pytest.raises(StoreError, match="it is not an image of a known format") as caught:
        load_original(tmp_path, broken)
    assert str(caught.value).endswith(way_out)
    (tmp_path / "suite" / "bad.png").write_bytes(b"other")
    with pytest.raises(NotAnImageError):
        check_images([Prompt("a", "", image=PromptImage(str(tmp_path / "suite" / "bad.png"), broken.sha256))])
