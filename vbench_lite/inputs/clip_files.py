"""Lists the files of a folder of clips: the clips, and all other files with the reason why they are not clips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vbench_lite.inputs.numbered import PROMPT_LIST, PROMPT_TEXTS
from vbench_lite.userfile import is_folder
from vbench_lite.video import CLIP_SUFFIXES, left_out_reason, no_file

TABLE = "clips.csv"
COMPANIONS = (TABLE, PROMPT_LIST, PROMPT_TEXTS)
"""Files beside the clips that describe them."""
SHOWN = 10
"""Highest number of files that a message names."""


def clip_files_of(folder: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    """The clips directly in a folder, and all other entries with the reason why they are not clips.

    Every file with the suffix of a clip counts as a clip, also a broken one. A file with another suffix counts if it
    can be opened as a video.
    """
    clips: list[Path] = []
    others: list[tuple[Path, str]] = []
    for path in sorted(folder.iterdir()):
        if path.name in COMPANIONS:
            continue
        why = no_file(path)
        if path.is_dir():
            count = _clips_below(path)
            why = "it is a folder" + (f" with {count} clips: score it alone" if count else "")
        elif not why and path.suffix.lower() not in CLIP_SUFFIXES:
            why = left_out_reason(path)
        if why:
            others.append((path, why))
        else:
            clips.append(path)
    return clips, others


def model_folders(folder: Path) -> list[Path]:
    """Subfolders with clips, if the folder itself contains no clip."""
    entries = sorted(folder.iterdir()) if is_folder(folder) else []
    if any(path.is_file() and path.suffix.lower() in CLIP_SUFFIXES for path in entries):
        return []
    return [path for path in entries if path.is_dir() and _clips_below(path)]


def _clips_below(folder: Path) -> int:
    try:
        return sum(path.is_file() and path.suffix.lower() in CLIP_SUFFIXES for path in folder.iterdir())
    except OSError:
        return 0


def nothing_found(folder: Path, others: Sequence[tuple[Path, str]]) -> str:
    """The message for a folder without clips. It names the first files of the folder."""
    expected = f'expected files such as "{{prompt}}-0.mp4", or a {TABLE}'
    if not others:
        return f"{folder} contains no clip: it is empty; {expected}."
    listed = "; ".join(f"{path.name}: {why}" for path, why in others[:SHOWN])
    more = f"; and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    return f"{folder} contains no clip ({listed}{more}); {expected}."
