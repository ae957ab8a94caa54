"""Imports scores that another tool computed, assigns them to the clips of a run, and adds them to the run's scores.

A table is stored as `imports/<name>.json` in the run folder, with its digest. Each scoring of the run adds the scores
of all these files. Importing a table of the same name replaces the file. Deleting the file removes the scores.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vbench_lite.analysis.quantities import TAKEN
from vbench_lite.errors import BadFile, MetricError
from vbench_lite.escaping import vbench_command
from vbench_lite.files import to_json, write_whole
from vbench_lite.inputs.clipnames import names_of
from vbench_lite.inputs.score_table import RENAMED, ScoreTable, TableMetric, TableRow, read_score_table
from vbench_lite.metrics.registry import shipped_metrics
from vbench_lite.records import FORMAT, ClipKey, MetricInfo, ReasonCode, Score, Scored
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import NAME, Manifest
from vbench_lite.run.reading import read_json, typed


@dataclass(frozen=True)
class ImportedMetric:
    """One metric of a table."""

    unit: str = ""
    higher_is_better: bool | None = None
    source: str = ""
    version: str = ""
    title: str = ""


@dataclass(frozen=True)
class ImportedTable:
    """`imports/<name>.json`."""

    format: int
    table: str
    """Name of the imported file."""
    sha256: str
    metrics: Mapping[str, ImportedMetric]
    values: tuple[tuple[str, str, int, str, float | None, str], ...]
    """Rows of (generator, prompt id, index, metric, value, reason). Without a value, the reason says why."""

    @property
    def without_direction(self) -> list[str]:
        """Metrics for which no direction is stated. They are shown but not ranked."""
        return [name for name, metric in self.metrics.items() if metric.higher_is_better is None]

    @property
    def without_value(self) -> int:
        """Number of rows without a value."""
        return sum(value[4] is None for value in self.values)


def import_table(folder: RunFolder, path: Path, generator: str | None = None) -> ImportedTable:
    """Check a table against a run and store it in the run's folder. If any row is wrong, nothing is stored.

    Args:
        folder: The run. It may be unscored.
        path: A CSV file, or a result file of VBench; see docs/external-scores.md.
        generator: Generator of the rows that name none. None is enough if the run has one generator.

    Raises:
        BadFile: A row names an unknown clip, a clip has two values of one metric, or the file is not a table of scores.
        StoreError: The run does not exist, or its folder cannot be written.
    """
    manifest, table = folder.manifest(), read_score_table(path)
    find = _finder(folder, manifest, table, [generator] if generator else list(manifest.generators))
    lines: dict[tuple[ClipKey, str], int] = {}
    values = []
    for row in table.rows:
        if row.metric in TAKEN:
            why = f'"{row.metric}" is a column of clips.csv or a figure of every run: rename the metric.'
            raise BadFile(path, row.line or None, why)
        key, name = find(row), _stored_name(row.metric)
        if (key, name) in lines:
            where, before = f"{key.generator}, {key.prompt_id} #{key.index}", lines[key, name]
            stands = f"is also in line {before}" if before else "occurs twice"
            raise BadFile(path, row.line or None, f'"{row.metric}" of this clip ({where}) {stands}.')
        lines[key, name] = row.line
        values.append((*key, name, row.value, row.reason))
    stem = path.stem if NAME.fullmatch(path.stem) else hashlib.sha256(path.name.encode()).hexdigest()[:12]
    found = ImportedTable(
        FORMAT, path.name, hashlib.sha256(path.read_bytes()).hexdigest(),
        {_stored_name(name): _metric(name, metric) for name, metric in table.metrics.items()}, tuple(values),
    )
    _refuse_shared(folder, stem, found, path)
    write_whole(folder.path / "imports" / f"{stem}.json", to_json(found))
    return found


def _stored_name(metric: str) -> str:
    return f"{metric}{RENAMED}" if metric in shipped_metrics() else metric


def _metric(name: str, metric: TableMetric) -> ImportedMetric:
    title = shipped_metrics()[name].title if name in shipped_metrics() else name.replace("_", " ").capitalize()
    return ImportedMetric(*metric, title=f"{title} (imported)")


def _refuse_shared(folder: RunFolder, stem: str, found: ImportedTable, path: Path) -> None:
    for other, table in stored_tables(folder).items():
        shared = sorted(set(table.metrics) & set(found.metrics))
        if other != stem and shared:
            raise BadFile(
                path, None, f'"{shared[0]}" was already imported from {table.table}. Rename the metric, import '
                f"{table.table} again with all rows, or delete {folder.path / 'imports' / other}.json.",
            )


def _finder(
    folder: RunFolder, manifest: Manifest, table: ScoreTable, generators: list[str]
) -> Callable[[TableRow], ClipKey]:
    """A function that finds the clip of a row, and raises BadFile if the run does not have the clip."""
    asked = {name: set(manifest.keys(name)) for name in manifest.generators}
    place_of = names_of(manifest.prompts)

    def find(row: TableRow) -> ClipKey:
        key = _of_file(row) if row.file else ClipKey(_generator(row), row.prompt_id, row.index or 0)
        if key not in asked.get(key.generator, ()):
            raise BadFile(table.path, row.line or None, _unknown(key, manifest, folder))
        return key

    def _of_file(row: TableRow) -> ClipKey:
        parts = Path(row.file).parts
        if len(parts) >= 4 and parts[-4] == "clips" and Path(parts[-1]).stem.isdigit():
            key = ClipKey(parts[-3], parts[-2], int(Path(parts[-1]).stem))
            if row.generator in ("", key.generator):
                return key
        found, why = place_of(Path(row.file).stem)
        if found is None:
            message = f'the file "{row.file[:100]}" is not a clip of {folder.path}: {why}.'
            raise BadFile(table.path, row.line or None, message)
        return ClipKey(_generator(row), *found)

    def _generator(row: TableRow) -> str:
        if row.generator or len(generators) == 1:
            return row.generator or generators[0]
        example = vbench_command("score", f"{folder.path}:{generators[0]}", "--import", table.path)
        message = f'names no generator. Add a column "generator", or name one of {", ".join(generators)}: {example}'
        raise BadFile(table.path, row.line or None, message)

    return find


def _unknown(key: ClipKey, manifest: Manifest, folder: RunFolder) -> str:
    """The message for a clip that the run does not have."""
    if key.generator not in manifest.generators:
        names = ", ".join(manifest.generators)
        return f'{folder.path} has no generator "{key.generator[:80]}". Its generators: {names}.'
    prompts = manifest.plan.prompts
    if key.prompt_id not in prompts:
        return f'{folder.path} has no prompt "{key.prompt_id[:80]}". Its prompts: {_listed(prompts)}.'
    number = manifest.plan.clips(key.prompt_id)
    return f'{folder.path} has {number} clips of "{key.prompt_id}": there is no #{key.index}.'


def _listed(names: Iterable[str], most: int = 5) -> str:
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def stored_tables(folder: RunFolder) -> dict[str, ImportedTable]:
    """The imported tables of a run, by file name without suffix.

    Raises:
        StoreError: A file is damaged.
    """
    paths = sorted((folder.path / "imports").glob("*.json"))
    return {path.stem: typed(read_json(path, "the table was deleted."), ImportedTable, path) for path in paths}


def with_imports(folder: RunFolder, scored: Scored) -> Scored:
    """Add the imported scores of a run to its own scores.

    Raises:
        MetricError: A metric is both computed here and imported.
    """
    metrics, clips = dict(scored.metrics), {key: dict(scores) for key, scores in scored.clips.items()}
    for table in stored_tables(folder).values():
        absent = Score(None, f"it is not in {table.table}", ReasonCode.NOT_SCORED)
        for name, metric in table.metrics.items():
            if name in metrics:
                raise MetricError(
                    f'the metric "{name}" is computed here and was also imported from {table.table}. Rename it in the '
                    f"table and import the table again, or leave it out of --metrics."
                )
            metrics[name] = _info(name, metric, table)
        found = {(ClipKey(*value[:3]), value[3]): value for value in table.values}
        for key, scores in clips.items():
            for name in table.metrics:
                row = found.get((key, name))
                scores[name] = _score(*row[4:]) if row else absent
    return dataclasses.replace(scored, metrics=metrics, clips=clips)


def _score(value: float | None, reason: str) -> Score:
    return Score(value, reason or None, ReasonCode.BAD_SCORE if reason else None)


def _info(name: str, metric: ImportedMetric, table: ImportedTable) -> MetricInfo:
    version = " ".join(part for part in (metric.source, metric.version) if part) or "not stated"
    return MetricInfo(
        name, metric.unit, metric.higher_is_better, version, None, "clip", metric.title,
        description=f"Values of the table {table.table}, computed elsewhere by: {version}.",
        source=f"{table.table}@{table.sha256[:8]}", origin="imported",
    )
