"""The effect of images: each generator with the texts of a suite alone, compared with its texts and images.

The variants come from `--sweep inputs=text,image+text`. Their comparisons form a separate family, paired by prompt and
seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vbench_lite.analysis.answers.leads import Lead, find_leads
from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.family import Comparison, Family, family_of_sides
from vbench_lite.run.view import Side

INPUTS = "inputs"
"""The swept setting."""


@dataclass(frozen=True)
class ImageGain:
    """One generator without and with images."""

    of: str
    """The name of the generator, with other swept settings."""
    text: Side
    image: Side
    comparisons: dict[str, Comparison]
    """Figure > comparison. The candidate has the images, the baseline only the texts."""


@dataclass(frozen=True)
class ImageGains:
    """All generators that were run without and with images."""

    gains: Sequence[ImageGain]
    lead_of_texts: Lead | None
    """The leading generator on usable clips without images."""
    lead_of_images: Lead | None
    """The leading generator on usable clips with images."""


def image_gains(sides: Sequence[Side]) -> ImageGains | None:
    """The generators that were run without and with images; None if there are none."""
    pairs: dict[str, dict[bool, Side]] = {}
    for side in sides:
        sweep = dict(side.definition.sweep)
        if INPUTS in sweep:
            with_image = "image" in str(sweep.pop(INPUTS)).split("+")
            rest = ", ".join(f"{name}={value}" for name, value in sweep.items() if name != "of")
            of = f"{sweep['of']} with {rest}" if rest else str(sweep["of"])
            pairs.setdefault(of, {})[with_image] = side
    both = {of: (found[False], found[True]) for of, found in pairs.items() if len(found) == 2}
    if not both:
        return None
    family = Family(tuple(GeneratorPair(*pair) for pair in both.values()))
    gains = [ImageGain(of, *pair, table) for (of, pair), table in zip(both.items(), family.tables, strict=True)]
    return ImageGains(gains, *(_lead([pair[place] for pair in both.values()]) for place in (0, 1)))


def _lead(sides: Sequence[Side]) -> Lead | None:
    return find_leads(sides, family_of_sides(sides)).get("usable")
