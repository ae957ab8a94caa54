"""Quality, cost and share of usable clips of a generator over its releases, by date and version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from vbench_lite.records import Estimate
from vbench_lite.report import glossary as words
from vbench_lite.report.data import GeneratorResult, SuiteResult, device_name
from vbench_lite.report.figures.colours import PAPER
from vbench_lite.report.figures.kit import Figure, FigureRenderer, colour, marker, percent_axis
from vbench_lite.report.tables import usable_estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_TICKS = 5
"""Highest number of runs whose date and version are written under the axis. Of more runs, every n-th is labelled."""


@dataclass(frozen=True)
class _Track:
    """One score or cost over time, with one line per generator."""

    name: str
    title: str
    read: Callable[[GeneratorResult], Estimate]
    scale: float = 1.0


def history(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """All results of the generators of this report, oldest first; None if no generator has an earlier result."""
    if not scenario.past:
        return None
    lines = [(entry, releases(scenario, entry)) for entry in scenario.entries]
    tracks = [
        _Track("usable", scenario.title_of("usable"), usable_estimate),
        *(_Track(m, scenario.title_of(m), partial(_score, m)) for m in scenario.headline_metrics),
        _Track("usd_per_usable_clip", f"US$ per {'1,000 usable clips' if scenario.money_scale > 1 else 'usable clip'}",
               partial(_cost, "usd_per_usable_clip"), scenario.money_scale),
    ]  # fmt: skip
    panels = []
    for track in tracks:
        known = [(e, [r for r in line if track.read(r).value is not None]) for e, line in lines]
        known = [(e, line) for e, line in known if line]
        if known:
            text = "; ".join(f"{e.label}: " + ", ".join(_values_text(track, r) for r in line) for e, line in known)
            draw = partial(_draw, track, known)
            panels.append(pen.draw(f"history-{track.name}", track.title, f"By date. {text}.", draw))
    rows = [
        (e.label, _day(r), r.run.name, version(r), _size(r),
         *(str(words.write(t.read(r), t.scale)) for t in tracks))
        for e, line in lines
        for r in line
    ]  # fmt: skip
    below = "its date and version below it" if len(lines) == 1 else "its date and folder below it"
    caption = (
        f"Each mark is a run with its 95 % interval, {below}. The version is the digest of the weights, the revision "
        "of the model, or the commit. The table lists all versions. All runs have the same suite, networks and "
        "versions of the metrics."
    )
    caption += _other_changes([r for _, line in lines for r in line])
    header = ("Generator", "Date", "Run", "Version", "Prompts", *(t.title for t in tracks))
    return Figure("history", "Changes over releases", caption, panels, header, rows)


def releases(scenario: SuiteResult, entry: GeneratorResult) -> list[GeneratorResult]:
    """All results of one generator, oldest first."""
    return sorted([*(e for e in scenario.past if e.name == entry.name), entry], key=lambda e: e.run.created)


def version(entry: GeneratorResult) -> str:
    """What identifies the release: the digest of the weights, else the model's revision, else the commit of the run."""
    definition = entry.definition
    git = entry.run.manifest.git
    marks = (definition.weights_digest, definition.revision, git.commit if git else "")
    return next((mark[:7] for mark in marks if mark), "")


def _size(entry: GeneratorResult) -> str:
    return f"{len(entry.grid.prompts)} {words.TIMES} {entry.usable.shape[1]}"


def _other_changes(runs: Sequence[GeneratorResult]) -> str:
    """Differences between the runs other than the generators, as sentences for the caption."""
    devices = {device_name(r.run.manifest.device) for r in runs}
    text = ""
    if len(devices) > 1:
        text += f" The runs used different devices ({words.listed(sorted(devices))}), so their costs differ."
    if len({r.grid.prompts for r in runs}) > 1:
        text += " The runs do not all have the same prompts; the table states their number."
    forms = {r.definition.clip for r in runs}
    return text + (" The clips do not all have the same length, size and frame rate." if len(forms) > 1 else "")


def _score(metric: str, entry: GeneratorResult) -> Estimate:
    return entry.score(metric)


def _cost(name: str, entry: GeneratorResult) -> Estimate:
    return entry.cost(name)


def _day(entry: GeneratorResult) -> str:
    return entry.run.created[:10]


def _values_text(track: _Track, entry: GeneratorResult) -> str:
    return f"{words.write(track.read(entry), track.scale)} on {_day(entry)}"


def _when(created: str, dates: Sequence[str]) -> str:
    """The day of a run; with the hour if that day has several runs, and with the year if the runs span several."""
    year = "" if len({date[:4] for date in dates}) == 1 else f"{created[2:4]}-"
    hour = f" {created[11:16]}" if sum(date[:10] == created[:10] for date in dates) > 1 else ""
    return f"{year}{created[5:10]}" if not hour else f"{created[8:10]}.{hour}"


def _draw(track: _Track, lines: Sequence[tuple[GeneratorResult, Sequence[GeneratorResult]]], axes: Axes) -> None:
    """Draw the runs in order of date and evenly spaced, because release dates are often close together."""
    dates = sorted({r.run.created for _, line in lines for r in line})
    for entry, line in lines:
        ink, at = colour(entry), [dates.index(r.run.created) for r in line]
        figures = [words.scaled(track.read(r), track.scale) for r in line]
        for x, figure in zip(at, figures, strict=True):
            if figure.low is not None and figure.high is not None:
                axes.plot([x, x], [figure.low, figure.high], color=ink, lw=1.2, alpha=0.5)
        values = [figure.value or 0.0 for figure in figures]
        axes.plot(at, values, "-" + marker(entry), color=ink, lw=1.2, ms=5.5, mec=PAPER, mew=0.7)
    alone = len(lines) == 1  # several generators have several versions, so the folder of the run is written instead
    marks = {
        r.run.created: f"{_when(r.run.created, dates)}\n{version(r) if alone else r.run.name[:10]}"
        for _, line in lines
        for r in line
    }
    step = -(-len(dates) // MOST_TICKS)
    shown = [n for n in range(len(dates)) if (len(dates) - 1 - n) % step == 0]  # the newest always
    axes.set_xticks(shown, [marks[dates[n]] for n in shown], fontsize=6.5)
    axes.set_xlim(-0.4, len(dates) - 0.6)
    axes.grid(axis="y")
    if track.name == "usable":
        percent_axis(axes)
