"""What became of one mutated file: read, refused with a reason, or one of the faults."""

from __future__ import annotations

import dataclasses
import math
import resource
import shutil
import signal
import traceback
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.fuzz.kind import Kind
from tests.fuzz.kinds import KINDS
from tests.fuzz.mutate import mutate
from vbench_lite.errors import VbenchError

MOST_SECONDS = 30
MOST_MB = 2048
"""Peak memory of the process."""
GOOD = ("read", "refused")


class Verdict(NamedTuple):
    kind: str
    seed: int
    outcome: str
    """"read", "refused", "traceback", "no reason", "not a number", "hang" or "memory"."""
    detail: str = ""


class Hang(BaseException):
    """The time of one file is over."""


def judge(kind_name: str, seed: int, folder: Path) -> Verdict:
    """Reads one mutated file; the same seed gives the same file."""
    kind, rng = KINDS[kind_name], Random(f"{kind_name} {seed}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    kind.beside(folder)
    path = folder / kind.name
    path.write_bytes(mutate(rng.choice(kind.examples()), rng))
    outcome, detail = _read(kind, path)
    if outcome in GOOD and (peak := resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024) > MOST_MB:
        outcome, detail = "memory", f"{peak:.0f} MB"
    return Verdict(kind_name, seed, outcome, detail)


def _read(kind: Kind, path: Path) -> tuple[str, str]:
    def stop(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(MOST_SECONDS)
    try:
        found = kind.read(path)
    except VbenchError as error:
        return ("refused", str(error)) if str(error).strip() else ("no reason", type(error).__name__)
    except Hang:
        return "hang", f"more than {MOST_SECONDS} s"
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return "traceback", f"{type(error).__name__}: {str(error)[:200]} at {Path(last.filename).name}:{last.lineno}"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    wrong = next((value for value in _numbers(found) if not math.isfinite(value)), None)
    return ("read", "") if wrong is None else ("not a number", str(wrong))


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _numbers(getattr(value, field.name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _numbers(item)
