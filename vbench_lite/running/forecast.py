"""Forecasts the time and cost of a plan from measured clips of the same generator on the same device."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats as distributions

from vbench_lite.errors import StoreError
from vbench_lite.formatting import dollars, write
from vbench_lite.measuring.devices import Device
from vbench_lite.measuring.rates import clip_cost_usd, clip_price
from vbench_lite.progress import duration
from vbench_lite.records import ClipRecord, Definition, Estimate, Price, Request
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.identity import not_covered
from vbench_lite.run.manifest import store_definition
from vbench_lite.run.plan import Plan, setting
from vbench_lite.run.plan_changes import same_clips
from vbench_lite.running.batches import Shard, batches
from vbench_lite.running.inventory import take_inventory

ENOUGH = 2000
"""Largest number of clips that a forecast reads."""


@dataclass(frozen=True)
class CostLine:
    """One generator's line of the forecast."""

    generator: str
    asked: int
    left: int
    device_hours: Estimate
    """Device hours of the remaining clips. `n` is the number of measured clips."""
    hours: float | None
    """Hours of wall time, with the highest possible number of parallel processes."""
    usd: Estimate
    price: Price
    measured_in: str
    """The run in which the clips were measured."""


@dataclass(frozen=True)
class Forecast:
    """The forecast of a plan."""

    suite: str
    folder: Path
    prompts: int
    clips_per_prompt: int
    parts: tuple[CostLine, ...]
    not_covered: tuple[str, ...] = ()
    """Inputs of clips that no digest covers, so that changes are not detected."""
    images: int = 0
    """Number of prompts with an image."""

    @property
    def usd(self) -> float | None:
        """The sum over generators; None if the cost of one is not known."""
        values = [part.usd.value for part in self.parts]
        return None if None in values else sum(v for v in values if v is not None)

    def as_json(self) -> dict[str, Any]:
        def plain(estimate: Estimate) -> dict[str, Any]:
            return {key: getattr(estimate, key) for key in ("value", "low", "high", "n", "reason")}

        return {
            "suite": self.suite, "run": str(self.folder), "prompts": self.prompts, "images": self.images,
            "clips_per_prompt": self.clips_per_prompt, "usd": self.usd, "not_covered": list(self.not_covered),
            "generators": {
                part.generator: {
                    "asked": part.asked, "left": part.left, "device_hours": plain(part.device_hours),
                    "hours": part.hours, "usd": plain(part.usd), "price": vars(part.price),
                    "measured_in": part.measured_in,
                }
                for part in self.parts
            },
        }

    def text(self) -> str:
        """The forecast as text."""
        images = f" ({self.images} with an image)" if self.images else ""
        lines = [f"{self.suite}: {self.prompts} prompts{images}, {self.clips_per_prompt} clips each, to {self.folder}."]
        lines += [_line(part) for part in self.parts]
        if self.usd is not None:
            lines.append(f"Together: {dollars(self.usd)}")
        unknown = [part.generator for part in self.parts if part.device_hours.value is None and part.left]
        if unknown:
            lines.append(
                f"To forecast {' and '.join(unknown)}, generate a few clips of this run first: run the same command "
                "with --pilot 3"
            )
        lines += [f"Not covered by a digest: {each}." for each in self.not_covered]
        return "\n".join(lines)


def _line(part: CostLine) -> str:
    if not part.left:
        return f"{part.generator}: all {part.asked} clips exist already"
    text = f"{part.generator}: {part.left} of {part.asked} clips to generate; "
    hours, usd = part.device_hours, part.usd
    if hours.value is None:
        text += f"time not known ({hours.reason})"
    else:
        text += f"about {duration((part.hours or 0.0) * 3600)}, {write(hours)} device hours"
        text += "" if hours.low is not None else f" ({hours.reason})"
        text += f", from {hours.n} clips in {part.measured_in}"
    if usd.value is None:
        return f"{text}; cost not known ({usd.reason})"
    source, day = part.price.source or "the definition", part.price.date or "no date"
    return f"{text}; {write(usd, before='$')} by {source} ({day})"


def forecast(
    plan: Plan, folder: RunFolder, device: Device, prices: Mapping[str, Price], shard: Shard
) -> Forecast:
    """Forecast the remaining clips of a plan.

    Args:
        plan: The plan of the run.
        folder: The run folder. Clips that exist there are not generated again.
        device: The device of the run. Only clips that were measured on this device are used.
        prices: Prices by generator, as in run.json.
        shard: The part of the plan.
    """
    parts = tuple(_part(plan, folder, device, prices[d.name], shard, d) for d in plan.definitions)
    uncovered = tuple(each for definition in plan.definitions for each in not_covered(definition))
    images = sum(prompt.image is not None for prompt in plan.prompts)
    return Forecast(plan.suite.name, folder.path, len(plan.prompts), plan.clips_per_prompt, parts, uncovered, images)


def _part(
    plan: Plan, folder: RunFolder, device: Device, price: Price, shard: Shard, definition: Definition
) -> CostLine:
    left = [request for batch in batches(plan, definition, shard) for request in batch.requests]
    asked = len(left)
    if folder.exists():
        left = take_inventory(folder, plan, definition, shard).missing
    source, records = measured(definition, device, folder)
    taken = [(_measured_with(record), record.measurement.device_s) for record in records]
    seconds = total(taken, len(left), _groups(definition, left))
    hours = _times(seconds, 1 / 3600)
    side_by_side = device.count // setting(definition, "devices", 1) if device.kind == "cuda" else 1
    wall = None if hours.value is None else hours.value / setting(definition, "devices", 1) / max(1, side_by_side)
    usd = _usd(price, hours, records, left)
    return CostLine(definition.name, asked, len(left), hours, wall, usd, price, source)


def _usd(
    price: Price, hours: Estimate, records: Sequence[ClipRecord], left: Sequence[Request]
) -> Estimate:
    charged = [(_measured_with(r), clip_cost_usd(r, price)) for r in records if r.usd_charged is not None]
    if charged:
        return total(charged, len(left), len({request.prompt_id for request in left}))
    if price.usd_per_device_hour is not None:
        return _times(hours, price.usd_per_device_hour)
    costs = [clip_price(price, r.spec.seconds, r.spec.height, r.spec.width) for r in left]
    unknown = next((cost.reason for cost in costs if cost.usd is None), None)
    return Estimate(None, reason=unknown) if unknown else Estimate(sum(cost.usd or 0.0 for cost in costs))


def _measured_with(record: ClipRecord) -> str:
    """Identify clips that share one time measurement: clips of a batch, else clips of a prompt."""
    measured = record.measurement
    return f"batch of {measured.wall_s!r} s" if measured.batch_size > 1 else record.prompt_id


def _groups(definition: Definition, left: Sequence[Request]) -> int:
    size = setting(definition, "batch_size", 1)
    return -(-len(left) // size) if size > 1 else len({request.prompt_id for request in left})


def highest_usd(
    definition: Definition, device: Device, folder: RunFolder, price: Price
) -> float | None:
    """The cost of the most expensive clip that was measured on this device; None if no clip was measured."""
    _, records = measured(definition, device, folder)
    costs = (clip_cost_usd(record, price) for record in records)
    return max((cost for cost in costs if cost is not None), default=None)


def total(measured: Sequence[tuple[str, float | None]], clips: int, groups: int) -> Estimate:
    """Predict the sum over the remaining clips from measured clips.

    Args:
        measured: Group (prompt or batch) and value of each measured clip.
        clips: Number of remaining clips.
        groups: Number of groups of the remaining clips. Fewer groups give a wider interval.

    Returns:
        The sum with its 95 % prediction interval. One measured group gives no interval.
    """
    by_group = defaultdict(list)
    for group, value in measured:
        if value is not None:
            by_group[group].append(value)
    means = np.array([np.mean(values) for values in by_group.values()])
    n = sum(map(len, by_group.values()))
    if not clips:
        return Estimate(0.0, 0.0, 0.0, n)
    if not n:
        return Estimate(None, reason="no clip of it was measured on this device")
    value = float(means.mean()) * clips
    if len(means) < 2:
        return Estimate(value, n=n, reason="no interval from one prompt or batch")
    spread = float(means.std(ddof=1)) * (1 / len(means) + 1 / groups) ** 0.5
    half = float(distributions.t.ppf(0.975, len(means) - 1)) * spread * clips
    return Estimate(value, max(0.0, value - half), value + half, n)


def _times(estimate: Estimate, factor: float) -> Estimate:
    value, low, high = (None if x is None else x * factor for x in (estimate.value, estimate.low, estimate.high))
    return replace(estimate, value=value, low=low, high=high)


def measured(definition: Definition, device: Device, folder: RunFolder) -> tuple[str, list[ClipRecord]]:
    """Clips of the same definition on the same device: from this folder, else from the newest run that has any."""
    wanted = store_definition(definition)
    for run in [folder, *_runs_nearby(folder)]:
        try:
            manifest = run.manifest()
        except StoreError:
            continue
        stored = manifest.generators.get(definition.name)
        if stored is None or manifest.device.name != device.name or not same_clips(stored, wanted):
            continue
        records = list(_some_records(run, definition.name))
        if records:
            return str(run.path), records
    return "", []


def _runs_nearby(folder: RunFolder) -> list[RunFolder]:
    bases = {Path("results"), folder.path.parent}
    found = {path for base in bases for path in base.glob("*/run.json")}
    return [RunFolder(path.parent) for path in sorted(found, key=lambda p: p.stat().st_mtime, reverse=True)]


def _some_records(run: RunFolder, generator: str) -> Iterator[ClipRecord]:
    for path in sorted((run.path / "clips" / generator).glob("*/[0-9]*.json"))[:ENOUGH]:
        try:
            yield run.read_record(path)
        except StoreError:
            continue  # a damaged record has no time
