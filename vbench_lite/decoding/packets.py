"""Checks the completeness of files that consist of packets of a stated size: MPEG streams, ASF (WMV) and PNG (APNG).

Sources: ISO/IEC 13818-1 (transport and program streams), ISO/IEC 11172-1, the Advanced Systems Format specification
and the PNG specification.
"""

from __future__ import annotations

from typing import BinaryIO

CUT_OFF = "cut off: the file ends in the middle of its data"
DAMAGED = "damaged: its structure breaks at byte {}"

PACK, ASF, PNG = b"\0\0\1\xba", bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), b"\x89PNG\r\n\x1a\n"
_END_CODE = b"\0\0\1\xb9"
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_OBJECT, _ASF_DATA_HEAD = 24, 50
_SYNC = 0x47
_LAYOUTS = ((188, 0), (192, 4), (204, 0))
"""Size of a transport packet and offset of its sync byte: broadcast, Blu-ray, with error correction."""
_MOST_HEADER = 1 << 20


def transport_layout(head: bytes) -> tuple[int, int] | None:
    """Size of a transport stream's packets and offset of their sync byte; None for other files."""
    for length, sync in _LAYOUTS:
        if len(head) > 2 * length + sync and {head[sync + nth * length] for nth in range(3)} == {_SYNC}:
            return length, sync
    return None


def transport_problem(handle: BinaryIO, size: int, layout: tuple[int, int]) -> str:
    """Check that the last packet is complete. The demuxer detects packets that are missing before it."""
    length, sync = layout
    rest = size % length
    handle.seek(size - rest)
    last = handle.read(rest)
    return CUT_OFF if last[sync : sync + 1] == bytes([_SYNC]) or (sync and 0 < rest <= sync) else ""


def program_problem(handle: BinaryIO, size: int) -> str:
    """Check all packets of a program stream. Bytes after the last packet are ignored."""
    at = 0
    while at < size:
        handle.seek(at)
        head = handle.read(14)
        if head[:3] != PACK[:3] or head[:4] == _END_CODE:
            return "" if head[:4] == _END_CODE or not _pack_follows(handle, at) else DAMAGED.format(at)
        if head[:4] == PACK:
            second = len(head) > 4 and head[4] >> 6 == 1
            length = 14 + (head[13] & 7 if len(head) > 13 else 0) if second else 12
        else:
            length = 6 + int.from_bytes(head[4:6], "big")
        if len(head) < 6 or at + length > size:
            return CUT_OFF
        at += length
    return ""


def _pack_follows(handle: BinaryIO, at: int) -> bool:
    handle.seek(at)
    return PACK in handle.read(_MOST_HEADER)


def asf_problem(handle: BinaryIO, size: int) -> str:
    """Compare the stated size of the data with the file. A live stream states none."""
    handle.seek(0)
    start = handle.read(_ASF_OBJECT)
    data = int.from_bytes(start[16:24], "little")
    if data + _ASF_DATA_HEAD > size:
        return CUT_OFF
    header = start + handle.read(min(data, _MOST_HEADER) - len(start))
    at = header.find(_ASF_PROPERTIES)
    if at < 0 or len(header) < at + 96:
        return ""
    handle.seek(data + 16)
    stated = int.from_bytes(handle.read(8), "little")
    live = header[at + 88] & 1
    return CUT_OFF if not live and data + stated > size else ""


def png_problem(handle: BinaryIO, size: int) -> str:
    """Check the chunks of a PNG up to its last one. Bytes after it are ignored."""
    at = len(PNG)
    while at + 12 <= size:
        handle.seek(at)
        head = handle.read(8)
        at += 12 + int.from_bytes(head[:4], "big")
        if head[4:] == b"IEND":
            return CUT_OFF if at > size else ""
    return CUT_OFF
