"""What making a clip costs: from `--prices`, else the generator's own [price], else the table that ships.

A price carries its date and its source. Where none is known, there is a reason and no number.
"""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from vbench_lite.measuring.devices import Device
from vbench_lite.records import Definition, Price
from vbench_lite.tomlfile import TomlFile

RATES = ("usd_per_device_hour", "usd_per_clip", "usd_per_second")
_CPU_RATES = ("usd_per_vcpu_hour", "usd_per_device_hour")


class PriceList:
    """A price file.

        currency = "USD"                     # optional; no other is understood
        [generator.wan-1_3b]                 # one rate each: usd_per_device_hour, usd_per_clip or usd_per_second
        usd_per_clip = 0.05
        date = "2026-05-22"
        source = "our contract"
        [cpu]                                # usd_per_vcpu_hour, or usd_per_device_hour for the whole machine
        [[device]]                           # match = a part of the device's name, usd_per_device_hour
    """

    def __init__(self, path: Path) -> None:
        self._file = TomlFile(path)
        self._file.only(("currency", "generator", "cpu", "device"))
        if self._file.get("currency", str, "USD") != "USD":
            raise self._file.error("currency", "prices are in US dollars: expected \"USD\".")
        self._generators = {
            name: self._price(f"generator.{name}", entry, RATES)
            for name, entry in self._file.get("generator", dict, {}).items()
        }
        cpu = self._file.get("cpu", dict, {})
        self._cpu = self._price("cpu", cpu, _CPU_RATES) if cpu else None
        self._devices: list[tuple[str, dict[str, Any]]] = []
        for nth, entry in enumerate(self._file.get("device", list, [])):
            match = self._file.check(entry.get("match", ...), str, "device.match", nth=nth)
            rest = {key: value for key, value in entry.items() if key != "match"}
            self._devices.append((match, self._price("device", rest, RATES[:1], nth)))

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

    def find(self, generator: str, device: Device) -> dict[str, Any] | None:
        """The price of a generator on a device, or None."""
        if generator in self._generators:
            return self._generators[generator]
        if device.kind == "cpu" and self._cpu:
            return self._for_machine(self._cpu, device)
        wanted = device.name.lower()
        return next((price for match, price in self._devices if match.lower() in wanted), None)

    @staticmethod
    def _for_machine(price: dict[str, Any], device: Device) -> dict[str, Any]:
        if "usd_per_vcpu_hour" not in price:
            return price
        rate = round(price["usd_per_vcpu_hour"] * device.vcpus, 6)
        source = f"{device.vcpus} vCPU at ${price['usd_per_vcpu_hour']:g} an hour each: {price['source']}"
        return {"usd_per_device_hour": rate, "date": price["date"], "source": source}


def shipped() -> PriceList:
    return PriceList(Path(str(files("vbench_lite.measuring") / "prices.toml")))


def price_of(definition: Definition, device: Device, own: PriceList | None = None) -> dict[str, Any]:
    """The price that a run uses for a generator: one rate with date, source and currency, or a reason."""
    found = own.find(definition.name, device) if own else None
    found = found or _stated(definition.price) or shipped().find("", device)
    if not found:
        return {
            "reason": f'no price is known for "{device.name}": state one under [price] in the definition of '
            f'"{definition.name}", or with --prices FILE'
        }
    return found | {"currency": "USD"}


def _stated(price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    rates = {key: getattr(price, key) for key in RATES if getattr(price, key) is not None}
    return rates | {"date": price.date, "source": price.source}
