"""Rates of a price, and the cost of one clip.

A price is one rate, or rows of rates by size and length of the clip:

    [price]                              [[price.when]]
    usd_per_block = 0.20                 max_height = 720        # of the shorter side, in pixels
    block_s = 5                          max_seconds = 5
    date = "2026-11"                     usd_per_clip = 0.20
    source = "https://..."               [[price.when]]          # no limit: all other clips
                                         usd_per_second = 0.09

Limits are inclusive, and the first row that applies is used. The cost of a clip depends on its own size and length.
Blocks are rounded up for each clip.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from vbench_lite.records import ClipRecord, Price, PriceRow
from vbench_lite.tomlfile import TomlFile

CLIP_RATES = ("usd_per_clip", "usd_per_second", "usd_per_block")
RATES = ("usd_per_device_hour", *CLIP_RATES)
LIMITS = ("max_height", "max_seconds")
PRICE_KEYS = (*RATES, "block_s", "when", "date", "source")
_UNITS = {
    "usd_per_device_hour": "per device hour", "usd_per_clip": "per clip", "usd_per_second": "per second of clip",
}
_ROUNDING = 1e-9
"""Relative tolerance of lengths, so that 120 frames at 24 fps are 5 s in spite of rounding."""


class ClipPrice(NamedTuple):
    """The cost of one clip, or the reason why it is not known."""

    usd: float | None
    reason: str = ""


def clip_price(price: Price, seconds: float, height: int, width: int) -> ClipPrice:
    """The cost of one finished clip.

    Args:
        price: A rate per clip, per second or per block, or rows of such rates.
        seconds: Length of the clip.
        height: Of the clip, in pixels.
        width: Of the clip, in pixels.

    Returns:
        US dollars; None with a reason if no row applies, or if the price is per device hour.

    >>> by_block = Price(usd_per_block=0.5, block_s=5.0)
    >>> [clip_price(by_block, seconds, 720, 1280).usd for seconds in (5.0, 5.1, 15.0)]
    [0.5, 1.0, 1.5]
    """
    if price.usd_per_device_hour is not None:
        return ClipPrice(None, "the price is per device hour")
    rows = price.when if price.when else [price] if _stated(price) else []
    rate = next((row for row in rows if _applies(row, seconds, min(height, width))), None)
    if rate is None:
        size = f"a clip of {seconds:.4g} s at {width} x {height}"
        reason = price.reason or "there is no price"
        return ClipPrice(None, f"no row of [[price.when]] applies to {size}" if price.when else reason)
    if rate.usd_per_clip is not None:
        return ClipPrice(rate.usd_per_clip)
    if rate.usd_per_second is not None:
        return ClipPrice(rate.usd_per_second * seconds)
    assert rate.usd_per_block is not None
    assert rate.block_s is not None
    return ClipPrice(rate.usd_per_block * max(1, math.ceil(seconds / rate.block_s * (1 - _ROUNDING))))


def clip_cost_usd(record: ClipRecord, price: Price) -> float | None:
    """The cost of one clip, failed or not; None if it is not known.

    A cost that the service reports has priority. With a price per device hour, a failed clip costs its time. With
    another price, the cost of a failed clip is unknown, because services differ in whether they bill failures.

    Args:
        record: The clip.
        price: Its price.
    """
    if record.usd_charged is not None:
        return record.usd_charged
    if price.usd_per_device_hour is not None:
        seconds = record.measurement.device_s
        return None if seconds is None else price.usd_per_device_hour * seconds / 3600
    if record.status != "ok" or not record.frames or not record.fps:
        return None
    return clip_price(price, record.frames / record.fps, record.height or 0, record.width or 0).usd


def cost_with_attempts(record: ClipRecord, price: Price | None, earlier_usd: float | None) -> float | None:
    """The cost of a clip including its earlier failed attempts."""
    cost = clip_cost_usd(record, price) if price else record.usd_charged
    return None if cost is None or earlier_usd is None else cost + earlier_usd


def _stated(rate: Price | PriceRow) -> str:
    """The name of the rate that is set; "" if none is."""
    return next((key for key in RATES if getattr(rate, key, None) is not None), "")


def _applies(row: Price | PriceRow, seconds: float, height: int) -> bool:
    if isinstance(row, Price):
        return True
    short_enough = row.max_seconds is None or seconds * (1 - _ROUNDING) <= row.max_seconds
    return short_enough and (row.max_height is None or height <= row.max_height)


def read_price(file: TomlFile, table: str, entry: Any, source: Any = "") -> Price:
    """Reads a price from a table of a TOML file.

    Args:
        file: The file; errors name its line.
        table: The name of the table: "price", or "generator.NAME".
        entry: The table's content.
        source: The default for a table without a source.

    Raises:
        BadFile: It has no rate, several rates, or an invalid number.
    """
    if not isinstance(entry, dict):
        raise file.error(table, f'"{table}" is {entry!r}: expected a table.')
    file.only(PRICE_KEYS, table, entry)
    day = entry.get("date", "")
    if not isinstance(day, (str, date)):
        raise file.error(f"{table}.date", f'"date" is {day!r}: expected a date such as 2026-05-22.')
    rows = file.check(entry.get("when", []), list, f"{table}.when")
    given = [key for key in RATES if key in entry]
    if len(given) + bool(rows) != 1:
        expected = f"expected one of {', '.join(RATES)}, or rows of [[{table}.when]]"
        raise file.error(table, f"{expected}; found {', '.join([*given, *(['when'] if rows else [])]) or 'none'}.")
    facts = {"date": str(day), "source": file.check(entry.get("source", source), str, f"{table}.source")}
    if not rows:
        return dataclasses.replace(Price(**facts), **_figures(file, table, entry))
    return Price(when=tuple(_row(file, f"{table}.when", row, nth) for nth, row in enumerate(rows)), **facts)


def _row(file: TomlFile, table: str, row: Any, nth: int) -> PriceRow:
    if not isinstance(row, dict):
        raise file.error(table, f'"{table}" is {row!r}: expected a table.', nth)
    file.only((*LIMITS, *CLIP_RATES, "block_s"), table, row, nth)
    given = [key for key in CLIP_RATES if key in row]
    if len(given) != 1:
        found = ", ".join(given) or "none"
        raise file.error(table, f"each row needs one of {', '.join(CLIP_RATES)}; found {found}.", nth)
    return PriceRow(**_figures(file, table, row, nth))


def _figures(file: TomlFile, table: str, entry: Mapping[str, Any], nth: int = 0) -> dict[str, Any]:
    if ("usd_per_block" in entry) != ("block_s" in entry):
        raise file.error(table, 'a price per block needs both "usd_per_block" and "block_s", its seconds.', nth)
    sizes = (*LIMITS, "block_s")
    return {
        key: _figure(file, table, entry, key, nth, above=key in sizes) for key in (*RATES, *sizes) if key in entry
    }


def _figure(
    file: TomlFile, table: str, entry: Mapping[str, Any], key: str, nth: int = 0, above: bool = False
) -> float:
    value: float = file.check(entry[key], float, f"{table}.{key}", nth=nth)
    if not 0 <= value < math.inf or (above and value == 0):
        expected = "a number above 0" if above else "0 or more"
        raise file.error(f"{table}.{key}", f'"{key}" is {value:g}: expected {expected}.', nth)
    return value


def describe(price: Price) -> str:
    """A price in words; "" if there is none.

    >>> describe(Price(when=(PriceRow(usd_per_second=0.1, max_height=720), PriceRow(usd_per_second=0.2))))
    '$0.1 per second of clip up to 720 px, else $0.2 per second of clip'
    """
    rows: Sequence[Price | PriceRow] = price.when or [price]
    return ", else ".join(_describe_rate(row) for row in rows if _stated(row))


def _describe_rate(rate: Price | PriceRow) -> str:
    key = _stated(rate)
    text = f"${getattr(rate, key):g} {_UNITS.get(key) or f'per block of {rate.block_s:g} s'}"
    if isinstance(rate, Price):
        return text
    limits = [f"{rate.max_height:g} px"] if rate.max_height else []
    limits += [f"{rate.max_seconds:g} s"] if rate.max_seconds else []
    return text + (f" up to {' and '.join(limits)}" if limits else "")
