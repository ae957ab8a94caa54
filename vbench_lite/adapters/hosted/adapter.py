"""Drives a hosted service that its TOML describes (`settings.py`): submit, poll, download.

A paid clip is never paid for twice and never lost: a job's id is stored before it is polled, a
restart goes on polling, and a submit whose fate is unclear is not repeated. What the service
charges, or its price, is the cost; device seconds and energy are not known and stay empty, unless
the service reports its computing time.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vbench_lite.adapters.hosted.answers import shown
from vbench_lite.adapters.hosted.calls import Calls
from vbench_lite.adapters.hosted.job import HostedClip, JobFailedError, NotAcceptedError, ShutError
from vbench_lite.adapters.hosted.journal import Journal
from vbench_lite.adapters.hosted.settings import ServiceSettings
from vbench_lite.errors import VbenchError
from vbench_lite.generator import Output, RunContext
from vbench_lite.records import Definition, Request

FREE = 0.0


class HostedService:
    """A hosted service behind the generator interface. `batch_size` is how many jobs it works on at a time."""

    def __init__(self, definition: Definition) -> None:
        self.settings = ServiceSettings.of(definition)
        self._calls = Calls(definition.name, self.settings)
        self._journal = Journal(Path(".vbench") / "jobs" / definition.name)
        self._shut = ""
        """Why nothing more is submitted: the key or the account was turned down."""

    def begin(self, context: RunContext) -> None:
        """Jobs are kept in the run folder."""
        self._journal = Journal(context.state)

    def load(self, device: str) -> None:
        """Reads the key; nothing is sent.

        Raises:
            GeneratorError: The environment variable that should hold it is not set.
        """
        self._calls.read_keys()

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """One clip a request, all at a time."""
        with ThreadPoolExecutor(max(1, len(requests))) as pool:
            return list(pool.map(self._make, requests))

    def close(self) -> None:
        self._calls.forget_keys()

    def _make(self, request: Request) -> Output:
        """One clip. Whatever goes wrong is this clip's failure: raising would have all of the batch asked again."""
        clip: HostedClip | None = None
        charged: float | None = None
        file: bytes | None = None
        failure: str | None = None
        try:
            clip = HostedClip(self.settings, self._calls, self._journal, request)
            if self._shut and clip.job.state in ("", "failed"):
                raise NotAcceptedError(self._shut)
            file = clip.get()
            charged = clip.job.usd
        except NotAcceptedError as error:
            charged, failure = FREE, str(error)
            if isinstance(error, ShutError):
                self._shut = failure
        except JobFailedError as error:
            charged, failure = None if self.settings.bills_failed else FREE, str(error)
        except (VbenchError, OSError) as error:
            failure = str(error)
        return Output(
            file=file, failure=shown(self._calls.without_key(failure))[:1000] if failure else None, usd_charged=charged,
            device_s=clip.job.device_s if clip else None, execution="remote",
            stages_s=dict(vars(clip.timing)) if clip else {}, counts={"submits": clip.job.submits} if clip else {},
        )
