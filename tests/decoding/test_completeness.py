"""Files that were cut, or lost a part, are refused; bytes after a whole file do not matter."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.made_clips import CONTAINERS, clip_bytes, clip_of, moving_square
from vbench_lite.errors import UnreadableClip
from vbench_lite.generator import Output
from vbench_lite.records import ClipSpec, Definition, Measurement, Request
from vbench_lite.running.attempts import encode, take_of
from vbench_lite.video import read_clip

PICTURES = moving_square(32)
FILES = {name: clip_of(name, PICTURES) for name in CONTAINERS}


def frames_or_reason(file: bytes) -> int | str:
    try:
        return len(read_clip(file)[0])
    except UnreadableClip as error:
        return str(error)


@pytest.mark.parametrize("name", CONTAINERS)
def test_whole_file_is_read(name: str) -> None:
    assert frames_or_reason(FILES[name]) == len(PICTURES)


@pytest.mark.parametrize("share", [0.1, 0.35, 0.5, 0.6, 0.75, 0.9])
@pytest.mark.parametrize("name", CONTAINERS)
def test_cut_file_is_refused(name: str, share: float) -> None:
    """No cut falls on the border of two packets, where an MPEG stream does not show it."""
    file = FILES[name]
    found = frames_or_reason(file[: int(len(file) * share) + 33])
    assert isinstance(found, str) or found == len(PICTURES), found
    if name != "avi" or share < 0.9:  # its index stands at the end
        assert isinstance(found, str)


@pytest.mark.parametrize("missing", [1, 2, 7])
@pytest.mark.parametrize("name", ["mkv ffv1", "mkv h264", "webm vp9", "webm vp8", "webm live", "gif", "ogg"])
def test_last_bytes_are_missed(name: str, missing: int) -> None:
    assert isinstance(frames_or_reason(FILES[name][:-missing]), str)


@pytest.mark.parametrize("at", [0.3, 0.5, 0.66, 0.8])
@pytest.mark.parametrize("name", ["gif", "webm vp9", "webm vp8", "webm live", "mkv h264"])
def test_hole_is_noticed(name: str, at: float) -> None:
    hurt = bytearray(FILES[name])
    start = int(len(hurt) * at)
    hurt[start : start + 300] = bytes(300)  # longer than a block of a GIF
    assert isinstance(frames_or_reason(bytes(hurt)), str)


@pytest.mark.parametrize("end", [b"\0", b"\r\n", b"junk" * 40, bytes(4096)])
@pytest.mark.parametrize("name", [name for name in CONTAINERS if name not in ("webm live", "blu-ray stream")])
def test_bytes_after_a_whole_file_do_not_matter(name: str, end: bytes) -> None:
    """A live stream states no size, and any bytes may begin a packet of a Blu-ray stream."""
    assert frames_or_reason(FILES[name] + end) == len(PICTURES)


def test_transport_stream_that_lost_a_packet_is_refused() -> None:
    file = FILES["transport stream"]
    assert "cut off" not in str(frames_or_reason(file))
    assert isinstance(frames_or_reason(file[: 188 * 40] + file[188 * 41 :]), str)


def test_damaged_file_does_not_print_errors_of_a_library(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A size in its header sends the reader to a place before the start of the file."""
    hurt = bytearray(clip_of("wmv", moving_square(8, 32, 32)))
    for place in range(400, 460, 4):
        (tmp_path / "c.wmv").write_bytes(hurt[:place] + b"\xff" * 8 + hurt[place + 8 :])
        with suppress(UnreadableClip):
            read_clip(tmp_path / "c.wmv")
    assert capfd.readouterr().err == ""


def test_duration_of_the_header_is_held_against_the_last_frame() -> None:
    """The file is whole in structure: its last cluster was taken out and the sizes were set to fit."""
    file = clip_bytes(PICTURES, "matroska", "ffv1", "bgr0", container_options={"cluster_time_limit": "500"})
    last = file.rindex(b"\x1f\x43\xb6\x75")
    segment = file.index(b"\x18\x53\x80\x67") + 4
    shorter = file[:segment] + (0x01 << 56 | last - segment - 8).to_bytes(8, "big") + file[segment + 8 : last]
    assert "the header states 4 s, the data end after" in str(frames_or_reason(shorter))


def test_sound_longer_than_the_picture_is_no_cut(tmp_path) -> None:
    import av

    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as output:
        video, sound = output.add_stream("ffv1", rate=8), output.add_stream("pcm_s16le", rate=8000)
        video.height, video.width, video.pix_fmt = 48, 64, "bgr0"
        for picture in PICTURES:
            output.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="bgr0")))
        for nth in range(6):
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
            samples.sample_rate, samples.pts = 8000, nth * 8000
            output.mux(sound.encode(samples))
        output.mux(video.encode())
        output.mux(sound.encode())
    assert frames_or_reason(path.read_bytes()) == len(PICTURES)


@pytest.mark.parametrize("name", ["webm vp9", "gif", "mkv ffv1"])
def test_cut_file_that_a_service_sent_is_a_failed_clip(name: str) -> None:
    file = FILES[name][: len(FILES[name]) * 6 // 10]
    request = Request("p", "a cat", 0, 1, ClipSpec())
    attempt = take_of(request, Output(file=file, execution="remote"), Measurement())
    record = encode(Definition("g", "undisclosed", "http"), attempt).record
    assert record.status == "failed"
    assert "cut off" in str(record.reason)
