"""How the results of a report were obtained: machine, software, thresholds, prices, generators, networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vbench_lite import formatting as words
from vbench_lite.analysis.cost.machines import machine_warnings
from vbench_lite.measuring.rates import describe
from vbench_lite.records import DeviceFacts, Estimate, MetricInfo, ReasonCode
from vbench_lite.report import glossary
from vbench_lite.report.data import GeneratorResult, Report, SuiteResult, device_name
from vbench_lite.report.formats.clip_board import needs
from vbench_lite.run.manifest import GitState, PlanRecord
from vbench_lite.run.summary import Notes, Usability

FEW_PROMPTS = 20
"""With fewer prompts, a warning says that intervals are wide."""
DIGITS = 12
"""Number of shown characters of a digest."""


def facts(scenario: SuiteResult) -> list[tuple[str, str]]:
    """Facts of the run as names and values, in the order of the page."""
    manifest = scenario.newest.manifest
    suite = scenario.suite
    found = [
        ("Suite", f"{suite.name}, {suite.title}, digest {suite.digest[:DIGITS]}"),
        ("Licence", suite.licence),
        ("Asked", _asked(manifest.plan)),
        ("Reference", _reference(manifest.reference)),
        ("Device", _device(manifest.device)),
        ("Software", ", ".join(f"{name} {version}" for name, version in manifest.software.items() if version)),
        ("Commit", _commit(manifest.git)),
        ("Made", scenario.newest.created),
        ("Networks", ", ".join(_networks(scenario)) or "none"),
        ("Computed elsewhere", "; ".join(computed_elsewhere(scenario.metrics))),
        ("Intervals", _intervals(scenario)),
        *_notes(scenario.summary.notes),
    ]  # fmt: skip
    return [(name, value) for name, value in found if value]


def _notes(notes: Notes) -> list[tuple[str, str]]:
    """Facts that the scoring recorded in addition to the scores."""
    drift = (notes.anchors.drift if notes.anchors else None) or {}
    return [
        ("Set of networks", notes.backbones or ""),
        ("Video distances", notes.protocol or ""),
        ("Drift of known clips", "; ".join(f"{m} {d:.1g}" for m, d in drift.items() if d is not None)),
        ("Reference clips", "; ".join(f"{generator} {clips}" for generator, clips in notes.reference.items())),
        ("Prompts read in part", _truncated(notes)),
        ("Digests of features", "; ".join(f"{g} {digest[:DIGITS]}" for g, digest in notes.features.items())),
    ]


def _truncated(notes: Notes) -> str:
    ids = notes.truncated_prompts
    return f"{len(ids)}: the text network reads only their beginning, e.g. {ids[0]}" if ids else ""


def _intervals(scenario: SuiteResult) -> str:
    text = "95 %, over prompts: clips of one prompt are not independent"
    batches = counted(scenario)
    return f"{text}; of time, energy and money over {batches}, whose clips share one time" if batches else text


def counted(scenario: SuiteResult) -> str:
    """The number of measured batches, if the intervals of time and money are over batches; "" if over prompts."""
    counts = [entry.batches for entry in scenario.entries]
    known = sorted({count for count in counts if count is not None})
    if not known:
        return ""
    span = str(known[0]) if len(known) == 1 else f"{known[0]} to {known[-1]}"
    return f"{span} measured batch{'' if known == [1] else 'es'} per generator"


def _asked(plan: PlanRecord) -> str:
    clips = sorted({plan.clips(prompt) for prompt in plan.prompts})
    each = words.several(clips[-1], "clip") if len(clips) == 1 else f"{clips[0]} to {clips[-1]} clips"
    size = f"{words.several(len(plan.prompts), 'prompt')} {words.TIMES} {each}"
    return f"{size}, seed {plan.seed}; the k-th clip of a prompt has the same seed for every generator"


def _reference(reference: str) -> str:
    return {"world": "clips of the built-in world", "": "none"}.get(reference, reference)


def _networks(scenario: SuiteResult) -> list[str]:
    return sorted({info.backbone for info in scenario.metrics.values() if info.backbone})


def computed_elsewhere(metrics: Mapping[str, MetricInfo]) -> list[str]:
    """Scores that came from a program or from another tool, each with version and source."""
    kinds = {"program": "by a program", "imported": "imported"}
    return [
        f"{name} {kinds[info.origin]}, version {info.version}" + (f", from {info.source}" if info.source else "")
        for name, info in metrics.items() if info.origin
    ]


def _device(device: DeviceFacts) -> str:
    return f"{device.count} {words.TIMES} {device_name(device)}" if device.count > 1 else device_name(device)


def _commit(git: GitState | None) -> str:
    if git is None:
        return ""
    return f"{git.commit[:DIGITS]}{', with uncommitted changes' if git.dirty else ''}"


def _setting(value: Any) -> str:
    """A value of a generator's settings as text. Settings differ by adapter, so their types are not known."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_setting(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_setting, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def thresholds(scenario: SuiteResult) -> list[tuple[str, str, str]]:
    """The threshold of a usable clip for each metric, with its source."""
    says = {
        "suite": "the suite", "file": "the file of --thresholds", "reference": "the worst 5 % of the reference clips",
    }
    return [
        (scenario.title_of(name), needs(floor), says.get(floor.source, floor.source))
        for name, floor in scenario.thresholds.items()
    ]


def reference_share(scenario: SuiteResult) -> str:
    share = scenario.summary.usable.reference_share
    if share is None:
        return ""
    return (
        f"Of the real reference clips, {words.percent(share)} pass all of these together: compare the share of usable "
        "clips with that figure, not with 100 %."
    )


def strict_thresholds(usable: Usability) -> str:
    """The warning that real clips fail the thresholds."""
    failing = words.percent(1 - (usable.reference_share or 0.0))
    return (
        f"{failing} of the real reference clips fail the thresholds of usable clips: the thresholds are stricter "
        "than real clips, or the reference clips do not suit the prompts."
    )


def prices(scenario: SuiteResult) -> list[tuple[str, str, str, str]]:
    """The price of each generator, with date and source."""
    rows = []
    for entry in scenario.entries:
        price = entry.price
        rate = describe(price) or f"none: {price.reason or 'not known'}"
        rows.append((entry.label, rate, price.date, price.source))
    return rows


def definitions(scenario: SuiteResult) -> list[tuple[str, str, str, str, str]]:
    """Each generator with its route, adapter, requested clip and digest of weights."""
    return [
        (e.label, glossary.ROUTES.get(e.route, e.route), _driven(e), _clip(e), _weights(e)) for e in scenario.entries
    ]


def _weights(entry: GeneratorResult) -> str:
    return (entry.definition.weights_digest or "")[:DIGITS]


def _driven(entry: GeneratorResult) -> str:
    definition = entry.definition
    settings = ", ".join(f"{key} {_setting(value)}" for key, value in definition.settings.items())
    return " · ".join(part for part in (definition.adapter, definition.model, settings) if part)


def _clip(entry: GeneratorResult) -> str:
    clip = entry.definition.clip
    return f"{clip.frames} frames, {clip.width}{words.TIMES}{clip.height}, {clip.fps:g} fps" if clip else ""


def warnings(report: Report) -> list[str]:
    """Limits of the results that a reader must know, most serious first."""
    scenario = report.main
    found = [text for entry in scenario.entries for text in _gaps_of(entry)]
    if len(scenario.prompts) < FEW_PROMPTS:
        size = words.several(len(scenario.prompts), "prompt")
        found.append(f"Only {size}: intervals are wide and few differences can be shown.")
    sentences = machine_warnings([entry.side for entry in scenario.entries])
    found += [f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences]
    usable, anchors = scenario.summary.usable, scenario.summary.notes.anchors
    if not scenario.evaluated:
        found.append("Usability is not evaluated: neither the suite nor reference clips give thresholds.")
    if usable.too_strict:
        found.append(strict_thresholds(usable))
    if usable.ignored:
        names = words.listed(usable.ignored)
        found.append(f"There are thresholds for {names}, which were not measured. They are not applied.")
    if anchors and anchors.warning:
        found.append(anchors.warning)
    return found


def shared_clips(label: str, scores: Mapping[str, Estimate]) -> list[str]:
    """The warning that clips were compared with themselves."""
    reasons = {e.reason or "" for e in scores.values() if e.reason_code == ReasonCode.SHARED_CLIPS}
    return [f"The clips of {label} are compared with a reference that shares clips: {why}." for why in sorted(reasons)]


def _gaps_of(entry: GeneratorResult) -> list[str]:
    """Warnings on clips of one generator that are missing, failed or not scored."""
    figures = entry.figures
    found = []
    if figures.missing:
        found.append(
            f"The run of {entry.label} is not complete: {figures.missing} of {figures.clips} clips are missing. "
            "They were never generated, so no figure counts them."
        )
    if figures.failed:
        found.append(f"Failed clips of {entry.label}: {figures.failed}. They count as not usable.")
    for metric, estimate in figures.scores.items():
        count = entry.unscored(estimate)
        if estimate.n and count and entry.run.metrics[metric].per == "clip":
            title = glossary.inline(glossary.title(metric, entry.run.metrics))
            found.append(f"Clips of {entry.label} without a score of {title}: {count}.")
    return found + shared_clips(entry.label, figures.scores)
