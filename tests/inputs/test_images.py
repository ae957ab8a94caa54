"""Images of prompts: found beside the suite, decoded within limits, fitted to the clip by one rule."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from vbench_lite.errors import BadFile
from vbench_lite.inputs import images
from vbench_lite.inputs.images import NotAnImageError, decode_image, fit_image
from vbench_lite.inputs.suites import load_suite

SHOT = np.zeros((20, 30, 3), np.uint8)
SHOT[:, :15] = (200, 40, 10)


def saved(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def shot() -> Image.Image:
    return Image.fromarray(SHOT)


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))


def suite_with(folder: Path, image: str) -> str:
    path = folder / "shots.toml"
    path.write_text(f'[[prompt]]\nid = "mug"\ntext = "a mug turns"\nimage = {json.dumps(image)}\n')
    return str(path)


def test_the_path_is_relative_to_the_suite_and_the_file_is_part_of_the_digest(tmp_path: Path) -> None:
    (tmp_path / "shots").mkdir()
    file = tmp_path / "shots" / "mug.png"
    file.write_bytes(saved(shot()))
    suite = load_suite(suite_with(tmp_path, "shots/mug.png"))
    found = suite.prompts[0].image
    assert found is not None
    assert found.path == str(file)
    file.write_bytes(saved(shot().rotate(180)))
    assert load_suite(suite_with(tmp_path, "shots/mug.png")).digest != suite.digest


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", "prompt,image\na mug turns,mug.png\na dog runs,\n"),
        ("list.jsonl", '{"prompt": "a mug turns", "image": "mug.png"}\n"a dog runs"\n'),
        ("list.json", '[{"prompt": "a mug turns", "image": "mug.png"}, {"prompt": "a dog runs"}]'),
    ],
)
def test_lists_name_images_in_a_column_or_key(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "mug.png").write_bytes(saved(shot()))
    (tmp_path / name).write_text(text)
    mug, dog = load_suite(str(tmp_path / name)).prompts
    assert mug.image is not None
    assert dog.image is None


def test_one_text_with_two_images_is_two_prompts_whose_ids_do_not_depend_on_the_order(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(saved(shot()))
    (tmp_path / "b.png").write_bytes(saved(shot().rotate(180)))
    rows = ["it turns,a.png", "it turns,b.png"]
    ids = []
    for name, order in (("one.csv", rows), ("two.csv", rows[::-1])):
        (tmp_path / name).write_text("\n".join(["prompt,image", *order, ""]))
        ids.append({p.image.path: p.id for p in load_suite(str(tmp_path / name)).prompts if p.image})
    assert ids[0] == ids[1]
    assert len(set(ids[0].values())) == 2


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("https://example.com/mug.png", "a URL: expected the path of a file"),
        ("data:image/png;base64,AAAA", "a URL: expected the path of a file"),
        ("lost.png", "there is no file"),
        ("dangling.png", r"link \S+/dangling.png leads to lost.png, which does not exist"),
        ("itself.png", r"link \S+/itself.png leads back to itself"),
        ("there.png", r"link \S+/there.png leads back to itself"),
        ("round/mug.png", r"link \S+/round leads back to itself"),
        ("folder", "is a folder"),
        ("pipe", "is not a regular file"),
        ("empty.png", "is empty"),
        ("large.png", "is larger than 50 MB"),
        (" ", "expected the path of a file"),
        ("a\u0000b", "expected the path of a file"),
    ],
)
def test_what_is_no_image_file_is_refused_with_the_line_of_the_suite(
    tmp_path: Path, named: str, reason: str
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    links = {"itself.png": "itself.png", "there.png": "back.png", "back.png": "there.png", "round": "round"}
    for name, target in {**links, "dangling.png": "lost.png"}.items():
        (tmp_path / name).symlink_to(target)
    (tmp_path / "empty.png").touch()
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(images.MOST_BYTES + 1)
    with pytest.raises(BadFile, match=reason) as error:
        load_suite(suite_with(tmp_path, named))
    assert "shots.toml:4" in str(error.value)


def animated(kind: str) -> bytes:
    return saved(shot(), kind, save_all=True, append_images=[shot().rotate(180)], duration=100)


BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "a text": (lambda: b"<svg></svg>" * 9, "not an image of a known format"),
    "PDF": (lambda: saved(shot(), "PDF"), "not an image of a known format"),
    "cut PNG": (lambda: saved(noise())[:2000], "cannot be decoded"),
    "cut JPEG": (lambda: saved(noise(), "JPEG")[:900], "cannot be decoded"),
    "cut WebP": (lambda: saved(noise(), "WEBP")[:900], "cannot be decoded|not an image"),
    "header alone": (lambda: saved(noise())[:24], "cannot be decoded|not an image"),
    "damaged PNG": (lambda: (f := saved(noise()))[:500] + b"\0" * 900 + f[1400:], "cannot be decoded"),
    "animated GIF": (lambda: animated("GIF"), "animated"),
    "animated WebP": (lambda: animated("WEBP"), "animated"),
    "animated PNG": (lambda: animated("PNG"), "animated"),
    "TIFF of two pages": (lambda: saved(shot(), "TIFF", save_all=True, append_images=[noise()]), "several pages"),
    "32-bit floats": (lambda: saved(Image.fromarray(np.ones((9, 9), np.float32)), "TIFF"), "32 bits"),
    "65 megapixels": (lambda: saved(Image.new("1", (8125, 8001))), "64 megapixels"),
    "400 megapixels": (lambda: saved(Image.new("1", (20000, 20000))), "64 megapixels"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_or_unfit_image_is_refused_with_the_reason(case: str) -> None:
    make, reason = BROKEN[case]
    with pytest.raises(NotAnImageError, match=reason):
        decode_image(make())


def test_an_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    decoded = decode_image(saved(shot(), "PNG", exif=exif))
    assert np.array_equal(decoded, np.rot90(SHOT, -1))


def test_transparent_parts_are_laid_on_white() -> None:
    alpha = np.full((20, 30), 255, np.uint8)
    alpha[:, :15] = 0
    alpha[0, 0] = 128
    decoded = decode_image(saved(Image.fromarray(np.dstack([SHOT, alpha]))))
    assert (decoded[1:, :15] == 255).all()
    assert (decoded[:, 15:] == SHOT[:, 15:]).all()
    assert np.abs(decoded[0, 0].astype(int) - (227, 147, 132)).max() <= 1
    palette = shot().quantize(4)
    palette.info["transparency"] = palette.getpixel((0, 0))
    assert (decode_image(saved(palette, transparency=palette.getpixel((0, 0))))[:, :15] == 255).all()


def test_cmyk_becomes_rgb() -> None:
    decoded = decode_image(saved(shot().convert("CMYK"), "JPEG", quality=100))
    assert np.abs(decoded[:, 18:].astype(int) - SHOT[:, 18:]).max() < 12
    assert np.abs(decoded[:, :12].astype(int) - SHOT[:, :12]).max() < 12


def test_sixteen_bits_keep_their_brightness() -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(4, 0)
    decoded = decode_image(saved(Image.fromarray(ramp)))
    assert np.array_equal(decoded[..., 0], (ramp >> 8).astype(np.uint8))
    assert np.array_equal(decoded[..., 0], decoded[..., 2])


def test_an_embedded_profile_is_applied_and_a_damaged_one_ignored() -> None:
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    lab = decode_image(saved(shot(), icc_profile=linear[:40]))
    assert np.array_equal(lab, SHOT)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.abs(decode_image(saved(shot(), icc_profile=srgb)).astype(int) - SHOT).max() <= 1


@pytest.mark.parametrize("shape", [(20, 60), (60, 20)])
def test_another_shape_covers_the_frame_and_the_middle_is_cut_out(shape: tuple[int, int]) -> None:
    height, width = shape
    picture = np.zeros((height, width, 3), np.uint8)
    middle = np.zeros((20, 20, 3), np.uint8)
    middle[5:, :] = 90
    top, left = (height - 20) // 2, (width - 20) // 2
    picture[...] = 255
    picture[top : top + 20, left : left + 20] = middle
    assert np.array_equal(fit_image(picture, 20, 20), middle)
    assert fit_image(picture, 64, 48).shape == (64, 48, 3)
