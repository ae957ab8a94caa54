"""Batches: the clips that one call generates. Shards: the batches that one of several machines generates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from vbench_lite.errors import UsageError
from vbench_lite.records import Definition, Request
from vbench_lite.run.plan import Plan, setting


class Batch(NamedTuple):
    """The requests of one call. `number` is the index of the batch in the generator's plan."""

    number: int
    requests: tuple[Request, ...]


class Shard(NamedTuple):
    """One part of a run that several machines share. The first of four is (0, 4)."""

    place: int = 0
    parts: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse a text such as "1/4".

        Raises:
            UsageError: The text is not I/N with 1 <= I <= N.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise UsageError(f"--shard {text} is not valid. Use I/N from 1/N to N/N, e.g. --shard 1/4.")
        return cls(int(found[1]) - 1, int(found[2]))

    def __str__(self) -> str:
        return f"{self.place + 1}of{self.parts}"


WHOLE = Shard()


def batches(plan: Plan, definition: Definition, shard: Shard = WHOLE) -> list[Batch]:
    """The batches of a generator. A shard has every N-th batch.

    Batches do not depend on existing clips, so a resumed run has the same batches as an uninterrupted run.
    """
    size = setting(definition, "batch_size", 1)
    requests = list(plan.requests(definition))
    cut = [tuple(requests[i : i + size]) for i in range(0, len(requests), size)]
    return [Batch(n, some) for n, some in enumerate(cut) if n % shard.parts == shard.place]


def spread(batches: Sequence[Batch], count: int) -> list[Batch]:
    """Select `count` batches at even distances, for a pilot.

    >>> [batch.number for batch in spread([Batch(n, ()) for n in range(10)], 3)]
    [1, 5, 8]
    """
    if count >= len(batches):
        return list(batches)
    return [batches[int((place + 0.5) * len(batches) / count)] for place in range(count)]
