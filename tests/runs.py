"""What tests of runs share: a small suite, simulated generators, and a plan over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vbench_lite.measuring.devices import Device, find_device
from vbench_lite.records import ClipSpec, Definition, Prompt, Suite
from vbench_lite.run.plan import Plan, make_plan

SMALL = ClipSpec(frames=2, fps=8.0, height=16, width=16)


def small_suite(prompts: int = 4) -> Suite:
    asked = tuple(Prompt(f"p{n:03d}", f"a square number {n}", "squares" if n % 2 else "shapes") for n in range(prompts))
    return Suite("small", "Small", asked, f"digest-of-{prompts}")


def simulated(name: str = "sim", clip: ClipSpec = SMALL, **settings: Any) -> Definition:
    return Definition(name, "diffusion", "simulated", clip=clip, settings=settings)


def small_plan(*definitions: Definition, prompts: int = 4, clips: int = 2, seed: int = 0) -> Plan:
    return make_plan(small_suite(prompts), definitions or (simulated(),), clips, None, seed, "builtin")


def cpu() -> Device:
    return find_device("cpu")


def digests(run: Path) -> dict[str, str]:
    """sha256 of each stored clip, by its record's path: what must not depend on how a run went."""
    import json

    return {
        str(path.relative_to(run)): json.loads(path.read_text())["sha256"] for path in run.glob("clips/*/*/[0-9]*.json")
    }
