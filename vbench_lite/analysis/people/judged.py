"""A run with its votes and with the tables of the judged clips."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vbench_lite.analysis.people.raters import attentive
from vbench_lite.analysis.people.tables import ClipKey, PairTable, UsableTable, pair_table, usable_table
from vbench_lite.errors import StoreError
from vbench_lite.escaping import vbench_command
from vbench_lite.records import MetricInfo
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.people import HUMAN_METRICS
from vbench_lite.run.summary import Summary
from vbench_lite.run.votes import QUESTIONS, Vote, Votes, read_votes

Row = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Judged:
    """A run with its votes."""

    folder: RunFolder
    summary: Summary
    rows: Mapping[str, Sequence[Row]]
    """Run > rows of its clips.csv: this run, and other runs in the same folder that votes name."""
    votes: Votes

    @property
    def home(self) -> str:
        return self.folder.name

    @cached_property
    def counted(self) -> tuple[Vote, ...]:
        """The votes of attentive raters. All results use only these."""
        return attentive(self.votes)

    @cached_property
    def usable(self) -> UsableTable:
        return usable_table(self.counted)

    @cached_property
    def pairs(self) -> dict[str, PairTable]:
        """Question > its votes. Questions without votes are left out."""
        made = {q: pair_table(self.counted, q, self.home) for q in QUESTIONS["pairs"]}
        return {question: table for question, table in made.items() if len(table.points)}

    def values(self, column: str) -> dict[ClipKey, float]:
        """Clip > its value in a column of clips.csv; flags are 1 and 0."""
        words = {"true": 1.0, "false": 0.0}
        found = {}
        for run, rows in self.rows.items():
            for row in rows:
                text = row.get(column, "")
                if text and row["status"] == "ok":
                    key = run, row["generator"], row["prompt_id"], int(row["index"])
                    found[key] = words[text] if text in words else float(text)
        return found

    @cached_property
    def kept_shares(self) -> dict[ClipKey, float]:
        """Clip > share of its raters that keep it."""
        table = self.usable
        if not len(table.keep):
            return {}
        shares = np.bincount(table.clip, table.keep) / np.bincount(table.clip)
        return dict(zip(table.clips, shares.tolist(), strict=True))

    @property
    def judging(self) -> dict[str, MetricInfo]:
        """Per-clip metrics with a direction."""
        return {
            name: info for name, info in self.summary.metrics.items()
            if info.per == "clip" and info.higher_is_better is not None and name not in (*HUMAN_METRICS, "conformance")
        }  # fmt: skip


def read_judged(folder: RunFolder, summary: Summary) -> Judged:
    """Read the votes of a run with the tables of the judged clips."""
    tables = {folder.name: read_rows(folder.table_path)}
    everything = read_votes(folder.path, {}, ())
    others = {clip.run for vote in everything.counted for clip in vote.clips} - {folder.name}
    for name in sorted(others):
        other = RunFolder(folder.path.resolve().parent / name)
        if other.exists() and other.table_path.exists() and _alike(other.summary(), summary):
            tables[name] = read_rows(other.table_path)
    present = {
        (run, row["generator"], row["prompt_id"], int(row["index"])): row["sha256"]
        for run, rows in tables.items() for row in rows if row["status"] == "ok"
    }  # fmt: skip
    made = {record.sha256 for record in folder.records()}
    return Judged(folder, summary, tables, read_votes(folder.path, present, tables, folder.name, made))


def _alike(one: Summary, other: Summary) -> bool:
    """Whether two runs have the same metrics, so that their values are comparable."""
    known = [{n: (i.version, i.backbone) for n, i in s.metrics.items() if n not in HUMAN_METRICS} for s in (one, other)]
    return known[0] == known[1]


def read_rows(path: Path) -> list[Row]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        again = f"Score it with: {vbench_command('score', path.parent)}"
        raise StoreError(f"{path} cannot be read: the run is not scored. {again}") from error
