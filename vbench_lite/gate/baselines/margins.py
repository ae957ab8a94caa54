"""Margins as numbers, fixed in the unit of the metric when a baseline is promoted, and stored in its margins.json.

A margin of half a standard deviation that is computed again from each baseline's clips varies from .6 to 1.5 of its
true value. A stored number does not vary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.paired import NoPairs
from vbench_lite.analysis.quantities import Quantity, clip_values
from vbench_lite.files import to_json, write_whole
from vbench_lite.gate.evidence.scores import COLLAPSE_SD, FixedMargin, clip_margin
from vbench_lite.gate.evidence.sets import set_margin
from vbench_lite.gate.planned import check_id, expand
from vbench_lite.gate.policy import Check, Policy
from vbench_lite.records import FORMAT
from vbench_lite.run.reading import read_json, typed
from vbench_lite.run.view import Run, Side


@dataclass(frozen=True, kw_only=True)
class Margins:
    """margins.json of a baseline."""

    format: int = FORMAT
    policy: str
    """Digest of the policy of these margins."""
    sizes: Mapping[str, float] = field(default_factory=dict)
    """Id of a check > its margin in the unit of the metric."""
    drops: Mapping[str, float] = field(default_factory=dict)
    """Id of a check on collapsed clips > minimum drop of a collapsed clip."""

    def of(self, id_: str, scale: float = 1.0) -> FixedMargin:
        """The margin of one check."""
        return FixedMargin(size=self.sizes.get(id_), drop=self.drops.get(id_), scale=scale)


def fix_margins(run: Run, policy: Policy) -> Margins:
    """The margins of a policy for a run that becomes a baseline.

    Raises:
        BadFile: The policy names a metric that the run does not have.
    """
    sizes: dict[str, float] = {}
    drops: dict[str, float] = {}
    for generator in run.generators:
        sides = GeneratorPair(Side(run, generator), Side(run, generator))
        for check in policy.checks:
            for quantity, category in expand(check, sides, policy) if _has_margin(check) else ():
                assert quantity is not None
                id_ = check_id(check, quantity, generator, category)
                size = _size(check, quantity, sides)
                if check.statistic == "collapsed":
                    drops |= {id_: size} if size is not None else {}
                elif size is not None:
                    sizes[id_] = size
    return Margins(policy=policy.digest, sizes=sizes, drops=drops)


def _has_margin(check: Check) -> bool:
    return (
        check.rule in ("non-inferior", "superior") and check.evidence == "interval" and check.against == "baseline"
        and check.statistic != "median"
    )  # fmt: skip


def _size(check: Check, quantity: Quantity, sides: GeneratorPair) -> float | None:
    if quantity.kind == "set":
        size = set_margin(check, sides.baseline.score(quantity.name))
        return None if isinstance(size, str) else size
    if check.statistic == "collapsed":
        values = clip_values(quantity, sides.old)
        return COLLAPSE_SD * float(np.nanstd(values, ddof=1)) if np.isfinite(values).sum() > 1 else None
    pairs = sides.pairs(quantity)
    if isinstance(pairs, NoPairs):
        return None
    size = clip_margin(check, pairs)
    return None if isinstance(size, str) else size


def margins_path(folder: Path) -> Path:
    """The path of margins.json in a baseline's folder."""
    return folder / "margins.json"


def read_margins(folder: Path, policy: Policy) -> Margins | None:
    """The margins that were fixed for this policy; None if there are none.

    Raises:
        StoreError: The file is not valid.
    """
    path = margins_path(folder)
    if not path.exists():
        return None
    found = typed(read_json(path, "no margins are fixed."), Margins, path)
    return found if found.policy == policy.digest else None


def write_margins(folder: Path, margins: Margins) -> None:
    write_whole(margins_path(folder), to_json(margins))
