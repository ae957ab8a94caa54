"""The journal of hosted jobs. Each submit is recorded before it is sent.

There is one file per clip in the run folder, so that a restarted process can read it. Its state is one of:

    submitting    written before the request is sent. If a restart finds it, the outcome is not known
    submitted     the service answered with an id. From now on the job is only polled
    finished      the clip was downloaded and is stored beside the journal's entry
    failed        the job failed or was refused. Another attempt is another job
    unclear       there was no answer to the submit. It is not repeated, because it may have been paid for

`claims/` contains one small file for each job id, so that a job id that the service returns twice belongs to one clip
only. Keys and headers are never stored.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from vbench_lite.errors import BadFile, StoreError, system_reason
from vbench_lite.files import to_json, write_whole
from vbench_lite.records import Request
from vbench_lite.userfile import parse_json, read_text


@dataclass(frozen=True)
class Job:
    """The journal's entry of one clip."""

    state: str = ""
    id: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)
    """Further values of the answer to the submit, such as the URL to poll."""
    submitted_at: float = 0.0
    submits: int = 0
    """Number of requests that may have created a job."""
    seen: bool = False
    """Whether polling has found the job."""
    reason: str = ""
    usd: float | None = None
    """Charge in US dollars that the service reports."""
    device_s: float | None = None
    """Device seconds that the service reports."""


class Journal:
    """The jobs of one generator in one run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, request: Request, asked: Any) -> Path:
        """The file of a clip's entry. Its name contains a digest of the request, so a changed request is another
        job."""
        text = json.dumps([request.prompt_id, request.index, request.seed, asked], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        return self._folder / request.prompt_id / f"{request.index}-{digest}.json"

    def read(self, path: Path) -> Job:
        """Read an entry; an empty one if the file does not exist.

        Raises:
            StoreError: The file cannot be read. It must not be treated as "never submitted".
        """
        try:
            path.stat()
            return msgspec.convert(parse_json(path, read_text(path)), Job)
        except FileNotFoundError:
            return Job()
        except (OSError, BadFile, msgspec.ValidationError) as error:
            raise StoreError(f"the job's entry {path} cannot be read ({error}): nothing is submitted again.") from None

    def write(self, path: Path, job: Job, **changes: Any) -> Job:
        job = replace(job, **changes)
        write_whole(path, to_json(asdict(job)))
        return job

    def claim(self, id_: str, path: Path) -> str:
        """Record that a job belongs to an entry. Returns the clip that already has the job, or "".

        Raises:
            StoreError: The claim cannot be written.
        """
        mine = f"{path.parent.name}/{path.stem}"
        claim = self._folder / "claims" / hashlib.sha256(id_.encode()).hexdigest()[:24]
        try:
            claim.parent.mkdir(parents=True, exist_ok=True)
            with claim.open("x", encoding="utf-8") as file:
                file.write(mine)
            return ""
        except FileExistsError:
            owner = _written(claim)
        except OSError as error:
            raise StoreError(f"cannot write {claim}: {system_reason(error)}") from None
        return owner.rpartition("-")[0] if owner not in (mine, "") else ""

    def keep_clip(self, path: Path, clip: bytes) -> None:
        write_whole(path.with_suffix(".clip"), clip)

    def kept_clip(self, path: Path) -> bytes | None:
        clip = path.with_suffix(".clip")
        return clip.read_bytes() if clip.exists() else None


def _written(claim: Path) -> str:
    """The content of a claim. Another thread may have created the file but not written it yet, so wait up to a second.

    A file that stays empty was left by a process that stopped between both steps. It is not a claim.
    """
    for _ in range(100):
        owner = claim.read_text("utf-8")
        if owner:
            return owner
        time.sleep(0.01)
    return ""
