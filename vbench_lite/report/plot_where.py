"""Where it holds and where the time goes: usable clips by category, and a clip's seconds by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from vbench_lite.analysis.economics import share_of
from vbench_lite.analysis.stats import Interval
from vbench_lite.report import words
from vbench_lite.report.colours import INK, PAPER
from vbench_lite.report.data import Entry, Scenario
from vbench_lite.report.plot_kit import Figure, Pen, colour, marker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OTHER = "rest"
PEAKS = (
    ("peak_memory_mb", "peak of tensors"), ("peak_reserved_mb", "peak reserved"),
    ("peak_rss_mb", "peak of the process"),
)  # fmt: skip


def categories(scenario: Scenario, pen: Pen) -> Figure | None:
    """The share of usable clips in every category, each generator with its interval."""
    names = list(dict.fromkeys(c for e in scenario.entries for c in e.grid.categories if c))
    if len(names) < 2:
        return None
    shares = {name: [_share(entry, name) for entry in scenario.entries] for name in names}
    names.sort(key=lambda name: -float(np.mean([s.value for s in shares[name]])))
    rows = [(name, *(_written(share) for share in shares[name])) for name in names]
    labels = [entry.label for entry in scenario.entries]
    told = [
        f"{name}: "
        + ", ".join(f"{label} {words.percent(s.value)}" for label, s in zip(labels, shares[name], strict=True))
        for name in names
    ]
    draw = partial(_draw_categories, scenario.entries, names, shares)
    height = 0.8 + (0.2 + 0.16 * len(labels)) * len(names)
    panel = pen.draw("categories", "Usable clips by category", f"{'; '.join(told)}.", draw, height)
    caption = "The easiest category on top. Intervals are wide where a category has few prompts."
    header = ("Category", *labels)
    return Figure("categories", "Does it hold everywhere?", caption, [panel], header, rows)


def _share(entry: Entry, category: str) -> Interval:
    rows = [i for i, c in enumerate(entry.grid.categories) if c == category]
    prompts = [str(i) for i in rows for _ in range(entry.usable.shape[1])]
    return share_of((entry.usable[rows].ravel() == 1).tolist(), prompts) if rows else Interval(0.0, None, None)


def _written(share: Interval) -> str:
    if share.low is None or share.high is None:
        return words.percent(share.value)
    return f"{words.percent(share.value)} [{words.percent(share.low)} {words.DASH} {words.percent(share.high)}]"


def _draw_categories(
    entries: Sequence[Entry], names: Sequence[str], shares: Mapping[str, Sequence[Interval]], axes: Axes
) -> None:
    gap = 0.62 / len(entries)
    for row, name in enumerate(reversed(names)):
        for nth, (entry, share) in enumerate(zip(entries, shares[name], strict=True)):
            at = row + ((len(entries) - 1) / 2 - nth) * gap
            if share.low is not None and share.high is not None:
                axes.plot([share.low, share.high], [at, at], color=colour(entry), lw=1.4, alpha=0.55)
            axes.plot(share.value, at, marker(entry), color=colour(entry), ms=5.5, mec=PAPER, mew=0.6)
    axes.set_yticks(range(len(names)), list(reversed(names)))
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def stages(scenario: Scenario, pen: Pen) -> Figure | None:
    """Where a clip's seconds go, and what its process took besides."""
    found = [(entry, _mean_stages(entry)) for entry in scenario.entries]
    found = [(entry, stages_) for entry, stages_ in found if stages_]
    if not found:
        return None
    panels, rows = [], []
    longest = max(max(parts.values()) for _, parts in found)
    for entry, parts in found:
        total = sum(parts.values())
        told = ", ".join(f"{_spoken(name)} {words.percent(s / total)}" for name, s in parts.items())
        title = f"{entry.label}: {words.plain(total)} s a clip"
        draw = partial(_draw_stages, entry, parts, longest)
        alt, height = f"Seconds of a clip by stage: {told}.", 0.6 + 0.3 * len(parts)
        panels.append(pen.draw(f"stages-{entry.number}", title, alt, draw, height))
        rows += [(entry.label, _spoken(n), f"{words.plain(s)} s", words.percent(s / total)) for n, s in parts.items()]
    rows += [row for entry in scenario.entries for row in _besides(entry)]
    caption = (
        "Mean over the clips that were made, as each adapter reports its stages. Loading, warm-up and encoding are "
        "kept apart and billed to nobody; the table has them, with the peaks of memory."
    )
    header = ("Generator", "What", "How much", "Share")
    return Figure("stages", "Where time and memory go", caption, panels, header, rows)


def _mean_stages(entry: Entry) -> dict[str, float]:
    """Mean seconds by stage over the made clips, with what no stage accounts for as the rest."""
    made = [r.measurement for r in entry.records if r.status == "ok" and r.measurement.stages_s]
    names = list(dict.fromkeys(name for m in made for name in m.stages_s))
    parts = {name: float(np.mean([m.stages_s.get(name, 0.0) / m.batch_size for m in made])) for name in names}
    walls = [m.wall_s for m in made if m.wall_s is not None]
    rest = float(np.mean(walls)) - sum(parts.values()) if walls else 0.0
    if parts and rest > 0.02 * sum(parts.values()):
        parts[OTHER] = rest
    return {name: seconds for name, seconds in parts.items() if seconds > 0}


def _spoken(stage: str) -> str:
    return stage.removesuffix("_s").replace("_", " ")


def _draw_stages(entry: Entry, parts: Mapping[str, float], longest: float, axes: Axes) -> None:
    total, names = sum(parts.values()), list(parts)
    axes.barh(range(len(parts)), [parts[n] for n in names], 0.5, color=colour(entry), lw=0)
    for row, name in enumerate(names):
        text = f"{words.plain(parts[name])} s, {words.percent(parts[name] / total)}"
        axes.text(parts[name] + 0.03 * longest, row, text, va="center", fontsize=7.5)
    axes.set_yticks(range(len(parts)), [_spoken(name) for name in names])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.xaxis.set_visible(False)
    axes.set_xlim(0, 1.65 * longest)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _besides(entry: Entry) -> list[tuple[str, str, str, str]]:
    """What the process took apart from generating, and what it held."""
    rows = []
    for name, seconds in entry.run.timings(entry.name).items():
        rows.append((entry.label, f"{_spoken(name)}, in all", f"{words.plain(seconds)} s", ""))
    for column, title in PEAKS:
        values = entry.costs(column)
        if np.isfinite(values).any():
            rows.append((entry.label, title, f"{words.number(float(np.nanmax(values)), 0)} MiB", ""))
    return rows
