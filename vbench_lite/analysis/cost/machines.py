"""Whether two generators were timed under equal conditions: the same device and a similar load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from vbench_lite.run.view import Side

DIFFERS = 0.1
"""Difference of the load by other processes, as a fraction of the processors, above which there is a note."""
SPOILS = 0.25
"""Difference of this load above which times on a CPU are not compared."""
SLOWED = 0.1
"""Difference of the fractions of clips with throttled clocks above which times are not compared."""


class LoadDifference(NamedTuple):
    """A difference of the machine's load between two generators."""

    sentence: str
    spoils: bool
    """Whether the times of the two are not comparable."""


def load_difference(baseline: Side, candidate: Side) -> LoadDifference | None:
    """The difference in load between two generators; None if it is small, or unknown for one of them."""
    sides = (baseline, candidate)
    names = _names(sides)
    others = [_mean(side, "load_other_cpus") for side in sides]
    slowed = [_mean(side, "load_throttled") for side in sides]
    processors = max(max(side.run.manifest.device.vcpus for side in sides), 1)
    found, spoils = [], False
    if others[0] is not None and others[1] is not None and abs(others[1] - others[0]) > DIFFERS * processors:
        spoils = abs(others[1] - others[0]) > SPOILS * processors and candidate.run.manifest.device.kind == "cpu"
        found.append(
            f"other processes took {others[0]:.2g} of {processors} processors during {names[0]}, "
            f"{others[1]:.2g} during {names[1]}"
        )
    if slowed[0] is not None and slowed[1] is not None and abs(slowed[1] - slowed[0]) > SLOWED:
        spoils = True
        found.append(
            f"clocks were throttled for {slowed[0]:.0%} of the clips of {names[0]}, {slowed[1]:.0%} of those of "
            f"{names[1]}"
        )
    return LoadDifference(f"the load of the machine differs: {'; '.join(found)}", spoils) if found else None


def _names(sides: Sequence[Side]) -> list[str]:
    """Names of the generators, with their runs if a name occurs twice."""
    generators = [side.generator for side in sides]
    if len(set(generators)) == len(generators):
        return generators
    return [f"{side.run.name}:{side.generator}" for side in sides]


def _mean(side: Side, column: str) -> float | None:
    values = side.grid.values(column)
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


def machine_warnings(sides: Sequence[Side]) -> Iterator[str]:
    """Warnings about the machines that affect times and costs, one sentence each, without a full stop."""
    found = [side.figures.devices or (str(side.run.manifest.device),) for side in sides]
    devices = dict(zip(_names(sides), found, strict=True))
    for name, kinds in devices.items():
        if len(kinds) > 1:
            listed = ", ".join(kinds)
            yield f"clips of {name} were made on {len(kinds)} kinds of device ({listed}): its times and costs mix them"
    if len({kinds for kinds in devices.values() if len(kinds) == 1}) > 1:
        where = "; ".join(f"{name} on {kinds[0]}" for name, kinds in devices.items() if len(kinds) == 1)
        yield f"times and costs were taken on different devices: {where}"
    for nth, first in enumerate(sides):
        for second in sides[nth + 1 :]:
            if load := load_difference(first, second):
                yield load.sentence + (", so their times are not compared" if load.spoils else "")
