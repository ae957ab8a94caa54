"""Whether two runs may be held against each other, and if not, what differs and which command mends it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from vbench_lite.analysis.quantities import Quantity
from vbench_lite.errors import NotComparable
from vbench_lite.measuring.rates import describe, from_json
from vbench_lite.run.clips import ClipGrid, read_grids
from vbench_lite.run.folder import RunFolder, select_run

_PROTOCOL_NOTES = ("protocol", "protocols")
_METRIC_FIELDS = ("version", "backbone", "protocol", "unit", "per", "higher_is_better")


@dataclass(frozen=True)
class RunView:
    """A scored run, read from its three files."""

    label: str
    folder: RunFolder
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]
    grids: Mapping[str, ClipGrid]
    selected: str | None
    """The generator that the argument named."""

    @property
    def generators(self) -> list[str]:
        return [self.selected] if self.selected else list(self.manifest["generators"])

    @property
    def metrics(self) -> Mapping[str, Mapping[str, Any]]:
        metrics: Mapping[str, Mapping[str, Any]] = self.summary["metrics"]
        return metrics

    def definition(self, generator: str) -> Mapping[str, Any]:
        definition: Mapping[str, Any] = self.manifest["generators"][generator]
        return definition


class Side(NamedTuple):
    """One generator of one run."""

    run: RunView
    generator: str

    @property
    def grid(self) -> ClipGrid:
        return self.run.grids[self.generator]

    @property
    def name(self) -> str:
        return f"{self.run.folder.path}:{self.generator}"

    def set_score(self, metric: str) -> Mapping[str, Any]:
        """A set metric's estimate as summary.json has it."""
        generator: Mapping[str, Any] = self.run.summary["generators"].get(self.generator) or {"scores": {}}
        score: Mapping[str, Any] = generator["scores"].get(metric) or {"value": None, "reason": "not computed"}
        return score


def open_run(argument: str) -> RunView:
    """Reads a run argument such as "results/ads:tiny-diffusion".

    Raises:
        StoreError: There is no such run, it is not scored, or its files are broken.
    """
    folder, generator = select_run(argument)
    manifest, summary = folder.manifest(), folder.summary()
    grids = read_grids(folder.table_path, manifest, str(folder.path))
    return RunView(argument, folder, manifest, summary, grids, generator)


def match(baseline: RunView, candidate: RunView) -> list[tuple[Side, Side]]:
    """Which generator is held against which: those named, or those of the same name, or the only ones.

    Raises:
        NotComparable: The candidate lacks a generator that the baseline has, so that one must be named.
    """
    old, new = baseline.generators, candidate.generators
    if candidate.selected and not baseline.selected and candidate.selected in old:
        old = [candidate.selected]
    if baseline.selected and not candidate.selected and baseline.selected in new:
        new = [baseline.selected]
    if len(old) == 1 and len(new) == 1:
        return [(Side(baseline, old[0]), Side(candidate, new[0]))]
    lacking = [name for name in old if name not in new]
    if lacking:
        example = f"{candidate.folder.path}:{new[0]}"
        raise NotComparable(
            f'"{candidate.label}" has no generator "{lacking[0]}", which "{baseline.label}" has. '
            f"Name one on each side, such as {baseline.folder.path}:{lacking[0]} {example}"
        )
    return [(Side(baseline, name), Side(candidate, name)) for name in old]


class Difference(NamedTuple):
    """One thing in which two runs are unlike."""

    what: str
    baseline: str
    candidate: str
    mend: str

    def sentence(self) -> str:
        return f"{self.what} differs: {self.baseline} in the baseline, {self.candidate} in the candidate. {self.mend}"


def require_comparable(baseline: Side, candidate: Side) -> None:
    """Refuses two runs whose scores do not mean the same.

    Raises:
        NotComparable: With every difference, and a command for each.
    """
    found = list(differences(baseline, candidate))
    if found:
        told = "\n  ".join(difference.sentence() for difference in found)
        raise NotComparable(f'"{candidate.name}" cannot be held against "{baseline.name}".\n  {told}')


def differences(baseline: Side, candidate: Side) -> Iterator[Difference]:
    """All in which two generators' scores are unlike; nothing about costs."""
    old, new = baseline.run.manifest, candidate.run.manifest
    again = f"Make the candidate again as the baseline was: {run_command(baseline.run, candidate.generator)}"
    if old["suite"]["digest"] != new["suite"]["digest"]:
        yield Difference("the suite", _suite(old), _suite(new), f"{_changed_prompts(old, new)}{again}")
    elif set(old["plan"]["prompts"]) != set(new["plan"]["prompts"]):
        asked, found = (f"{len(m['plan']['prompts'])} of {len(m['suite']['prompts'])} prompts" for m in (old, new))
        yield Difference("the choice of prompts", asked, found, again)
    if old["plan"]["clips_per_prompt"] != new["plan"]["clips_per_prompt"]:
        asked, found = (f"{m['plan']['clips_per_prompt']} a prompt" for m in (old, new))
        yield Difference("the number of clips", asked, found, again)
    if old["plan"].get("backbones") != new["plan"].get("backbones"):
        asked, found = (f'"{m["plan"].get("backbones")}"' for m in (old, new))
        mend = f"Score one again: vbench score {candidate.run.folder.path} --backbones {old['plan'].get('backbones')}"
        yield Difference("the set of backbones", asked, found, mend)
    asked, found = (_form(side.run.definition(side.generator).get("clip", {})) for side in (baseline, candidate))
    if asked != found:
        yield Difference("the form of clip", asked, found, "Give both definitions the same [clip] and run them again.")
    yield from _metric_differences(baseline.run, candidate.run)


def _metric_differences(baseline: RunView, candidate: RunView) -> Iterator[Difference]:
    both = [name for name in baseline.metrics if name in candidate.metrics]
    rescore = f"Score both with one version: {_again(baseline)}; {_again(candidate)}"
    for name in both:
        for field in _METRIC_FIELDS:
            old, new = baseline.metrics[name].get(field), candidate.metrics[name].get(field)
            if old != new:
                yield Difference(f'the {field.replace("_", " ")} of the metric "{name}"', f"{old}", f"{new}", rescore)
    for note in _PROTOCOL_NOTES:
        old, new = (_note(run, note) for run in (baseline, candidate))
        if old is not None and new is not None and old != new:
            yield Difference(f"the scoring {note}", f"{old}", f"{new}", rescore)


def _again(run: RunView) -> str:
    """The command that scores a run with this version; a baseline keeps no clips, so another takes its place."""
    path = run.folder.path
    if run.folder.keeps_clips():
        return f"vbench score {path}"
    return f"vbench baseline promote RUN --to {path} --reason ... --by ..., of a run that is scored with it"


def _note(run: RunView, name: str) -> Any:
    return (run.summary.get("notes") or {}).get(name)


def _suite(manifest: Mapping[str, Any]) -> str:
    return f'"{manifest["suite"]["name"]}" {manifest["suite"]["digest"][:8]}'


def _form(clip: Mapping[str, Any]) -> str:
    return f"{clip.get('frames')} frames of {clip.get('width')}x{clip.get('height')} at {clip.get('fps')} a second"


def _changed_prompts(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    before, after = ({p["id"]: p for p in m["suite"]["prompts"]} for m in (old, new))
    changed = sorted(id_ for id_ in before.keys() | after.keys() if before.get(id_) != after.get(id_))
    if not changed:
        return ""
    return f'{len(changed)} prompts are not the same, "{changed[0]}" for one. '


def run_command(like: RunView, generator: str, clips_per_prompt: int | None = None, out: str = "") -> str:
    """The command that makes a generator's clips with the plan of a run, in a folder of its own.

    A folder holds one plan, so more clips a prompt need another one too.
    """
    return _command(like, [generator], clips_per_prompt, out or f"results/{like.manifest['suite']['name']}-{generator}")


def finish_command(run: RunView) -> str:
    """The command that makes what a run lacks."""
    return _command(run, list(run.manifest["generators"]), None, str(run.folder.path))


def _command(like: RunView, generators: Sequence[str], clips_per_prompt: int | None, out: str) -> str:
    plan, suite = like.manifest["plan"], like.manifest["suite"]
    words = ["vbench", "run", "--suite", suite["name"]]
    for generator in generators:
        words += ["-g", generator]
    if len(plan["prompts"]) < len(suite["prompts"]):
        words += ["--limit", str(len(plan["prompts"]))]
    words += ["--clips-per-prompt", str(clips_per_prompt or plan["clips_per_prompt"])]
    if plan.get("seed"):
        words += ["--seed", str(plan["seed"])]
    if plan.get("backbones", "builtin") != "builtin":
        words += ["--backbones", plan["backbones"]]
    return shlex.join([*words, "--out", out])


def unlike_for(quantity: Quantity, baseline: Side, candidate: Side) -> str | None:
    """Why a cost means something else in the two runs, or None. Scores are alike once the runs are comparable."""
    old, new = (side.run.manifest.get("device") or {} for side in (baseline, candidate))
    prices = [(side.run.manifest.get("prices") or {}).get(side.generator) or {} for side in (baseline, candidate)]
    hourly = [price.get("usd_per_device_hour") for price in prices]
    bound = quantity.needs_device and (not quantity.needs_price or any(rate is not None for rate in hourly))
    devices = [_device(device) for device in (old, new)]
    if bound and devices[0] != devices[1]:
        again = run_command(baseline.run, baseline.generator, out="results/baseline-here")
        return (
            f"the device differs: {devices[0]} in the baseline, {devices[1]} in the candidate. "
            f"Run both on one kind of device, the baseline for instance with: {again}"
        )
    same = baseline.generator == candidate.generator or (hourly[0] is not None and hourly[1] is not None)
    if quantity.needs_price and same and _rate(prices[0]) != _rate(prices[1]):
        return (
            f"the price differs: {_rate(prices[0])} in the baseline, {_rate(prices[1])} in the candidate. "
            f"Give both runs the same --prices FILE; time and memory can be compared as they are."
        )
    return None


def _device(device: Mapping[str, Any]) -> str:
    return f"{device.get('count', 1)} x {device.get('name') or device.get('kind') or 'unknown'}"


def _rate(price: Mapping[str, Any]) -> str:
    return describe(from_json(price)) or "no price"
