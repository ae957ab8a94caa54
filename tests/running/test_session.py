"""One generator in its process, without the process: what is called when, and what becomes of its answers."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import threading
import time

import numpy as np
import pytest

from tests.runs import SMALL, small_suite
from vbench_lite.errors import GeneratorError, WeightsError
from vbench_lite.generator import Output
from vbench_lite.records import Definition, Request
from vbench_lite.running.session import BrokenProcessError, Session, WorkerPlacement
from vbench_lite.running.worker import STOP, Worker
from vbench_lite.video import encode_mp4

FRAMES = np.zeros((2, 16, 16, 3), np.uint8)
REQUESTS = [Request(f"p{n}", "text", 0, n, SMALL) for n in range(3)]


class Recorder:
    """Does what its class attribute `answer` says, and keeps what was called."""

    answer = staticmethod(lambda requests: [Output(FRAMES) for _ in requests])

    def __init__(self, definition: Definition) -> None:
        self.calls: list[str] = []

    def begin(self, context) -> None:
        self.calls.append(f"begin {context.state.name} {len(context.prompts)}")

    def load(self, device: str) -> None:
        self.calls.append(f"load {device}")

    def warm_up(self, requests) -> None:
        self.calls.append(f"warm up {len(requests)}")
        time.sleep(0.02)

    def generate(self, requests):
        self.calls.append(f"generate {len(requests)}")
        return type(self).answer(requests)

    def close(self) -> None:
        self.calls.append("close")
        raise RuntimeError("an error in close loses nothing")


@pytest.fixture
def session(tmp_path, monkeypatch):
    def make(answer=None, adapter="tests.running.test_session:Recorder", **definition) -> Session:
        if answer:
            monkeypatch.setattr(Recorder, "answer", staticmethod(answer))
        defined = Definition("it", "diffusion", adapter, clip=SMALL, **definition)
        place = WorkerPlacement("cpu", None, (), 2.0, tmp_path / "state" / "it", small_suite(4).prompts)
        made = Session(defined, place)
        made.start()
        return made

    return make


def records(session: Session, requests=REQUESTS):
    return [session.encode(take).record for take in session.generate(requests)]


def test_a_generator_is_begun_loaded_warmed_up_asked_and_closed_in_this_order(session):
    it = session()
    it.warm_up(REQUESTS[:1])
    assert [r.status for r in records(it)] == ["ok"] * 3
    it.close()
    assert it._generator.calls == ["begin it 4", "load cpu", "warm up 1", "generate 3", "close"]
    assert it.timings.warm_up_s >= 0.02
    assert it.timings.generate_s < it.timings.warm_up_s
    assert it.timings.clips == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_library", r"no_such_library cannot be imported: .* pip install no_such_library\."),
        ("class Mine(", "SyntaxError"),
        ("class Mine:\n    def __init__(self, definition): raise OSError('no space')", "OSError: no space"),
    ],
)
def test_code_of_a_generator_that_cannot_be_executed_is_one_sentence(session, tmp_path, monkeypatch, text, reason):
    monkeypatch.syspath_prepend(tmp_path)
    name = f"mine_{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text)
    with pytest.raises(GeneratorError, match=f'^"it" cannot be loaded: .*{reason}'):
        session(adapter=f"{name}:Mine")


def test_devices_held_are_billed_and_batches_are_shared(session):
    for record in records(session(lambda requests: time.sleep(0.03) or [Output(FRAMES) for _ in requests])):
        measured = record.measurement
        assert measured.device_s == 2 * measured.wall_s
        assert 0.01 <= measured.wall_s < 1
        assert measured.batch_size == 3


def test_an_exception_in_a_batch_costs_only_the_clip_at_fault_and_its_time_is_shared(session):
    def answer(requests):
        time.sleep(0.02)
        if any(r.prompt_id == "p1" for r in requests):
            raise ValueError("no p1 today\nsecond line")
        return [Output(FRAMES) for _ in requests]

    made = records(session(answer))
    assert [(r.status, r.reason) for r in made] == [
        ("ok", None), ("failed", "ValueError: no p1 today"), ("ok", None),
    ]
    assert all(r.measurement.wall_s >= 0.02 + 0.02 / 3 for r in made)


def test_a_failure_that_the_generator_reports_itself_keeps_what_it_was_charged(session):
    (record,) = records(session(lambda _: [Output(failure="refused by the service", usd_charged=0.1)]), REQUESTS[:1])
    assert (record.status, record.reason, record.usd_charged) == ("failed", "refused by the service", 0.1)


def test_work_done_elsewhere_leaves_nothing_of_this_machine_but_the_waiting(session):
    (record,) = records(session(lambda _: [Output(FRAMES, execution="remote", device_s=7.0)]), REQUESTS[:1])
    measured = record.measurement
    assert measured.device_s == 7.0
    assert measured.wall_s is not None
    assert (measured.peak_memory_mb, measured.peak_rss_mb) == (None, None)
    (record,) = records(session(lambda _: [Output(FRAMES, execution="precomputed")]), REQUESTS[:1])
    assert (record.measurement.wall_s, record.measurement.device_s) == (None, None)


def test_files_are_kept_as_they_are_and_looked_into(session):
    clip = encode_mp4(np.zeros((5, 32, 48, 3), np.uint8), 10.0)
    (take,) = session(lambda _: [Output(file=clip)]).generate(REQUESTS[:1])
    finished = session().encode(take)
    assert finished.clip == clip
    found = finished.record
    assert (found.frames, found.height, found.width, found.fps) == (5, 32, 48, 10.0)


def test_a_file_that_cannot_be_read_is_a_failure_and_is_kept(session):
    it = session(lambda _: [Output(file=b"<html>quota exceeded</html>")])
    finished = it.encode(it.generate(REQUESTS[:1])[0])
    assert finished.record.status == "failed"
    assert finished.record.reason.startswith("the returned file cannot be read")
    assert finished.clip


def test_a_device_in_an_error_state_costs_the_process(session):
    def answer(requests):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(BrokenProcessError, match="the device failed: RuntimeError: CUDA error"):
        session(answer).generate(REQUESTS[:1])


def test_out_of_memory_at_the_first_clip_is_its_own_fault_and_later_perhaps_a_leak(session):
    it = session(lambda _: (_ for _ in ()).throw(MemoryError("too large")))
    (record,) = records(it, REQUESTS[:1])
    assert record.reason == "out of memory: MemoryError: too large"
    it._made = 1
    with pytest.raises(BrokenProcessError, match="out of memory"):
        it.generate(REQUESTS[:1])


def test_missing_and_altered_weights_are_refused_before_loading(session, tmp_path):
    with pytest.raises(WeightsError, match="lacks its weights"):
        session(weights={"model.safetensors": "0" * 64}, folder=tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"altered")
    with pytest.raises(WeightsError, match="is not the file"):
        session(weights={"model.safetensors": "0" * 64}, folder=tmp_path)


def test_an_error_while_loading_is_a_sentence(session, monkeypatch):
    def load(self, device):
        raise OSError("no such hub id")

    monkeypatch.setattr(Recorder, "load", load)
    with pytest.raises(GeneratorError, match='"it" cannot be loaded: OSError: no such hub id'):
        session()


def test_encoding_is_the_same_bytes_each_time(session):
    take = session(lambda _: [Output(FRAMES)]).generate(REQUESTS[:1])[0]
    it = session()
    assert it.encode(take).clip == it.encode(take).clip


def test_what_torch_compile_takes_is_told_apart():
    import torch

    from vbench_lite.running.session import compile_s

    before = compile_s()
    torch.compile(lambda x: x.sin() + 1, backend="eager")(torch.ones(3))
    assert compile_s() > before


class WhereUnpickled:
    """Becomes the thread that unpickles it."""

    def __reduce__(self):
        return threading.current_thread, ()


def test_batches_are_unpickled_by_the_thread_that_loads_the_model(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("vbench_lite.running.worker.end_group", sys.exit)
    ours, theirs = multiprocessing.Pipe()
    place = WorkerPlacement("cpu", None, (), 2.0, tmp_path / "it", ())
    worker = Worker(Definition("it", "diffusion", "tests.running.test_session:Recorder", clip=SMALL), place, theirs)
    worker._session.start()

    def listen() -> None:
        with contextlib.suppress(SystemExit):
            worker._listen()

    listening = threading.Thread(target=listen)
    listening.start()
    ours.send(WhereUnpickled())
    assert worker._next() is threading.current_thread()
    ours.send_bytes(STOP)
    assert worker._next() is None
    ours.close()
    listening.join()
