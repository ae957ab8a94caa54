"""Settings of adapters, read into typed records. Every error names the generator and the setting."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

import msgspec

from vbench_lite.errors import UsageError
from vbench_lite.generator import RUNNER_SETTINGS
from vbench_lite.records import Definition

Settings = TypeVar("Settings")


def read_settings(kind: type[Settings], definition: Definition) -> Settings:
    """The settings of an adapter that has no others than those of this record.

    Raises:
        UsageError: A setting is not known, of the wrong type or out of range.
    """
    settings, rest = take(kind, definition)
    if rest:
        known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        raise unknown_setting(definition, f"the {definition.adapter} adapter", next(iter(rest)), known)
    return settings


def take(
    kind: type[Settings], definition: Definition, given: Mapping[str, Any] | None = None
) -> tuple[Settings, dict[str, Any]]:
    """Builds a record of settings from those that are its own, and returns the others.

    Args:
        kind: The record, a dataclass.
        definition: Of the generator that the error names.
        given: The settings; None for all those that the runner leaves to the adapter.

    Raises:
        UsageError: A value is of the wrong type or out of range.
    """
    given = own_settings(definition) if given is None else given
    own = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    try:
        settings = msgspec.convert({k: v for k, v in given.items() if k in own}, kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$.")
        name = place.rstrip("`").partition(".")[0].partition("[")[0]
        found = f'"{name}" is {given[name]!r}: {what[:1].lower()}{what[1:]}' if name in given else what
        raise UsageError(f'"{definition.name}": {found.replace("`", "")}. See docs/generators.md.') from None
    return settings, {k: v for k, v in given.items() if k not in own}


def own_settings(definition: Definition) -> dict[str, Any]:
    """The settings that the runner leaves to the adapter."""
    return {k: v for k, v in definition.settings.items() if k not in RUNNER_SETTINGS}


def require(fine: bool, name: str, value: Any, expected: str) -> None:
    """Raises ValueError for a setting of a record; `take` names the generator."""
    if not fine:
        raise ValueError(f'"{name}" is {value!r}: expected {expected}')


def unknown_setting(definition: Definition, owner: str, setting: str, accepted: Iterable[str]) -> UsageError:
    """Names a setting that nothing reads, and what was probably meant."""
    known = sorted({*accepted, *RUNNER_SETTINGS})
    near = difflib.get_close_matches(setting, known, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else f"It takes: {', '.join(known)}."
    return UsageError(f'"{definition.name}": {owner} takes no setting "{setting}". {hint}')
