"""Titles, meanings and pitfalls of the figures of a report.

Each metric is described in its own file. A run copies the description into summary.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vbench_lite.records import QUESTIONS, Estimate, MetricInfo


@dataclass(frozen=True)
class Meaning:
    """The title of a figure, its meaning, and how it can mislead."""

    title: str
    says: str
    misleads: str = ""


HEADINGS: Mapping[str, str] = QUESTIONS | {"people": "People's judgement", "": "Other metrics"}
"""Questions that metrics answer, as in `MetricInfo.question`, in the order of the report."""
JUDGED = ("coherence", "detail", "prompt")
"""Questions on which generators are ranked."""


def by_question(metrics: Mapping[str, MetricInfo]) -> dict[str, list[str]]:
    """Question -> its metrics by rank. Questions without a metric are left out."""
    found: dict[str, list[str]] = {question: [] for question in HEADINGS}
    for name, info in sorted(metrics.items(), key=lambda item: item[1].rank):
        found[info.question if info.question in HEADINGS else ""].append(name)
    return {question: names for question, names in found.items() if names}


_FIGURES: Mapping[str, Meaning] = {
    "usable": Meaning(
        "Usable clips",
        "Share of the attempted clips that were generated, conform to the request, and meet every threshold. Failed "
        "clips count as not usable. Missing clips, which were never attempted, are not counted.",
        "Thresholds decide this automatically. They do not cover the requirements of your project.",
    ),
    "device_s_per_clip": Meaning(
        "Device time per clip",
        "Seconds of wall time between synchronised points, times the number of devices in use, as a cloud bills it. "
        "Loading, warm-up, encoding and scoring are not included.",
    ),
    "usd_per_clip": Meaning(
        "Cost per clip",
        "US dollars per attempted clip, including failed clips.",
        "Prices change. The prices of this report are listed with their dates in the section on the method.",
    ),
    "usd_per_usable_clip": Meaning(
        "Cost per usable clip",
        "The total cost, including failed clips, divided by the number of usable clips.",
        "It depends on the thresholds: lower thresholds give a lower cost.",
    ),
    "attempts_per_usable_clip": Meaning(
        "Attempts per usable clip",
        "The expected number of clips to generate for one usable clip.",
    ),
    "energy_wh_per_clip": Meaning(
        "Energy per clip",
        "Watt-hours by the energy counter of the device during generation.",
        "The energy of the other parts of the machine is not included.",
    ),
    "peak_memory_mb": Meaning(
        "Peak device memory",
        "The largest memory of tensors on the device during the generation of any clip.",
        "The process needs somewhat more, for its context and for memory that the allocator keeps.",
    ),
    "peak_rss_mb": Meaning(
        "Peak process memory",
        "The largest resident memory of the generator's process and its children during the generation of any clip.",
        "It includes library files that are in memory. Their size differs by hundreds of MiB between installations. "
        "Compare it only within one installation.",
    ),
}
COSTS = (
    "attempts_per_usable_clip", "usd_per_clip", "usd_per_usable_clip", "device_s_per_clip", "energy_wh_per_clip",
    "peak_memory_mb", "peak_rss_mb",
)  # fmt: skip
AHEAD = "ahead of all others"
"""A generator that is shown to be better than every other one on a figure."""
ROUTES = {
    "transformer": "token transformer",
    "diffusion": "diffusion",
    "hybrid": "hybrid",
    "undisclosed": "route undisclosed",
}

def title(name: str, metrics: Mapping[str, MetricInfo]) -> str:
    """The title of a metric, a cost, or a reason such as "frozen".

    >>> title("frozen", {}), title("usd_per_clip", {})
    ('Frozen', 'Cost per clip')
    """
    return meaning(name, metrics).title


def inline(title: str) -> str:
    """A title as part of a sentence: lower case, but acronyms keep their capitals.

    >>> inline("CLIP text similarity"), inline("Warping error")
    ('CLIP text similarity', 'warping error')
    """
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def meaning(name: str, metrics: Mapping[str, MetricInfo]) -> Meaning:
    """The explanation of a metric, from its description in the summary, or of a cost."""
    info = metrics.get(name)
    if info is not None and info.title:
        return Meaning(info.title, info.description, info.pitfalls)
    return _FIGURES.get(name) or Meaning(name.replace("_", " ").capitalize(), "")


def cost_title(name: str, money_scale: float = 1.0) -> str:
    """The title of a cost, with the number of clips that the sum covers."""
    found = title(name, {})
    if name.startswith("usd") and money_scale > 1:
        return found.replace("per usable clip", "per 1,000 usable clips").replace("per clip", "per 1,000 clips")
    return found


def costs_shown(generators: Sequence[Mapping[str, Estimate]]) -> list[str]:
    """The costs that a table of these generators shows: the first four always, others where one is known."""
    known = {cost for costs in generators for cost, estimate in costs.items() if estimate.value is not None}
    on_cpu = all(in_main_memory(costs) for costs in generators)  # the memory of the process has its own row
    hidden = {"peak_memory_mb"} if on_cpu else set()
    return [cost for cost in COSTS if cost in COSTS[:4] or cost in known - hidden]


def in_main_memory(costs: Mapping[str, Estimate]) -> bool:
    """Whether the tensors were in the memory of the process, as on a CPU: then both peaks are equal."""
    device, process = (costs[name].value if name in costs else None for name in ("peak_memory_mb", "peak_rss_mb"))
    return device == process
