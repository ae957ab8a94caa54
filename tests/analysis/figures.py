"""The figures of the analysis for fixed runs, beside those of expected.json: a change of any one of them is noticed.

Wording, paths and digests are left out; other tests are about them. After an intended change, write the file again and
read its difference:

    python -m tests.analysis.figures
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

EXPECTED = Path(__file__).with_name("expected.json")
LONGEST = 30
"""Longer texts are not names or codes."""
MOST = 6
"""Longer rows of numbers are stored as their number, sum, sum of squares, first and last."""


def plain(value: Any) -> Any:
    """A result as JSON: numbers with eight digits, codes and names; "text" for every other text."""
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name[0] != "_"}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        rows = value.ravel().tolist()
        ends = {"n": len(rows), "sum": sum(rows), "squares": sum(v * v for v in rows), "first": rows[:1]}
        return plain(rows if len(rows) <= MOST else ends | {"last": rows[-1]})
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        return "text" if len(value) > LONGEST or {" ", "/"} & set(value) else value
    if isinstance(value, float):
        return float(f"{value:.8g}") if np.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int) else "text"


def differing(found: Any, expected: Any, place: str = "") -> list[str]:
    """What is not as expected. Numbers may differ by 1e-5 of their size, and fields that are new are left out."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return [d for key, value in expected.items() for d in differing(found.get(key), value, f"{place}.{key}")]
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = enumerate(zip(found, expected, strict=True))
        return [d for nth, pair in pairs for d in differing(*pair, f"{place}[{nth}]")]
    numbers = type(found) in (int, float) and type(expected) in (int, float)
    same = bool(np.isclose(found, expected, rtol=1e-5, atol=1e-9)) if numbers else found == expected
    return [] if same else [f"{place}: {found!r}, expected {expected!r}"]


def require_expected(name: str, value: Any) -> None:
    """Fails where the figures are not those of expected.json."""
    wrong = differing(plain(value), json.loads(EXPECTED.read_text())[name], name)
    shown = "\n".join(wrong[:12])
    assert not wrong, f"{len(wrong)} figures changed (if intended: python -m tests.analysis.figures)\n{shown}"


def text_of(value: Any, depth: int = 3) -> str:
    """JSON with a line for each part down to a depth."""
    if not depth or not value or not isinstance(value, dict | list):
        return json.dumps(value)
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    lines = [("" if key is None else f"{json.dumps(key)}: ") + text_of(item, depth - 1) for key, item in items]
    left, right = "{}" if isinstance(value, dict) else "[]"
    return f"{left}\n" + ",\n".join(lines) + f"\n{right}"


if __name__ == "__main__":
    from tests.analysis.test_figures import CASES

    found = {}
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = plain(case(Path(folder)))
    EXPECTED.write_text(text_of(found) + "\n")
