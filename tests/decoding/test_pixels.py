"""Frames are read as a viewer sees them: over black, mirrored and turned, and only in standard range."""

from __future__ import annotations

import struct

import av
import numpy as np
import pytest

from tests.made_clips import clip_bytes, moving_square
from vbench_lite.decoding import pixels
from vbench_lite.errors import UnreadableClip
from vbench_lite.video import read_clip

PICTURES = moving_square(8)
ALPHA = [
    ("matroska", "ffv1", "bgra", {}), ("mov", "qtrle", "argb", {}), ("mov", "png", "rgba", {}),
    ("webm", "libvpx-vp9", "yuva420p", {"crf": "4", "b": "0"}), ("mov", "prores_ks", "yuva444p10le", {}),
    ("apng", "apng", "rgba", {}),
]
LOSSLESS = {"ffv1", "qtrle", "png", "apng"}


def transparent(below: str) -> np.ndarray:
    """The left half opaque, the right half with alpha 0 over colours that no viewer sees."""
    rng = np.random.default_rng(1)
    made = np.concatenate([PICTURES, np.full((*PICTURES.shape[:3], 1), 255, np.uint8)], -1)
    hidden = made[:, :, 32:]
    hidden[..., :3] = rng.integers(0, 256, hidden[..., :3].shape) if below == "noise" else 0
    hidden[..., 3] = 0
    return made


@pytest.mark.parametrize("below", ["noise", "black"])
@pytest.mark.parametrize(("container", "codec", "layout", "options"), ALPHA)
def test_hidden_colours_are_black(container: str, codec: str, layout: str, options: dict[str, str], below: str) -> None:
    file = clip_bytes(transparent(below), container, codec, layout, options=options)
    frames, _ = read_clip(file)
    assert frames[:, :, 40:].max() <= (0 if codec in LOSSLESS else 3)
    error = np.abs(frames[:, :, :24].astype(int) - PICTURES[:, :, :24])
    assert error.max() == 0 if codec in LOSSLESS else error.mean() < 8


def test_transparent_pixels_of_a_gif_are_black(tmp_path) -> None:
    from PIL import Image

    pictures = [Image.new("P", (64, 48), 1) for _ in range(3)]
    for nth, picture in enumerate(pictures):
        picture.putpalette([255, 255, 255, 10, 200, 30])
        picture.paste(0, (0, 0, 20 + nth, 48))
    path = tmp_path / "a.gif"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], transparency=0, disposal=2, duration=100)
    frames, _ = read_clip(path)
    assert frames[:, :, :20].max() == 0
    assert frames[0, 0, 40].tolist() == [10, 200, 30]


def test_half_transparent_pixels_are_darkened() -> None:
    half = np.concatenate([PICTURES, np.full((*PICTURES.shape[:3], 1), 128, np.uint8)], -1)
    frames, _ = read_clip(clip_bytes(half, "matroska", "ffv1", "bgra"))
    assert np.abs(frames.astype(float) - PICTURES * (128 / 255)).max() <= 0.5


def test_vp9_with_transparency_is_refused_where_no_decoder_reads_it(monkeypatch) -> None:
    def none(*_: object) -> None:
        raise ValueError("no such codec")

    file = clip_bytes(transparent("noise"), "webm", "libvpx-vp9", "yuva420p")
    monkeypatch.setattr(pixels, "_ALPHA_DECODERS", {"vp9": "no-such-decoder"})
    with pytest.raises(UnreadableClip, match="transparent pixels that need the decoder no-such-decoder"):
        read_clip(file)


TURNS = {
    "as it is": ((1, 0, 0, 1), lambda f: f),
    "mirrored left to right": ((-1, 0, 0, 1), lambda f: f[:, :, ::-1]),
    "mirrored top to bottom": ((1, 0, 0, -1), lambda f: f[:, ::-1]),
    "half turn": ((-1, 0, 0, -1), lambda f: f[:, ::-1, ::-1]),
    "quarter turn clockwise": ((0, 1, -1, 0), lambda f: np.rot90(f, -1, (1, 2))),
    "quarter turn anticlockwise": ((0, -1, 1, 0), lambda f: np.rot90(f, 1, (1, 2))),
    "mirrored and quarter turn": ((0, 1, 1, 0), lambda f: f.swapaxes(1, 2)),
    "mirrored and quarter turn back": ((0, -1, -1, 0), lambda f: np.rot90(f, 2, (1, 2)).swapaxes(1, 2)),
}


@pytest.mark.parametrize("name", TURNS)
def test_display_matrix_is_obeyed(name: str) -> None:
    (a, b, c, d), shown = TURNS[name]
    file = bytearray(clip_bytes(PICTURES, "mp4", "libx264rgb", "rgb24", options={"qp": "0"}))
    stored, _ = read_clip(bytes(file))
    one, at = 1 << 16, file.index(b"tkhd") + 44
    file[at : at + 36] = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    found, info = read_clip(bytes(file))
    assert np.array_equal(found, shown(stored))
    assert (info.height, info.width) == found.shape[1:3]


@pytest.mark.parametrize("degrees", [-30, 20, 44])
@pytest.mark.parametrize("mirrored", [False, True])
def test_other_angles_are_the_nearest_quarter_turn(degrees: int, mirrored: bool) -> None:
    picture = np.arange(6, dtype=np.uint8).reshape(2, 3, 1).repeat(3, -1)
    turn, one = np.deg2rad(degrees), 1 << 16
    matrix = one * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    matrix[0] *= -1 if mirrored else 1
    expected = picture[:, ::-1] if mirrored else picture
    assert np.array_equal(pixels.oriented(picture, matrix.astype(np.int32)), expected)


@pytest.mark.parametrize(
    ("number", "word"), [(16, "PQ"), (18, "HLG"), (8, "linear"), (10, "logarithmic"), (17, "ST 428")]
)
@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_curves_of_other_ranges_are_refused(number: int, word: str, container: str) -> None:
    file = clip_bytes(PICTURES, container, "libx264", "yuv420p", transfer=number)
    with pytest.raises(UnreadableClip, match=f"{word}.*convert the clip to standard range"):
        read_clip(file)


@pytest.mark.parametrize("number", [1, 2, 4, 5, 6, 7, 13, 14, 15])
def test_curves_of_standard_range_are_read_as_stored(number: int) -> None:
    plain, _ = read_clip(clip_bytes(PICTURES, "matroska", "ffv1", "yuv420p"))
    found, _ = read_clip(clip_bytes(PICTURES, "matroska", "ffv1", "yuv420p", transfer=number))
    assert np.array_equal(found, plain)


@pytest.mark.parametrize(
    ("name", "alpha"),
    [("yuva420p", True), ("pal8", True), ("rgba64le", True), ("yuv420p", False), ("bgr0", False), ("gray", False)],
)
def test_pixel_formats_with_transparency_are_known(name: str, alpha: bool) -> None:
    assert pixels.has_alpha(av.VideoFormat(name, 16, 16)) is alpha
