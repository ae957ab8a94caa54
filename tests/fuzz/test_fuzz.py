"""Mutated files of every kind that a user supplies are read or refused with a reason; a small part of the long run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.judge import GOOD, judge
from tests.fuzz.kinds import KINDS

EACH = 12


@pytest.mark.parametrize("name", KINDS)
def test_mutated_files_are_read_or_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    bad = [verdict for seed in range(EACH) if (verdict := judge(name, seed, tmp_path / "f")).outcome not in GOOD]
    assert bad == []


@pytest.mark.parametrize("name", KINDS)
def test_files_that_were_not_mutated_are_read(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    for nth, example in enumerate(kind.examples()):
        folder = tmp_path / str(nth)
        folder.mkdir()
        kind.beside(folder)
        (folder / kind.name).write_bytes(example)
        kind.read(folder / kind.name)
