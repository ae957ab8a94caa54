"""Arrays in .npz files, read within a limit: a small file can hold arrays that fill all memory."""

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
"""Bytes of all arrays of one file, unpacked."""
_BROKEN = (
    ArithmeticError, EOFError, LookupError, MemoryError, OSError, RuntimeError, SyntaxError, TypeError, BadZipFile,
    struct.error, zlib.error,
)
"""What the readers of zip and npy raise for broken files, beside ValueError."""


def read_arrays(content: bytes, most: int = MOST_BYTES) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file by their names.

    Args:
        content: The file.
        most: Bytes that its arrays may take, unpacked.

    Raises:
        ValueError: It is no such file, an array in it is broken, or its arrays take more than `most`.
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
        raise ValueError(f"it is not a whole file of arrays: {error}") from None
    for name, array in found.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f'"{name}" is no array')
    return found


def read_limited(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file that is not larger than a limit.

    Raises:
        OSError: It cannot be read.
        ValueError: It is larger.
    """
    if path.stat().st_size > most:
        raise ValueError(f"it is larger than {most >> 20:,} MiB")
    return path.read_bytes()
