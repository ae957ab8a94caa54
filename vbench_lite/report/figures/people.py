"""Human evaluation: which clips people keep and prefer, and how often the metrics agree with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from vbench_lite import formatting as words
from vbench_lite.records import Estimate
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.figures.colours import INK, PAPER, SOFT
from vbench_lite.report.figures.kit import Figure, FigureRenderer, colour, marker
from vbench_lite.report.tables import usable_estimate
from vbench_lite.run.people import People

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WITH_REVIEW = "usd_per_usable_clip_with_review"


def people(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """For each generator: the clips that people keep, the clips that they prefer, and the cost of their time."""
    found = scenario.summary.people
    if found is None:
        return None
    entries = scenario.entries
    shown = {"usable": [usable_estimate(entry) for entry in entries]}
    shown |= {name: [entry.score(name) for entry in entries] for name in ("human_usable", "human_preference")}
    rows = [
        ("Usable by metrics" if name == "usable" else scenario.title_of(name), *map(share_text, estimates))
        for name, estimates in shown.items() if any(each.value is not None for each in estimates)
    ]  # fmt: skip
    for question, preference in found.preference.items():
        strengths = [preference.strengths.get(entry.name, _NO_VOTES) for entry in entries]
        rows.append((f"Strength, {_QUESTIONS[question]} (log odds)", *(str(words.write(each)) for each in strengths)))
    scale = scenario.money_scale
    for name in ("usd_per_usable_clip", WITH_REVIEW):
        costs = [entry.cost(name) for entry in entries]
        if any(cost.value is not None for cost in costs):
            unit = "1,000 usable clips" if scale > 1 else "a usable clip"
            whose = f"as judged by {_voters(found)}, with their time" if name == WITH_REVIEW else "as judged by metrics"
            rows.append((f"Cost of {unit}, {whose}", *(str(words.cost_text(name, cost, scale)) for cost in costs)))
    draw = partial(_draw_shares, entries, shown, _voters(found))
    values = [f"{entry.label}: {rows[0][0]} {cell}" for entry, cell in zip(entries, rows[0][1:], strict=True)]
    title = "Clips kept" if "human_usable" in scenario.summary.metrics else "Comparisons won"
    panel = pen.draw("people", title, f"{'; '.join(values)}.", draw, 0.9 + 0.55 * len(entries))
    header = ("", *(entry.label for entry in entries))
    return Figure("people", f"Human evaluation{_SIMULATED * found.simulated}", caption(found), [panel], header, rows)


def people_agreement(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """How often each metric, and the decision "usable", agrees with people."""
    found = scenario.summary.people
    if found is None or not found.agreement:
        return None
    names = [name for name in found.agreement if _known(found, name)]
    if not names:
        return None
    columns = ("pair_accuracy", "precision", "recall")
    cells = {name: [getattr(found.agreement[name], column) for column in columns] for name in names}
    names.sort(key=lambda name: -(cells[name][0].value or -1.0))
    rows = [(scenario.title_of(name), *(share_text(each) for each in cells[name])) for name in names]
    titles = [scenario.title_of(name) for name in names]
    draw = partial(_draw_accuracy, titles, [cells[name][0] for name in names])
    values = [f"{title}: {row[1]}" for title, row in zip(titles, rows, strict=True)]
    alt = f"Share of pairs in which the metric prefers the clip that {_voters(found)} prefer. {'; '.join(values)}."
    height = 0.8 + 0.24 * len(names)
    panel = pen.draw("people-agreement", "Pairs in agreement", alt, draw, height)
    return Figure(
        "people-agreement", f"Agreement of the metrics with {_voters(found)}", _agreement_caption(found), [panel],
        ("Metric", "Pairs in agreement", "Precision", "Recall"), rows,
    )  # fmt: skip


_QUESTIONS = {"quality": "overall quality", "prompt": "following the prompt"}
_SIMULATED = " by simulated raters"
_NO_VOTES = Estimate(None, reason="no votes")


def _known(found: People, name: str) -> bool:
    agreement = found.agreement[name]
    return any(each.value is not None for each in (agreement.pair_accuracy, agreement.precision, agreement.recall))


def share_text(estimate: Estimate) -> str:
    """A fraction as a percentage with its interval."""
    if estimate.value is None:
        return words.NONE
    if estimate.low is None or estimate.high is None:
        return words.percent(estimate.value)
    value, low, high = (words.percent(end) for end in (estimate.value, estimate.low, estimate.high))
    return _unbroken(f"{value} [{low.removesuffix(' %')} {words.DASH} {high}]")


def _unbroken(text: str) -> str:
    """Prevents a line break before a percent sign."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def caption(found: People) -> str:
    """The caption: who voted, how well the raters agree, and which votes were not counted."""
    counted = [rater for rater in found.raters if not rater.careless]
    who = words.several(len(counted), "simulated rater" if found.simulated else "rater")
    parts = [f"{words.several(found.votes, 'vote')} of {who}, blind. Intervals are over prompts and raters."]
    if found.simulated:
        parts.append("A program gave these votes, not people.")
    known = [f"{_alpha_of(q)} {words.write(a)}" for q, a in found.alpha.items() if a.value is not None]
    if known:
        parts.append(f"Agreement between raters (Krippendorff's alpha, 1 is full agreement): {', '.join(known)}.")
    careless = [f"{rater.name} ({', '.join(rater.careless)})" for rater in found.raters if rater.careless]
    if careless:
        parts.append(f"Answers that look careless: {words.listed(careless)}.")
    sided = [f"{rater.name} ({rater.prefers_side})" for rater in counted if rater.prefers_side]
    if sided:
        parts.append(f"One side is preferred by: {words.listed(sided)}. Sides are balanced, so these votes count.")
    if found.seconds_per_clip and found.seconds_per_clip.value is not None:
        parts.append(f"The review of one clip takes {words.seconds(found.seconds_per_clip.value)}.")
    parts += [f"{words.several(count, 'vote')} not counted: {why}." for why, count in found.dropped.items()]
    missing = [each for each in found.needed if each.votes]
    if missing:
        most = missing[0]
        parts.append(
            f"To narrow every interval to ±{words.percent(most.half_width)}, the least certain value needs about "
            f"{words.several(most.votes or 0, 'more vote')}."
        )
    return _unbroken(" ".join(parts))


def _voters(found: People) -> str:
    return "simulated raters" if found.simulated else "people"


def _alpha_of(question: str) -> str:
    return {"usable": "keep or reject"}.get(question) or _QUESTIONS.get(question, question)


def _agreement_caption(found: People) -> str:
    voters = _voters(found)
    text = (
        "Pairs in agreement: the share of votes for one of two clips in which that clip has the better value; chance "
        f"gives 50 %. Precision: the share of the clips that meet the threshold that {voters} keep. Recall: the share "
        f"of the clips that {voters} keep that meet the threshold."
    )
    fitted = found.fitted
    if fitted is not None and fitted.thresholds:
        names = words.listed(name.replace("_", " ") for name in fitted.thresholds)
        text += (
            f" Thresholds of {names}, fitted to these votes, are wrong for {share_text(fitted.error)} of the clips of "
            f"prompts that were not used for the fit. The same answer for every clip is wrong for "
            f"{words.percent(fitted.plain_error)}."
        )
    return _unbroken(text)


def _draw_shares(
    entries: Sequence[GeneratorResult], shown: Mapping[str, Sequence[Estimate]], voters: str, axes: Axes
) -> None:
    kinds = [("usable", "none"), ("human_usable", "full")]
    if all(each.value is None for each in shown["human_usable"]):
        kinds = [("human_preference", "full")]
    for row, entry in enumerate(reversed(entries)):
        place = len(entries) - 1 - row
        for nth, (name, fill) in enumerate(kinds):
            share, at = shown[name][place], row + 0.14 * (1 - 2 * nth) * (len(kinds) > 1)
            if share.value is None:
                continue
            if share.low is not None and share.high is not None:
                axes.plot([share.low, share.high], [at, at], color=colour(entry), lw=1.4, alpha=0.55)
            axes.plot(
                share.value, at, marker(entry), color=colour(entry), ms=5.5, mew=0.9,
                mfc=PAPER if fill == "none" else colour(entry), mec=colour(entry),
            )  # fmt: skip
    axes.set_yticks(range(len(entries)), [entry.label for entry in reversed(entries)])
    axes.set_ylim(-0.6, len(entries) - 0.4)
    label = "share of comparisons won" if kinds[0][0] == "human_preference" else f"open: metrics, full: {voters}"
    _percent_below(axes, label)


def _draw_accuracy(titles: Sequence[str], shares: Sequence[Estimate], axes: Axes) -> None:
    for row, share in enumerate(reversed(shares)):
        if share.value is None:
            continue
        if share.low is not None and share.high is not None:
            axes.plot([share.low, share.high], [row, row], color=INK, lw=1.4, alpha=0.55)
        axes.plot(share.value, row, "o", color=INK, ms=5)
    axes.axvline(0.5, color=SOFT, lw=0.8, ls=(0, (3, 3)))
    axes.set_yticks(range(len(titles)), list(reversed(titles)))
    axes.set_ylim(-0.6, len(titles) - 0.4)
    _percent_below(axes, "chance is 50 %")


def _percent_below(axes: Axes, label: str) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(label)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
