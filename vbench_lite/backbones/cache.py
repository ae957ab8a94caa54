"""The cache of features: `$VBENCH_CACHE`, or the user's cache folder. It can be deleted at any time."""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from vbench_lite.arrays import read_arrays, read_limited
from vbench_lite.errors import StoreError
from vbench_lite.files import cache_folder, write_whole


class Store(NamedTuple):
    """A second store of features, in a run folder. Stores of several shards are merged by copying."""

    folder: Path | None = None
    writes: bool = False
    """Whether features are written to it, not only read."""


NO_STORE = Store()


class FeatureCache:
    """Arrays by the digest of their clip: `<cache>/features/<extractor>/<clip>.npz`, and the same in a store.

    If a folder cannot be written, or a file cannot be read or needs more than 1 GiB, the features are computed again.
    """

    def __init__(self, *identity: str, store: Store = NO_STORE) -> None:
        name = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16]
        self.folder = cache_folder() / "features" / name
        second = [store.folder / "features" / name] if store.folder else []
        self._reads = [self.folder, *second]
        self._writes = self._reads if store.writes else [self.folder]

    def get(self, key: str) -> dict[str, Any] | None:
        for folder in self._reads:
            with suppress(OSError, ValueError):
                return read_arrays(read_limited(_path(folder, key)))
        return None

    def put(self, key: str, arrays: dict[str, Any]) -> None:
        import numpy as np

        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        for folder in self._writes:
            with suppress(StoreError):
                write_whole(_path(folder, key), buffer.getvalue())


def _path(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.npz"
