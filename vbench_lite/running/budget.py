"""A limit on what a run may spend: batches are handed out only while the dearest case stays below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vbench_lite.analysis.economics import clip_cost_usd
from vbench_lite.errors import GeneratorError, UsageError
from vbench_lite.records import ClipRecord, Definition
from vbench_lite.running.plan import Batch


class Budget:
    """What has been spent on a run, earlier clips of the folder included, and what still may be.

    Clips in the making count with the cost of the generator's dearest clip so far. By the hour,
    nothing is known before the first batch, so that one is made alone; it is the only one that can
    pass the limit.
    """

    def __init__(self, limit_usd: float, prices: Mapping[str, Mapping[str, Any]]) -> None:
        """Raises UsageError where a price is missing: a limit on an unknown sum would be no limit."""
        for name, price in prices.items():
            if "reason" in price:
                raise UsageError(f"--max-cost cannot hold for \"{name}\": {price['reason']}.")
        self.limit_usd, self._prices = limit_usd, prices
        self.spent_usd = 0.0
        self._dearest: dict[str, float] = {}
        self._unknown: set[str] = set()

    def allows(self, definition: Definition, batch: Batch, at_hand: int) -> bool:
        """Whether a batch may be made, with so many clips in the making already.

        Raises:
            GeneratorError: A clip was made and nobody knows what it cost, so no limit can hold.
        """
        each = self._each(definition)
        if each is None and definition.name in self._unknown:
            raise GeneratorError(
                f'--max-cost cannot hold for "{definition.name}": what its clips cost is not known. State a price '
                "under [price] in its definition, or with --prices FILE."
            )
        if each is None:
            return at_hand == 0 and self.spent_usd < self.limit_usd
        return self.spent_usd + each * (at_hand + len(batch.requests)) <= self.limit_usd

    def spent(self, definition: Definition, record: ClipRecord) -> None:
        """Counts one clip, made or failed; where its cost is not known, the dearest case counts."""
        cost = clip_cost_usd(record, self._prices[definition.name])
        if cost is None:
            self._unknown.add(definition.name)
            cost = self._each(definition) or 0.0
        self.spent_usd += cost
        self._dearest[definition.name] = max(cost, self._dearest.get(definition.name, 0.0))

    def _each(self, definition: Definition) -> float | None:
        price = self._prices[definition.name]
        stated = price.get("usd_per_clip", 0.0) + price.get("usd_per_second", 0.0) * definition.clip.seconds
        return max(stated, self._dearest.get(definition.name, 0.0)) or None
