"""Submits the job of one clip. A submit is repeated only if this cannot create a second job."""

from __future__ import annotations

import time
from typing import Any

from vbench_lite.adapters.hosted.answers import ErrorText, get_path, is_refusal, read_error, response_excerpt
from vbench_lite.adapters.hosted.calls import ATTEMPTS
from vbench_lite.adapters.hosted.client import Answer, NotSentError, UnknownFateError
from vbench_lite.adapters.hosted.clip_form import check_request
from vbench_lite.adapters.hosted.images import ImageSender
from vbench_lite.adapters.hosted.job import REFUSED, ClipJob, NotAcceptedError, ShutError
from vbench_lite.adapters.hosted.templates import render_template
from vbench_lite.adapters.hosted.urls import UnsafeUrlError
from vbench_lite.errors import ClipFailed, GeneratorError, StoreError, UsageError
from vbench_lite.records import ReasonCode


class Submission:
    """Submits one clip and checks that the job belongs to this clip only."""

    def __init__(self, clip: ClipJob) -> None:
        self._clip = clip

    def submit(self) -> None:
        """Submit the job once.

        Raises:
            NotAcceptedError: The service did not accept the job, or nothing was sent.
            ClipFailed: It is not known whether the service accepted the job.
        """
        submit = self._clip.settings.submit
        try:
            check_request(self._clip.settings, self._clip.request)
        except UsageError as error:
            raise NotAcceptedError(f"not sent: {error}") from None
        body = self._body()
        self._clip.note(state="submitting", submits=self._clip.entry.submits + 1, reason="", submitted_at=time.time())
        start = time.monotonic()
        try:
            answer = self._submitted(body)
        except (NotSentError, UnsafeUrlError) as error:
            self._clip.note(state="failed", submits=self._clip.entry.submits - 1, reason=str(error))
            raise NotAcceptedError(f"the service cannot be reached: {error}") from None
        except (UnknownFateError, GeneratorError) as error:
            self._clip.note(state="unclear", reason=str(error))
            raise self._clip.unclear() from None
        self._clip.timing.submit = time.monotonic() - start
        if not answer.ok:
            raise self._rejected(answer)
        content = answer.json()
        id_ = get_path(content, submit.id)
        kept = {name: get_path(content, path) for name, path in submit.keep.items()}
        named = isinstance(id_, str | int) and not isinstance(id_, bool) and str(id_).strip()
        reported = read_error(content, submit.error)
        if not named and reported.message:
            raise self._rejected(answer, reported)
        if not named or any(not isinstance(value, str) for value in kept.values()):
            self._clip.note(state="unclear", reason=f"its answer has no {submit.id}: {response_excerpt(answer)}")
            raise self._clip.unclear()
        try:
            self._clip.note(state="submitted", id=str(id_), kept=kept, seen=False)
        except StoreError as error:
            name = str(id_)[:99]
            raise ClipFailed(f"the service accepted the job as {name}, which could not be stored: {error}") from None
        self.claim()

    def claim(self) -> None:
        """Check that the job belongs to this clip only. A job id that the service returns twice is paid once.

        Raises:
            NotAcceptedError: The job already belongs to another clip.
        """
        owner = self._clip.journal.claim(self._clip.entry.id, self._clip.path)
        if owner:
            reason = (
                f"the service answered with job {self._clip.entry.id[:99]}, which is already the job of {owner}: it "
                "makes no clip for this request and is paid once"
            )
            self._clip.note(state="failed", submits=self._clip.entry.submits - 1, reason=reason)
            raise NotAcceptedError(reason, ReasonCode.BAD_OUTPUT)

    def _body(self) -> Any:
        """The body to send, with the image in the form that the service accepts.

        Raises:
            NotAcceptedError: The service does not accept the image.
        """
        clip, submit = self._clip, self._clip.settings.submit
        if clip.request.image is None:
            return clip.body
        sender = ImageSender(clip.settings.image, clip.call, submit.headers)
        return render_template(submit.body, {**clip.values, "image": sender.value(clip.request, clip.values)})

    def _submitted(self, body: Any) -> Answer:
        """Send a submit. It is repeated only if this cannot create a second job.

        Raises:
            NotSentError: Nothing reached the service.
            UnknownFateError: It is not known whether there is a job.
        """
        submit = self._clip.settings.submit
        safe = bool(submit.idempotency_header)
        headers = {**submit.headers, **({submit.idempotency_header: self._clip.path.stem} if safe else {})}
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            answer = None
            try:
                answer = self._clip.call(submit.method, submit.url, headers, self._clip.values, body)
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
                if answer.status in (302, 303):  # the service may have accepted the job
                    raise UnknownFateError(f"the service answered {answer.status}, a redirect, which is not followed")
                if last or not (rejected or answer.status >= 500):
                    return answer
            self._clip.call.wait(attempt, answer)
        raise AssertionError("unreachable")

    def _rejected(self, answer: Answer, error: ErrorText | None = None) -> NotAcceptedError:
        """The error of a rejected submit, by the status or by an error in an answer without a job."""
        error = error or read_error(answer.json(), self._clip.settings.submit.error)
        text = self._clip.call.without_key(error.message)[:300] or response_excerpt(answer)
        kind, code = NotAcceptedError, ReasonCode.FAILED
        if error.refused or is_refusal(text):
            reason, code = f"{REFUSED}: {text}", ReasonCode.REFUSED
        else:
            reason = f"the service answers {answer.status}: {text}"
            if answer.status in (401, 402, 403):
                kind, reason = ShutError, f"{reason}. Check the key and the account."
        self._clip.note(state="failed", submits=self._clip.entry.submits - 1, reason=reason)
        return kind(reason, code)
