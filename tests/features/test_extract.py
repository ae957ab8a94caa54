"""One pass over a clip: the same numbers however clips are grouped, and nothing bad gets through."""

from __future__ import annotations

import dataclasses
import io
import zipfile
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
from vbench_lite.features import extract as extraction
from vbench_lite.features.extractor import ClipFeatures, NoFeatures
from vbench_lite.features.flow import Flow
from vbench_lite.features.image_text import ImageText
from vbench_lite.features.pixels import Pixels
from vbench_lite.features.video import Video, spaced
from vbench_lite.metrics.clip_frames import frames_consistency
from vbench_lite.metrics.motion import motion
from vbench_lite.metrics.temporal_flickering import temporal_flickering
from vbench_lite.metrics.warp_error import warp_error
from vbench_lite.video import Limits, encode_mp4, read_clip
from vbench_lite.world import Composition, held_out_compositions, render

NOTHING = Backbones("none")
EVERY = (Pixels, Flow, ImageText, Video)


def extract(source, nets, limits=None):
    return extraction.extract(source, EVERY, nets, limits)


def extract_all(sources, nets, workers=None):
    return extraction.extract_all(sources, EVERY, nets, workers=workers)


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
    form = all(getattr(a, name) == getattr(b, name) for name in extraction.FORM)
    names = [(one, array) for one in a.arrays for array in a[one]]
    return form and a.arrays.keys() == b.arrays.keys() and all(np.array_equal(a[o][n], b[o][n]) for o, n in names)


def test_features_hold_what_the_pure_functions_return(files, nets):
    frames, _ = read_clip(files[0])
    seen = extract(files[0], nets)
    assert 1 - seen["pixels"]["differences"].mean() == pytest.approx(temporal_flickering(frames), abs=1e-15)
    assert seen["flow"]["warp_errors"].mean() == pytest.approx(warp_error(frames), abs=1e-15)
    assert seen["flow"]["motions"].mean() * 8 == pytest.approx(motion(frames, 8), abs=1e-15)
    assert seen["image_text"]["likeness"].mean() == pytest.approx(frames_consistency(nets.image(frames)), abs=1e-7)
    assert (seen.frames, seen.height, seen.width, seen.fps, seen.uneven) == (9, 64, 64, 8.0, False)


def test_numbers_do_not_depend_on_neighbours_order_or_workers(files, nets, tmp_path, monkeypatch):
    results = []
    for number, (sources, workers) in enumerate([(files, 1), (files, 3), (files[::-1], 2), (files[2:3], 1)]):
        monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / str(number)))
        results.append(extract_all(sources, nets, workers=workers))
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
        results.append(extract_all(sources, large, workers=workers))
    alone, backwards = results
    assert all(same(a, b) for a, b in zip(alone, backwards[::-1], strict=True))


def test_a_second_extraction_is_read_from_the_cache(files, nets):
    first = extract_all(files, nets)
    broken = dataclasses.replace(nets, image=_Refusing(nets.image), video=_Refusing(nets.video))
    again = extract_all(files, broken)
    assert all(same(a, b) for a, b in zip(first, again, strict=True))


def test_a_new_extractor_computes_only_its_own_arrays(files, nets, monkeypatch):
    first = extraction.extract_all(files, [Pixels, ImageText], nets)

    def refuse(self, frame):
        raise AssertionError("these arrays are in the cache")

    monkeypatch.setattr(Pixels, "see", refuse)
    monkeypatch.setattr(ImageText, "see", refuse)
    more = extract_all(files, nets)
    assert [set(clip.arrays) for clip in more] == [{"pixels", "flow", "image_text", "video"}] * len(files)
    pairs = zip(first, more, strict=True)
    assert all(np.array_equal(a["pixels"]["contrast"], b["pixels"]["contrast"]) for a, b in pairs)


def test_another_network_computes_only_what_reads_it(files, nets, monkeypatch):
    extract_all(files, nets)
    monkeypatch.setattr(Flow, "see", lambda self, frame: pytest.fail("these arrays are in the cache"))
    renamed = dataclasses.replace(nets, image=_Renamed(nets.image))
    extract_all(files[:1], renamed)
    assert renamed.image.used


class _Renamed:
    """The same network under another name."""

    def __init__(self, net):
        self.net, self.name, self.used = net, "another", False

    def prepare(self, frame):
        self.used = True
        return self.net.prepare(frame)

    def embed_images(self, prepared):
        return self.net.embed_images(prepared)


class Green:
    """A user's extractor."""

    name, version = "green", "1"

    def start(self, clip):
        self.means = []

    def see(self, frame):
        self.means.append(frame[..., 1].mean() / 255)

    def finish(self):
        return {"means": np.array(self.means)}


def test_a_user_extractor_reads_the_same_decode_and_is_cached(files, monkeypatch):
    found = extraction.extract_all(files[:2], [Pixels, Green], NOTHING)
    expected = [read_clip(file)[0][..., 1].mean() / 255 for file in files[:2]]
    assert [clip["green"]["means"].mean() for clip in found] == pytest.approx(expected)
    monkeypatch.setattr(Green, "see", lambda self, frame: pytest.fail("these arrays are in the cache"))
    again = extraction.extract_all(files[:1], [Green], NOTHING)[0]
    assert np.array_equal(again["green"]["means"], found[0]["green"]["means"])
    monkeypatch.setattr(Green, "version", "2")
    with pytest.raises(pytest.fail.Exception, match="in the cache"):
        extraction.extract_all(files[:1], [Green], NOTHING)


def test_without_extractors_a_clip_still_has_its_form(files):
    found = extraction.extract_all(files[:1], [], NOTHING)[0]
    assert (found.frames, found.width, found.fps) == (9, 64, 8.0)


class _Refusing:
    """A network that must not be run."""

    def __init__(self, net):
        self.name, self.protocol = net.name, getattr(net, "protocol", "")


def test_a_torn_cache_file_costs_time_and_nothing_else(files, nets, tmp_path):
    first = extract_all(files[:1], nets)[0]
    stored = next((tmp_path / "cache").rglob("*.npz"))
    stored.write_bytes(stored.read_bytes()[:100])
    assert same(extract_all(files[:1], nets)[0], first)


def test_a_cache_that_cannot_be_written_is_no_error(files, monkeypatch):
    monkeypatch.setenv("VBENCH_CACHE", "/proc/nowhere")
    assert isinstance(extract_all(files[:1], NOTHING)[0], ClipFeatures)
    assert FeatureCache("x").get("0" * 64) is None


def test_a_cache_file_that_unpacks_to_more_than_the_limit_costs_time_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path))
    cache = FeatureCache("x")
    cache.put("0" * 64, {"a": np.zeros(4)})
    (stored,) = tmp_path.rglob("*.npz")
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as members, members.open("a.npy", "w") as member:
        for _ in range(1025):
            member.write(bytes(2**20))
    assert cache.get("0" * 64) is None


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
    seen = extract(encoded(clip, codec, pixels, suffix), nets)
    assert seen.frames == 9
    assert seen.fps == pytest.approx(8, rel=0.05)
    assert seen["video"]["features"].shape == (64,)
    assert np.isfinite(seen["image_text"]["mean"]).all()
    assert np.isfinite(seen["image_text"]["likeness"]).all()


def test_uneven_frame_times_are_noticed(clip):
    assert extract(with_frame_times(clip, [0, 1, 2, 3, 6, 7, 8, 9, 10]), NOTHING).uneven
    assert not extract(with_frame_times(clip, range(9)), NOTHING).uneven


@pytest.mark.parametrize("kind", ["black", "white", "frozen", "one frame", "two frames", "noise", "odd size", "tiny"])
def test_degenerate_clips_give_finite_numbers_only(clip, nets, kind):
    frames = {
        "black": np.zeros((9, 64, 64, 3), np.uint8), "white": np.full((9, 64, 64, 3), 255, np.uint8),
        "frozen": np.repeat(clip[:1], 9, 0), "one frame": clip[:1], "two frames": clip[:2],
        "noise": np.random.default_rng(0).integers(0, 256, (9, 64, 64, 3), dtype=np.uint8),
        "odd size": clip[:, :51, :37], "tiny": clip[:, :6, :4],
    }[kind]
    seen = extract(encode_mp4(frames, 8), nets)
    for extractor, arrays in seen.arrays.items():
        for name, values in arrays.items():
            assert np.isfinite(values).all(), (extractor, name)
    assert seen["video"]["features"].shape == (64,)


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
        extract(content, NOTHING)
    found = extract_all([content], NOTHING)[0]
    assert isinstance(found, NoFeatures)


def test_a_missing_file_is_unreadable(tmp_path):
    assert "cannot be opened" in extract_all([tmp_path / "no.mp4"], NOTHING)[0].reason


def test_sound_without_pictures_is_no_clip():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(UnreadableClip, match="no video stream"):
        extract(buffer.getvalue(), NOTHING)


def test_huge_dimensions_in_a_small_file_are_refused_before_decoding():
    huge = encode_mp4(np.zeros((2, 2400, 4200, 3), np.uint8), 8)
    assert len(huge) < 100_000
    with pytest.raises(UnreadableClip, match=r"4200x2400 is more than \d+ pixels per frame"):
        extract(huge, NOTHING)


def test_too_many_frames_or_pixels_are_refused(clip):
    file = encode_mp4(clip, 8)
    with pytest.raises(UnreadableClip, match="more than 5 frames"):
        extract(file, NOTHING, Limits(frames=5))
    with pytest.raises(UnreadableClip, match="more than 10000 pixels in total"):
        extract(file, NOTHING, Limits(pixels=10_000))
