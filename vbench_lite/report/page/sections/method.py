"""The section on the method, with the meaning of every figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vbench_lite.report import method
from vbench_lite.report.page.section import Scene, Section


def section(scenes: Sequence[Scene], meanings: Mapping[str, Any]) -> Section:
    """The section, once for all scenarios."""
    data = {"scenes": [_facts(scene) for scene in scenes], "defined": list(meanings)}
    return Section("method", "How it was measured", "method.html", short="Method", data=data)


def _facts(scene: Scene) -> dict[str, Any]:
    scenario = scene.scenario
    return {
        "title": scenario.title, "beside": scene.beside, "facts": method.facts(scenario),
        "thresholds": method.thresholds(scenario), "reference_share": method.reference_share(scenario),
        "prices": method.prices(scenario), "definitions": method.definitions(scenario),
    }  # fmt: skip
