"""State that the steps of one hosted clip share: request, entry in the journal, timing, and errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vbench_lite.adapters.hosted.answers import is_refusal
from vbench_lite.adapters.hosted.calls import Calls
from vbench_lite.adapters.hosted.journal import Journal
from vbench_lite.adapters.hosted.settings import ServiceSettings
from vbench_lite.adapters.hosted.templates import render_template, request_values
from vbench_lite.errors import ClipFailed
from vbench_lite.records import ReasonCode, Request

REFUSED = "refused by moderation"
"""Beginning of the reason of a clip that the service refused. Its code is `ReasonCode.REFUSED`."""


class NotAcceptedError(ClipFailed):
    """The service did not accept the job, so it costs nothing."""


class JobFailedError(ClipFailed):
    """The service accepted the job but made no clip."""


class ShutError(NotAcceptedError):
    """The service refused the key or the account, so it will accept no other job."""


@dataclass
class Timing:
    """Seconds of one clip by stage."""

    submit: float = 0.0
    queue: float = 0.0
    work: float = 0.0
    download: float = 0.0


class ClipJob:
    """The job of one clip."""

    def __init__(self, settings: ServiceSettings, call: Calls, journal: Journal, request: Request) -> None:
        self.settings, self.call, self.journal, self.request = settings, call, journal, request
        self.values: Mapping[str, Any] = request_values(request)
        self.body = render_template(settings.submit.body, self.values)
        self.path = journal.path(request, [settings.base, settings.submit.url, self.body])
        self.entry = journal.read(self.path)
        self.timing = Timing()

    def note(self, **changes: Any) -> None:
        """Write the entry in the journal, without keys."""
        if "reason" in changes:
            changes["reason"] = self.call.without_key(changes["reason"])[:500]
        self.entry = self.journal.write(self.path, self.entry, **changes)

    def failed(self, message: str, refused: bool) -> JobFailedError:
        """Record that the job ended without a clip. Another attempt is another job."""
        message = self.call.without_key(message)
        refused = refused or is_refusal(message)
        self.note(state="failed", reason=f"{REFUSED}: {message}" if refused else f"the service failed: {message}")
        return JobFailedError(self.entry.reason, ReasonCode.REFUSED if refused else ReasonCode.FAILED)

    def kept(self) -> str:
        """End of the reason of a clip whose job continues."""
        return f"job {self.entry.id} is kept: run again with --retry-failed to continue it without a new job"

    def unclear(self) -> ClipFailed:
        """The error of a submit without a clear answer."""
        why = f" ({self.entry.reason})" if self.entry.reason else ""
        return ClipFailed(
            f"it is not known whether the service accepted this job{why}, so it is not submitted again. "
            f"Check your account, and delete {self.path} to submit it again."
        )
