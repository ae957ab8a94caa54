"""Thresholds and real clips of one run, where they replace those of its suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vbench_lite.errors import UsageError
from vbench_lite.records import Suite, Threshold
from vbench_lite.run.manifest import Manifest
from vbench_lite.run.shareable import relative_path, short_path


@dataclass(frozen=True)
class Judging:
    """The values of `--thresholds` and `--reference`. They are stored in the run."""

    thresholds: Mapping[str, Threshold] | None = None
    """The thresholds of a usable clip; None keeps those of the run."""
    typed: str = ""
    """The argument of `--thresholds`."""
    reference: str | None = None
    """A folder of real clips, "world", or "" for none; None keeps that of the run."""

    def applied_to(self, manifest: Manifest) -> Manifest:
        """The manifest with these thresholds and real clips."""
        plan, typed, suite = manifest.plan, manifest.typed, manifest.suite
        if self.thresholds is not None:
            own = self.thresholds == suite.usable
            plan = replace(plan, thresholds=None if own else self.thresholds)
            typed = replace(typed, thresholds="" if own else self.typed)
        if self.reference is not None:
            plan = replace(plan, reference=None if self.reference == suite.reference else self.reference)
        return replace(manifest, plan=plan, typed=typed)


def read_judging(thresholds: str | Path | None, reference: str | Path | None) -> Judging:
    """Reads the arguments of `--thresholds` and `--reference`.

    Args:
        thresholds: A TOML file with a table [usable], or a suite. None keeps those of the run.
        reference: A folder of real clips, "world" or "none". None keeps that of the run.

    Raises:
        UsageError: The folder does not exist, or it has no clips.
        BadFile: The file has no thresholds.
    """
    from vbench_lite.inputs.suites import load_thresholds

    real = None if reference is None else _real_clips(str(reference))
    if thresholds is None:
        return Judging(reference=real)
    return Judging(load_thresholds(str(thresholds)), short_path(str(thresholds)), real)


def require_reference(suite: Suite) -> None:
    """Checks the real clips that a suite names.

    Raises:
        UsageError: Their folder does not exist, or it has no clips.
    """
    if suite.reference not in ("", "world") and not _has_clips(Path(suite.reference)):
        raise UsageError(
            f"The reference of the suite {suite.name} is {suite.reference}, which is not a folder of clips. Correct "
            '"reference" in the suite, or choose real clips with --reference FOLDER, --reference world or '
            "--reference none."
        )


def _has_clips(folder: Path) -> bool:
    from vbench_lite.scoring.reference import clip_files

    return folder.is_dir() and bool(clip_files(folder))


def _real_clips(argument: str) -> str:
    if argument in ("world", "none"):
        return argument.removeprefix("none")
    folder = Path(argument)
    if not _has_clips(folder):
        raise UsageError(f'--reference {argument} is not a folder of clips. Name a folder of clips, "world" or "none".')
    return relative_path(str(folder.resolve()))
