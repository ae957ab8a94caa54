"""What the steps of one hosted clip share: its request, its entry in the journal, its timing, and how it can end."""

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
"""How the reason of a clip begins that the service refused; its code is `ReasonCode.REFUSED`."""


class NotAcceptedError(ClipFailed):
    """The service did not take the job: it costs nothing."""


class JobFailedError(ClipFailed):
    """The service took the job and did not make the clip."""


class ShutError(NotAcceptedError):
    """The key or the account was turned down: nothing else will be accepted either."""


@dataclass
class Timing:
    """Seconds of one clip by stage."""

    submit: float = 0.0
    queue: float = 0.0
    work: float = 0.0
    download: float = 0.0


class ClipJob:
    """One clip on order."""

    def __init__(self, settings: ServiceSettings, call: Calls, journal: Journal, request: Request) -> None:
        self.settings, self.call, self.journal, self.request = settings, call, journal, request
        self.values: Mapping[str, Any] = request_values(request)
        self.body = render_template(settings.submit.body, self.values)
        self.path = journal.path(request, [settings.base, settings.submit.url, self.body])
        self.entry = journal.read(self.path)
        self.timing = Timing()

    def note(self, **changes: Any) -> None:
        """Writes the entry, without keys."""
        if "reason" in changes:
            changes["reason"] = self.call.without_key(changes["reason"])[:500]
        self.entry = self.journal.write(self.path, self.entry, **changes)

    def failed(self, message: str, refused: bool) -> JobFailedError:
        """The job is over without a clip; another try is another job."""
        message = self.call.without_key(message)
        refused = refused or is_refusal(message)
        self.note(state="failed", reason=f"{REFUSED}: {message}" if refused else f"the service failed: {message}")
        return JobFailedError(self.entry.reason, ReasonCode.REFUSED if refused else ReasonCode.FAILED)

    def kept(self) -> str:
        """How the reason of a clip ends whose job goes on."""
        return f"job {self.entry.id} is kept: run again with --retry-failed to go on with it, without a new one"

    def unclear(self) -> ClipFailed:
        """The end of a submit without a clear answer."""
        why = f" ({self.entry.reason})" if self.entry.reason else ""
        return ClipFailed(
            f"it is not known whether the service took this job{why}; it is not submitted again by itself. "
            f"Look into your account, and delete {self.path} to have it submitted anew."
        )
