"""The journal of hosted jobs: each submit is recorded before it is sent.

One file a clip, in the run folder, so that it outlives the process:

    submitting    written before the request leaves. Found on restart: its fate is not known
    submitted     the service answered with an id; from here on it is only ever polled
    finished      the clip was fetched and lies beside the journal's entry
    failed        the service says that it failed, or refused; another try is another job
    unclear       no answer to the submit. Never repeated by itself: it may have been paid for

`claims/` holds one small file for each job id, so that a job which a service gives out twice is one clip's alone.
Neither keys nor headers are ever stored.
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
    """One clip's entry."""

    state: str = ""
    id: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)
    """What the answer to the submit held beside the id, such as the URL to poll."""
    submitted_at: float = 0.0
    submits: int = 0
    """Requests that may have created a job."""
    seen: bool = False
    """Whether polling knew it."""
    reason: str = ""
    usd: float | None = None
    """What the service says that it charged."""
    device_s: float | None = None
    """Computing time that it reports."""


class Journal:
    """The jobs of one generator in one run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, request: Request, asked: Any) -> Path:
        """Of a clip's entry; what is asked is in the name, so that a changed request is another job."""
        text = json.dumps([request.prompt_id, request.index, request.seed, asked], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        return self._folder / request.prompt_id / f"{request.index}-{digest}.json"

    def read(self, path: Path) -> Job:
        """The entry, or an empty one.

        Raises:
            StoreError: It cannot be read: then it must not be taken for "never submitted".
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
        """Notes that a job belongs to an entry; returns the clip that has it already, or "".

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
    """What a claim says. Another thread may have created the file and not yet written it: wait for up to a second.

    A file that stays empty was left by a process that stopped between the two steps: it claims nothing.
    """
    for _ in range(100):
        owner = claim.read_text("utf-8")
        if owner:
            return owner
        time.sleep(0.01)
    return ""
