"""Adds votes of simulated raters to a run, as an example of what people's votes show. No person voted.

    python benchmarks/review_example.py results/ads

The simulated raters look at one metric of each clip ("detail" by default) with noise of their own. Their votes are
marked as simulated, and so are all results. Prints the tables of docs/review.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from vbench_lite.analysis.people.results import refresh
from vbench_lite.report.figures.people import caption, share_text
from vbench_lite.report.glossary import write
from vbench_lite.review.material import gather
from vbench_lite.review.questions import Asking
from vbench_lite.review.simulated import SimulatedRater, simulate
from vbench_lite.run.people import People
from vbench_lite.run.view import Run, open_run
from vbench_lite.run.votes import ClipRef, ReviewRate, write_rate, write_vote

RATERS = (
    SimulatedRater("simulated-1"), SimulatedRater("simulated-2", noise=0.8, bar=0.2, seconds=6.0),
    SimulatedRater("simulated-3", side=0.2), SimulatedRater("simulated-4", bar=-0.2, tie=0.4),
    SimulatedRater("simulated-5", noise=0.7),
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--metric", default="detail")
    given = parser.parse_args()
    run = open_run(given.run)
    quality, material = quality_of(run, given.metric), gather([run])
    for rater in RATERS:
        for mode in ("usable", "pairs"):
            for vote in simulate(material, quality, rater, Asking(mode, rater.name)):
                write_vote(run.path, vote)
    write_rate(run.path, ReviewRate(30.0, "2026-11-29", "an example"))
    summary = refresh(run.folder)
    assert summary.people is not None
    print(caption(summary.people), end="\n\n")
    for name, found in summary.generators.items():
        for metric in ("human_usable", "human_preference"):
            print(f"{name} {metric} {share_text(found.scores[metric])}")
        print(name, "strength", write(summary.people.preference["quality"].strengths[name]))
        for cost in ("usd_per_usable_clip", "usd_per_usable_clip_with_review"):
            print(name, cost, write(found.cost[cost]))
    _agreement(summary.people)


def _agreement(people: People) -> None:
    print("\n| metric | pairs in agreement | precision | recall |\n|---|---|---|---|")
    for name, found in people.agreement.items():
        cells = [share_text(each) for each in (found.pair_accuracy, found.precision, found.recall)]
        print(f"| `{name}` | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
