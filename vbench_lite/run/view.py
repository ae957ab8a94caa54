"""An opened run. All readers of a run use this module."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vbench_lite.errors import StoreError
from vbench_lite.records import ClipRecord, Estimate, MetricInfo, ReasonCode
from vbench_lite.run.clips import ClipGrid, read_grids
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import Manifest, StoredDefinition
from vbench_lite.run.summary import GeneratorSummary, Summary

if TYPE_CHECKING:
    import pandas

ABSENT = Estimate(None, reason="not measured", reason_code=ReasonCode.NOT_MEASURED)


@dataclass(frozen=True, eq=False)
class Run:
    """A run on disk. Each file is read once, on first use.

    Attributes:
        folder: The run folder.
        selected: The generator that the argument named, or None for all.

    Example:
        >>> run = open_run("results/baseline")
        >>> run.manifest.suite.name
        'ads'
        >>> run.summary["tiny-diffusion"].scores["temporal_flickering"].value > 0.9
        True
        >>> len(run.clips)
        160
    """

    folder: RunFolder
    selected: str | None = None

    @property
    def path(self) -> Path:
        """The folder's path."""
        return self.folder.path

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.name

    @property
    def label(self) -> str:
        """The argument that names this run or its selected generator."""
        return f"{self.path}:{self.selected}" if self.selected else str(self.path)

    @cached_property
    def manifest(self) -> Manifest:
        """run.json.

        Raises:
            StoreError: There is no run here, or the file is not valid.
        """
        return self.folder.manifest()

    @cached_property
    def summary(self) -> Summary:
        """summary.json.

        Raises:
            StoreError: The run is not scored, or the file is not valid.
        """
        return self.folder.summary()

    @cached_property
    def grids(self) -> Mapping[str, ClipGrid]:
        """clips.csv, one grid per generator.

        Raises:
            StoreError: The run is not scored, or the file is not valid.
        """
        return read_grids(self.folder.table_path, self.manifest, self.folder.remedy)

    @property
    def clips(self) -> pandas.DataFrame:
        """clips.csv as a table: one row for every requested clip.

        Raises:
            StoreError: The run is not scored.
        """
        import pandas

        if not self.folder.table_path.exists():
            raise StoreError(f"{self.path} is not scored. {self.folder.remedy}")
        table = pandas.read_csv(self.folder.table_path)
        return table if self.selected is None else table[table["generator"] == self.selected].reset_index(drop=True)

    def selecting(self, generator: str | None) -> Run:
        """The run for one generator, or for all. Files are not read again."""
        other = Run(self.folder, generator)
        for name in ("manifest", "summary", "grids"):
            if name in self.__dict__:
                other.__dict__[name] = self.__dict__[name]
        return other

    @property
    def generators(self) -> Sequence[str]:
        """Names of the generators, in the order of the plan."""
        return [self.selected] if self.selected else list(self.manifest.generators)

    @property
    def metrics(self) -> Mapping[str, MetricInfo]:
        """Name > description of each metric of the scoring."""
        return self.summary.metrics

    @property
    def created(self) -> str:
        """Time of the start: ISO 8601, UTC."""
        return self.manifest.created

    def timings(self, generator: str) -> dict[str, float]:
        """Phase (import_s, load_s, ...) > seconds, summed over a generator's processes; empty if not stored."""
        total: dict[str, float] = {}
        for path in self.folder.timings_paths(generator):
            for process in read_processes(path):
                for name, seconds in process.items():
                    if name.endswith("_s") and isinstance(seconds, int | float):
                        total[name] = total.get(name, 0.0) + seconds
        return total

    def records(self, generator: str) -> list[ClipRecord]:
        """The stored records of a generator's clips, with facts that are not in clips.csv, such as times by stage."""
        paths = map(self.folder.record_path, self.manifest.keys(generator))
        return [self.folder.read_record(path) for path in paths if path.exists()]


def read_processes(path: Path) -> list[dict[str, Any]]:
    """The processes in a timings file; [] if it is missing or broken, because no result depends on it."""
    try:
        found = json.loads(path.read_text("utf-8"))["processes"]
        return [process for process in found if isinstance(process, dict)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


class Side(NamedTuple):
    """One generator of one run."""

    run: Run
    generator: str

    @property
    def grid(self) -> ClipGrid:
        return self.run.grids[self.generator]

    @property
    def name(self) -> str:
        return f"{self.run.path}:{self.generator}"

    @property
    def definition(self) -> StoredDefinition:
        return self.run.manifest.generators[self.generator]

    @property
    def figures(self) -> GeneratorSummary:
        """Its part of summary.json.

        Raises:
            StoreError: summary.json does not have the generator.
        """
        found = self.run.summary.generators.get(self.generator)
        if found is None:
            raise StoreError(
                f'{self.run.folder.summary_path} has no figures of "{self.generator}". '
                f"{self.run.folder.remedy}"
            )
        return found

    def score(self, metric: str) -> Estimate:
        """The estimate of a metric; an estimate without a value if there is none."""
        return self.figures.scores.get(metric, ABSENT)

    def cost(self, name: str) -> Estimate:
        return self.figures.cost.get(name, ABSENT)


def open_run(argument: str | Path) -> Run:
    """Opens a run by an argument such as "results/ads" or "results/ads:tiny-diffusion".

    Args:
        argument: A folder, optionally followed by a colon and one of its generators. A bare name is also searched
            under results/. The whole text is tried as a folder first, so the name of a folder may contain a colon.

    Returns:
        The run. It need not be scored, because scores are read on first use.

    Raises:
        StoreError: There is no such run, its run.json is not valid, or it has no such generator.

    Example:
        >>> open_run("results/baseline:tiny-diffusion").generators
        ['tiny-diffusion']
    """
    text = str(argument)
    path, _, generator = text.rpartition(":")
    candidates = [(text, None), *([(path, generator)] if path and generator else [])]
    for name, selected in candidates:
        for folder in (RunFolder(name), RunFolder(Path("results") / name)):
            if folder.exists():
                return _selected(folder, selected)
    return _selected(RunFolder(text), None)  # raises the error that names the missing file


def _selected(folder: RunFolder, generator: str | None) -> Run:
    run = Run(folder, generator)
    known = run.manifest.generators
    if generator is not None and generator not in known:
        raise StoreError(f'{folder.path} has no generator "{generator}". Its generators: {", ".join(known)}.')
    return run
