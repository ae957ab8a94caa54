"""Removes secrets and absolute paths from settings and paths for run.json."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECRETS = ("env", "headers")
"""Tables whose values may be secrets. Only the names in them are stored."""
_SECRET = r"(?:(?:[\w-]*[_-])?(?:secret|password|api[_-]?key|access[_-]?key)|(?:(?:hf|hub|auth|api|access)[_-])?token)"
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE)
_SECRET_OPTION = re.compile(rf"--?{_SECRET}", re.IGNORECASE)
_SECRET_VALUE = re.compile(rf"(--?{_SECRET}=|\w://(?=[^/\s]*@))[^\s@]+", re.IGNORECASE)
_PATH_INSIDE = re.compile(r"(?:(?<=file://)|(?<![\w./~}]))(?:~[\w.-]*)?/(?!/)[^\s,;:\"'{}]+")
"""An absolute path within a text, but not the path of a URL."""


def shareable(value: Any, key: str = "") -> Any:
    """A setting without secrets, values of environment variables and absolute paths.

    Settings and command options with these names count as secrets: token, secret, password, api_key, access_key.

    >>> shareable({"env": {"HF_TOKEN": "hf_secret"}, "command": ["/opt/tools/make.py", "--data=/srv/data", "{out}"]})
    {'env': {'HF_TOKEN': '(set)'}, 'command': ['make.py', '--data=data', '{out}']}
    """
    if isinstance(value, Mapping):
        if key in SECRETS:
            return {str(name): "(set)" for name in value}
        return {str(name): shareable(item, str(name)) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [
            "(set)" if isinstance(before, str) and _SECRET_OPTION.fullmatch(before) else shareable(item)
            for before, item in zip(["", *value], value, strict=False)
        ]
    if isinstance(value, str):
        return _shareable_text(value, key)
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)  # TOML has dates


def _shareable_text(text: str, key: str) -> str:
    if _SECRET_NAME.fullmatch(key):
        return "(set)"
    if text.startswith(("/", "~")):
        return short_path(text)
    return _PATH_INSIDE.sub(lambda found: short_path(found[0]), _SECRET_VALUE.sub(r"\1(set)", text))


def relative_path(reference: str) -> str:
    """A folder of real clips, relative to the working folder, so that scoring finds it."""
    return os.path.relpath(reference) if os.path.isabs(reference) else reference


def short_path(path: str) -> str:
    """A path relative to the working folder or to the package; the last part of another absolute path."""
    folder = Path(os.path.expanduser(path))
    if not folder.is_absolute():
        return path
    for base in (Path.cwd(), Path(__file__).parents[2]):
        if folder.is_relative_to(base):
            return str(folder.relative_to(base))
    return folder.name
