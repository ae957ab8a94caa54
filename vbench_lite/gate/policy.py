"""Policies: TOML files of checks on a release. Errors name the line in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from vbench_lite.analysis.comparable import Overlap
from vbench_lite.analysis.quantities import RATIOS
from vbench_lite.errors import BadFile
from vbench_lite.stats import prompts_to_see
from vbench_lite.tomlfile import TomlFile, digest

RULES = ("non-inferior", "superior", "min", "max", "no-new-failures")
CHOICES: dict[str, tuple[str, ...]] = {
    "rule": RULES,
    "unit": ("absolute", "percent", "sd", "se"),
    "statistic": ("mean", "worst-decile", "median", "collapsed"),
    "evidence": ("interval", "point"),
    "against": ("baseline", "history"),
    "each": ("", "category"),
    "undecided": ("block", "inside"),
    "unmeasured": ("undecided", "skip"),
}
"""Accepted values of the keys of a check. The first is the default, except for "rule", which has none."""

CAUTION = 0.8
"""Fraction of the policy's level that tests use. The tests are exact for normal means only. With the whole level, a
release on the margin passes with 5 % on average over the worlds of benchmarks/gate_worlds.py, so in some worlds more
often. With four fifths of the level it passes with at most 5 % in each world. This needs a tenth more prompts."""

ALL_SCORES = "scores"
"""Name for all per-clip scores with a direction, except conformance, which "no-new-failures" counts."""


@dataclass(frozen=True)
class Check:
    """One [[check]] table of a policy."""

    rule: str
    metric: str = ""
    """The name of a metric or cost in summary.json, "scores" for all scores, or "" for no-new-failures."""
    margin: float = 0.0
    """The tolerated loss (non-inferior) or the required gain (superior), 0 or more. For no-new-failures and for
    collapsed clips: the tolerated increase, as a fraction of all clips."""
    unit: str = "absolute"
    """Unit of the margin: that of the metric ("absolute"), percent of the baseline's value, standard deviations between
    the baseline's clips, or standard errors of a set metric. Promotion of a baseline fixes it as a number."""
    value: float | None = None
    """The limit of `min` and `max`."""
    statistic: str = "mean"
    evidence: str = "interval"
    """"interval": by a significance test. "point": by the plain figures."""
    against: str = "baseline"
    """"history": the median of the last promoted baselines."""
    last: int = 5
    floor: float = 0.0
    """A loss below this value is always tolerated; in the unit of the metric."""
    each: str = ""
    """"category": one such check for each category."""
    categories: tuple[str, ...] = ()
    """Only prompts of these categories; () for all."""
    undecided: str = "block"
    """Without a significant test: "block" is undecided; "inside" is a guard, which passes inside its limit."""
    unmeasured: str = "undecided"
    """If the baseline has no such figure, or devices or prices differ: "undecided", or "skip" the check."""
    lines: Mapping[str, int | None] = field(default_factory=dict, compare=False)
    """Key > its line in the file."""

    def line_of(self, key: str) -> int | None:
        """The line of a key, or of the rule if the key is absent."""
        return self.lines.get(key, self.lines.get("rule"))

    @property
    def is_guard(self) -> bool:
        """Whether the check passes without a significant test."""
        return self.undecided != "block" and self.evidence == "interval"


@dataclass(frozen=True)
class Policy:
    """A set of checks with common settings."""

    title: str
    checks: tuple[Check, ...]
    digest: str
    """Digest of all values in the file. Comments and layout do not change it."""
    path: Path
    origin: str
    """The source of the policy: "--policy", "the baseline's", or "the default"."""
    confidence: float = 0.95
    undecided: str = "block"
    """Exit code of an undecided gate. "block": 4. "fail": 3. "pass": 0."""
    min_prompts: int = 10
    """Minimum number of prompts for a pass of a check that is not a guard."""
    rare_losses: float = 0.1
    """A pass needs enough clips to contain a loss in this fraction of the clips, with the confidence. 0: off."""
    anchor_tolerance: float = 0.005
    """Relative change of the scores of the anchor clips above which the scorer has changed."""
    allow_same_clips: bool = False
    prompts: Overlap = "all"
    """"all": runs of different prompts are refused. "common": they are compared over their common prompts."""
    changed_by: str = ""
    changed_on: str = ""
    changed_why: str = ""

    @property
    def level(self) -> float:
        """The highest allowed probability of each of the two errors."""
        return 1 - self.confidence

    @property
    def strict(self) -> float:
        """The level of tests and intervals."""
        return CAUTION * self.level

    @property
    def min_clips(self) -> int:
        """Number of clips that contain a loss in a fraction `rare_losses` of clips, with the policy's confidence."""
        return prompts_to_see(self.rare_losses, self.level) if self.rare_losses else 0


POLICY_KEYS = (
    "title", "confidence", "undecided", "min_prompts", "rare_losses", "anchor_tolerance", "allow_same_clips",
    "prompts", "changed", "check",
)  # fmt: skip
CHECK_KEYS = (*(each.name for each in fields(Check) if each.name != "lines"), "why")
_KINDS: dict[str, type] = {"margin": float, "value": float, "floor": float, "last": int, "categories": list}


def shipped_policies() -> dict[str, Path]:
    """Name > file of the shipped policies."""
    folder = Path(str(files("vbench_lite.gate") / "policies"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def choose_policy(given: str | None, baseline: Path | None) -> Policy:
    """The policy that applies: the given one, else that of the baseline, else the default. Never the candidate's.

    Args:
        given: A file, the name of a shipped policy, or None.
        baseline: The baseline's folder, which may contain a policy.toml; None for no baseline.

    Raises:
        BadFile: The file is not a valid policy.
    """
    if given is not None:
        path = Path(given)
        if not path.exists() and given in shipped_policies():
            path = shipped_policies()[given]
        return read_policy(path, "--policy")
    if baseline is not None and (baseline / "policy.toml").exists():
        return read_policy(baseline / "policy.toml", "the baseline's")
    return read_policy(shipped_policies()["default"], "the default")


def read_policy(path: Path, origin: str = "--policy") -> Policy:
    """Read a policy. docs/gate.md has its keys.

    Raises:
        BadFile: The file is not a valid policy. The message names the line.
    """
    file = TomlFile(path)
    file.only(POLICY_KEYS)
    confidence = file.get("confidence", float, 0.95)
    if not 0.5 < confidence < 1:
        raise file.error("confidence", f'"confidence" is {confidence}: expected between 0.5 and 1, such as 0.95.')
    undecided = file.get("undecided", str, "block")
    if undecided not in ("block", "fail", "pass"):
        raise file.error("undecided", f'"undecided" is "{undecided}": expected one of block, fail, pass.')
    rare = file.get("rare_losses", float, 0.1)
    if not 0 <= rare < 1:
        raise file.error("rare_losses", f'"rare_losses" is {rare}: expected a fraction of the clips, such as 0.1.')
    prompts = file.get("prompts", str, "all")
    if prompts not in ("all", "common"):
        raise file.error("prompts", f'"prompts" is "{prompts}": expected one of all, common.')
    overlap: Overlap = "common" if prompts == "common" else "all"
    changed = file.get("changed", dict, {})
    file.only(("by", "on", "why"), "changed", changed)
    checks = tuple(_check(file, nth, entry) for nth, entry in enumerate(file.get("check", list, [])))
    if not checks:
        raise BadFile(path, None, "has no [[check]]: a policy without checks would pass every release.")
    return Policy(
        title=file.get("title", str, path.stem), checks=checks, digest=digest(_plain(file.data)), path=path,
        origin=origin, confidence=confidence, undecided=undecided, min_prompts=file.get("min_prompts", int, 10),
        rare_losses=rare, anchor_tolerance=file.get("anchor_tolerance", float, 0.005),
        allow_same_clips=file.get("allow_same_clips", bool, False), prompts=overlap,
        **{f"changed_{key}": str(changed.get(key, "")) for key in ("by", "on", "why")},
    )  # fmt: skip


def _check(file: TomlFile, nth: int, entry: Any) -> Check:
    if not isinstance(entry, dict):
        raise file.error("check", "expected [[check]] tables.", nth)
    file.only(CHECK_KEYS, "check", entry, nth)
    given = {
        key: file.check(value, _KINDS.get(key, str), f"check.{key}", nth=nth)
        for key, value in entry.items() if key != "why"
    }  # fmt: skip
    if "rule" not in given:
        raise file.error("check.rule", f'"rule" is missing: expected one of {", ".join(RULES)}.', nth)
    for key, allowed in CHOICES.items():
        if given.get(key, allowed[0]) not in allowed:
            raise file.error(f"check.{key}", f'"{key}" is "{given[key]}": expected one of {", ".join(allowed)}.', nth)
    given["categories"] = tuple(str(name) for name in given.get("categories", ()))
    check = Check(**given, lines={key: file.line_of(f"check.{key}", nth) for key in given})
    for key, message in _faults(check, given):
        raise file.error(f"check.{key}", message, nth)
    return check


def _faults(check: Check, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key > message, for keys that contradict each other."""
    if check.rule == "no-new-failures":
        for key in given.keys() & {"metric", "value", "unit", "statistic", "against", "floor", "last"}:
            yield key, f'"{key}" does not apply to "no-new-failures", which counts clips.'
    elif not check.metric:
        yield "metric", '"metric" is missing: expected a metric or cost, or "scores" for all scores.'
    if check.rule in ("min", "max"):
        if check.value is None:
            yield "value", f'"value" is missing: "{check.rule}" needs a number.'
        for key in given.keys() & {"margin", "unit", "against", "floor", "last"}:
            yield key, f'"{key}" does not apply to "{check.rule}", which has a "value".'
    elif "value" in given:
        yield "value", f'"value" does not apply to "{check.rule}", which has a "margin".'
    if check.rule == "non-inferior" and "margin" not in given:
        yield "margin", '"margin" is missing: state the tolerated loss.'
    for key in ("margin", "floor"):
        if given.get(key, 0) < 0:
            yield key, f'"{key}" is {given[key]}: expected 0 or more. The metric determines the direction.'
    if check.metric in {ratio.name for ratio in RATIOS} and check.rule in ("non-inferior", "superior"):
        if check.unit != "percent":
            yield "unit", f'"{check.metric}" is a ratio: expected unit = "percent".'
        if check.statistic != "mean":
            yield "statistic", f'"{check.metric}" is a ratio of sums: it has no {check.statistic}.'
    if check.evidence == "interval" and (check.statistic == "median" or check.against == "history"):
        key = next(k for k in ("against", "statistic", "rule") if k in given)
        yield key, 'a median and a history are point rules: add evidence = "point".'
    if check.statistic == "collapsed" and (check.rule != "non-inferior" or check.unit != "absolute"):
        yield "statistic", '"collapsed" counts clips: use rule = "non-inferior" and a margin in fractions of the clips.'
    if check.rule == "no-new-failures" and check.margin >= 1:
        yield "margin", f'"margin" is {check.margin:g}: expected a fraction of the clips, below 1.'
    if check.last < 1:
        yield "last", f'"last" is {check.last}: expected 1 or more.'


def _plain(value: Any) -> Any:
    """Dates of TOML become text, because the digest is computed from JSON."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value if _is_json(value) else str(value)


def _is_json(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)
