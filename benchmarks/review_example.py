"""An example of what people's votes show, with simulated raters. No person voted.

    python benchmarks/review_example.py results/ads --report reports/sample.html

The simulated raters look at one metric of each clip ("detail" by default) with noise of their own. Their votes are
marked as simulated, and so are all results. They go into a temporary copy of the run. Prints the tables of
docs/review.md, and writes the report of the copy if asked.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from vbench_lite.analysis.people.results import refresh
from vbench_lite.formatting import write
from vbench_lite.records import Estimate
from vbench_lite.report import write_report
from vbench_lite.report.figures.people import caption, share_text
from vbench_lite.review.material import gather
from vbench_lite.review.questions import Asking
from vbench_lite.review.simulated import SimulatedRater, simulate
from vbench_lite.run.people import People
from vbench_lite.run.summary import Summary
from vbench_lite.run.view import Run, open_run
from vbench_lite.run.votes import ClipRef, ReviewRate, write_rate, write_vote

RATERS = (
    SimulatedRater("simulated-1"), SimulatedRater("simulated-2", noise=0.8, bar=0.2, seconds=6.0),
    SimulatedRater("simulated-3", side=0.2), SimulatedRater("simulated-4", bar=-0.2, tie=0.4),
    SimulatedRater("simulated-5", noise=0.7), SimulatedRater("simulated-6", careless=True),
)  # fmt: skip


def quality_of(run: Run, metric: str) -> dict[ClipRef, float]:
    """Clip > its value of a metric in standard deviations over all clips; 0 where it has none."""
    sign = -1.0 if run.metrics[metric].higher_is_better is False else 1.0
    grids = {name: sign * grid.values(metric) for name, grid in run.grids.items()}
    everything = np.concatenate([values.ravel() for values in grids.values()])
    centre, spread = float(np.nanmean(everything)), float(np.nanstd(everything)) or 1.0
    found = {}
    for slot, made in gather([run]).clips.items():
        for entry, clip in made.items():
            row = run.grids[entry.generator].prompts.index(slot.prompt_id)
            value = (grids[entry.generator][row, slot.index] - centre) / spread
            found[clip] = float(np.nan_to_num(value))
    return found


@contextlib.contextmanager
def voted(path: Path, metric: str) -> Iterator[tuple[Run, Summary]]:
    """A copy of a run with the votes of all simulated raters. Its report names it as the run is named."""
    name = Path(*path.resolve().parts[-2:])
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(path, Path(folder) / name, ignore=shutil.ignore_patterns("votes"))
        with contextlib.chdir(folder):
            run = open_run(name)
            quality, material = quality_of(run, metric), gather([run])
            for rater in RATERS:
                for mode in ("usable", "pairs"):
                    for vote in simulate(material, quality, rater, Asking(mode, rater.name)):
                        write_vote(run.path, vote)
            write_rate(run.path, ReviewRate(30.0, "2026-11-29", "an example"))
            summary = refresh(run.folder)
            yield open_run(name), summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--metric", default="detail")
    parser.add_argument("--report", type=Path, help="also write the report of the copy")
    given = parser.parse_args()
    target = given.report and given.report.resolve()
    with voted(given.run, given.metric) as (run, summary):
        assert summary.people is not None
        print(caption(summary.people), end="\n\n")
        _results(summary, summary.people)
        _agreement(summary.people)
        if target:
            write_report([run], target)


def _results(summary: Summary, people: People) -> None:
    names, found = list(summary.generators), summary.generators
    rows: dict[str, Mapping[str, Estimate]] = {
        "usable by simulated raters": {n: found[n].scores["human_usable"] for n in names},
        "preferred by simulated raters": {n: found[n].scores["human_preference"] for n in names},
    }
    print(f"| | {' | '.join(f'`{name}`' for name in names)} |\n|---{'|---' * len(names)}|")
    for title, shares in rows.items():
        print(f"| {title} | {' | '.join(share_text(shares[name]) for name in names)} |")
    strengths = people.preference["quality"].strengths
    print(f"| strength (log odds) | {' | '.join(str(write(strengths[name])) for name in names)} |")
    costs = [str(write(found[name].cost["usd_per_usable_clip_with_review"])) for name in names]
    print(f"| `usd_per_usable_clip_with_review`, at $30 an hour | {' | '.join(costs)} |")


def _agreement(people: People) -> None:
    print("\n| metric | pairs in agreement | precision | recall |\n|---|---|---|---|")
    for name, found in people.agreement.items():
        cells = [share_text(each) for each in (found.pair_accuracy, found.precision, found.recall)]
        print(f"| `{name}` | {' | '.join(cells)} |")
    if people.fitted:
        print(f"\nFitted: wrong on {share_text(people.fitted.error)}, one answer: {people.fitted.plain_error:.0%}")


if __name__ == "__main__":
    main()
