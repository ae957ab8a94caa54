"""Windows, energy shares, prices, budgets and forecasts: the figures that bills are made of."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.runs import cpu, simulated, small_plan
from vbench_lite.errors import BadFile, DeviceError, UsageError
from vbench_lite.measuring import energy, prices
from vbench_lite.measuring.devices import Device, find_device
from vbench_lite.measuring.measure import Meter, Reading
from vbench_lite.records import Measurement, Price
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.plan import clip_seed
from vbench_lite.running import forecast
from vbench_lite.running.batches import WHOLE, Shard, batches
from vbench_lite.running.runner import Options, run


def test_a_window_sees_its_own_time_and_peak_and_not_that_of_the_one_before():
    meter = Meter()
    meter.open()
    large = np.ones(60 * 2**20, np.uint8)
    time.sleep(0.05)
    first = meter.close()
    del large
    meter.open()
    second = meter.close()
    meter.stop()
    assert first.wall_s >= 0.05
    assert second.wall_s < first.wall_s
    assert first.peak_rss_mb - second.peak_rss_mb > 40


def test_memory_of_children_is_part_of_the_peak():
    meter = Meter()
    meter.open()
    alone = meter.now_mb()
    hold = "import time; kept = bytearray(b'x' * (80 * 2**20)); print('ready', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        deadline = time.monotonic() + 20
        while meter.now_mb() < alone + 70 and time.monotonic() < deadline:
            time.sleep(0.05)
        reading = meter.close()
        child.kill()
    meter.stop()
    assert reading.peak_rss_mb > alone + 70


def test_a_batch_is_shared_by_its_clips_and_billed_by_the_devices_held():
    share = Reading(wall_s=8.0, gpu_busy_s=6.0, peak_memory_mb=100.0).share(4, devices=2.0, wasted_s=1.0)
    assert (share.wall_s, share.device_s, share.gpu_busy_s) == (3.0, 6.0, 1.5)
    assert (share.peak_memory_mb, share.batch_size) == (100.0, 4)


class FakeCounter:
    method = "nvml_counter"
    joules = 100.0

    def read_j(self) -> float:
        return self.joules

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Item:
    measurement: Measurement


@pytest.fixture
def clock(monkeypatch):
    """The time that the energy windows read, to be set."""
    now = [0.0]
    monkeypatch.setattr(energy.time, "perf_counter", lambda: now[0])
    return now


def test_energy_of_short_clips_is_told_for_a_second_of_them_by_their_time(clock):
    counter = FakeCounter()
    windows: energy.EnergyWindows[Item] = energy.EnergyWindows(counter)
    windows.open()
    clock[0], counter.joules = 0.4, 120.0
    assert windows.add([Item(Measurement(wall_s=0.3))]) == []
    windows.open()
    clock[0], counter.joules = 1.2, 180.0
    first, second = windows.add([Item(Measurement(wall_s=0.5))])
    assert (first.measurement.energy_j, second.measurement.energy_j) == pytest.approx((30.0, 50.0))
    assert first.measurement.energy_method == "nvml_counter_amortised"


def test_energy_of_a_long_clip_is_its_own_and_a_last_short_window_says_so(clock):
    counter = FakeCounter()
    windows: energy.EnergyWindows[Item] = energy.EnergyWindows(counter)
    windows.open()
    clock[0], counter.joules = 5.0, 400.0
    (clip,) = windows.add([Item(Measurement(wall_s=4.9))])
    assert clip.measurement.energy_j == pytest.approx(300.0)
    assert clip.measurement.energy_method == "nvml_counter"
    windows.open()
    clock[0] = 5.3
    windows.add([Item(Measurement(wall_s=0.2))])
    assert windows.settle()[0].measurement.energy_method == "nvml_counter_short"


def test_without_a_counter_energy_is_not_known_and_the_reason_is():
    assert energy.counter(()) == (None, "no device with a counter")
    windows: energy.EnergyWindows[Item] = energy.EnergyWindows(None)
    windows.open()
    (item,) = windows.add([Item(Measurement(wall_s=1.0))])
    assert item.measurement.energy_j is None
    assert energy.device_state(("no-such-uuid",)) == {}


def test_seeds_depend_on_run_prompt_and_place_alone():
    seeds = {clip_seed(run_seed, prompt, k) for run_seed in (0, 1) for prompt in ("a", "b") for k in (0, 1)}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/0", "-1/4"])
def test_shards_that_make_no_sense_are_refused(text):
    with pytest.raises(UsageError, match="Use I/N"):
        Shard.parse(text)


def test_shards_cover_every_batch_once():
    plan = small_plan(simulated(batch_size=3), prompts=7)
    (definition,) = plan.definitions
    parts = [batches(plan, definition, Shard(n, 3)) for n in range(3)]
    assert sorted(b for part in parts for b in part) == batches(plan, definition)


@pytest.mark.parametrize("wanted", ["gpu", "cuda:x", "cpu:0", ""])
def test_unknown_devices_are_refused(wanted):
    with pytest.raises(UsageError, match="is not a device"):
        find_device(wanted)


def test_a_missing_cuda_device_is_said_with_the_way_out():
    if find_device("auto").kind == "cuda":
        pytest.skip("there is a CUDA device")
    with pytest.raises(DeviceError, match="--device cpu"):
        find_device("cuda")


H100 = Device("cuda", "NVIDIA H100 80GB HBM3", uuids=("x",))


def test_prices_come_from_the_file_then_the_definition_then_the_list(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text('[generator.sim]\nusd_per_clip = 0.5\ndate = 2026-11-01\nsource = "our contract"\n')
    own = prices.PriceList(path)
    stated = replace(simulated(), price=Price(usd_per_device_hour=9.0, date="2026-01-01", source="quote"))
    assert prices.price_of(stated, H100, own) == Price(usd_per_clip=0.5, date="2026-11-01", source="our contract")
    assert prices.price_of(stated, H100).usd_per_device_hour == 9.0
    listed = prices.price_of(simulated(), H100)
    assert listed.usd_per_device_hour == 2.69
    assert listed.date
    assert listed.source


def test_a_cpu_is_priced_by_its_processors():
    price = prices.price_of(simulated(), Device("cpu", "some processor", vcpus=4))
    assert price.usd_per_device_hour == pytest.approx(0.17)
    assert price.source.startswith("4 vCPU at $0.0425")


def test_a_device_without_a_price_has_a_reason_and_no_number():
    price = prices.price_of(simulated(), Device("cuda", "Unheard-of X1", uuids=("x",)))
    assert price == Price(reason=price.reason)
    assert "--prices" in price.reason


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('currency = "EUR"', 1, "US dollars"),
        ("[cpu]\nusd_per_hour = 1.0", 2, "not known here"),
        ("[cpu]\nusd_per_vcpu_hour = -1.0", 1, "0 or more"),
        ('[[device]]\nmatch = "A"\nusd_per_device_hour = "x"', 3, "expected a number"),
        ("[generator.sim]\nusd_per_clip = 1.0\nusd_per_second = 1.0", 1, "expected one of"),
    ],
)
def test_broken_price_files_are_named_by_line(tmp_path, text, line, said):
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(BadFile, match=said) as error:
        prices.PriceList(path)
    assert error.value.line == line


def test_a_forecast_predicts_within_its_interval_and_narrows_with_more_prompts():
    rng = np.random.default_rng(0)
    inside, widths = 0, {5: 0.0, 40: 0.0}
    for n in widths:
        for _ in range(200):
            known = [(str(p), 10 + rng.normal()) for p in range(n)]
            estimate = forecast.total(known, clips=60, groups=60)
            inside += estimate.low <= sum(10 + rng.normal() for _ in range(60)) <= estimate.high
            widths[n] += estimate.high - estimate.low
    assert 0.92 <= inside / 400 <= 0.98
    assert widths[40] < widths[5] / 2


def test_a_forecast_of_nothing_measured_is_unknown_and_of_one_prompt_has_no_interval():
    assert forecast.total([], 10, 5).value is None
    one = forecast.total([("a", 2.0), ("a", 4.0)], 10, 5)
    assert (one.value, one.low, one.reason) == (30.0, None, "no interval from one prompt or batch")
    assert forecast.total([], 0, 0).value == 0.0


def test_a_pilot_tells_what_the_whole_will_take(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    definition = simulated(seconds=36.0, spread=0.1, wait="claim")
    price = {"sim": Price(usd_per_device_hour=2.0, date="2026-01-01", source="test")}
    pilot = RunFolder(Path("results/pilot"))
    run(small_plan(definition, prompts=3), pilot, cpu(), Options(prices=price))
    whole = small_plan(definition, prompts=50)
    bill = forecast.forecast(whole, RunFolder(Path("results/whole")), cpu(), price, WHOLE)
    (part,) = bill.parts
    assert (part.asked, part.left, part.measured_in) == (100, 100, "results/pilot")
    assert part.device_hours.value == pytest.approx(1.0, rel=0.15)
    assert part.usd.low < 2.0 * 1.0 < part.usd.high
    assert "$" in bill.text()
    assert bill.as_json()["generators"]["sim"]["usd"]["n"] == 6
    other = small_plan(simulated(seconds=1.0), prompts=50)
    unknown = forecast.forecast(other, RunFolder(Path("results/whole")), cpu(), price, WHOLE)
    assert unknown.usd is None
    assert "--pilot 3" in unknown.text()


def test_clips_timed_as_one_batch_are_one_measurement_to_a_forecast(tmp_path):
    definition = simulated(seconds=0.02, batch_size=4)
    price = {"sim": Price(usd_per_device_hour=2.0, source="test")}
    plan, folder = small_plan(definition, prompts=10), RunFolder(tmp_path / "run")
    for pilot, known in ((1, False), (3, True)):
        outcome = run(plan, folder, cpu(), Options(prices=price, pilot=pilot))
        assert outcome.missing == 20 - 4 * pilot
        (part,) = forecast.forecast(plan, folder, cpu(), price, WHOLE).parts
        assert (part.device_hours.n, part.left) == (4 * pilot, outcome.missing)
        assert (part.device_hours.low is not None) == known
    assert forecast.highest_usd(definition, cpu(), folder, price["sim"]) > 0
    assert run(plan, folder, cpu(), Options(prices=price)).missing == 0
