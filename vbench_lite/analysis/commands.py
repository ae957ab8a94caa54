"""Commands that the product prints: the run that makes clips like those of another run, or that finishes one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vbench_lite.errors import StoreError
from vbench_lite.escaping import vbench_command
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.view import Run, Side

BASELINE = "results/baseline"
"""Where a baseline is kept unless the user says otherwise."""


def baseline_folder(suite: str) -> str:
    """Where the baseline of a suite belongs: `BASELINE`, or a folder beside it where that one is of another suite."""
    try:
        other = RunFolder(Path(BASELINE)).manifest().suite.name != suite
    except StoreError:  # there is none yet
        return BASELINE
    return f"{BASELINE}-{suite}" if other else BASELINE


def run_command(
    like: Run, side: Side, *, clips_per_prompt: int | None = None, prompts: int | None = None, out: str = ""
) -> str:
    """The command that makes a generator's clips with the plan of a run, in a folder of its own.

    Args:
        like: The run whose plan is taken.
        side: The generator, in any run.
        clips_per_prompt: None takes the plan's own number.
        prompts: Number of prompts from the start of the suite; None takes the plan's own.
        out: Folder of the new run; "" derives one from the names of suite and generator.
    """
    return _command(
        like, [_argument(side.run, side.generator)], clips_per_prompt=clips_per_prompt, prompts=prompts,
        out=out or f"results/{like.manifest.suite.name}-{side.generator}",
    )  # fmt: skip


def _argument(run: Run, generator: str) -> str:
    """What the user typed to name a generator."""
    return run.manifest.typed.generators.get(generator, generator)


def finish_command(run: Run, *options: str, prompts: int | None = None) -> str:
    """The command that makes the clips that a run lacks.

    Args:
        run: The run.
        options: Further options.
        prompts: Number of prompts from the start of the suite; None takes the plan's own.
    """
    return _command(run, _all_of(run), *options, clips_per_prompt=None, prompts=prompts, out=str(run.path))


def again_command(run: Run, *generators: str) -> str:
    """The command that makes the clips of some generators of a run again, in a folder beside it."""
    chosen = [_argument(run, generator) for generator in generators]
    return _command(run, chosen, clips_per_prompt=None, prompts=None, out=f"{run.path}-again")


def _all_of(run: Run) -> list[str]:
    return [_argument(run, generator) for generator in run.manifest.generators]


def score_command(run: Run, *, backbones: str = "", thresholds: str = "", reference: str | None = None) -> str:
    """The command that scores a run again, or, where a baseline keeps no clips, that makes and promotes it again.

    Args:
        run: The run.
        backbones, thresholds, reference: Values of the options of these names; "" for `reference` is no real clips.
    """
    if not run.folder.keeps_clips():
        return renew_command(run)
    words: list[str | Path] = ["score", run.path]
    if backbones:
        words += ["--backbones", backbones]
    if thresholds:
        words += ["--thresholds", thresholds]
    if reference is not None:
        words += ["--reference", reference or "none"]
    return vbench_command(*words)


def more_command(run: Run, *, clips_per_prompt: int | None = None, prompts: int | None = None) -> str:
    """The commands that give a run more clips of each prompt, or more prompts, and score it; its clips are kept.

    Args:
        run: The run. One that keeps no clips is made again as a whole, and promoted again.
        clips_per_prompt: None takes the plan's own number.
        prompts: Number of prompts from the start of the suite; None takes the plan's own.
    """
    generators = _all_of(run)
    if run.folder.keeps_clips():
        return _command(run, generators, clips_per_prompt=clips_per_prompt, prompts=prompts, out=str(run.path))
    again = f"{run.path}-again"
    made = _command(run, generators, clips_per_prompt=clips_per_prompt, prompts=prompts, out=again)
    return f"{made} && {promote_command(again, str(run.path), 'made and scored again')}"


def renew_command(run: Run) -> str:
    """The commands that make the clips of a baseline again, score them, and promote the new run in its place."""
    return more_command(run)


def promote_command(run: str, to: str, reason: str, *, new_anchor: str = "") -> str:
    """The command that makes a run the baseline in the folder `to`."""
    words: list[str | Path] = ["baseline", "promote", Path(run), "--to", to, "--reason", reason]
    if new_anchor:
        words += ["--new-anchor", new_anchor]
    return f'{vbench_command(*words)} --by "$(whoami)"'


def _command(
    like: Run, generators: Sequence[str], *options: str, clips_per_prompt: int | None, prompts: int | None, out: str
) -> str:
    plan, suite, typed = like.manifest.plan, like.manifest.suite, like.manifest.typed
    words = ["run", "--suite", typed.suite or suite.name]
    for generator in generators:
        words += ["-g", generator]
    asked = prompts or len(plan.prompts)
    if asked < len(suite.prompts):
        words += ["--limit", str(asked)]
    words += ["--clips-per-prompt", str(clips_per_prompt or plan.clips_per_prompt)]
    if plan.seed:
        words += ["--seed", str(plan.seed)]
    if plan.backbones != "builtin":
        words += ["--backbones", plan.backbones]
    if plan.metrics is not None:
        words += ["--metrics", plan.metrics]
    if typed.prices:
        words += ["--prices", typed.prices]
    if typed.thresholds:
        words += ["--thresholds", typed.thresholds]
    if plan.reference is not None:
        words += ["--reference", plan.reference]
    return vbench_command(*words, *options, "--out", out)
