"""Checks from the sizes of its parts whether a file is complete: GIF, Matroska, WebM, Ogg, and the formats of
`packets`.

Decoders skip damaged parts of these files without an error. So a truncated file, or a file with a missing part, would
be read as a shorter clip. Only the headers of the parts are read. Sources: the GIF89a specification, RFC 8794 (EBML),
RFC 9559 (Matroska) and RFC 3533 (Ogg).
"""

from __future__ import annotations

from typing import BinaryIO

from vbench_lite.decoding import packets
from vbench_lite.decoding.packets import CUT_OFF, DAMAGED

_GIF_COLOURS = 0x80
_SEGMENT, _CLUSTER, _GROUP = 0x18538067, 0x1F43B675, 0xA0
_EVERYWHERE = {0xEC, 0xBF}
"""Elements that may occur in every parent: Void and CRC-32."""
_KNOWN = {
    0: {0x1A45DFA3, _SEGMENT},
    _SEGMENT: {0x114D9B74, 0x1549A966, 0x1654AE6B, _CLUSTER, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367},
    _CLUSTER: {0xE7, 0x5854, 0xA7, 0xAB, 0xA3, _GROUP, 0xAF},
    _GROUP: {0xA1, 0xA2, 0x75A1, 0x9B, 0xFA, 0xFB, 0xFD, 0xA4, 0x75A2, 0x8E, 0xC8},
}
"""Parent -> its possible children; 0 is the file."""
_MASTERS = {_SEGMENT, _CLUSTER, _GROUP}


def problem(handle: BinaryIO) -> str:
    """The defect in the structure of a file; "" if there is none, or for a file of another format."""
    handle.seek(0)
    start = handle.read(1024)
    size = handle.seek(0, 2)
    if start.startswith(b"GIF8"):
        return _gif_problem(handle)
    if start.startswith(b"\x1a\x45\xdf\xa3"):
        return _matroska_problem(handle, size)
    if layout := packets.transport_layout(start):
        return packets.transport_problem(handle, size, layout)
    walk = next((walk for magic, walk in _WALKS.items() if start.startswith(magic)), None)
    return walk(handle, size) if walk else ""


def _gif_problem(handle: BinaryIO) -> str:
    """Check the blocks of a GIF up to its trailer byte. Bytes after it are ignored."""
    handle.seek(6)
    screen = handle.read(7)
    if len(screen) < 7:
        return CUT_OFF
    _skip_colours(handle, screen[4])
    while label := handle.read(1):
        if label == b";":
            return ""
        if label == b"!":
            handle.read(1)
        elif label == b",":
            image = handle.read(9)
            if len(image) < 9:
                return CUT_OFF
            _skip_colours(handle, image[8])
            handle.read(1)
        else:
            return DAMAGED.format(handle.tell() - 1)
        while length := handle.read(1):
            if length == b"\0":
                break
            handle.seek(length[0], 1)
    return CUT_OFF


def _skip_colours(handle: BinaryIO, packed: int) -> None:
    if packed & _GIF_COLOURS:
        handle.seek(3 << (packed & 7) + 1, 1)


def _ogg_problem(handle: BinaryIO, size: int) -> str:
    """Check the pages: their numbers must be consecutive, and the last page of each stream must be marked."""
    number: dict[bytes, int] = {}
    ended: dict[bytes, bool] = {}
    at = 0
    while at < size:
        handle.seek(at)
        head = handle.read(27)
        if len(head) < 27 and ended and all(ended.values()):
            return ""
        if head[:4] != b"OggS":
            return "" if ended and all(ended.values()) else DAMAGED.format(at)
        if len(head) < 27:
            return CUT_OFF
        serial, page = head[14:18], int.from_bytes(head[18:22], "little")
        if number.get(serial, page - 1) + 1 != page:
            return DAMAGED.format(at)
        number[serial], ended[serial] = page, bool(head[5] & 4)
        lengths = handle.read(head[26])
        at += 27 + head[26] + sum(lengths)
    return "" if at == size and all(ended.values()) else CUT_OFF


def _matroska_problem(handle: BinaryIO, size: int) -> str:
    """Check clusters and blocks. Bytes after the end of the last segment are ignored."""
    parents: list[tuple[int, int | None]] = [(0, None)]
    """Open elements with their ends. An end is None if the size is unknown, as in live streams."""
    at, segments = 0, 0
    while at < size:
        while parents[-1][1] is not None and at >= parents[-1][1]:
            parents.pop()
        if len(parents) == 1 and segments:
            return ""
        handle.seek(at)
        head = handle.read(12)
        id_, after_id = _number(head, 0, keep_marker=True)
        length, after = _number(head, after_id, keep_marker=False)
        while parents[-1][1] is None and len(parents) > 1 and any(_belongs(id_, parent) for parent, _ in parents[:-1]):
            if _belongs(id_, parents[-1][0]):
                break
            parents.pop()
        if not after or not _belongs(id_, parents[-1][0]):
            return DAMAGED.format(at) if len(head) == 12 else CUT_OFF
        unknown = length == (1 << 7 * (after - after_id)) - 1
        end = None if unknown else at + after + length
        limit = min((stop for _, stop in parents if stop is not None), default=None)
        if end is not None and limit is not None and end > limit:
            return DAMAGED.format(at)
        if end is not None and end > size:
            return CUT_OFF
        segments += id_ == _SEGMENT
        if id_ in _MASTERS:
            parents.append((id_, end))
            at += after
        elif end is None:
            return DAMAGED.format(at)
        else:
            at = end
    return "" if segments else CUT_OFF


def _belongs(id_: int, parent: int) -> bool:
    """Whether an element may occur in a parent. A segment may contain elements that the specification does not name."""
    return id_ in _KNOWN[parent] | _EVERYWHERE or (parent == _SEGMENT and id_ >= 1 << 28 and id_ not in _KNOWN[0])


def _number(data: bytes, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """A number of 1 to 8 bytes whose first bits are its length, and the offset after it; (0, 0) if there is none."""
    if (not at and not keep_marker) or at >= len(data) or not data[at]:
        return 0, 0
    length = 9 - data[at].bit_length()
    part = data[at : at + length]
    if len(part) < length:
        return 0, 0
    value = int.from_bytes(part, "big")
    return (value if keep_marker else value & ((1 << 7 * length) - 1)), at + length


_WALKS = {
    b"OggS": _ogg_problem, packets.PACK: packets.program_problem, packets.ASF: packets.asf_problem,
    packets.PNG: packets.png_problem,
}
"""First bytes of a file -> check of its parts."""
