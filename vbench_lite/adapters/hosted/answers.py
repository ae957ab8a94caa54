"""What a hosted service's answers say: its words, its figures, and whether what it sent is a clip."""

from __future__ import annotations

from typing import Any

from vbench_lite.adapters.hosted.client import Answer


def said(answer: Answer) -> str:
    """The words of an answer, in one line that a terminal can be shown."""
    return shown(answer.body[:4000].decode("utf-8", "replace"))[:300] or "(nothing)"


def shown(text: str) -> str:
    """A foreign text in one line, without signs that steer a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))


def flaw(clip: bytes) -> str:
    """What tells from its first bytes and its boxes that a file is no whole clip; "" if nothing does.

    A paid clip is kept as fetched for good, so a page that says "try later" must not pass for one.
    """
    if clip[:4] in (b"\x1aE\xdf\xa3", b"GIF8", b"RIFF"):
        return ""
    if clip[4:8] not in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"):
        return f"what came is no video: {shown(clip[:60].decode('utf-8', 'replace'))!r}"
    place = 0
    while place < len(clip):
        size = int.from_bytes(clip[place : place + 4], "big")
        if size == 1:
            size = int.from_bytes(clip[place + 8 : place + 16], "big")
        if size == 0:
            return ""  # up to the end, wherever that is
        place += max(size, 8)
    return "" if place == len(clip) else f"the video is cut: {len(clip)} of at least {place} bytes came"


def number(value: Any) -> float | None:
    """A figure of an answer, where it is one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        figure = float(value)
    except ValueError:
        return None
    return figure if 0 <= figure < float("inf") else None
