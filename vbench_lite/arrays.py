"""Reads arrays in .npz files within a size limit, because a small file can unpack to arrays that fill the memory."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BYTES = 2**30
"""Maximum bytes of all arrays of one file, unpacked."""
_BROKEN = (
    ArithmeticError, EOFError, LookupError, MemoryError, OSError, RuntimeError, SyntaxError, TypeError, BadZipFile,
    struct.error, zlib.error,
)
"""Errors of the zip and npy readers for broken files, in addition to ValueError."""


def read_arrays(content: bytes, most: int = MOST_BYTES) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file by their names.

    Args:
        content: The file.
        most: Maximum bytes of its arrays, unpacked.

    Raises:
        ValueError: It is not an .npz file, an array in it is broken, or its arrays take more than `most`.
    """
    import numpy as np

    try:
        with ZipFile(io.BytesIO(content)) as members:
            unpacked = sum(member.file_size for member in members.infolist())
        if unpacked > most:
            raise ValueError(f"its arrays take {unpacked >> 20:,} MiB, more than the {most >> 20:,} MiB allowed")
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            found = {name: stored[name] for name in stored.files}
    except _BROKEN as error:
        raise ValueError(f"it is not a complete file of arrays: {error}") from None
    for name, array in found.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f'"{name}" is not an array')
    return found


def read_limited(path: Path, most: int = MOST_BYTES) -> bytes:
    """Reads a file up to a size limit.

    Raises:
        OSError: It cannot be read.
        ValueError: It is larger.
    """
    if path.stat().st_size > most:
        raise ValueError(f"it is larger than {most >> 20:,} MiB")
    return path.read_bytes()
