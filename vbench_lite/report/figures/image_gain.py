"""The effect of image inputs: usable clips, their cost and similarity to the image, without and with images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from vbench_lite import formatting as words
from vbench_lite.analysis.answers.image_gain import ImageGain, ImageGains, image_gains
from vbench_lite.analysis.answers.leads import Lead
from vbench_lite.analysis.family import Comparison, Outcome
from vbench_lite.report import glossary
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.figures.colours import PAPER, SOFT
from vbench_lite.report.figures.kit import Figure, FigureRenderer, colour, marker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURES = ("usable", "usd_per_usable_clip", "first_frame_similarity", "reference_image_similarity")
SHOWN = {Outcome.BETTER: "better with the images", Outcome.WORSE: "worse with the images"}


def image_gain(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """Each generator without and with the images; None if no generator was run in both ways."""
    found = image_gains([entry.side for entry in scenario.entries])
    if found is None:
        return None
    entries = {entry.side: entry for entry in scenario.entries}
    panels, rows = [], []
    for name in FIGURES:
        known = [(gain, compared) for gain in found.gains if (compared := _known(gain, name)) is not None]
        if not known:
            continue
        money = name.startswith("usd")
        title = glossary.cost_title(name, scenario.money_scale) if money else scenario.title_of(name)
        values = [(gain.of, *_written(scenario, name, compared)) for gain, compared in known]
        rows += [(of, title, *cells) for of, *cells in values]
        alt = "; ".join(f"{of}: {before} on texts alone, {after} with images" for of, before, after, _, _ in values)
        lines = [(gain, entries[gain.image], compared) for gain, compared in known]
        scale = scenario.money_scale if money else 1.0
        draw = partial(_draw, lines, share=name == "usable", scale=scale)
        panels.append(pen.draw(f"image-{name}", title, f"{title}. {alt}.", draw, 0.9 + 0.42 * len(lines)))
    if not panels:
        return None
    header = ("Generator", "Figure", "Texts alone", "With images", "Difference", "Shown")
    return Figure("image-gain", "Effect of the images", sentence(scenario, found), panels, header, rows)


def sentence(scenario: SuiteResult, found: ImageGains) -> str:
    """The effect of the images on usable clips and cost, and whether the same generator leads with and without them."""
    sentences = [text for gain in found.gains if (text := _gain_text(scenario, gain))]
    leads = _leads_text(found)
    start = f"With its image, {'; '.join(sentences)}. " if sentences else ""
    return f"{start}{leads}Open marks: text only. Filled marks: text and image. Intervals are in the table."


def _gain_text(scenario: SuiteResult, gain: ImageGain) -> str:
    usable, cost = (_known(gain, name) for name in FIGURES[:2])
    if usable is None:
        return ""
    shown = SHOWN.get(usable.words, "no difference shown")
    text = f"{gain.of} makes {words.percent(usable.candidate)} usable clips instead of "
    text += f"{words.percent(usable.baseline)} ({shown})"
    if cost is not None:
        before, after, _, _ = _written(scenario, FIGURES[1], cost)
        what = "1,000 usable clips cost" if scenario.money_scale > 1 else "a usable clip costs"
        text += f", and {what} {after} instead of {before}"
    return text


def _leads_text(found: ImageGains) -> str:
    """Whether the route that leads on usable clips without images also leads with images."""
    without, with_images = found.lead_of_texts, found.lead_of_images
    if without is None or with_images is None or "alone" in (without.verdict, with_images.verdict):
        return ""
    first, now = (lead.first.definition for lead in (without, with_images))
    if "tied" in (without.verdict, with_images.verdict):
        return f"Without images {_who(without)}; with images {_who(with_images)}. "
    who = f"The {first.route} route leads on usable clips without images ({_verdict(without)})"
    if first.sweep.get("of") == now.sweep.get("of"):
        return f"{who} and with images ({_verdict(with_images)}). "
    return f"{who}. With images, the {now.route} route leads ({_verdict(with_images)}). "


def _who(lead: Lead) -> str:
    if lead.verdict == "tied":
        return "the routes have equal shares of usable clips"
    return f"the {lead.first.definition.route} route leads on usable clips ({_verdict(lead)})"


def _verdict(lead: Lead) -> str:
    return "shown" if lead.verdict == "ahead" else "not shown"


def _known(gain: ImageGain, name: str) -> Comparison | None:
    found = gain.comparisons.get(name)
    return found if found is not None and None not in (found.baseline, found.candidate) else None


def _written(scenario: SuiteResult, name: str, compared: Comparison) -> tuple[str, str, str, str]:
    """Four texts: the value without images, with images, the difference with its interval, and its outcome."""
    def text(value: float | None) -> str:
        if value is None:
            return words.NONE
        if name == "usable":
            return words.percent(value) if value >= 0 else f"{words.MINUS}{words.percent(-value)}"
        if name.startswith("usd"):
            return f"{words.MINUS if value < 0 else ''}{words.dollars(abs(value) * scenario.money_scale)}"
        return words.number(value, 3)

    difference = text(compared.difference)
    if compared.low is not None and compared.high is not None:
        difference += f" [{text(compared.low)} {words.DASH} {text(compared.high)}]"
    shown = SHOWN.get(compared.words, compared.words.value)
    return text(compared.baseline), text(compared.candidate), difference, shown


def _draw(
    lines: Sequence[tuple[ImageGain, GeneratorResult, Comparison]], axes: Axes, *, share: bool, scale: float
) -> None:
    for row, (_, entry, compared) in enumerate(reversed(lines)):
        ink = colour(entry)
        ends = [value * scale for value in (compared.baseline, compared.candidate) if value is not None]
        axes.plot(ends, [row] * len(ends), color=ink, lw=1.2, alpha=0.5)
        axes.plot(ends[0], row, marker(entry), color=ink, mfc=PAPER, ms=6.5, mew=1.2)
        axes.plot(ends[-1], row, marker(entry), color=ink, ms=6.5, mec=PAPER, mew=0.6)
    axes.set_yticks(range(len(lines)), [gain.of for gain, _, _ in reversed(lines)])
    axes.set_ylim(-0.6, len(lines) - 0.4)
    axes.tick_params(axis="y", length=0, labelcolor=SOFT)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    if share:
        axes.set_xlim(-0.02, 1.02)
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
