"""Changes of a generator over its releases: usable share, quality and cost, from `analysis.releases`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vbench_lite import formatting as words
from vbench_lite.analysis.releases import Line, Release
from vbench_lite.records import Estimate
from vbench_lite.report import glossary
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.figures.colours import PAPER
from vbench_lite.report.figures.kit import Figure, FigureRenderer, colour, marker, percent_axis
from vbench_lite.report.figures.people import share_text
from vbench_lite.run.view import ABSENT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_TICKS = 5
"""Highest number of releases whose date and folder are below the axis. Of more, every n-th is labelled."""
LONGEST_RUN = 10
"""Characters of a folder name below the axis."""
Lines = Mapping[GeneratorResult, Line]


@dataclass(frozen=True)
class _Track:
    """One figure over time, with a line per generator."""

    name: str
    title: str
    scale: float = 1.0

    def read(self, release: Release) -> Estimate:
        return words.scaled(release.figures.get(self.name, ABSENT), self.scale)

    def text(self, release: Release) -> str:
        found = release.figures.get(self.name, ABSENT)
        if self.name == "usable":
            return share_text(found)
        return str(words.cost_text(self.name, found, self.scale) if self.name in glossary.COSTS else words.write(found))


def history(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """Every release of the generators on this page, oldest first; None if each has only one."""
    lines = scenario.history
    if not lines:
        return None
    tracks = [track for track in _tracks(scenario) if any(line.comparable(track.name) for line in lines.values())]
    panels = []
    for track in tracks:
        drawn = "; ".join(
            f"{e.label}: {', '.join(f'{track.text(r)} on {_day(r)}' for r in line.releases)}"
            for e, line in lines.items()
        )  # fmt: skip
        draw = partial(_draw, track, lines)
        panels.append(pen.draw(f"history-{track.name}", track.title, f"By date. {drawn}.", draw))
    rows = [
        (e.label, _day(r), _folder(r), *(track.text(r) for track in tracks), "; ".join(m.sentence for m in r.marks))
        for e, line in lines.items()
        for r in line.releases
    ]
    header = ("Generator", "Date", "Run", *(track.title for track in tracks), "Since the previous release")
    return Figure("history", "Changes over releases", _caption(list(lines.values())), panels, header, rows)


def _tracks(scenario: SuiteResult) -> list[_Track]:
    """Usable share, the first metric of each question, and a cost: per usable clip if it is known."""
    newest = [line.releases[-1] for line in scenario.history.values()]
    costs = [c for c in ("usd_per_usable_clip", "usd_per_clip", "device_s_per_clip")
             if any(r.figures.get(c, ABSENT).value is not None for r in newest)]  # fmt: skip
    scale = scenario.money_scale
    return [
        *(_Track(name, scenario.title_of(name)) for name in ("usable", *scenario.headline_metrics)),
        *(_Track(c, glossary.cost_title(c, scale), 1.0 if c.endswith("_s_per_clip") else scale) for c in costs[:1]),
    ]


def _caption(lines: Sequence[Line]) -> str:
    counts = sorted({(len(line.prompts), line.asked) for line in lines})
    over = words.listed(f"{shared} of {asked}" for shared, asked in counts)
    return (
        "Each mark is a release with its 95 % interval. Its date and its run are below it. The figures are over the "
        f"prompts that all releases share ({over} of the newest run). A line is interrupted if the values before and "
        "after are not comparable. Differences are not tested here."
    )


def _day(release: Release) -> str:
    return release.created[:10]


def _folder(release: Release) -> str:
    return Path(release.run).name


def _when(created: str, dates: Sequence[str]) -> str:
    """The day, with the hour if a day has several runs, and with the year if there are several years."""
    year = "" if len({date[:4] for date in dates}) == 1 else f"{created[2:4]}-"
    hour = f" {created[11:16]}" if sum(date[:10] == created[:10] for date in dates) > 1 else ""
    return f"{year}{created[5:10]}" if not hour else f"{created[8:10]}.{hour}"


def _draw(track: _Track, lines: Lines, axes: Axes) -> None:
    """Draws releases in order at equal distances, because release dates are irregular."""
    dates = sorted({r.created for line in lines.values() for r in line.releases})
    for nth, (entry, line) in enumerate(lines.items()):
        ink, beside = colour(entry), (nth - (len(lines) - 1) / 2) * min(0.1, 0.5 / len(lines))
        for group in line.comparable(track.name):
            at, figures = [dates.index(r.created) + beside for r in group], [track.read(r) for r in group]
            for x, figure in zip(at, figures, strict=True):
                if figure.low is not None and figure.high is not None:
                    axes.plot([x, x], [figure.low, figure.high], color=ink, lw=1.2, alpha=0.5)
            values = [figure.value or 0.0 for figure in figures]
            axes.plot(at, values, "-" + marker(entry), color=ink, lw=1.2, ms=5.5, mec=PAPER, mew=0.7)
    marks = {
        r.created: f"{_when(r.created, dates)}\n{_folder(r)[:LONGEST_RUN]}"
        for line in lines.values()
        for r in line.releases
    }
    step = -(-len(dates) // MOST_TICKS)
    shown = [n for n in range(len(dates)) if (len(dates) - 1 - n) % step == 0]  # the newest always
    axes.set_xticks(shown, [marks[dates[n]] for n in shown], fontsize=6.5)
    axes.set_xlim(-0.4, len(dates) - 0.6)
    axes.grid(axis="y")
    if track.name == "usable":
        percent_axis(axes)
    elif track.name.startswith("usd"):
        axes.yaxis.set_major_formatter("${x:,.5g}")
