"""Locks a run folder, so that only one run uses it at a time. Each shard has its own lock."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from vbench_lite.errors import FolderLocked, StoreError, system_reason
from vbench_lite.running.batches import Shard

try:
    import fcntl
except ImportError:  # Windows: two runs on one folder are not detected
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(folder: Path, shard: Shard) -> Iterator[None]:
    """Lock the folder for this process. The system releases the lock when the process ends.

    Raises:
        FolderLocked: Another run uses the folder.
        StoreError: The folder cannot be written.
    """
    with ExitStack() as stack:
        whole = shard.parts == 1
        _take(stack.enter_context(_open(folder / ".lock")), folder, shared=not whole)
        if not whole:
            _take(stack.enter_context(_open(folder / f".lock-{shard}")), folder, shared=False)
        yield


def _open(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+")
    except OSError as error:
        raise StoreError(
            f"cannot write to {path.parent}: {system_reason(error)}. Choose another folder with --out DIR."
        ) from error


def _take(file: IO[str], folder: Path, shared: bool) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "another process"
        raise FolderLocked(
            f"{folder} is in use by {holder}. Wait for it, or write to another folder with --out DIR."
        ) from None
    except OSError:
        return  # the file system has no locks
    with contextlib.suppress(OSError):  # a full disk: the lock still works, and later writes report the error
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"process {os.getpid()} on {platform.node()}\n".encode())
