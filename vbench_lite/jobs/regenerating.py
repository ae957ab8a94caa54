"""Generates some clips of a run a second time, to test whether they are the same."""

from __future__ import annotations

from pathlib import Path

from vbench_lite.errors import UsageError
from vbench_lite.inputs.suites import load_suite
from vbench_lite.jobs.job import Job, Order
from vbench_lite.run.view import Run


def generate_again(run: Run, prompts: int, folder: Path) -> Run:
    """Generates the first clip of the run's first prompts again, with the seeds of the run.

    Args:
        run: The run; its manifest has the options that were typed.
        prompts: Number of prompts.
        folder: The folder of the new run.

    Raises:
        UsageError: The run has no clips, the texts of its suite have changed, or a generator is not found.
    """
    manifest = run.manifest
    if not run.folder.keeps_clips():
        raise UsageError(f"{run.path} has no clips to compare with. Instead of a baseline, check the promoted run.")
    typed = manifest.typed
    suite = typed.suite or manifest.suite.name
    now = {prompt.id: prompt.sent for prompt in load_suite(suite).prompts}
    same = [prompt.id for prompt in manifest.prompts if now.get(prompt.id) == prompt.sent]
    if not same:
        raise UsageError(f"The suite {suite} has no prompt of {run.path} with the same text, so no clip is repeated.")
    job = Job(
        Order(
            suite, tuple(typed.generators.get(name, name) for name in run.generators), clips_per_prompt=1,
            only=tuple(same[:prompts]), seed=manifest.plan.seed, device=manifest.device.kind or "auto",
            backbones=manifest.plan.backbones, out=folder / "again",
        )
    )  # fmt: skip
    job.check(scores=False)
    job.generate()
    return Run(job.folder)
