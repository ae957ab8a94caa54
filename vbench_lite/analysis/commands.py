"""Commands that messages print: repeat, finish or extend a run, score it, or promote it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vbench_lite.errors import StoreError
from vbench_lite.escaping import vbench_command
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.view import Run, Side

BASELINE = "results/baseline"
"""The default folder of a baseline."""


def baseline_folder(suite: str) -> str:
    """The folder for the baseline of a suite: `BASELINE`, or a folder beside it if that one has another suite."""
    try:
        other = RunFolder(Path(BASELINE)).manifest().suite.name != suite
    except StoreError:  # there is no baseline yet
        return BASELINE
    return f"{BASELINE}-{suite}" if other else BASELINE


def run_command(
    like: Run, side: Side, *, clips_per_prompt: int | None = None, prompts: int | None = None, out: str = ""
) -> str:
    """The command that generates the clips of a generator with the plan of a run, in a separate folder.

    Args:
        like: The run with the plan.
        side: The generator, in any run.
        clips_per_prompt: None: the number of the plan.
        prompts: Number of prompts from the start of the suite. None: the number of the plan.
        out: Folder of the new run. "": a name from suite and generator.
    """
    return _command(
        like, [_argument(side.run, side.generator)], clips_per_prompt=clips_per_prompt, prompts=prompts,
        out=out or f"results/{like.manifest.suite.name}-{side.generator}",
    )  # fmt: skip


def _argument(run: Run, generator: str) -> str:
    """The argument with which the user selected a generator."""
    return run.manifest.typed.generators.get(generator, generator)


def finish_command(run: Run, *options: str, prompts: int | None = None) -> str:
    """The command that generates the missing clips of a run.

    Args:
        run: The run.
        options: More options.
        prompts: Number of prompts from the start of the suite. None: the number of the plan.
    """
    return _command(run, _all_of(run), *options, clips_per_prompt=None, prompts=prompts, out=str(run.path))


def again_command(run: Run, *generators: str) -> str:
    """The command that repeats some generators of a run in a folder beside it."""
    chosen = [_argument(run, generator) for generator in generators]
    return _command(run, chosen, clips_per_prompt=None, prompts=None, out=f"{run.path}-again")


def _all_of(run: Run) -> list[str]:
    return [_argument(run, generator) for generator in run.manifest.generators]


def score_command(run: Run, *, backbones: str = "", thresholds: str = "", reference: str | None = None) -> str:
    """The command that scores a run again. For a baseline without clips, it generates and promotes it again.

    Args:
        run: The run.
        backbones, thresholds, reference: Values of the options of these names. `reference` = "" means no real clips.
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
    """The commands that extend a run by clips per prompt or by prompts and score it. Existing clips are kept.

    Args:
        run: The run. A run without clips is generated and promoted again.
        clips_per_prompt: None: the number of the plan.
        prompts: Number of prompts from the start of the suite. None: the number of the plan.
    """
    generators = _all_of(run)
    if run.folder.keeps_clips():
        return _command(run, generators, clips_per_prompt=clips_per_prompt, prompts=prompts, out=str(run.path))
    again = f"{run.path}-again"
    made = _command(run, generators, clips_per_prompt=clips_per_prompt, prompts=prompts, out=again)
    return f"{made} && {promote_command(again, str(run.path), 'made and scored again')}"


def renew_command(run: Run) -> str:
    """The commands that generate the clips of a baseline again, score them, and promote the new run."""
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
