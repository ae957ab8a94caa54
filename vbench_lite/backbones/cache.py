"""The cache of what can be computed again: `$VBENCH_CACHE`, or the user's cache folder."""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from pathlib import Path
from typing import Any

from vbench_lite.arrays import read_arrays, read_limited
from vbench_lite.errors import StoreError
from vbench_lite.files import cache_folder, write_whole


class FeatureCache:
    """Arrays by the digest of their clip: `<cache>/features/<extractor>/<clip>.npz`.

    A folder that cannot be written, or a file that cannot be read or takes more than a GiB, only costs time.
    """

    def __init__(self, *identity: str) -> None:
        name = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16]
        self.folder = cache_folder() / "features" / name

    def get(self, key: str) -> dict[str, Any] | None:
        try:
            return read_arrays(read_limited(self._path(key)))
        except (OSError, ValueError):
            return None

    def put(self, key: str, arrays: dict[str, Any]) -> None:
        import numpy as np

        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        with suppress(StoreError):
            write_whole(self._path(key), buffer.getvalue())

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npz"
