"""Time and memory by stage: seconds per clip in each stage, tokens per second, seconds per denoising step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from vbench_lite import formatting as words
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.figures.colours import INK
from vbench_lite.report.figures.kit import Figure, FigureRenderer, colour
from vbench_lite.report.formats.layout import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OTHER = "rest"
WORTH = 0.002
"""A stage below this fraction of the time per clip is not shown separately."""
PEAKS = (
    ("peak_memory_mb", "peak of tensors"), ("peak_reserved_mb", "peak reserved"),
    ("peak_rss_mb", "peak of the process"),
)  # fmt: skip


def stages(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """The time per clip by stage, and the time and memory of the process outside of generation."""
    found = [(entry, _mean_stages(entry)) for entry in scenario.entries]
    found = [(entry, stages_) for entry, stages_ in found if stages_]
    if not found:
        return None
    panels, rows = [], []
    longest = max(max(parts.values()) for _, parts in found)
    for entry, parts in found:
        total = sum(parts.values())
        shares = ", ".join(f"{_spoken(name)} {words.percent(s / total)}" for name, s in parts.items())
        title = f"{shortened(entry.label, 24)}: {words.seconds(total)} per clip"
        draw = partial(_draw_stages, entry, parts, longest)
        alt, height = f"Seconds per clip by stage: {shares}.", 0.6 + 0.3 * len(parts)
        panels.append(pen.draw(f"stages-{entry.number}", title, alt, draw, height))
        rows += [(entry.label, _spoken(n), words.seconds(s), words.percent(s / total)) for n, s in parts.items()]
        rows += [(entry.label, what, how_much, "") for what, how_much in rates(entry)]
    rows += [row for entry in scenario.entries for row in _process_rows(entry)]
    speeds = [f"{entry.label} {_speed(entry)}" for entry, _ in found if _speed(entry)]
    caption = (
        "Mean over the generated clips. Each adapter reports its own stages. Loading, warm-up and encoding are not "
        "part of the time per clip and not billed. The table shows them with the peaks of memory."
    )
    caption += f" {'; '.join(speeds)}." if speeds else ""
    header = ("Generator", "Stage or figure", "Value", "Share")
    return Figure("stages", "Time and memory by stage", caption, panels, header, rows)


def _mean_stages(entry: GeneratorResult) -> dict[str, float]:
    """Mean device seconds per clip by stage, over the generated clips. Time outside of every stage is the rest.

    Stages are timed as wall time. Device time differs from it when one device serves several clips at once, or when
    one clip uses several devices. The parts are scaled so that their sum is the device time of the table.
    """
    made = [r.measurement for r in entry.records if r.status == "ok" and r.measurement.stages_s]
    names = list(dict.fromkeys(name for m in made for name in m.stages_s))
    parts = {name: float(np.mean([m.stages_s.get(name, 0.0) / m.batch_size for m in made])) for name in names}
    walls = [m.wall_s for m in made if m.wall_s is not None]
    total = float(np.mean(walls)) if walls else sum(parts.values())
    device = entry.cost("device_s_per_clip").value
    if device and total:
        parts, total = {name: seconds * device / total for name, seconds in parts.items()}, device
    shown = {name: seconds for name, seconds in parts.items() if seconds > WORTH * total and name != "other"}
    rest = total - sum(shown.values())
    return shown | {OTHER: rest} if shown and rest > WORTH * total else shown


def rates(entry: GeneratorResult) -> list[tuple[str, str]]:
    """Tokens per second and seconds per denoising step, if the adapter counted and timed them; names with values."""
    made = [r.measurement for r in entry.records if r.status == "ok"]
    found = []
    for stage in ("decode", "draft_decode"):
        timed = [m for m in made if m.counts.get("tokens") and m.stages_s.get(stage)]
        seconds = sum(m.stages_s[stage] / m.batch_size for m in timed)
        if seconds:
            speed = sum(m.counts["tokens"] for m in timed) / seconds
            found.append((f"tokens per second{_of_batch(m.batch_size for m in timed)}", words.plain(speed)))
    timed = [m for m in made if m.counts.get("denoising_steps") and m.stages_s.get("denoise")]
    if timed:
        steps = [m.stages_s["denoise"] / m.counts["denoising_steps"] for m in timed]
        each = [step / m.batch_size for step, m in zip(steps, timed, strict=True)]
        batch = _of_batch(m.batch_size for m in timed)
        found.append((f"per denoising step{batch}", words.seconds(float(np.mean(steps)))))
        if batch:
            found.append(("per denoising step and clip", words.seconds(float(np.mean(each)))))
        count = float(np.mean([m.counts["denoising_steps"] for m in timed]))
        found.append(("denoising steps per clip", f"{count:g}"))
    return found


def _of_batch(sizes: Iterable[int]) -> str:
    """ ", in batches of 20", or "" if clips are generated one by one."""
    known = sorted(set(sizes))
    if not known or known == [1]:
        return ""
    return f", in batches of {known[0]}" if len(known) == 1 else f", in batches of {known[0]} to {known[-1]}"


def _speed(entry: GeneratorResult) -> str:
    """The rates in one phrase: "makes 1,090 tokens per second, in batches of 20"."""
    effects = []
    for what, how_much in rates(entry):
        if what.startswith("tokens"):
            effects.append(f"makes {how_much} {what}")
        elif what.startswith("per denoising step") and "clip" not in what:
            effects.append(f"takes {how_much} {what}")
    return " and ".join(effects)


def _spoken(stage: str) -> str:
    return stage.removesuffix("_s").replace("_", " ")


def _draw_stages(entry: GeneratorResult, parts: Mapping[str, float], longest: float, axes: Axes) -> None:
    total, names = sum(parts.values()), list(parts)
    axes.barh(range(len(parts)), [parts[n] for n in names], 0.5, color=colour(entry), lw=0)
    for row, name in enumerate(names):
        text = f"{words.seconds(parts[name])}, {words.percent(parts[name] / total)}"
        axes.text(parts[name] + 0.03 * longest, row, text, va="center", fontsize=7.5)
    axes.set_yticks(range(len(parts)), [_spoken(name) for name in names])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.xaxis.set_visible(False)
    axes.set_xlim(0, 1.65 * longest)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _process_rows(entry: GeneratorResult) -> list[tuple[str, str, str, str]]:
    """Table rows of the process: its time outside of generation, and its peaks of memory."""
    rows = []
    for name, seconds in entry.run.timings(entry.name).items():
        rows.append((entry.label, f"{_spoken(name)}, total", words.seconds(seconds), ""))
    for column, title in PEAKS:
        values = entry.costs(column)
        if np.isfinite(values).any():
            rows.append((entry.label, title, f"{words.number(float(np.nanmax(values)), 0)} MiB", ""))
    return rows
