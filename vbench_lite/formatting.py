"""The only place where figures become text: the same digits and units on the terminal, on the page and in files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, log10

from vbench_lite.records import Estimate, ReasonCode

MINUS, DASH, NONE, TIMES = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{EM DASH}", "\N{MULTIPLICATION SIGN}"


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

    They show one significant digit of the uncertainty, or two if it starts with 1 or 2. One more is added where this
    gives two significant digits of the value. Without an uncertainty they show three significant digits of the value.
    """
    of_value = _places(value, 2 if uncertainty else 3)
    if not uncertainty:
        return of_value
    if value and uncertainty < 1e-6 * abs(value):
        return _places(value, 3)  # a constant: its interval is rounding error
    leading = int(uncertainty / 10 ** floor(log10(uncertainty)) + 1e-9)
    of_error = _places(uncertainty, 2 if leading < 3 else 1)
    return min(8, max(of_error, min(of_value, of_error + 1)))


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
    places = estimate_decimals(figure, money=before == "$")
    text = f"{before}{number(value, places)}{after}"
    if low is None or (high is not None and number(low, places) == number(high, places)):
        return Written(text, "", reason)
    return Written(text, _interval(low, high, places), reason)


def estimate_decimals(estimate: Estimate, *, money: bool = False) -> int:
    """The number of decimals of an estimate with a value, in the unit in which it is written."""
    value, low, high = estimate.value or 0.0, estimate.low, estimate.high
    sides = [] if low is None or high is None else [side for side in (value - low, high - value) if side > 0]
    places = decimals(value, min(sides) if sides else None)
    return max(places, 2) if money and abs(value) >= 0.01 else places


def _interval(low: float, high: float | None, places: int) -> str:
    return f"{number(low, places)} or more" if high is None else f"{number(low, places)} {DASH} {number(high, places)}"


def cost_text(name: str, estimate: Estimate, money_scale: float = 1.0) -> Written:
    """A cost with its unit."""
    if name.startswith("usd"):
        return write(estimate, money_scale, before="$")
    stored = {"device_s_per_clip": "s", "energy_wh_per_clip": "Wh"}.get(name, "MiB" if name.endswith("_mb") else "")
    unit, scale = shown_unit(name, stored, estimate.value or 0.0)
    return write(estimate, scale, after=f" {unit}" if unit else "")


def dollars(value: float) -> str:
    """An amount of money: "$0.0111", "$12.50"."""
    return write(Estimate(value), before="$").value


def shown_unit(name: str, stored: str, value: float, money_scale: float = 1.0) -> tuple[str, float]:
    """The unit in which a figure is shown, and the factor from its stored unit to this one.

    Args:
        name: Of the figure, as in summary.json.
        stored: Its unit there.
        value: How large it is, in the stored unit.
        money_scale: As `money_scale` gives it.

    >>> shown_unit("usd_per_usable_clip", "USD", 2e-5, 1000.0), shown_unit("peak_rss_mb", "MiB", 20480.0)
    (('US$ per 1,000 usable clips', 1000.0), ('GiB', 0.0009765625))
    """
    if name.startswith("usd"):
        clip = "usable clip" if "usable" in name else "clip"
        return (f"US$ per 1,000 {clip}s" if money_scale > 1 else f"US$ per {clip}"), money_scale
    if stored == "of clips":
        return "% of clips", 100.0
    return ("GiB", 1 / 1024) if stored == "MiB" and value >= 10_000 else (stored, 1.0)


@dataclass(frozen=True)
class Shown:
    """How text shows one figure of two generators."""

    unit: str = ""
    scale: float = 1.0
    """Factor from the stored unit to this one."""
    decimals: tuple[int | None, int | None] = (None, None)
    """Of the baseline's figure and of the candidate's, as in their reports; None follows the interval."""


AS_STORED = Shown()


@dataclass(frozen=True)
class Change:
    """Two figures and their difference as text. Signs are ASCII, so that a log of any encoding keeps them."""

    baseline: str
    candidate: str
    difference: str
    """With its sign; "" where only the candidate's figure counts."""
    interval: str
    """Of the difference, else of the candidate's figure, such as "-0.02 to +0.01"; "" for none."""
    limit: str
    """Of the difference, else of the candidate's figure; "" for none."""


def write_change(
    baseline: float | None, candidate: float | None, difference: float | None, *, low: float | None = None,
    high: float | None = None, limit: float | None = None, shown: Shown = AS_STORED,
) -> Change:  # fmt: skip
    """Two figures and their difference, with as many decimals as `decimals` gives for the interval.

    Args:
        baseline, candidate: The figures; None is written "-".
        difference: Candidate minus baseline; None where only the candidate's figure counts.
        low, high: The interval of the difference, else of the candidate's figure.
        limit: Of the difference, else of the candidate's figure.
        shown: The unit of all of them, and the decimals of the figures where they are known.

    >>> write_change(0.9149, 0.9243, 0.0094, low=0.0013, high=0.0176, limit=-0.02137)
    Change(baseline='0.9149', candidate='0.9243', difference='+0.0094', interval='+0.0013 to +0.0176', limit='-0.0214')
    """
    centre, low, high, limit, baseline, candidate = (
        None if value is None else value * shown.scale
        for value in (candidate if difference is None else difference, low, high, limit, baseline, candidate)
    )
    places, interval, plus = None, "", "" if difference is None else "+"
    if centre is not None and low is not None and high is not None:
        errors = [abs(centre - end) for end in (low, high) if end != centre]
        needed = [limit, *((low, high) if low * high > 0 else ())]  # no end, and no limit, is rounded to 0
        if errors:
            enough = [decimals(centre, min(errors)), *(_places(each, 1) for each in needed if each)]
            places = min(8, max(enough))
        interval = f"{_signed(low, places, plus)} to {_signed(high, places, plus)}"
    of_baseline, of_candidate = (places if own is None else own for own in shown.decimals)
    return Change(
        _signed(baseline, of_baseline), _signed(candidate, of_candidate),
        "" if difference is None else _signed(centre, places, plus), interval,
        "" if limit is None else _signed(limit, places, plus),
    )  # fmt: skip


def _signed(value: float | None, places: int | None, plus: str = "") -> str:
    """A figure with its sign; without decimals to keep to, three significant digits and no zeros at the end."""
    if value is None:
        return "-"
    digits = number(abs(value), decimals(value) if places is None else places)
    if places is None and "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return ("-" if value < 0 and digits.strip("0.,") else plus) + digits


def money_scale(estimates: Iterable[Estimate]) -> float:
    """1000 if every clip costs less than a cent, so that money is shown per 1,000 clips; otherwise 1."""
    values = [e.value for e in estimates if e.value]
    return 1000.0 if values and max(values) < 0.01 else 1.0


def percent(share: float | None) -> str:
    """A fraction of 0 to 1 as a percentage. "100 %" and "0 %" are written only for exactly 1 and 0."""
    if share is None:
        return NONE
    if percent_decimals(share):
        return f"{100 * share:.1f} %".replace("100.0", "99.9").replace("0.0 ", "0.1 ")
    return f"{round(100 * share)} %"


def percent_decimals(share: float) -> int:
    """1 where a share would be rounded to "100 %" or "0 %" without being 1 or 0."""
    return int(round(100 * share) in (0, 100) and share not in (0, 1))


def several(count: int, noun: str, plural: str = "") -> str:
    """ "1 clip", "1,200 clips"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def listed(items: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    parts = list(items)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
