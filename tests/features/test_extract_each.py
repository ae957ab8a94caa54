"""Many clips at once: order, read-ahead, threads, cancellation, what is cached, and which networks are used."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent import futures

import numpy as np
import pytest
import torch

from vbench_lite.backbones import Backbones
from vbench_lite.backbones.cache import Store
from vbench_lite.errors import UnreadableClip
from vbench_lite.features import extract as extraction
from vbench_lite.features.ends import Ends
from vbench_lite.features.extract import AHEAD, Selection, content_digest, extract, extract_all, extract_each
from vbench_lite.features.extractor import NoFeatures
from vbench_lite.features.image_text import ImageText
from vbench_lite.features.pixels import Pixels
from vbench_lite.features.video import Video
from vbench_lite.records import ReasonCode
from vbench_lite.video import ClipReader, encode_mp4

NOTHING = Backbones("none")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "cache"))


def frames_of(level, count=3):
    """Grey frames, uint8 (count, 8, 10, 3)."""
    return np.full((count, 8, 10, 3), level, np.uint8)


def brightness(clip):
    return round(255 * clip["pixels"]["brightness"][0])


class Known:
    """A user's extractor of what `start` receives and how often `see` is called."""

    name, version, needs_frame_count = "known", "1", True

    def start(self, clip):
        self.known = [clip.frames, clip.fps, 0]

    def see(self, frame):
        self.known[2] += 1

    def finish(self):
        return {"known": np.array(self.known)}


class Network:
    """Scripts the answer of an image network and of a video network."""

    name, protocol, frames = "net", "1", 4

    def prepare(self, frame):
        return torch.tensor([float(frame[0, 0, 0]), 1.0])

    def embed_images(self, prepared):
        return prepared.numpy()

    def embed(self, prepared):
        return prepared[:, 0].numpy()


def test_extractors_are_selected_once_each_with_their_networks():
    image = Network()
    found = Selection.of([Pixels, ImageText, Video, Pixels, Known], Backbones("some", image=image))
    assert list(found.networks.items()) == [(Pixels, None), (ImageText, image), (Known, None)]
    assert [*found.only(["known", "pixels", "video"]).networks] == [Pixels, Known]
    assert found.may_use_torch
    assert found.only(["image_text"]).may_use_torch
    assert found.only(["known"]).may_use_torch, "an extractor of the user may use torch"
    assert not found.only(["pixels"]).may_use_torch
    assert not Selection({}).may_use_torch


def test_an_extractor_knows_frames_rate_and_network_before_the_first_frame():
    assert extract(frames_of(1, 5), [Known], NOTHING, fps=12.5)["known"]["known"].tolist() == [5, 12.5, 5]
    assert extract(frames_of(1, 5), [Known], NOTHING)["known"]["known"].tolist() == [5, 0, 5]
    file = encode_mp4(np.zeros((9, 16, 16, 3), np.uint8), 8)
    assert extract(file, [Known], NOTHING)["known"]["known"].tolist() == [9, 8, 9]
    steps = np.concatenate([frames_of(10 * n, 1) for n in range(9)])
    nets = Backbones("some", image=Network(), video=Network())
    assert extract(steps, [Video], nets)["video"]["features"].tolist() == [0, 30, 50, 80]
    assert extract(steps[:2], [Video], nets)["video"]["features"].tolist() == [0, 0, 10, 10]


@pytest.mark.parametrize("stated", [0, 5, 12])
def test_a_wrong_number_of_frames_costs_a_second_pass_of_those_that_need_it(monkeypatch, stated):
    class Misstated(ClipReader):
        def __init__(self, *given):
            super().__init__(*given)
            self.announced = stated

    passes = []

    class Counted(Pixels):
        name = "counted"

        def start(self, clip):
            super().start(clip)
            passes.append(clip.frames)

    monkeypatch.setattr(extraction, "ClipReader", Misstated)
    file = encode_mp4(np.concatenate([np.full((1, 16, 16, 3), 20 * n, np.uint8) for n in range(9)]), 8)
    found = extract(file, [Counted, Known, Video], Backbones("some", video=Network()))
    assert found["known"]["known"].tolist() == [9, 8, 9]
    assert found["video"]["features"] == pytest.approx([0, 60, 100, 160], abs=2)
    assert len(found["counted"]["brightness"]) == found.frames == 9
    assert passes == [stated]


def test_no_frames_are_no_clip():
    with pytest.raises(UnreadableClip, match=r"^no frames$"):
        extract(np.zeros((0, 8, 8, 3), np.uint8), [Pixels], NOTHING)


@pytest.mark.parametrize(("workers", "cores", "ahead"), [(1, 7, 4), (2, 7, 8), (None, 3, 12), (None, None, 4)])
def test_a_few_clips_are_read_ahead_of_the_caller_who_gets_them_in_order(monkeypatch, workers, cores, ahead):
    monkeypatch.setattr(extraction.os, "cpu_count", lambda: cores)
    asked, ticks = [], []

    def sources():
        for n in range(20):
            asked.append(n)
            yield lambda n=n: frames_of(n)

    assert AHEAD == 4
    found = extract_each(sources(), [Pixels], NOTHING, workers=workers, tick=lambda: ticks.append(len(asked)))
    assert brightness(next(found)) == 0
    assert (len(asked), ticks) == (ahead + 1, [])
    assert [brightness(clip) for clip in found] == list(range(1, 20))
    assert ticks == [min(n + 1 + ahead, 20) for n in range(20)]


def test_clips_that_wait_are_not_computed_when_the_caller_stops(monkeypatch):
    submitted, begun = [], []

    class Pool(futures.ThreadPoolExecutor):
        def submit(self, *given):
            submitted.append(super().submit(*given))
            return submitted[-1]

    def source(n):
        begun.append(n)
        deadline = time.monotonic() + 5
        while n and not submitted[-1].cancelled() and time.monotonic() < deadline:
            time.sleep(0.005)
        return frames_of(n)

    monkeypatch.setattr(extraction, "ThreadPoolExecutor", Pool)
    found = extract_each([lambda n=n: source(n) for n in range(6)], [Pixels], NOTHING, workers=1)
    assert brightness(next(found)) == 0
    found.close()
    assert begun in ([0], [0, 1])


def test_torch_has_one_thread_for_each_clip_and_its_own_number_afterwards():
    class Threads(Known):
        name, needs_frame_count = "threads", False

        def finish(self):
            return {"threads": np.array([torch.get_num_threads()])}

    before, after = torch.get_num_threads(), []
    torch.set_num_threads(2)
    try:
        (found,) = extract_all([frames_of(1)], [Threads], NOTHING)
        new = threading.Thread(target=lambda: after.append(torch.get_num_threads()))
        new.start()
        new.join()
    finally:
        torch.set_num_threads(before)
    assert found["threads"]["threads"].tolist() == [1]
    assert after == [2]


def test_a_clip_that_cannot_be_read_has_the_code_of_its_error():
    class Killed(UnreadableClip):
        code = ReasonCode.OTHER

    def refuse(kind):
        raise kind("why")

    found = extract_all([lambda: refuse(UnreadableClip), lambda: refuse(Killed), frames_of(3)], [Pixels], NOTHING)
    assert found[:2] == [NoFeatures("why", ReasonCode.UNREADABLE), NoFeatures("why", ReasonCode.OTHER)]
    assert brightness(found[2]) == 3
    with pytest.raises(KeyError):
        extract_all([lambda: refuse(KeyError)], [Pixels], NOTHING)


class Unencoded:
    """Frames that are encoded on request."""

    def __init__(self, key, level):
        self.key, self.level, self.encoded = key, level, 0

    def encode(self):
        self.encoded += 1
        return encode_mp4(np.full((3, 16, 16, 3), self.level, np.uint8), 8)


def test_a_clip_is_encoded_only_if_its_features_are_not_in_the_cache():
    first, again, other = Unencoded("0a", 40), Unencoded("0a", 90), Unencoded("0b", 90)
    found = [extract_all([lambda clip=clip: clip], [Pixels], NOTHING)[0] for clip in (first, again, other)]
    assert [brightness(clip) for clip in found] == pytest.approx([40, 40, 90], abs=2)
    assert (first.encoded, again.encoded, other.encoded) == (1, 0, 1)
    assert (found[1].frames, found[1].height, found[1].fps, found[1].uneven) == (3, 16, 8, False)
    assert type(found[1].frames) is int


def test_only_what_is_not_stored_is_computed_and_a_run_keeps_its_features(tmp_path, monkeypatch):
    clips, calls = [frames_of(7), frames_of(9)], []

    def compute(source, names):
        calls.append((int(source[0, 0, 0, 0]), sorted(names)))
        return extract(source, [e for e in (Pixels, Ends, Known) if e.name in names], NOTHING, fps=5)

    def found(extractors, **given):
        return extract_all(clips, extractors, NOTHING, workers=1, compute=compute, **given)

    run = tmp_path / "run"
    found([Pixels, Ends], store=Store(run, writes=True))
    assert calls == [(7, ["ends", "pixels"]), (9, ["ends", "pixels"])]
    calls.clear()
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "another"))
    stored = found([Pixels, Known], store=Store(run))
    assert calls == [(7, ["known"]), (9, ["known"])]
    assert [(set(clip.arrays), brightness(clip), clip.fps) for clip in stored] == [
        ({"pixels", "known"}, 7, 5), ({"pixels", "known"}, 9, 5),
    ]  # fmt: skip
    calls.clear()
    found([Pixels, Ends])
    assert calls == [(7, ["ends", "pixels"]), (9, ["ends", "pixels"])], "a store is read only where it is given"


def test_the_key_of_a_clip_is_the_digest_of_its_content(tmp_path):
    digest = hashlib.sha256(b"content").hexdigest()
    (tmp_path / "clip.mp4").write_bytes(b"content")
    assert content_digest(b"content") == content_digest(tmp_path / "clip.mp4") == digest
    frames = np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3)
    assert content_digest(frames) == hashlib.sha256(b"(1, 4, 4, 3)" + bytes(range(48))).hexdigest()
    assert content_digest(frames[:, ::2]) == content_digest(frames[:, ::2].copy())
    with pytest.raises(UnreadableClip, match=r"^cannot be opened: No such file"):
        content_digest(tmp_path / "absent.mp4")
