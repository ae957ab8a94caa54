"""The steps of a review: serve the page or exchange files, then count the votes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vbench_lite.analysis.people.results import refresh
from vbench_lite.analysis.people.thresholds import thresholds_toml
from vbench_lite.errors import BadFile, StoreError
from vbench_lite.escaping import vbench_command
from vbench_lite.files import write_whole
from vbench_lite.measuring.prices import PriceList
from vbench_lite.review.exchange import collect
from vbench_lite.review.export import export_any
from vbench_lite.review.material import Entry
from vbench_lite.review.opening import ReviewOrder, open_material, open_review, serve, settings_of
from vbench_lite.review.questions import Weights
from vbench_lite.run.people import People
from vbench_lite.run.view import Run
from vbench_lite.run.votes import ReviewRate, read_votes, write_rate

if TYPE_CHECKING:
    from vbench_lite.review.server import Running


def start_review(runs: Sequence[Run], order: ReviewOrder) -> Running:
    """Serves the page; the caller stops it, and then calls `count_votes`."""
    return serve(open_review(runs, order, next_weights(runs[0])), order)


def next_weights(run: Run) -> Weights:
    """The weight of each pair of generators, from the votes so far; {} without votes."""
    people = run.summary.people if run.folder.summary_path.exists() else None
    pairs = people.next_pairs if people else ()

    def entry(name: str) -> Entry:
        other, _, generator = name.rpartition(":")
        return Entry(other or run.name, generator)

    return {frozenset((entry(p.a), entry(p.b))): p.share * len(pairs) for p in pairs}


def export_review(runs: Sequence[Run], order: ReviewOrder, out: Path) -> str:
    """Writes a page, tasks for Label Studio or a table of votes, by the file extension; returns what it wrote."""
    votes = read_votes(runs[0].path, {}, ()).counted
    return export_any(open_material(runs, order), settings_of(runs, order, next_weights(runs[0])), votes, out)


def collect_votes(run: Run, paths: Sequence[Path]) -> dict[Path, int]:
    """Stores the votes of files in a run. Returns file > number of votes."""
    return collect(run.path, run.manifest.suite.reasons, paths)


def state_rate(run: Run, prices: Path) -> None:
    """Stores the hourly rate of a reviewer from a price file.

    Raises:
        BadFile: The file has no table [review].
    """
    stated = PriceList(prices).review
    if stated is None:
        raise BadFile(prices, None, "has no rate of a reviewer: expected a table [review] with usd_per_hour.")
    write_rate(run.path, ReviewRate(stated["usd_per_hour"], stated["date"], stated["source"]))


def count_votes(run: Run) -> People | None:
    """Writes the results of the votes into the run's files; None without votes, or if the run is not scored."""
    return refresh(run.folder).people if run.folder.summary_path.exists() else None


def write_thresholds(run: Run, out: Path) -> People:
    """Writes thresholds fitted to people's votes, for `--thresholds`.

    Raises:
        StoreError: There are too few votes, or no threshold agrees with them.
    """
    people, ask = count_votes(run), vbench_command("review", run.path)
    if people is None or people.fitted is None:
        raise StoreError(f"{run.path} has no votes to keep or reject clips. Collect some: {ask}")
    if not people.fitted.thresholds:
        raise StoreError(f"no thresholds are fitted: {people.fitted.reason}. Collect more votes: {ask}")
    write_whole(out, thresholds_toml(people.fitted, people.simulated))
    return people
