"""The simulation of docs/explanation/gate-errors.md judges as the gate does. A sample of it stays within the errors."""

import numpy as np
import pytest
from gate_errors import judge
from gate_worlds import worlds

from vbench_lite.gate import choose_policy, decide
from vbench_lite.records import MetricInfo, Prompt, Suite
from vbench_lite.run.clips import ClipGrid
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import Manifest, PlanRecord, StoredDefinition
from vbench_lite.run.summary import GeneratorSummary, SuiteHead, Summary
from vbench_lite.run.view import Run

NAMES = ("fidelity", "steadiness", "sharpness")


def as_run(label: str, values: np.ndarray, failed: np.ndarray) -> Run:
    """One side of a simulated release as a run that was never on disk."""
    _, prompts, clips = values.shape
    ids = tuple(f"p{n:03d}" for n in range(prompts))
    blank = np.full((prompts, clips), "", dtype="<U1")
    cells = {"status": np.where(failed, "failed", "ok"), "reason": blank, "sha256": blank, "unusable_codes": blank}
    categories = tuple("abcde"[n % 5] for n in range(prompts))
    grid = ClipGrid("model", ids, categories, cells | dict(zip(NAMES, values, strict=True)))
    suite = Suite("simulated", "", tuple(Prompt(i, i) for i in ids), "0", clips)
    definition = StoredDefinition("model", "diffusion", "simulated", weights_digest=label)
    infos = {name: MetricInfo(name, "", True, "1", None, "clip") for name in NAMES}
    figures = GeneratorSummary("diffusion", failed.size, int(failed.sum()), {}, {})
    run = Run(RunFolder(label))
    read = {  # what the run would read from its files
        "manifest": Manifest(2, "simulated", suite, PlanRecord(ids, clips), {"model": definition}),
        "summary": Summary(2, SuiteHead("simulated"), infos, {"model": figures}), "grids": {"model": grid},
    }  # fmt: skip
    run.__dict__.update(read)
    return run


@pytest.mark.parametrize("size", [(10, 4), (35, 2)])
@pytest.mark.parametrize("world", list(worlds(np.random.default_rng(0), 1, 6, 1)))
def test_the_simulation_judges_as_the_gate_does(world: str, size: tuple[int, int]) -> None:
    found = worlds(np.random.default_rng(4), 4, *size)[world][1]()
    expected = judge(found)
    policy = choose_policy(None, None)
    for nth in range(4):
        old = as_run("old", found.old[nth], found.old_failed[nth])
        new = as_run("new", found.new[nth], found.new_failed[nth])
        assert decide(new, old, policy).outcome == expected[nth]


@pytest.mark.parametrize("world", list(worlds(np.random.default_rng(0), 1, 6, 1))[:14])
def test_errors_stay_nominal_at_the_size_of_the_shipped_suites(world: str) -> None:
    error, draw = worlds(np.random.default_rng(1), 600, 40, 2)[world]
    share = (judge(draw()) == error).mean()
    assert share <= 0.05 + 2.6 * (0.05 * 0.95 / 600) ** 0.5
