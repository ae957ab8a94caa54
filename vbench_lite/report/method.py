"""How the figures of a report came about: machine, software, thresholds, prices, generators, networks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vbench_lite.measuring.rates import describe, from_json
from vbench_lite.report import glossary as words
from vbench_lite.report.data import GeneratorResult, Report, SuiteResult
from vbench_lite.report.formats.clip_board import needs

FEW_PROMPTS = 20
"""Below this, intervals are wide."""
NOTES = {
    "backbones": "Set of networks", "protocol": "Video distances", "anchors": "Drift of known clips",
    "reference": "Reference clips", "features": "Digests of features",
}  # fmt: skip
"""What scoring notes beside the numbers, in words."""


def facts(scenario: SuiteResult) -> list[tuple[str, str]]:
    """Names and values, in the order in which one would ask."""
    manifest = scenario.newest.manifest
    suite, plan = scenario.suite, manifest["plan"]
    device = manifest.get("device") or {}
    found = [
        ("Suite", f"{suite['name']}, {suite.get('title', '')}, digest {str(suite.get('digest', ''))[:12]}"),
        ("Licence", suite.get("licence", "")),
        ("Asked", _asked(plan)),
        ("Reference", _reference(str(suite.get("reference") or ""))),
        ("Device", _device(device)),
        ("Software", ", ".join(f"{name} {version}" for name, version in (manifest.get("software") or {}).items())),
        ("Commit", _commit(manifest.get("git"))),
        ("Made", scenario.newest.created),
        ("Networks", ", ".join(_networks(scenario)) or "none"),
        ("Intervals", _intervals(scenario)),
    ]  # fmt: skip
    notes = scenario.summary.get("notes") or {}
    found += [(NOTES.get(name, name.replace("_", " ").capitalize()), _plain(value)) for name, value in notes.items()]
    return [(name, value) for name, value in found if value]


def _intervals(scenario: SuiteResult) -> str:
    told = "95 %, over prompts: clips of one prompt are not independent"
    batches = counted(scenario)
    return f"{told}; of time, energy and money over {batches}, whose clips share one time" if batches else told


def counted(scenario: SuiteResult) -> str:
    """What the intervals of time and money count where it is not prompts: "4 measured batches each"; else ""."""
    counts = [entry.batches for entry in scenario.entries]
    known = sorted({count for count in counts if count is not None})
    if not known:
        return ""
    span = str(known[0]) if len(known) == 1 else f"{known[0]} to {known[-1]}"
    return f"{span} measured batch{'' if known == [1] else 'es'} a generator"


def _asked(plan: Mapping[str, Any]) -> str:
    prompts, clips = len(plan["prompts"]), plan["clips_per_prompt"]
    size = f"{words.several(prompts, 'prompt')} {words.TIMES} {words.several(clips, 'clip')}"
    return f"{size}, seed {plan['seed']}; the k-th clip of a prompt has the same seed for every generator"


def _reference(reference: str) -> str:
    return {"world": "clips of the built-in world", "": "none"}.get(reference, reference)


def _networks(scenario: SuiteResult) -> list[str]:
    return sorted({str(info["backbone"]) for info in scenario.metrics.values() if info["backbone"]})


def _device(device: Mapping[str, Any]) -> str:
    name = device.get("name") or device.get("kind") or ""
    count = device.get("count") or 1
    return f"{count} {words.TIMES} {name}" if count > 1 else str(name)


def _commit(git: Mapping[str, Any] | None) -> str:
    if not git or not git.get("commit"):
        return ""
    return f"{git['commit'][:12]}{', with uncommitted changes' if git.get('dirty') else ''}"


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {told}" for key, item in value.items() if (told := _plain(item)))
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{40,}", value):
        return value[:12]
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def thresholds(scenario: SuiteResult) -> list[tuple[str, str, str]]:
    """What a usable clip needs of each metric, and who says so."""
    says = {"suite": "the suite", "reference": "the worst 5 % of the reference clips"}
    return [
        (words.title(name), needs(floor), says.get(floor["source"], floor["source"]))
        for name, floor in scenario.thresholds.items()
    ]


def reference_share(scenario: SuiteResult) -> str:
    share = scenario.summary.get("usable", {}).get("reference_share")
    if share is None:
        return ""
    return (
        f"Of the real reference clips, {words.percent(share)} pass all of these together: read the share of usable "
        "clips against that, not against 100 %."
    )


def prices(scenario: SuiteResult) -> list[tuple[str, str, str, str]]:
    """What was charged for, with date and source."""
    rows = []
    for entry in scenario.entries:
        price = entry.price
        rate = describe(from_json(price))
        rows.append(
            (entry.label, rate or f"none: {price.get('reason', 'not known')}", str(price.get("date") or ""),
             str(price.get("source") or ""))
        )  # fmt: skip
    return rows


def definitions(scenario: SuiteResult) -> list[tuple[str, str, str, str, str]]:
    """Each generator with what drives it and what it was asked for."""
    return [(e.label, words.ROUTES.get(e.route, e.route), _driven(e), _clip(e), _weights(e)) for e in scenario.entries]


def _weights(entry: GeneratorResult) -> str:
    return str(entry.definition.get("weights_digest") or "")[:12]


def _driven(entry: GeneratorResult) -> str:
    definition = entry.definition
    model = str(definition.get("model") or "")
    model = model.rsplit("/", 1)[-1] if model.startswith("/") else model
    settings = ", ".join(f"{key} {_plain(value)}" for key, value in (definition.get("settings") or {}).items())
    return " · ".join(part for part in (str(definition.get("adapter", "")), model, settings) if part)


def _clip(entry: GeneratorResult) -> str:
    clip = entry.definition.get("clip") or {}
    if not clip:
        return ""
    return f"{clip['frames']} frames, {clip['width']}{words.TIMES}{clip['height']}, {clip['fps']:g} fps"


def warnings(report: Report) -> list[str]:
    """What a reader must know before believing anything, most serious first."""
    scenario = report.main
    found = [text for entry in scenario.entries for text in _gaps_of(entry)]
    if len(scenario.prompts) < FEW_PROMPTS:
        size = words.several(len(scenario.prompts), "prompt")
        found.append(f"Only {size}: intervals are wide and few differences can show.")
    devices = {str((e.run.manifest.get("device") or {}).get("name")) for e in scenario.entries}
    if len(devices) > 1:
        found.append(f"Times and costs were taken on different devices: {words.listed(sorted(devices))}.")
    ignored = scenario.summary.get("usable", {}).get("ignored") or []
    if ignored:
        found.append(f"The suite states thresholds for {words.listed(ignored)}, not measured here; they judge nothing.")
    drift = (scenario.summary.get("notes") or {}).get("anchors") or {}
    if drift.get("warning"):
        found.append(str(drift["warning"]))
    return found


def _gaps_of(entry: GeneratorResult) -> list[str]:
    """Clips of an entry that are missing, failed or without a score."""
    missing, failed = int(entry.grid.missing.sum()), int((~entry.grid.made).sum())
    found = []
    if missing:
        found.append(
            f"The run of {entry.label} is not complete: {missing} of {entry.grid.clips} clips were never made. "
            "They count as not usable."
        )
    if failed > missing:
        found.append(f"Failed clips of {entry.label}: {failed - missing}. They count as not usable.")
    for metric, estimate in entry.figures["scores"].items():
        if estimate["n"] and estimate["unscored"] > failed and entry.run.summary["metrics"][metric]["per"] == "clip":
            count = estimate["unscored"] - failed
            found.append(f"Made clips of {entry.label} without a score of {words.title(metric).lower()}: {count}.")
    return found
