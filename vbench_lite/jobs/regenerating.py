"""Generates some clips of a run a second time, to see whether they come out the same."""

from __future__ import annotations

from pathlib import Path

from vbench_lite.errors import UsageError
from vbench_lite.inputs.suites import load_suite
from vbench_lite.jobs.job import Job, Order
from vbench_lite.run.view import Run


def generate_again(run: Run, prompts: int, folder: Path) -> Run:
    """The first clip of the run's first prompts, with the seeds of the run.

    Args:
        run: The run; its manifest says what was typed.
        prompts: How many prompts.
        folder: Where the new run is written.

    Raises:
        UsageError: The run keeps no clips, its suite has other texts now, or a generator is not found on this machine.
    """
    manifest = run.manifest
    if not run.folder.keeps_clips():
        raise UsageError(f"{run.path} keeps no clips to compare with, as a baseline does. Check the run that it was.")
    typed = manifest.typed
    suite = typed.suite or manifest.suite.name
    now = {prompt.id: prompt.sent for prompt in load_suite(suite).prompts}
    same = [prompt.id for prompt in manifest.prompts if now.get(prompt.id) == prompt.sent]
    if not same:
        raise UsageError(f"No prompt of {run.path} has its text in the suite {suite} now, so none is generated again.")
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
