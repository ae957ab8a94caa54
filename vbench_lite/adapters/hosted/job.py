"""One clip of a hosted service, from its order to the file: what may be repeated is, what may not is not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vbench_lite.adapters.hosted.answers import flaw, number, said
from vbench_lite.adapters.hosted.calls import ATTEMPTS, Calls
from vbench_lite.adapters.hosted.client import Answer, NotSentError, UnknownFateError
from vbench_lite.adapters.hosted.journal import Journal
from vbench_lite.adapters.hosted.settings import ServiceSettings, filled, found, is_refusal, values_of
from vbench_lite.adapters.hosted.urls import UnsafeUrlError
from vbench_lite.errors import ClipFailed, GeneratorError, StoreError
from vbench_lite.records import Request

REFUSED = "refused by moderation"
"""How the reason of a clip begins that the service would not make."""
UNKNOWN_AT_FIRST = 3
"""How often a job may be unknown to polling right after it was taken: services forget for a moment."""
LINKS = 3
"""How often a finished job is asked for a fresh link when one has expired."""


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


class HostedClip:
    """One clip on order."""

    def __init__(self, settings: ServiceSettings, calls: Calls, journal: Journal, request: Request) -> None:
        self._settings, self._call, self._journal = settings, calls, journal
        self._values: Mapping[str, Any] = values_of(request)
        self._body = filled(settings.submit.body, self._values)
        self._entry = journal.path(request, [settings.base, settings.submit.url, self._body])
        self.job = journal.read(self._entry)
        self.timing = Timing()

    def get(self) -> bytes:
        """The clip.

        Raises:
            NotAcceptedError: No job came of it.
            JobFailedError: The service gave up, or refused.
            ClipFailed: It is not known, or not yet; the reason says what to do.
        """
        kept = self._journal.kept_clip(self._entry)
        if self.job.state == "finished" and kept is not None:
            return kept
        if self.job.state in ("submitting", "unclear"):
            raise self._unclear()
        if self.job.state not in ("submitted", "finished"):
            self._submit()
        self._values = {**self._values, **self.job.kept, "id": self.job.id}
        return self._fetch()

    def _note(self, **changes: Any) -> None:
        if "reason" in changes:
            changes["reason"] = self._call.without_key(changes["reason"])[:500]
        self.job = self._journal.write(self._entry, self.job, **changes)

    def _submit(self) -> None:
        submit = self._settings.submit
        self._note(state="submitting", submits=self.job.submits + 1, reason="", submitted_at=time.time())
        start = time.monotonic()
        try:
            answer = self._submitted()
        except (NotSentError, UnsafeUrlError) as error:
            self._note(state="failed", submits=self.job.submits - 1, reason=str(error))
            raise NotAcceptedError(f"the service cannot be reached: {error}") from None
        except (UnknownFateError, GeneratorError) as error:
            self._note(state="unclear", reason=str(error))
            raise self._unclear() from None
        self.timing.submit = time.monotonic() - start
        if not answer.ok:
            raise self._rejected(answer)
        content = answer.json()
        id_ = found(content, submit.id)
        kept = {name: found(content, path) for name, path in submit.keep.items()}
        named = isinstance(id_, str | int) and not isinstance(id_, bool) and str(id_).strip()
        if not named or any(not isinstance(value, str) for value in kept.values()):
            self._note(state="unclear", reason=f"its answer holds no {submit.id}: {said(answer)}")
            raise self._unclear()
        try:
            self._note(state="submitted", id=str(id_), kept=kept)
        except StoreError as error:
            name = str(id_)[:99]
            raise ClipFailed(f"the service took the job as {name}, which could not be stored: {error}") from None

    def _submitted(self) -> Answer:
        """The answer to a submit, repeated only where that cannot make a second job.

        Raises:
            NotSentError: Nothing reached the service.
            UnknownFateError: There may be a job now, and there is no way to tell.
        """
        submit = self._settings.submit
        safe = bool(submit.idempotency_header)
        headers = {**submit.headers, **({submit.idempotency_header: self._entry.stem} if safe else {})}
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            answer = None
            try:
                answer = self._call(submit.method, submit.url, headers, self._values, self._body)
            except NotSentError:
                if last:
                    raise
            except UnknownFateError:
                if last or not safe:
                    raise
            if answer:
                rejected = answer.status in submit.rejected
                if answer.status >= 500 and not rejected and (last or not safe):
                    raise UnknownFateError(f"the service answered {answer.status}")
                if answer.status in (302, 303):  # "look over there": it may well have taken the job
                    raise UnknownFateError(f"the service answered {answer.status}, a redirect, which is not followed")
                if last or not (rejected or answer.status >= 500):
                    return answer
            self._call.wait(attempt, answer)
        raise AssertionError("unreachable")

    def _rejected(self, answer: Answer) -> NotAcceptedError:
        """A clear no to a submit."""
        text = said(answer)
        kind = NotAcceptedError
        if is_refusal(text):
            reason = f"{REFUSED}: {text}"
        else:
            reason = f"the service answers {answer.status}: {text}"
            if answer.status in (401, 402, 403):
                kind, reason = ShutError, f"{reason}. Check the key and the account."
        self._note(state="failed", submits=self.job.submits - 1, reason=reason)
        return kind(reason)

    def _fetch(self) -> bytes:
        """The finished clip; a link that expired is asked for anew."""
        video = self._settings.video
        for attempt in range(LINKS):
            content = self._finished()
            url = found(content, video.url)
            if not isinstance(url, str):
                raise ClipFailed(f"the finished job {self.job.id} names no clip at {video.url}; {self._kept()}")
            start = time.monotonic()
            answer = self._call.download(url, video.headers, self._values)
            self.timing.download += time.monotonic() - start
            broken = flaw(answer.body) if answer.ok else ""
            if answer.ok and not broken:
                self._journal.keep_clip(self._entry, answer.body)
                usd, device_s = number(found(content, video.usd)), number(found(content, video.device_s))
                self._note(state="finished", usd=usd, device_s=device_s)
                return answer.body
            self._call.wait(attempt)
        what = broken or f"{answer.status} {said(answer)}"
        raise ClipFailed(f"the clip cannot be fetched: {what}; {self._kept()}")

    def _finished(self) -> Any:
        """The answer that tells of the finished job."""
        poll, result = self._settings.poll, self._settings.result
        deadline = time.monotonic() + self._settings.time_limit_s
        unknown = 0
        while True:
            start = time.monotonic()
            answer = self._call.get(poll.url, poll.headers, self._values)
            content, state = answer.json(), None
            if answer.status == 404 and unknown < UNKNOWN_AT_FIRST:
                unknown += 1
            elif not answer.ok:
                raise ClipFailed(f"polling answers {answer.status}: {said(answer)}; {self._kept()}")
            else:
                state = found(content, poll.state)
                message = str(found(content, poll.error) or "")
                if state in poll.refused or state in poll.failed or (state in poll.done and message):
                    raise self._failed(message or str(state), state in poll.refused)
                if state in poll.done:
                    return self._result() if result.url else content
            if time.monotonic() > deadline:
                limit = f"{self._settings.time_limit_s:g} s"
                raise ClipFailed(f"the job is still {state or 'unknown'} after {limit}; {self._kept()}")
            time.sleep(self._settings.poll_every_s)
            stage = "queue" if state in poll.queued else "work"
            setattr(self.timing, stage, getattr(self.timing, stage) + time.monotonic() - start)

    def _result(self) -> Any:
        result = self._settings.result
        answer = self._call.get(result.url, result.headers, self._values)
        if answer.status in (400, 403, 422):
            raise self._failed(str(found(answer.json(), result.error) or said(answer)), False)
        if not answer.ok:
            raise ClipFailed(f"asking for the result answers {answer.status}: {said(answer)}; {self._kept()}")
        return answer.json()

    def _failed(self, message: str, refused: bool) -> JobFailedError:
        refused = refused or is_refusal(message)
        self._note(state="failed", reason=f"{REFUSED}: {message}" if refused else f"the service failed: {message}")
        return JobFailedError(self.job.reason)

    def _kept(self) -> str:
        return f"job {self.job.id} is kept: run again with --retry-failed to go on with it, without a new one"

    def _unclear(self) -> ClipFailed:
        why = f" ({self.job.reason})" if self.job.reason else ""
        return ClipFailed(
            f"it is not known whether the service took this job{why}; it is not submitted again by itself. "
            f"Look into your account, and delete {self._entry} to have it submitted anew."
        )
