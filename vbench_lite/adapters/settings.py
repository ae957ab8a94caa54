"""Settings of adapters, read into typed records. Every error names the generator and the setting."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import msgspec

from vbench_lite.errors import UsageError
from vbench_lite.generator import RUNNER_SETTINGS
from vbench_lite.records import Definition
from vbench_lite.userfile import shown

Settings = TypeVar("Settings")
Number = Annotated[float, msgspec.Meta(ge=0)]
"""A number of 0 or more."""
Count = Annotated[int, msgspec.Meta(ge=0)]
"""A whole number of 0 or more."""
WORDS = {
    "str": "a string", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "a table",
}


def read_settings(kind: type[Settings], definition: Definition) -> Settings:
    """Reads the settings of an adapter. It has only those of this record and of the records inside it.

    Raises:
        UsageError: A setting is missing, not known, of the wrong type or out of range.
    """
    given = own_settings(definition)
    if unknown := next(_unknown(kind, given), None):
        raise unknown_setting(definition, f"the {definition.adapter} adapter", *unknown)
    return take(kind, definition, given)[0]


def _unknown(kind: type, given: Mapping[str, Any], table: str = "") -> Iterator[tuple[str, list[str]]]:
    """Settings that the record does not have, each with the known settings of its table."""
    hints = get_type_hints(kind)
    for name, value in given.items():
        if name not in hints:
            yield f"{table}{name}", [f"{table}{known}" for known in hints]
        elif is_dataclass(hints[name]) and isinstance(value, Mapping):
            yield from _unknown(hints[name], value, f"{table}{name}.")


def take(
    kind: type[Settings], definition: Definition, given: Mapping[str, Any] | None = None
) -> tuple[Settings, dict[str, Any]]:
    """Builds a record from its own settings, and returns the other settings.

    Args:
        kind: The record, a dataclass.
        definition: The definition, for the name in errors.
        given: The settings; None for all settings of the adapter.

    Raises:
        UsageError: A value is of the wrong type or out of range.
    """
    given = own_settings(definition) if given is None else given
    own = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    try:
        settings = msgspec.convert({k: v for k, v in given.items() if k in own}, kind)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:  # a command line can contain lone surrogates
        problem = _problem(str(error), kind, given)
        raise UsageError(f'"{definition.name}": {problem}. See docs/generators.md.') from None
    return settings, {k: v for k, v in given.items() if k not in own}


def _problem(message: str, kind: type, given: Mapping[str, Any]) -> str:
    """The setting and its problem, from a message such as "Expected `str`, got `int` - at `$.submit.url`"."""
    what, _, place = message.partition(" - at `$.")
    name = place.rstrip("`").partition("[")[0]
    value: Any = given
    hint: Any = kind
    for part in filter(None, name.split(".")):
        value, hint = value[part], get_type_hints(hint)[part]
    if missing := re.match(r"Object missing required field `(\w+)`", what):
        return f'[settings{name and f".{name}"}] lacks "{missing[1]}"'
    if what.startswith("Invalid enum value"):
        expected = f"one of {', '.join(get_args(hint))}"
    elif what.startswith("Expected "):
        expected = re.sub(r"`([^`]*)`", lambda kinds: _in_words(kinds[1]), what.partition(", got")[0][9:])
        expected = f"every item to be {expected}" if "[" in place else expected
    else:  # a check of the record itself
        return f"[settings.{name}]: {what}" if name else what
    return f'"{name}" is {shown(value)}: expected {expected}'


def _in_words(kinds: str) -> str:
    return " or ".join(WORDS.get(kind, kind) for kind in kinds.split(" | "))


def own_settings(definition: Definition) -> dict[str, Any]:
    """The settings of the adapter, without those of the runner."""
    return {k: v for k, v in definition.settings.items() if k not in RUNNER_SETTINGS}


def require(fine: bool, name: str, value: Any, expected: str) -> None:
    """Raises ValueError for an invalid setting of a record. `take` adds the name of the generator."""
    if not fine:
        raise ValueError(f'"{name}" is {value!r}: expected {expected}')


def unknown_setting(definition: Definition, owner: str, setting: str, accepted: Iterable[str]) -> UsageError:
    """The error for an unknown setting, with the most similar known setting."""
    known = sorted({*accepted, *RUNNER_SETTINGS})
    near = difflib.get_close_matches(setting, known, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else f"Its settings: {', '.join(known)}."
    return UsageError(f'"{definition.name}": {owner} has no setting "{setting}". {hint}')
