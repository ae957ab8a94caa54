"""Titles, meanings and pitfalls of the figures of a report, and the only place where numbers become text.

Each metric is described in its own file. A run copies the description into summary.json.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import floor, log10

from vbench_lite.records import QUESTIONS, Estimate, MetricInfo, ReasonCode


@dataclass(frozen=True)
class Meaning:
    """The title of a figure, its meaning, and how it can mislead."""

    title: str
    says: str
    misleads: str = ""


HEADINGS: Mapping[str, str] = QUESTIONS | {"people": "People's judgement", "": "Other metrics"}
"""Questions that metrics answer, as `MetricInfo.question` names them, in the order in which they are shown."""
JUDGED = ("coherence", "detail", "prompt")
"""Questions on which generators are ranked."""


def by_question(metrics: Mapping[str, MetricInfo]) -> dict[str, list[str]]:
    """Question -> its metrics by rank. Questions without a metric are left out."""
    found: dict[str, list[str]] = {question: [] for question in HEADINGS}
    for name, info in sorted(metrics.items(), key=lambda item: item[1].rank):
        found[info.question if info.question in HEADINGS else ""].append(name)
    return {question: names for question, names in found.items() if names}


_FIGURES: Mapping[str, Meaning] = {
    "usable": Meaning(
        "Usable clips",
        "Share of the attempted clips that were generated, conform to the request, and meet every threshold. Failed "
        "clips count as not usable. Missing clips, which were never attempted, are not counted.",
        "Thresholds decide this automatically. They do not cover the requirements of your project.",
    ),
    "device_s_per_clip": Meaning(
        "Device time per clip",
        "Seconds of wall time between synchronised points, times the number of devices in use: what a cloud bills. "
        "Loading, warm-up, encoding and scoring are not included.",
    ),
    "usd_per_clip": Meaning(
        "Cost per clip",
        "US dollars per attempted clip, including failed clips.",
        "Prices change. The prices of this report are listed with their dates in the section on the method.",
    ),
    "usd_per_usable_clip": Meaning(
        "Cost per usable clip",
        "The total cost, including failed clips, divided by the number of usable clips.",
        "It depends on the thresholds: lower thresholds give a lower cost.",
    ),
    "attempts_per_usable_clip": Meaning(
        "Attempts per usable clip",
        "The expected number of clips to generate for one usable clip.",
    ),
    "energy_wh_per_clip": Meaning(
        "Energy per clip",
        "Watt-hours by the energy counter of the device during generation.",
        "The energy of the other parts of the machine is not included.",
    ),
    "peak_memory_mb": Meaning(
        "Peak device memory",
        "The largest memory of tensors on the device during the generation of any clip.",
        "The process needs somewhat more, for its context and for memory that the allocator keeps.",
    ),
    "peak_rss_mb": Meaning(
        "Peak process memory",
        "The largest resident memory of the generator's process and its children during the generation of any clip.",
        "It includes library files that are in memory. Their size differs by hundreds of MiB between installations. "
        "Compare it only within one installation.",
    ),
}
COSTS = (
    "attempts_per_usable_clip", "usd_per_clip", "usd_per_usable_clip", "device_s_per_clip", "energy_wh_per_clip",
    "peak_memory_mb", "peak_rss_mb",
)  # fmt: skip
ROUTES = {
    "transformer": "token transformer",
    "diffusion": "diffusion",
    "hybrid": "hybrid",
    "undisclosed": "route undisclosed",
}

MINUS, DASH, NONE, TIMES = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{EM DASH}", "\N{MULTIPLICATION SIGN}"


def title(name: str, metrics: Mapping[str, MetricInfo]) -> str:
    """The title of a metric, a cost, or a reason such as "frozen".

    >>> title("frozen", {}), title("usd_per_clip", {})
    ('Frozen', 'Cost per clip')
    """
    return meaning(name, metrics).title


def inline(title: str) -> str:
    """A title as part of a sentence: lower case, but acronyms keep their capitals.

    >>> inline("CLIP text similarity"), inline("Warping error")
    ('CLIP text similarity', 'warping error')
    """
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def meaning(name: str, metrics: Mapping[str, MetricInfo]) -> Meaning:
    """The explanation of a metric, from its description in the summary, or of a cost."""
    info = metrics.get(name)
    if info is not None and info.title:
        return Meaning(info.title, info.description, info.pitfalls)
    return _FIGURES.get(name) or Meaning(name.replace("_", " ").capitalize(), "")


def cost_title(name: str, money_scale: float = 1.0) -> str:
    """The title of a cost, with the number of clips that the sum covers."""
    found = title(name, {})
    if name.startswith("usd") and money_scale > 1:
        return found.replace("per usable clip", "per 1,000 usable clips").replace("per clip", "per 1,000 clips")
    return found


def number(value: float, decimals: int) -> str:
    """A number with grouped thousands and a typographic minus sign; never "-0.00"."""
    text = f"{value:,.{decimals}f}"
    if text.startswith("-"):
        return text[1:] if not text.strip("-0.,") else MINUS + text[1:]
    return text


def plain(value: float) -> str:
    """A number without an interval, with three significant digits."""
    return number(value, decimals(value))


def seconds(value: float) -> str:
    """A time: "1.68 s", "0.35 s", "5.5 ms"."""
    if abs(value) >= 0.1 or not value:
        return f"{plain(value)} s"
    return f"{number(1000 * value, 0 if abs(value) >= 0.01 else 1)} ms"


def decimals(value: float, uncertainty: float | None = None) -> int:
    """The number of decimals to print.

    They show one significant digit of the uncertainty, or two if it starts with 1 or 2, and always two significant
    digits of the value. Without an uncertainty they show three significant digits of the value.
    """
    of_value = _places(value, 2 if uncertainty else 3)
    if not uncertainty:
        return of_value
    if value and uncertainty < 1e-6 * abs(value):
        return _places(value, 3)  # a constant: its interval is rounding error
    leading = int(uncertainty / 10 ** floor(log10(uncertainty)) + 1e-9)
    return min(8, max(of_value, _places(uncertainty, 2 if leading < 3 else 1)))


def _places(value: float, figures: int) -> int:
    return max(0, figures - 1 - floor(log10(abs(value)))) if value else 2


@dataclass(frozen=True)
class Written:
    """An estimate as text, in parts."""

    value: str
    interval: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.value} [{self.interval}]" if self.interval else self.value


def scaled(estimate: Estimate, scale: float) -> Estimate:
    """An estimate in another unit."""
    value, low, high = (None if end is None else end * scale for end in (estimate.value, estimate.low, estimate.high))
    return dataclasses.replace(estimate, value=value, low=low, high=high)


def write(estimate: Estimate, scale: float = 1.0, before: str = "", after: str = "") -> Written:
    """An estimate as text.

    Args:
        estimate: A value with or without an interval, or the reason why there is no value.
        scale: Factor of the value and its interval, e.g. 1000 for money per 1,000 clips.
        before: Text before the value, e.g. "$".
        after: Text after the value, e.g. " s".
    """
    figure, reason = scaled(estimate, scale), estimate.reason or ""
    value, low, high = figure.value, figure.low, figure.high
    if value is None:
        return Written(reason if estimate.reason_code is ReasonCode.NONE_USABLE else NONE, "", reason)
    sides = [] if low is None or high is None else [side for side in (value - low, high - value) if side > 0]
    places = decimals(value, min(sides) if sides else None)
    if before == "$" and abs(value) >= 0.01:
        places = max(places, 2)
    text = f"{before}{number(value, places)}{after}"
    if low is None or (high is not None and number(low, places) == number(high, places)):
        return Written(text, "", reason)
    return Written(text, _interval(low, high, places), reason)


def _interval(low: float, high: float | None, places: int) -> str:
    return f"{number(low, places)} or more" if high is None else f"{number(low, places)} {DASH} {number(high, places)}"


def cost_text(name: str, estimate: Estimate, money_scale: float = 1.0) -> Written:
    """A cost with its unit."""
    if name.startswith("usd"):
        return write(estimate, money_scale, before="$")
    if name.endswith("_mb"):
        large = (estimate.value or 0) >= 10_000
        return write(estimate, 1 / 1024 if large else 1.0, after=" GiB" if large else " MiB")
    unit = {"device_s_per_clip": " s", "energy_wh_per_clip": " Wh"}.get(name, "")
    return write(estimate, after=unit)


def money_scale(estimates: Iterable[Estimate]) -> float:
    """1000 if every clip costs less than a cent, so that money is shown per 1,000 clips; otherwise 1."""
    values = [e.value for e in estimates if e.value]
    return 1000.0 if values and max(values) < 0.01 else 1.0


def in_main_memory(costs: Mapping[str, Estimate]) -> bool:
    """Whether the tensors were in the memory of the process, as on a CPU: then both peaks are equal."""
    device, process = (costs[name].value if name in costs else None for name in ("peak_memory_mb", "peak_rss_mb"))
    return device == process


def percent(share: float | None) -> str:
    """A fraction of 0 to 1 as a percentage. "100 %" and "0 %" are written only for exactly 1 and 0."""
    if share is None:
        return NONE
    shown = round(100 * share)
    if (shown == 100 and share < 1) or (shown == 0 and share > 0):
        return f"{100 * share:.1f} %".replace("100.0", "99.9").replace("0.0 ", "0.1 ")
    return f"{shown} %"


def several(count: int, noun: str, plural: str = "") -> str:
    """ "1 clip", "1,200 clips"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def listed(items: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    parts = list(items)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
