"""One pass over a clip: the same numbers however clips are grouped, and nothing bad gets through."""

from __future__ import annotations

import dataclasses
import io
from fractions import Fraction

import av
import numpy as np
import open_clip
import pytest
import torch

from vbench_lite.backbones import Backbones, load
from vbench_lite.backbones.cache import FeatureCache
from vbench_lite.backbones.image_text import OpenClipEncoder
from vbench_lite.errors import UnreadableClip
from vbench_lite.features.extract import Observation, Unreadable, observe, observe_all, spaced
from vbench_lite.metrics.clip_consistency import frames_consistency
from vbench_lite.metrics.temporal_coherence import flicker, motion, warp_error
from vbench_lite.video import Limits, encode_mp4, read_clip
from vbench_lite.world import Composition, held_out_compositions, render

NOTHING = Backbones("none")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def nets():
    return load("builtin")


@pytest.fixture(scope="module")
def files():
    return [encode_mp4(render(c, 1, frames=9), 8) for c in held_out_compositions()[:6]]


def same(a, b):
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(Observation))


def test_an_observation_holds_what_the_pure_functions_say(files, nets):
    frames, _ = read_clip(files[0])
    seen = observe(files[0], nets)
    assert 1 - seen.differences.mean() == pytest.approx(flicker(frames), abs=1e-15)
    assert seen.warp_errors.mean() == pytest.approx(warp_error(frames), abs=1e-15)
    assert seen.motions.mean() * 8 == pytest.approx(motion(frames, 8), abs=1e-15)
    assert seen.likeness.mean() == pytest.approx(frames_consistency(nets.image(frames)), abs=1e-7)
    assert (seen.frames, seen.height, seen.width, seen.fps, seen.uneven) == (9, 64, 64, 8.0, False)


def test_numbers_do_not_depend_on_neighbours_order_or_workers(files, nets, tmp_path, monkeypatch):
    results = []
    for number, (sources, workers) in enumerate([(files, 1), (files, 3), (files[::-1], 2), (files[2:3], 1)]):
        monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / str(number)))
        results.append(observe_all(sources, nets, workers=workers))
    alone, three, backwards, single = results
    assert all(same(a, b) for a, b in zip(alone, three, strict=True))
    assert all(same(a, b) for a, b in zip(alone, backwards[::-1], strict=True))
    assert same(alone[2], single[0])


def test_numbers_do_not_depend_on_workers_with_the_published_clip_either(files, tmp_path, monkeypatch):
    torch.manual_seed(0)
    large = Backbones("true architecture", OpenClipEncoder(open_clip.create_model("ViT-B-32")))
    stored = []
    for place, file in enumerate(files[:2]):
        (tmp_path / f"{place}.mp4").write_bytes(file)
        stored.append(tmp_path / f"{place}.mp4")
    results = []
    for sources, workers in ((stored, 1), (stored[::-1], 3)):
        monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / f"{len(results)}"))
        results.append(observe_all(sources, large, workers=workers))
    alone, backwards = results
    assert all(same(a, b) for a, b in zip(alone, backwards[::-1], strict=True))


def test_a_second_look_is_read_from_the_cache(files, nets):
    first = observe_all(files, nets)
    broken = dataclasses.replace(nets, image=_Refusing(nets.image), video=_Refusing(nets.video))
    again = observe_all(files, broken)
    assert all(same(a, b) for a, b in zip(first, again, strict=True))


class _Refusing:
    """A network that must not be run."""

    def __init__(self, net):
        self.name, self.protocol = net.name, getattr(net, "protocol", "")


def test_a_torn_cache_file_costs_time_and_nothing_else(files, nets, tmp_path):
    first = observe_all(files[:1], nets)[0]
    stored = next((tmp_path / "cache").rglob("*.npz"))
    stored.write_bytes(stored.read_bytes()[:100])
    assert same(observe_all(files[:1], nets)[0], first)


def test_a_cache_that_cannot_be_written_is_no_error(files, monkeypatch):
    monkeypatch.setenv("VBENCH_CACHE", "/proc/nowhere")
    assert isinstance(observe_all(files[:1], NOTHING)[0], Observation)
    assert FeatureCache("x").get("0" * 64) is None


def test_places_are_even_and_repeat_where_frames_are_few():
    assert spaced(9, 8) == [0, 1, 2, 3, 5, 6, 7, 8]
    assert spaced(1, 4) == [0, 0, 0, 0]
    assert spaced(2, 4) == [0, 0, 1, 1]


def with_frame_times(frames, times):
    """An mp4 whose frames are shown at these times, in tenths of a second."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.codec_context.time_base = Fraction(1, 10)
        for picture, time in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def encoded(frames, codec, pixels, suffix):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=suffix) as container:
        stream = container.add_stream(codec, rate=8)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], pixels
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


@pytest.fixture(scope="module")
def clip():
    return render(Composition(2, 1, 1, 4), 0, frames=9)


@pytest.mark.parametrize(
    ("codec", "pixels", "suffix"),
    [
        ("libx264", "gray", "mp4"), ("libx265", "yuv420p10le", "mp4"), ("libvpx-vp9", "yuv420p", "webm"),
        ("gif", "rgb8", "gif"), ("libx264", "yuv444p", "matroska"),
    ],
)
def test_grey_ten_bit_and_other_codecs_are_read(clip, nets, codec, pixels, suffix):
    seen = observe(encoded(clip, codec, pixels, suffix), nets)
    assert seen.frames == 9
    assert seen.fps == pytest.approx(8, rel=0.05)
    assert seen.video.shape == (64,)
    assert np.isfinite(seen.image).all()
    assert np.isfinite(seen.likeness).all()


def test_uneven_frame_times_are_noticed(clip):
    assert observe(with_frame_times(clip, [0, 1, 2, 3, 6, 7, 8, 9, 10]), NOTHING).uneven
    assert not observe(with_frame_times(clip, range(9)), NOTHING).uneven


@pytest.mark.parametrize("kind", ["black", "white", "frozen", "one frame", "two frames", "noise", "odd size", "tiny"])
def test_degenerate_clips_give_finite_numbers_only(clip, nets, kind):
    frames = {
        "black": np.zeros((9, 64, 64, 3), np.uint8), "white": np.full((9, 64, 64, 3), 255, np.uint8),
        "frozen": np.repeat(clip[:1], 9, 0), "one frame": clip[:1], "two frames": clip[:2],
        "noise": np.random.default_rng(0).integers(0, 256, (9, 64, 64, 3), dtype=np.uint8),
        "odd size": clip[:, :51, :37], "tiny": clip[:, :6, :4],
    }[kind]
    seen = observe(encode_mp4(frames, 8), nets)
    for field in dataclasses.fields(Observation):
        assert np.isfinite(getattr(seen, field.name)).all(), field.name
    assert seen.video.shape == (64,)


def broken_files(clip):
    whole = encode_mp4(clip, 8)
    mid = len(whole) // 2
    return {
        "empty": (b"", "0 bytes"), "text": (b"not a video" * 50, "not a readable video"),
        "header only": (whole[:900], "broken|cut off|no frames|not a readable|no video"),
        "half": (whole[:mid], "broken|cut off"), "end missing": (whole[:-300], "broken|cut off"),
        "hole": (whole[:mid] + bytes(400) + whole[mid + 400 :], "broken|cut off|no frames"),
    }


@pytest.mark.parametrize("kind", ["empty", "text", "header only", "half", "end missing", "hole"])
def test_broken_files_say_what_is_wrong(clip, kind):
    content, words = broken_files(clip)[kind]
    with pytest.raises(UnreadableClip, match=words):
        observe(content, NOTHING)
    found = observe_all([content], NOTHING)[0]
    assert isinstance(found, Unreadable)


def test_a_missing_file_is_unreadable(tmp_path):
    assert "cannot be opened" in observe_all([tmp_path / "no.mp4"], NOTHING)[0].reason


def test_sound_without_pictures_is_no_clip():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(UnreadableClip, match="no video stream"):
        observe(buffer.getvalue(), NOTHING)


def test_huge_dimensions_in_a_small_file_are_refused_before_decoding():
    huge = encode_mp4(np.zeros((2, 2400, 4200, 3), np.uint8), 8)
    assert len(huge) < 100_000
    with pytest.raises(UnreadableClip, match=r"4200x2400 is more than \d+ pixels a frame"):
        observe(huge, NOTHING)


def test_too_many_frames_or_pixels_are_refused(clip):
    file = encode_mp4(clip, 8)
    with pytest.raises(UnreadableClip, match="more than 5 frames"):
        observe(file, NOTHING, Limits(frames=5))
    with pytest.raises(UnreadableClip, match="more than 10000 pixels in all"):
        observe(file, NOTHING, Limits(pixels=10_000))
