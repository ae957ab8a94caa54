"""External programs that score clips, described by a TOML file: `--metrics judge.toml`. Keys: docs/external-scores.md.

This module reads the file and creates one metric per [[score]] table. `scoring.judging` runs the program.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from vbench_lite.analysis.quantities import TAKEN
from vbench_lite.metrics.base import Metric
from vbench_lite.records import QUESTIONS, Definition
from vbench_lite.run.identity import code_digest
from vbench_lite.tomlfile import TomlFile, digest
from vbench_lite.userfile import shown

KEYS = (
    "command", "cwd", "env", "resident", "time_limit_s", "load_limit_s", "workers", "stop_after_failures", "version",
    "source", "licence", "about", "score",
)  # fmt: skip
SCORE_KEYS = (
    "name", "title", "unit", "range", "higher_is_better", "question", "rank", "description", "pitfalls",
)  # fmt: skip
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True)
class Judge:
    """One program, with the settings for running it."""

    name: str
    command: Sequence[str]
    scores: tuple[str, ...]
    """Names of the scores that the program returns."""
    identity: str
    """Digest of version, command, scales and scripts. Scores of different digests are not comparable."""
    cwd: str
    env: Mapping[str, str]
    resident: bool
    time_limit_s: float
    """Time limit for one clip."""
    load_limit_s: float
    """Time limit for the start of a resident program."""
    workers: int
    """Number of parallel processes on a CPU. On CUDA there is one per device."""
    stop_after_failures: int
    """Number of consecutive failures after which the remaining clips are skipped."""
    folder: Path


class JudgedMetric(Metric):
    """A per-clip metric that an external program computes."""

    per = "clip"
    origin = "program"
    judge: ClassVar[Judge]
    """The program. All metrics of a file share it."""


def known_judges() -> dict[str, Path]:
    """Name of each judge > its file. Files in the metrics/ folder of the working folder have priority."""
    found: dict[str, Path] = {}
    for folder in (Path("metrics"), Path(str(files("vbench_lite.metrics") / "judges"))):
        for path in sorted(folder.glob("*.toml")):
            found.setdefault(path.stem, path)
    return found


def judged_metrics(path: Path) -> list[type[JudgedMetric]]:
    """The metrics of a judge's file, one per [[score]] table.

    Raises:
        BadFile: The file is not a valid judge. The message names the line.
    """
    file = TomlFile(path)
    file.only(KEYS)
    entries = file.get("score", list)
    scores = [_score(file, nth, entry) for nth, entry in enumerate(entries)]
    if not scores:
        raise file.error("score", "has no [[score]]: expected one table for each score that the program returns.")
    names = tuple(score["name"] for score in scores)
    for nth, name in enumerate(names):
        if name in names[:nth]:
            raise file.error("score.name", f'the score "{name}" occurs twice.', nth)
    judge = _judge(file, names, scores)
    shared = {
        "judge": judge, "source": file.get("source", str, ""), "licence": file.get("licence", str, ""),
        "version": f"{file.get('version', str)}+{judge.identity[:8]}",
    }
    return [type(f"Judged_{score['name']}", (JudgedMetric,), shared | score) for score in scores]


def _judge(file: TomlFile, names: tuple[str, ...], scores: list[dict[str, Any]]) -> Judge:
    command = file.texts(file.data.get("command", ...), "command")
    resident = file.get("resident", bool, False)
    if not command:
        raise file.error("command", '"command" is empty: expected a list such as ["python", "judge.py"].')
    if not resident and not any("{clip}" in word for word in command):
        raise file.error("command", '"command" has no {clip}: put it where the program expects the path of the clip.')
    env = {key: str(value) for key, value in file.get("env", dict, {}).items()}
    name, cwd, folder = file.path.stem, file.get("cwd", str, ""), file.path.parent.resolve()
    script = Definition(name, "undisclosed", "command", settings={"command": command, "cwd": cwd}, folder=folder)
    meaning = {
        "version": file.get("version", str), "command": command, "scripts": code_digest(script),
        "scores": [[score["name"], score["unit"], list(map(str, score["range"]))] for score in scores],
    }
    return Judge(
        name, tuple(command), names, digest(meaning), cwd, env, resident, _positive(file, "time_limit_s", 300.0),
        _positive(file, "load_limit_s", 1800.0), _count(file, "workers", 1), _count(file, "stop_after_failures", 5),
        folder,
    )  # fmt: skip


def _positive(file: TomlFile, key: str, default: float) -> float:
    value: float = file.get(key, float, default)
    if value <= 0:
        raise file.error(key, f'"{key}" is {value:g}: expected a number of seconds above 0.')
    return value


def _count(file: TomlFile, key: str, default: int) -> int:
    value: int = file.get(key, int, default)
    if value < 1:
        raise file.error(key, f'"{key}" is {value}: expected 1 or more.')
    return value


def _score(file: TomlFile, nth: int, entry: Any) -> dict[str, Any]:
    """The class attributes of the metric of one score."""
    if not isinstance(entry, dict):
        raise file.error("score", "expected [[score]] tables.", nth)
    file.only(SCORE_KEYS, "score", entry, nth)

    def get(key: str, kind: type, default: Any = ...) -> Any:
        return file.check(entry.get(key, ...), kind, f"score.{key}", default, nth)

    name = get("name", str)
    if not NAME.fullmatch(name):
        expected = "up to 60 lower-case letters, digits and _, beginning with a letter"
        raise file.error("score.name", f'the name of the score is "{name}": expected {expected}.', nth)
    if name in TAKEN:
        raise file.error("score.name", f'"{name}" is a column of clips.csv or a figure of every run: rename it.', nth)
    question = get("question", str, "")
    if question not in ("", *QUESTIONS):
        raise file.error("score.question", f'"question" is "{question}": expected one of {", ".join(QUESTIONS)}.', nth)
    higher = get("higher_is_better", bool) if "higher_is_better" in entry else None
    return {
        "name": name, "title": get("title", str, name.replace("_", " ").capitalize()), "unit": get("unit", str, ""),
        "range": _range(file, nth, get("range", list)), "higher_is_better": higher, "question": question,
        "rank": get("rank", int, 10), "pitfalls": get("pitfalls", str, ""),
        "description": get("description", str, f"A score of the program in {file.path.name}."),
    }


def _range(file: TomlFile, nth: int, limits: list[Any]) -> tuple[float, float]:
    numbers = [
        float(side) for side in limits
        if side in ("-inf", "inf") or (isinstance(side, int | float) and not isinstance(side, bool))
    ]
    if len(limits) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:
        expected = 'expected [smallest, largest], such as [1, 5] or [0, "inf"]'
        raise file.error("score.range", f'"range" is {shown(limits)}: {expected}.', nth)
    return numbers[0], numbers[1]


def checked_value(value: Any, limits: tuple[float, float]) -> tuple[float | None, str]:
    """A value that a program returned, as a number; or None and the reason why it is not valid.

    >>> checked_value(4, (1.0, 5.0)), checked_value(float("nan"), (1.0, 5.0))
    ((4.0, ''), (None, 'the answer is nan, which is not a number'))
    >>> checked_value("good", (1.0, 5.0))[1], checked_value(7, (1.0, 5.0))[1]
    ("the answer is 'good', which is not a number", 'the answer is 7, outside of 1 to 5')
    """
    if value is None:
        return None, "the program returned no value"
    text = repr(value)[:80]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, f"the answer is {text}, which is not a number"
    low, high = limits
    try:
        finite = math.isfinite(value)
    except OverflowError:  # a whole number with hundreds of digits
        finite = False
    if not finite:
        return None, f"the answer is {text}, which is not a number"
    if not low <= value <= high:
        return None, f"the answer is {text}, outside of {low:g} to {high:g}"
    return float(value), ""
