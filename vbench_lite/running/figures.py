"""Checks the values of an `Output`: times, counts and charges that a generator reports.

Numbers of numpy and torch, and bytes-like files, are converted. With NaN, infinity, text or a negative number, the clip
fails with a reason that names the value.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from vbench_lite.generator import Output
from vbench_lite.records import ReasonCode


def checked_output(output: Output) -> Output:
    """The output with plain numbers. If a value is not valid, the output is failed with a reason.

    >>> checked_output(Output(file=b"clip", device_s="12s")).failure
    "device_s is '12s': expected a number of seconds, 0 or more"
    """
    wrong: list[str] = []
    figures: dict[str, Any] = {
        "usd_charged": _figure("usd_charged", output.usd_charged, "of US dollars, 0 or more", wrong),
        "device_s": _figure("device_s", output.device_s, "of seconds, 0 or more", wrong),
        "fps": _figure("fps", output.fps, "of frames per second, above 0", wrong, above=True),
        "stages_s": _figures("stages_s", output.stages_s, "of seconds, 0 or more", wrong),
        "counts": _figures("counts", output.counts, ", 0 or more", wrong),
    }
    seed = _plain(output.seed)
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        wrong.append(f"seed is {str(seed)[:60]!r}: expected a whole number")
        seed = None
    figures["seed"] = seed
    if isinstance(output.file, bytearray | memoryview):
        figures["file"] = bytes(output.file)
    elif output.file is not None and not isinstance(output.file, bytes):
        wrong.append(f"file is {type(output.file).__name__}, expected the bytes of a clip")
        figures["file"] = None
    failure = "" if output.failure is None else str(output.failure).encode("utf-8", "replace").decode()
    code = output.failure_code if isinstance(output.failure_code, ReasonCode) else ReasonCode.OTHER
    if wrong and not failure:
        failure, code = "; ".join(wrong), ReasonCode.BAD_OUTPUT
    return dataclasses.replace(output, **figures, failure=failure or None, failure_code=code)


def _figures(name: str, given: Any, kind: str, wrong: list[str]) -> dict[str, float]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        wrong.append(f"{name} is {type(given).__name__}, expected a table of numbers by name")
        return {}
    found = {str(key): _figure(f"{name}[{str(key)!r}]", value, kind, wrong) for key, value in given.items()}
    return {key: value for key, value in found.items() if value is not None}


def _figure(name: str, given: Any, kind: str, wrong: list[str], above: bool = False) -> float | None:
    """A value as a Python number; None if it is missing or not valid."""
    if given is None:
        return None
    value = _plain(given)
    if isinstance(value, bool) or not isinstance(value, int | float):
        wrong.append(f"{name} is {str(given)[:60]!r}: expected a number{_of(kind)}")
        return None
    if not math.isfinite(value) or value < 0 or (above and value == 0):
        wrong.append(f"{name} is {value:g}: expected a number{_of(kind)}")
        return None
    return value


def _of(kind: str) -> str:
    return kind if kind.startswith(",") else f" {kind}"


def _plain(given: Any) -> Any:
    """A scalar of numpy or torch, a fraction or a decimal as int or float. Other values are returned unchanged."""
    try:
        if not isinstance(given, int | float) and callable(getattr(given, "item", None)):
            return given.item()
        if isinstance(given, float) and type(given) is not float:
            return float(given)  # numpy's float64 is a float
        if isinstance(given, Decimal | numbers.Rational) and not isinstance(given, int):
            return float(given)
    except (ValueError, RuntimeError, TypeError, OverflowError):  # an array of several numbers has no item
        pass
    return given
