"""Finds the existing clips of a plan. Every record and the digest of every clip are checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from vbench_lite.errors import StoreError, system_reason
from vbench_lite.records import ClipKey, ClipRecord, Definition, Request
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.plan import Plan
from vbench_lite.running.batches import Batch, Shard, batches


@dataclass
class Inventory:
    """One generator's clips in a run folder."""

    made: list[ClipRecord] = field(default_factory=list)
    failed: list[ClipRecord] = field(default_factory=list)
    missing: list[Request] = field(default_factory=list)
    distrusted: list[str] = field(default_factory=list)
    """Why stored clips are generated again. Each reason names the file."""


def take_inventory(folder: RunFolder, plan: Plan, definition: Definition, shard: Shard) -> Inventory:
    """Check all clips of a generator in the plan, or in this shard of it."""
    found = Inventory()
    requests = [request for batch in batches(plan, definition, shard) for request in batch.requests]
    with ThreadPoolExecutor(4) as pool:
        for request, answer in zip(requests, pool.map(lambda r: _look(folder, definition, r), requests), strict=True):
            if isinstance(answer, ClipRecord):
                (found.made if answer.status == "ok" else found.failed).append(answer)
                continue
            found.missing.append(request)
            if answer:
                found.distrusted.append(answer)
    return found


def _look(folder: RunFolder, definition: Definition, request: Request) -> ClipRecord | str | None:
    """The record of a request; None if there is none; or the reason why it is not valid."""
    key = ClipKey(definition.name, request.prompt_id, request.index)
    path = folder.record_path(key)
    if not path.exists():
        return None
    try:
        record = folder.read_record(path)
    except StoreError as error:
        return str(error)
    if record.key != key or (definition.adapter != "recorded" and record.seed != request.seed):
        return f"{path} is the record of another clip"
    clip = folder.clip_path(record)
    if clip is None:
        return record if record.status == "failed" else f"{path} names no clip"
    try:
        with clip.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"{clip} cannot be read: {system_reason(error)}"
    return record if found == record.sha256 else f"{clip} is not the clip that was stored: its digest differs"


def batches_of(batches: Iterable[Batch], wanted: Iterable[Request]) -> Iterator[Batch]:
    """The batches of the plan with only the wanted requests."""
    left = set(wanted)
    for batch in batches:
        requests = tuple(request for request in batch.requests if request in left)
        if requests:
            yield Batch(batch.number, requests)
