"""Writes complete files only, and JSON without NaN."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from vbench_lite.errors import StoreError, system_reason

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_whole(path: Path, data: bytes | str | Iterable[str]) -> None:
    """Writes a file as a whole: readers never see an incomplete file, not even after a power failure.

    A device or a pipe, such as /dev/stdout, is not replaced.

    Args:
        path: The file.
        data: Its content. The lines of an iterable are written one by one, so they need not fit into memory.

    Raises:
        StoreError: It cannot be written. The message states the reason.
    """
    content = [data] if isinstance(data, bytes) else (piece.encode() for piece in _pieces(data))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(b"".join(content))
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        _remove(part)
        reason = system_reason(error)
        advice = "Free space, or name another file" if error.errno in FULL else "Name another file"
        raise StoreError(f"cannot write {path}: {reason}. {advice}.") from error
    except BaseException:  # raised by the iterable
        _remove(part)
        raise


def check_place(path: Path) -> None:
    """Checks that a file can be written, before the work for it is done. It leaves no file.

    Raises:
        StoreError: As `write_whole`.
    """
    if os.path.isdir(path):
        raise StoreError(f"cannot write {path}: {os.strerror(errno.EISDIR)}. Name another file.")
    if not os.path.exists(path):
        missing = [folder for folder in path.parents if not os.path.exists(folder)]
        try:
            write_whole(path, b"")
            _remove(path)
        finally:
            for folder in missing:
                with suppress(OSError):
                    folder.rmdir()


def _remove(part: Path) -> None:
    with suppress(OSError):
        part.unlink()


def _pieces(data: str | Iterable[str]) -> Iterable[str]:
    return [data] if isinstance(data, str) else data


def to_json(value: Any) -> str:
    """Readable JSON without NaN; dataclasses become objects."""

    def plain(item: Any) -> Any:
        if dataclasses.is_dataclass(item) and not isinstance(item, type):
            return {f.name: getattr(item, f.name) for f in dataclasses.fields(item)}
        if isinstance(item, Path):
            return str(item)
        return dict(item)

    return json.dumps(value, default=plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def cache_folder() -> Path:
    """The folder of files that can be computed again: `$VBENCH_CACHE`; else `$XDG_CACHE_HOME/vbench-lite`; else
    `~/.cache/vbench-lite`; else, for a user without a home, a folder among the temporary files of the system."""
    if named := os.environ.get("VBENCH_CACHE"):
        return Path(named)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "vbench-lite"
    try:
        return Path.home() / ".cache" / "vbench-lite"
    except RuntimeError:  # no HOME and no entry in the list of users
        return Path(tempfile.gettempdir()) / "vbench-lite"


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Locks a folder for one process; others wait. The lock ends with the process."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
