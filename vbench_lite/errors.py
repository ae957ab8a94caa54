"""The errors that a user can fix.

    VbenchError                    exit code 1
    ├── UsageError                 exit code 2: the command or a file that the user wrote is wrong
    │   ├── UnknownName            no suite, generator or metric has this name; the nearest name is suggested
    │   └── BadFile                the content of a file is not valid; the message names the file and the line
    ├── PlanConflict               the run folder contains a run of another plan
    ├── FolderLocked               another process works on this run folder
    ├── StoreError                 a run folder cannot be read or written
    ├── WeightsError               weights are missing or differ from those in the definition
    ├── LibraryError               a library is missing, too old or excluded
    ├── DeviceError                this machine does not have the requested device
    ├── UnreadableClip             a clip cannot be decoded, is cut off, or exceeds the limits
    ├── GeneratorError             a generator cannot be loaded or violates its interface
    │   └── ClipFailed             one clip could not be generated; the run continues
    ├── ProgramError               a user's program cannot be started, or does not become ready
    │   └── ProgramFailed          it died, or did not answer one request in time
    ├── MetricError                a user's metric, or its feature extractor, violates the interface
    └── NotComparable              a difference between two runs makes their comparison meaningless

The terminal prints the message of these errors as one sentence. Any other exception is a bug and prints its traceback.
Each message states the problem, the file or name concerned, and the next command.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable
from pathlib import Path


def system_reason(error: Exception) -> str:
    r"""The reason why a file cannot be read or written, without error number and path.

    >>> system_reason(OSError(errno.ELOOP, "Too many levels of symbolic links", "a.toml"))
    'a symbolic link leads back to itself'
    >>> system_reason(PermissionError(errno.EACCES, "Permission denied", "a.toml"))
    'Permission denied'
    >>> system_reason(UnicodeDecodeError("utf-8", b"PK\x03\x84", 3, 4, "invalid start byte"))
    'it is not text in UTF-8 (byte 4); it may be a workbook, since it is a ZIP archive'
    """
    if isinstance(error, UnicodeDecodeError):
        workbook = "; it may be a workbook, since it is a ZIP archive" if error.object.startswith(b"PK") else ""
        return f"it is not text in UTF-8 (byte {error.start + 1}){workbook}"
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "a symbolic link leads back to itself"
    return str(getattr(error, "strerror", None) or error)


class VbenchError(Exception):
    """Base of all errors that a user can fix. Its message is a sentence for the terminal.

    Example:
        >>> import vbench_lite as vb
        >>> try:
        ...     vb.open_run("results/nothing").summary
        ... except vb.VbenchError as error:
        ...     print(type(error).__name__)
        StoreError
    """

    exit_code = 1


class UsageError(VbenchError):
    """The command line or a file of the user is not valid or cannot be executed."""

    exit_code = 2


class UnknownName(UsageError):
    """No suite, generator or metric has this name.

    Args:
        kind: The kind of name, such as "suite".
        name: The unknown name.
        known: All known names. The message suggests the nearest one.
        hint: The last sentence of the message, such as the command that lists the names.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str) -> None:
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        nearest = f' Did you mean "{near[0]}"?' if near else f" Known: {', '.join(known)}." if known else ""
        super().__init__(f'no {kind} named "{name}".{nearest} {hint}')


class BadFile(UsageError):
    """The content of a file is not valid.

    Args:
        path: The file.
        line: The line, counted from 1. None: not known.
        message: The problem.
    """

    def __init__(self, path: Path | str, line: int | None, message: str) -> None:
        place = f"{path}:{line}" if line else str(path)
        super().__init__(f"{place}: {message}")
        self.path, self.line = Path(path), line


class PlanConflict(VbenchError):
    """The folder contains a run of another plan."""


class FolderLocked(VbenchError):
    """Another process works on this run folder."""


class StoreError(VbenchError):
    """A run folder, or a file in it, cannot be read or written."""


class WeightsError(VbenchError):
    """Weights are missing, or their digest is not the one in the definition."""


class OtherWeights(WeightsError):
    """Weights are present, but their digest is not the one in the set of backbones."""


class ExtraMissing(WeightsError):
    """A network needs an extra of this package that is not installed."""


class LibraryError(VbenchError):
    """A library that the package needs is missing, cannot be imported, or has a version that is not accepted."""


class DeviceError(VbenchError):
    """This machine does not have the requested device."""


class UnreadableClip(VbenchError):
    """A clip cannot be decoded, is cut off, or exceeds the limits when decoded."""


class GeneratorError(VbenchError):
    """A generator cannot be loaded, or violates the interface."""


class ClipFailed(GeneratorError):
    """One clip could not be generated. Raise it in `generate`: the reason is recorded, and the run continues.

    Args:
        message: The reason as a sentence.
        code: The reason as a value of `records.ReasonCode`, such as "refused" or "timeout".
    """

    def __init__(self, message: str, code: str = "failed") -> None:
        super().__init__(message)
        self.code = code


class ProgramError(VbenchError):
    """A program of the user cannot be started, or does not become ready."""


class ProgramFailed(ProgramError):
    """A program died or did not answer a request in time. Another request may succeed.

    Args:
        message: The reason as a sentence.
        code: The reason as a value of `records.ReasonCode`.
    """

    def __init__(self, message: str, code: str = "failed") -> None:
        super().__init__(message)
        self.code = code


class MetricError(VbenchError):
    """A metric, or its own feature extractor, violates the interface."""


class NotComparable(VbenchError):
    """Two runs differ in suite, prompts, backbones, versions, protocol or clip form."""
