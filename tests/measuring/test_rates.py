"""What one clip costs: limits are inclusive, the first row counts, blocks are rounded up for each clip."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

import pytest

from vbench_lite.measuring import prices
from vbench_lite.measuring.devices import Device
from vbench_lite.measuring.rates import clip_cost_usd, clip_price, describe
from vbench_lite.records import ClipRecord, ClipSpec, Definition, Measurement, Price, PriceRow
from vbench_lite.running.sweep import expanded, parse

ROWS = Price(
    when=(
        PriceRow(max_height=540, max_seconds=5, usd_per_clip=0.5),
        PriceRow(max_height=720, usd_per_second=0.2),
        PriceRow(max_height=1080, max_seconds=10, usd_per_block=2.0, block_s=5),
    )
)


@pytest.mark.parametrize(
    ("seconds", "height", "width", "usd"),
    [
        (5.0, 540, 960, 0.5),  # both limits reached, which is inside
        (5.04, 540, 960, 5.04 * 0.2),  # too long for the first row
        (4.0, 720, 1280, 0.8),
        (4.0, 1280, 720, 0.8),  # upright: the shorter side counts
        (5.0, 1080, 1920, 2.0),
        (5.04, 1080, 1920, 4.0),
        (10.0, 1080, 1920, 4.0),
        (10.1, 1080, 1920, None),
        (4.0, 2160, 3840, None),
        (120 / 24, 540, 540, 0.5),
        (0.1 * 3 / 0.06, 540, 540, 0.5),  # 5.000000000000001 s
    ],
)
def test_rows_by_size_and_length(seconds: float, height: int, width: int, usd: float | None) -> None:
    found = clip_price(ROWS, seconds, height, width)
    assert found.usd == (None if usd is None else pytest.approx(usd))
    assert bool(found.reason) == (usd is None)


def test_rate_of_a_block_counts_every_begun_block() -> None:
    price = Price(usd_per_block=0.5, block_s=5)
    assert [clip_price(price, s, 1, 1).usd for s in (0.04, 5, 145 / 24, 10, 10.04)] == [0.5, 0.5, 1.0, 1.0, 1.5]


def test_a_price_that_states_nothing_has_no_cost() -> None:
    assert clip_price(Price(), 5, 720, 1280).usd is None
    assert clip_price(Price(reason="no contract yet"), 5, 720, 1280).reason == "no contract yet"


def test_price_in_words_names_every_row() -> None:
    assert describe(ROWS) == (
        "$0.5 per clip up to 540 px and 5 s, else $0.2 per second of clip up to 720 px, else $2 per block of 5 s up to "
        "1080 px and 10 s"
    )
    assert describe(Price()) == ""


def test_sweep_over_the_length_prices_each_variant_by_its_own_clips() -> None:
    base = Definition(
        "sim", "diffusion", "simulated", clip=ClipSpec(40, 8.0, 64, 64), price=Price(usd_per_block=1.0, block_s=5)
    )
    usd = []
    for definition in expanded([base], [parse("clip.frames=40,80,120")]):
        price = prices.price_of(definition, Device("cpu", "any"))
        usd.append(clip_price(price, definition.clip.seconds, definition.clip.height, definition.clip.width).usd)
    assert usd == [1.0, 2.0, 3.0]


def test_clips_that_no_row_covers_have_a_reason_instead_of_a_price() -> None:
    large = Definition("big", "undisclosed", "http", clip=ClipSpec(120, 24.0, 2160, 3840), price=ROWS)
    found = prices.price_of(large, Device("cpu", "any"))
    assert found == Price(reason=found.reason)
    assert "5 s at 3840 x 2160" in found.reason
    assert prices.price_of(replace(large, clip=ClipSpec(120, 24.0, 1080, 1920)), Device("cpu", "any")) == ROWS


def test_price_file_states_rows_too(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    table = "[[generator.sim.when]]\n"
    path.write_text(f"{table}max_seconds = 5\nusd_per_clip = 1\n{table}usd_per_clip = 2\n")
    sim = Definition("sim", "diffusion", "simulated", clip=ClipSpec(49, 8.0, 64, 64))
    for definition in (sim, *expanded([sim], [parse("clip.frames=48")])):
        found = prices.price_of(definition, Device("cpu", "any"), prices.PriceList(path))
        assert clip_price(found, definition.clip.seconds, 64, 64).usd == 2.0


MADE = ClipRecord("g", "diffusion", "p", 0, 1, "ok", frames=16, fps=8.0, measurement=Measurement(device_s=36.0))
FAILED = dataclasses.replace(MADE, status="failed", frames=None, fps=None)


@pytest.mark.parametrize(
    ("record", "price", "usd"),
    [
        (MADE, Price(usd_per_device_hour=2.0), 0.02),
        (FAILED, Price(usd_per_device_hour=2.0), 0.02),  # time is billed, success or not
        (MADE, Price(usd_per_clip=0.5), 0.5),
        (MADE, Price(usd_per_second=0.1), 0.2),
        (MADE, Price(usd_per_block=0.3, block_s=1.5), 0.6),  # 2 s are two begun blocks
        (FAILED, Price(when=(PriceRow(usd_per_clip=0.5),)), None),
        (MADE, Price(when=(PriceRow(max_seconds=1.9, usd_per_clip=0.5),)), None),  # no row applies
        (MADE, Price(when=(PriceRow(max_seconds=2, usd_per_clip=0.5), PriceRow(usd_per_clip=9.0))), 0.5),
        (FAILED, Price(usd_per_clip=0.5), None),  # services differ: not known
        (MADE, Price(reason="no price"), None),
        (dataclasses.replace(FAILED, usd_charged=0.0), Price(usd_per_clip=0.5), 0.0),  # what it says it charged
        (dataclasses.replace(MADE, measurement=Measurement()), Price(usd_per_device_hour=2.0), None),
    ],
)
def test_what_a_clip_costs(record: ClipRecord, price: Price, usd: float | None) -> None:
    assert clip_cost_usd(record, price) == (None if usd is None else pytest.approx(usd))
