"""What clips are judged against instead of what their suite says: thresholds and real clips of one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vbench_lite.errors import UsageError
from vbench_lite.records import Threshold
from vbench_lite.run.manifest import Manifest
from vbench_lite.run.shareable import relative_path, short_path


@dataclass(frozen=True)
class Judging:
    """What `--thresholds` and `--reference` say. It is stored in the run."""

    thresholds: Mapping[str, Threshold] | None = None
    """What a usable clip needs; None keeps what the run has."""
    typed: str = ""
    """The argument of `--thresholds`."""
    reference: str | None = None
    """A folder of real clips, "world", or "" for none; None keeps what the run has."""

    def applied_to(self, manifest: Manifest) -> Manifest:
        """The manifest of a run that is judged like this."""
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
        thresholds: A TOML file with a table [usable], or a suite. None keeps what a run has.
        reference: A folder of real clips, "world" or "none". None keeps what a run has.

    Raises:
        UsageError: The folder is not there, or it holds no clips.
        BadFile: The file holds no thresholds.
    """
    from vbench_lite.inputs.suites import load_thresholds

    real = None if reference is None else _real_clips(str(reference))
    if thresholds is None:
        return Judging(reference=real)
    return Judging(load_thresholds(str(thresholds)), short_path(str(thresholds)), real)


def _real_clips(argument: str) -> str:
    if argument in ("world", "none"):
        return argument.removeprefix("none")
    from vbench_lite.scoring.reference import clip_files

    folder = Path(argument)
    if not folder.is_dir() or not clip_files(folder):
        raise UsageError(f'--reference {argument} is no folder of clips. Name one, "world" or "none".')
    return relative_path(str(folder.resolve()))
