"""Prompts that separate the generators most, and prompts that do not separate them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vbench_lite.analysis.quantities import SHARES, clip_values, quantities
from vbench_lite.checks.findings import Finding
from vbench_lite.escaping import vbench_command
from vbench_lite.run.view import Run, Side
from vbench_lite.stats import Array

MIN_CLIPS = 4
"""A prompt with fewer clips, over all generators, is not reported as at the ceiling or at the floor."""
BEST = 5
"""Number of best prompts that are named."""


def at_the_ends(run: Run) -> Iterator[Finding]:
    """Finds prompts at the ceiling (all clips usable) and at the floor (none usable)."""
    if any(Side(run, name).figures.usable is None for name in run.generators):
        return
    values = np.hstack([clip_values(SHARES[0], run.grids[name]) for name in run.generators])
    prompts = next(iter(run.grids.values())).prompts
    known = np.isfinite(values).sum(1) >= MIN_CLIPS
    usable, clips = np.nansum(values, axis=1), values.shape[1]
    for code, at_end, words in (
        ("prompts-at-ceiling", usable == np.isfinite(values).sum(1), "every clip is usable"),
        ("prompts-at-floor", usable == 0, "no clip is usable"),
    ):
        found = tuple(prompt for prompt, yes in zip(prompts, known & at_end, strict=True) if yes)
        if found:
            sentence = (
                f"In {len(found)} of {len(prompts)} prompts {words}, for every generator ({clips} clips each): they do "
                f"not separate the generators by usability, e.g. {', '.join(found[:BEST])}."
            )
            command = vbench_command("report", run.label)
            if len(found) == len(prompts) and run.folder.keeps_clips():
                sentence += " Other thresholds may separate them: a review by people can fit thresholds to their votes."
                command = vbench_command("review", run.label)
            yield Finding(code=code, severity="note", sentence=sentence, command=command, prompts=found)


def best_prompts(run: Run) -> Iterator[Finding]:
    """Names the prompts that separate the generators most, over all judged scores."""
    if len(run.generators) < 2:
        return
    separation = discrimination(run)
    known = [(float(value), prompt) for prompt, value in separation.items() if np.isfinite(value)]
    if len(known) <= BEST:
        return
    best = sorted(known, key=lambda pair: (-pair[0], pair[1]))[:BEST]
    named = ", ".join(f"{prompt} ({value:.1f})" for value, prompt in best)
    sentence = (
        f"These prompts separate the generators most: {named}. The number is the mean distance of the best from the "
        "worst generator over all scores, in standard deviations between clips."
    )
    command = vbench_command("report", run.label)
    found = tuple(prompt for _, prompt in best)
    yield Finding(code="best-prompts", severity="note", sentence=sentence, command=command, prompts=found)


def discrimination(run: Run) -> dict[str, float]:
    """Prompt id > how well it separates the generators of a run.

    Returns:
        The range of the generators' means for the prompt, in standard deviations between all clips, averaged over
        the scores that have a direction; 0 or more, NaN if fewer than two generators have a score.
    """
    judged = [q for q in quantities(run.metrics).values() if q.kind == "score" and q.higher_is_better is not None]
    distances: list[Array] = []
    for quantity in judged:
        values = [clip_values(quantity, run.grids[name]) for name in run.generators]
        spread = float(np.nanstd(np.hstack(values))) if np.isfinite(np.hstack(values)).any() else 0.0
        if spread > 0:
            means = np.array([_means(each) for each in values])
            distances.append(np.ptp(means, axis=0) / spread)  # NaN where a generator has no score
    prompts = next(iter(run.grids.values())).prompts
    if not distances:
        return {prompt: float("nan") for prompt in prompts}
    known = np.isfinite(distances)
    mean = np.where(known.any(0), np.nansum(distances, axis=0) / np.maximum(known.sum(0), 1), np.nan)
    return dict(zip(prompts, mean.tolist(), strict=True))


def _means(values: Array) -> Array:
    counts = np.isfinite(values).sum(1)
    return np.where(counts > 0, np.nansum(values, axis=1) / np.maximum(counts, 1), np.nan)
