"""Reads JSON files of a run as typed records. A missing or wrong key raises StoreError with the file and the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from vbench_lite.errors import StoreError, system_reason
from vbench_lite.records import FORMAT

T = TypeVar("T")
MOST_BYTES = 2 * 2**30
"""Maximum size of a JSON file of a run."""


def read_json(path: Path, hint: str) -> dict[str, Any]:
    """Reads one JSON object of a run folder, of this format or an earlier one.

    Args:
        path: The file.
        hint: The meaning of a missing file, and the command that makes it.

    Raises:
        StoreError: The file is missing, is not a JSON object, or has a later format.
    """
    try:
        value = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        raise StoreError(f"{path} is missing: {hint}") from None
    except RecursionError:
        raise StoreError(f"{path} cannot be read: it is nested too deeply.") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {system_reason(error)}") from None
    if not isinstance(value, dict):
        raise StoreError(f"{path} cannot be read: expected a JSON object, got {type(value).__name__}.")
    version = value.get("format")
    if not isinstance(version, int) or not 1 <= version <= FORMAT:
        raise StoreError(
            f'{path}: the key "format" is {version!r}: expected 1 to {FORMAT}. '
            "Another version of vbench-lite wrote the file."
        )
    return value


def typed(value: Any, kind: type[T], path: Path) -> T:
    """Converts a decoded JSON value to a record.

    Args:
        value: The result of `read_json`.
        kind: The dataclass of the record.
        path: The file, for the error.

    Raises:
        StoreError: A key is missing or has a wrong type. The message names the file and the key.
    """
    try:
        return msgspec.convert(value, kind, dec_hook=_path)
    except (msgspec.ValidationError, RecursionError) as error:
        what, _, where = str(error).partition(" - at `$.")
        place = f'the key "{where.rstrip("`")}": ' if where else ""
        raise StoreError(f"{path}: {place}{what[:1].lower()}{what[1:]}.") from None


def _path(kind: type[Any], value: Any) -> Any:
    if issubclass(kind, Path) and isinstance(value, str):
        return Path(value)
    raise TypeError(f"expected {kind.__name__}")
