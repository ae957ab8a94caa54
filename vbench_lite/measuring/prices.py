"""Prices: from `--prices`, else from [price] of the generator, else from the table of the package.

A price has a date and a source. An unknown price is a reason without a number.
"""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from vbench_lite.measuring.devices import Device
from vbench_lite.measuring.rates import clip_price, read_price
from vbench_lite.records import Definition, Price
from vbench_lite.tomlfile import TomlFile

_CPU_RATES = ("usd_per_vcpu_hour", "usd_per_device_hour")


class PriceList:
    """A price file.

        currency = "USD"                     # optional; the only supported currency
        [generator.wan-1_3b]                 # as [price] of a definition, see `rates.py`: one rate, or rows of
                                             # [[generator.wan-1_3b.when]]
        usd_per_clip = 0.05
        date = "2026-05-22"
        source = "our contract"
        [cpu]                                # usd_per_vcpu_hour, or usd_per_device_hour for the whole machine
        [review]                             # usd_per_hour of a person who judges clips
        [[device]]                           # match = part of the device name; usd_per_device_hour
    """

    def __init__(self, path: Path) -> None:
        self._file = TomlFile(path)
        self._file.only(("currency", "generator", "cpu", "device", "review"))
        if self._file.get("currency", str, "USD") != "USD":
            raise self._file.error("currency", "prices are in US dollars: expected \"USD\".")
        self._generators = {
            name: read_price(self._file, f"generator.{name}", entry, str(path))
            for name, entry in self._file.get("generator", dict, {}).items()
        }
        cpu = self._file.get("cpu", dict, {})
        self._cpu = self._price("cpu", cpu, _CPU_RATES) if cpu else None
        review = self._file.get("review", dict, {})
        self._review = self._price("review", review, ("usd_per_hour",)) if review else None
        self._devices: list[tuple[str, dict[str, Any]]] = []
        for nth, entry in enumerate(self._file.get("device", list, [])):
            match = self._file.check(entry.get("match", ...), str, "device.match", nth=nth)
            rest = {key: value for key, value in entry.items() if key != "match"}
            self._devices.append((match, self._price("device", rest, ("usd_per_device_hour",), nth)))

    def _price(self, table: str, entry: Any, rates: tuple[str, ...], nth: int = 0) -> dict[str, Any]:
        if not isinstance(entry, dict):
            raise self._file.error(table, f'"{table}" is {entry!r}: expected a table.', nth)
        self._file.only((*rates, "date", "source"), table, entry, nth)
        given = {key: self._file.check(entry[key], float, f"{table}.{key}", nth=nth) for key in rates if key in entry}
        if len(given) != 1 or not all(0 <= value < float("inf") for value in given.values()):
            raise self._file.error(table, f"expected one of {', '.join(rates)}, 0 or more.", nth)
        day = entry.get("date", "")
        if not isinstance(day, (str, date)):
            raise self._file.error(f"{table}.date", f'"date" is {day!r}: expected a date such as 2026-05-22.', nth)
        source = self._file.check(entry.get("source", ...), str, f"{table}.source", str(self._file.path), nth)
        return given | {"date": str(day), "source": source}

    def find(self, generator: str, device: Device, swept: str = "") -> Price | None:
        """The price of a generator, else of the swept generator, else of the device; None if there is none."""
        if price := self._generators.get(generator) or self._generators.get(swept):
            return price
        if device.kind == "cpu" and self._cpu:
            return self._for_machine(self._cpu, device)
        wanted = device.name.lower()
        return next((Price(**price) for match, price in self._devices if match.lower() in wanted), None)

    @property
    def review(self) -> dict[str, Any] | None:
        """usd_per_hour, date and source of a reviewer's time; None if the file has none."""
        return self._review

    @staticmethod
    def _for_machine(price: dict[str, Any], device: Device) -> Price:
        if "usd_per_vcpu_hour" not in price:
            return Price(**price)
        rate = round(price["usd_per_vcpu_hour"] * device.vcpus, 6)
        source = f"{device.vcpus} vCPU at ${price['usd_per_vcpu_hour']:g} an hour each: {price['source']}"
        return Price(usd_per_device_hour=rate, date=price["date"], source=source)


def shipped() -> PriceList:
    return PriceList(Path(str(files("vbench_lite.measuring") / "prices.toml")))


def price_of(definition: Definition, device: Device, own: PriceList | None = None) -> Price:
    """The price of a generator in a run: rates with date and source, or only a reason.

    If no row of the price applies to the clips of the definition, the result is a reason.
    """
    swept = definition.about.get("sweep", {}).get("of", "")  # variants of a sweep have the price of their generator
    found = own.find(definition.name, device, swept) if own else None
    found = found or definition.price or shipped().find("", device)
    if not found:
        return Price(
            reason=f'no price is known for "{device.name}": state it under [price] in the definition of '
            f'"{definition.name}", or with --prices FILE'
        )
    clip = definition.clip
    if found.when and (cost := clip_price(found, clip.seconds, clip.height, clip.width)).usd is None:
        return Price(reason=f'{cost.reason} in the price of "{definition.name}": add one, or use --prices FILE')
    return found
