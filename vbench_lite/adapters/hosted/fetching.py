"""Submits, polls and downloads one clip of a hosted service. Only calls that are safe to repeat are repeated."""

from __future__ import annotations

import time

from vbench_lite.adapters.hosted.answers import get_path, parse_amount, response_excerpt, video_defect
from vbench_lite.adapters.hosted.calls import Calls
from vbench_lite.adapters.hosted.job import ClipJob
from vbench_lite.adapters.hosted.journal import Job, Journal
from vbench_lite.adapters.hosted.polling import Polling
from vbench_lite.adapters.hosted.settings import ServiceSettings
from vbench_lite.adapters.hosted.submitting import Submission
from vbench_lite.errors import ClipFailed
from vbench_lite.records import Request

LINKS = 3
"""How often a finished job is asked for its link, because links expire."""


class HostedClip:
    """One clip, from the request to the file."""

    def __init__(self, settings: ServiceSettings, calls: Calls, journal: Journal, request: Request) -> None:
        self._clip = ClipJob(settings, calls, journal, request)
        self.timing = self._clip.timing

    @property
    def job(self) -> Job:
        """The clip's entry in the journal."""
        return self._clip.entry

    def get(self) -> bytes:
        """Return the file of the clip. A stored clip is returned without a call.

        Raises:
            NotAcceptedError: The service did not accept the job.
            JobFailedError: The job failed, or the service refused the clip.
            ClipFailed: The outcome is not known, or not known yet. The reason states the next step.
        """
        clip, submission = self._clip, Submission(self._clip)
        kept = clip.journal.kept_clip(clip.path)
        if self.job.state == "finished" and kept is not None:
            return kept
        if self.job.state in ("submitting", "unclear"):
            raise clip.unclear()
        if self.job.state not in ("submitted", "finished"):
            submission.submit()
        elif self.job.state == "submitted":
            submission.claim()
        clip.values = {**clip.values, **self.job.kept, "id": self.job.id}
        return self._fetch()

    def _fetch(self) -> bytes:
        """Download the finished clip. If its link has expired, ask for a new link."""
        video = self._clip.settings.video
        for attempt in range(LINKS):
            content = Polling(self._clip).finished()
            url = get_path(content, video.url)
            if not isinstance(url, str):
                kept = self._clip.kept()
                raise ClipFailed(f"the finished job {self._clip.entry.id} names no clip at {video.url}; {kept}")
            start = time.monotonic()
            answer = self._clip.call.download(url, video.headers, self._clip.values)
            self._clip.timing.download += time.monotonic() - start
            defect = video_defect(answer.body) if answer.ok else ""
            if answer.ok and not defect:
                self._clip.journal.keep_clip(self._clip.path, answer.body)
                charge, device_s = (parse_amount(get_path(content, path)) for path in (video.usd, video.device_s))
                usd = None if charge is None else charge * video.usd_factor
                self._clip.note(state="finished", usd=usd, device_s=device_s)
                return answer.body
            self._clip.call.wait(attempt)
        what = defect or f"{answer.status} {response_excerpt(answer)}"
        raise ClipFailed(f"the clip cannot be downloaded: {what}; {self._clip.kept()}")
