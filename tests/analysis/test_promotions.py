"""The record of promotions, and a baseline whose files are not those of the last one."""

from __future__ import annotations

from pathlib import Path

import pytest

from vbench_lite.analysis.promotions import (
    GUARDED,
    HistoryEntry,
    SuiteName,
    history_path,
    read_history,
    require_whole,
    write_history,
)
from vbench_lite.errors import StoreError


def entry(reason: str = "first") -> HistoryEntry:
    return HistoryEntry(
        date="2026-11-01T10:00:00Z", by="Ana", reason=reason, run="v1", suite=SuiteName(name="ads"),
        means={"model": {"detail": 0.5}}, medians={"model": {"detail": 0.6}},
    )  # fmt: skip


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_history(tmp_path) == ()
    require_whole(tmp_path)
    for name in GUARDED[1:]:
        (tmp_path / name).write_text(name)
    write_history(tmp_path, (entry(), entry("second")))
    assert read_history(tmp_path) == (entry(), entry("second"))
    assert entry().figures("median") == {"model": {"detail": 0.6}}
    assert entry().figures("mean") == {"model": {"detail": 0.5}}
    require_whole(tmp_path)
    (tmp_path / GUARDED[0]).write_text("it was not there")
    require_whole(tmp_path)


@pytest.mark.parametrize("name", GUARDED)
@pytest.mark.parametrize("text", [None, "changed"])
def test_a_file_that_was_changed_or_lost_is_named(tmp_path: Path, name: str, text: str | None) -> None:
    for each in GUARDED:
        (tmp_path / each).write_text(each)
    write_history(tmp_path, (entry(),))
    (tmp_path / name).unlink()
    if text:
        (tmp_path / name).write_text(text)
    with pytest.raises(StoreError, match=rf"{name} is not the file of the last promotion.*from version control"):
        require_whole(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2, "promotions": [{"date": 3}]}', '{"promotions": []}'])
def test_a_damaged_history_is_named(tmp_path: Path, text: str) -> None:
    history_path(tmp_path).write_text(text)
    with pytest.raises(StoreError, match=r"history.json.*Restore it from version control"):
        read_history(tmp_path)
