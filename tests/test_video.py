"""Clips written and read: the same frames give the same file, and hostile files give a reason."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from vbench_lite.backbones import Backbones
from vbench_lite.errors import UnreadableClip
from vbench_lite.features.extract import extract, extract_all
from vbench_lite.features.extractor import NoFeatures
from vbench_lite.features.flow import Flow
from vbench_lite.features.pixels import Pixels
from vbench_lite.video import ClipReader, encode_mp4, open_container, read_clip
from vbench_lite.world import Composition, render

NOTHING = Backbones("none")
EVERY = (Pixels, Flow)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "cache"))


DIGESTS = """
import hashlib
import numpy as np
from vbench_lite.video import encode_mp4, read_clip
rng = np.random.default_rng(0)
for height, width in ((64, 64), (50, 66)):
    block = np.kron(rng.integers(0, 256, (height // 16 + 1, width // 16 + 1, 3)), np.ones((16, 16, 1)))[:height, :width]
    frames = [np.roll(block, 3 * t, 1) + rng.integers(-9, 10, block.shape) for t in range(12)]
    file = encode_mp4(np.clip(frames, 0, 255).astype(np.uint8), 8)
    print(hashlib.sha256(file).hexdigest(), hashlib.sha256(read_clip(file)[0].tobytes()).hexdigest())
"""


def test_neither_file_nor_pixels_depend_on_what_lay_in_memory_before():
    """glibc fills fresh memory with a byte of our choice; x264's AVX-512 code gave another file for each."""
    found = set()
    for fill in ("1", "85"):
        done = subprocess.run(
            [sys.executable, "-c", DIGESTS], capture_output=True, text=True, check=True,
            env={**os.environ, "MALLOC_PERTURB_": fill},
        )
        found.add(done.stdout)
    assert len(found) == 1


@pytest.fixture(scope="module")
def clip():
    return render(Composition(2, 1, 1, 4), 0, frames=9)


@pytest.fixture(scope="module")
def file(clip):
    return encode_mp4(clip, 8)


def changed(file, after, offset, content):
    """The file with other bytes so far behind a word of its header."""
    start = file.index(after) + len(after) + offset
    return file[:start] + content + file[start + len(content) :]


def frames_of(file):
    return read_clip(file)[0]


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_give_a_reason_or_whole_frames_never_damaged_ones(file, seed):
    rng = np.random.default_rng(seed)
    hurt = bytearray(file)
    for place in rng.integers(0, len(file), 1 + seed):
        hurt[place] = rng.integers(256)
    seen = extract_all([bytes(hurt)], EVERY, NOTHING)[0]
    if isinstance(seen, NoFeatures):
        assert seen.reason
        return
    assert all(np.isfinite(values).all() for arrays in seen.arrays.values() for values in arrays.values())
    with open_container(io.BytesIO(hurt)) as container:
        assert not any(frame.is_corrupt for frame in container.decode(video=0))


def test_a_codec_that_nobody_knows_is_a_reason(file):
    with pytest.raises(UnreadableClip, match="no video stream that can be decoded"):
        extract(file.replace(b"avc1", b"zzz9"), EVERY, NOTHING)


def test_a_header_may_not_lie_about_the_size(clip):
    large = encode_mp4(np.tile(clip, (1, 2, 2, 1)), 8)
    lying = changed(large, b"avc1", 24, struct.pack(">HH", 32, 32))
    with pytest.raises(UnreadableClip, match=r"frames|pixels per frame"):
        read_clip(lying, max_pixels=100 * 100)


def test_a_clip_is_turned_as_players_turn_it(clip):
    upright = encode_mp4(clip[:, :, :48], 8)
    turned = changed(upright, b"tkhd", 40, struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 64 << 16, 0, 1 << 30))
    assert np.array_equal(frames_of(turned), np.rot90(frames_of(upright), -1, (1, 2)))
    seen = extract(turned, EVERY, NOTHING)
    assert (seen.height, seen.width) == (48, 64)


def test_an_edit_list_is_obeyed(file):
    (start,) = struct.unpack(">i", file[file.index(b"elst") + 16 :][:4])
    later = changed(file, b"elst", 12, struct.pack(">i", start + 3 * 2048))
    assert np.array_equal(frames_of(later), frames_of(file)[3:])


@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8"])
def test_a_playlist_opens_no_other_file(file, tmp_path, name):
    (tmp_path / "clip.mp4").write_bytes(file)
    for text in ("ffconcat version 1.0\nfile 'clip.mp4'\n", "#EXTM3U\n#EXTINF:1,\nclip.mp4\n#EXT-X-ENDLIST\n"):
        (tmp_path / name).write_text(text)
        with pytest.raises(UnreadableClip):
            extract(tmp_path / name, EVERY, NOTHING)


def test_what_is_known_of_a_clip_is_known_after_its_reader_is_closed(file):
    with ClipReader(file) as reader:
        shape = next(iter(reader)).shape
        before = reader.info(), reader.fps(), reader.announced
    assert before == (reader.info(), reader.fps(), reader.announced) == ((1, *shape[:2], 8.0), 8.0, 9)
    reader = ClipReader(file)
    reader.__exit__()
    assert reader.fps() == 8.0


def test_metadata_that_are_not_utf8_do_not_matter(file):
    named = file.replace(b"VideoHandler", b"Vid\xe9o\xffandler")
    assert named != file
    assert np.array_equal(frames_of(named), frames_of(file))


def test_a_path_may_be_a_string(file, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(file)
    assert np.array_equal(read_clip(str(tmp_path / "clip.mp4"))[0], frames_of(file))


@pytest.mark.parametrize(("delays", "uneven"), [([120] * 9, False), ([100] * 4 + [400] + [100] * 4, True)])
def test_delays_of_a_gif_count(clip, delays, uneven):
    pictures, buffer = [Image.fromarray(frame) for frame in clip], io.BytesIO()
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:], duration=delays)
    seen = extract(buffer.getvalue(), EVERY, NOTHING)
    assert (seen.frames, seen.uneven) == (9, uneven)
    assert seen.fps == pytest.approx(8000 / sum(delays[:-1]))


@pytest.mark.parametrize(
    ("codec", "pixels", "container"),
    [("ffv1", "gray16le", "matroska"), ("png", "rgba", "mov"), ("libvpx-vp9", "yuva420p", "webm"),
     ("prores_ks", "yuv422p10le", "mov"), ("libx264", "yuvj420p", "mp4"), ("libx264", "yuv420p", "mpegts")],
)
def test_deep_transparent_full_range_and_streamed_clips_look_as_the_plain_one(clip, codec, pixels, container):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=Fraction(8))
        stream.width, stream.height, stream.pix_fmt = 64, 64, pixels
        for picture in clip:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)))
        output.mux(stream.encode())
    seen = extract(buffer.getvalue(), EVERY, NOTHING)
    assert (seen.frames, seen.height, seen.width, seen.uneven) == (9, 64, 64, False)
    expected = extract(clip, EVERY, NOTHING)["pixels"]["brightness"].mean()
    assert seen["pixels"]["brightness"].mean() == pytest.approx(expected, abs=0.01)


def test_interlaced_frames_are_read_as_they_are_stored(clip):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=8, options={"flags": "+ilme+ildct"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for picture in clip:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode())
    assert extract(buffer.getvalue(), EVERY, NOTHING).frames == 9


def test_sizes_that_change_are_a_reason(clip):
    stream = b"".join(raw_h264(np.tile(clip, (1, 1, times, 1))) for times in (1, 2))
    with pytest.raises(UnreadableClip, match="changes from 64x64 to 128x64"):
        read_clip(stream)


def raw_h264(frames):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="h264") as output:
        stream = output.add_stream("libx264", rate=8, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        for picture in frames:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode())
    return buffer.getvalue()
