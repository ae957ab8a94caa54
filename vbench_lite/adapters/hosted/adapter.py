"""Calls a hosted service that a TOML file describes (`settings.py`): submits, polls and downloads.

No clip is paid for twice. The id of a job is stored before it is polled, and a restart continues polling. A submit with
an unknown outcome is not repeated. The cost is the charge that the service reports, or the definition's price. Device
seconds are known only if the service reports them. Energy is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vbench_lite.adapters.hosted.answers import printable
from vbench_lite.adapters.hosted.calls import Calls
from vbench_lite.adapters.hosted.clip_form import check_definition
from vbench_lite.adapters.hosted.fetching import HostedClip
from vbench_lite.adapters.hosted.job import JobFailedError, NotAcceptedError, ShutError
from vbench_lite.adapters.hosted.journal import Journal
from vbench_lite.adapters.hosted.settings import ServiceSettings, address_needed
from vbench_lite.errors import ClipFailed, GeneratorError, VbenchError
from vbench_lite.generator import Output, RunContext
from vbench_lite.records import Definition, ReasonCode, Request

FREE = 0.0


class HostedService:
    """A generator that calls a hosted service. `batch_size` is the number of jobs in parallel."""

    def __init__(self, definition: Definition) -> None:
        check_definition(definition)
        self.settings = ServiceSettings.of(definition)
        self._name, self._address_needed = definition.name, address_needed(definition)
        self._calls = Calls(definition.name, self.settings)
        self._journal = Journal(Path(".vbench") / "jobs" / definition.name)
        self._shut = ""
        """Why nothing more is submitted: the service refused the key or the account; "" otherwise."""

    def begin(self, context: RunContext) -> None:
        """Store jobs in the run folder."""
        self._journal = Journal(context.state)

    def load(self, device: str) -> None:
        """Read the key. Nothing is sent.

        Raises:
            GeneratorError: The environment variable of the key is not set, or the service has no address yet.
        """
        if self._address_needed:
            raise GeneratorError(f'"{self._name}" needs {self._address_needed}.')
        self._calls.read_keys()

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """Generate one clip per request, all in parallel."""
        with ThreadPoolExecutor(max(1, len(requests))) as pool:
            return list(pool.map(self._make, requests))

    def close(self) -> None:
        self._calls.forget_keys()

    def _make(self, request: Request) -> Output:
        """Generate one clip. An error becomes a failed clip, because an exception would repeat the whole batch."""
        clip: HostedClip | None = None
        charged: float | None = None
        file: bytes | None = None
        failure, code = "", ReasonCode.FAILED
        try:
            clip = HostedClip(self.settings, self._calls, self._journal, request)
            if self._shut and clip.job.state in ("", "failed"):
                raise NotAcceptedError(self._shut)
            file = clip.get()
            charged = clip.job.usd
        except (VbenchError, OSError) as error:
            failure = str(error)
            code = ReasonCode(error.code) if isinstance(error, ClipFailed) else ReasonCode.OTHER
            if isinstance(error, NotAcceptedError):
                charged = FREE
            elif isinstance(error, JobFailedError):
                charged = None if self.settings.bills_failed else FREE
            if isinstance(error, ShutError):
                self._shut = failure
        return Output(
            file=file, failure=printable(self._calls.without_key(failure))[:1000] or None, failure_code=code,
            usd_charged=charged, device_s=clip.job.device_s if clip else None, execution="remote",
            stages_s=dict(vars(clip.timing)) if clip else {}, counts={"submits": clip.job.submits} if clip else {},
        )
