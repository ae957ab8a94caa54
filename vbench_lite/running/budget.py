"""A limit on what a run may spend: batches are handed out only while the dearest case stays below it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from vbench_lite.errors import GeneratorError, UsageError
from vbench_lite.measuring.rates import clip_cost_usd, clip_price
from vbench_lite.records import ClipRecord, Definition, Price
from vbench_lite.running.batches import Batch


class Budget:
    """What has been spent on a run, earlier clips of the folder included, and what still may be.

    Clips in the making count with the cost of the generator's dearest clip so far, here or in an earlier
    run. Where nothing is known by the hour, the first batch is made alone. A batch that turns out dearer
    than all before it is ended when it has used up what was left.
    """

    def __init__(
        self, limit_usd: float, prices: Mapping[str, Price], dearest: Mapping[str, float] | None = None
    ) -> None:
        """
        Args:
            limit_usd: What may be spent.
            prices: By generator, as in run.json.
            dearest: By generator, US dollars of the dearest clip of it that was measured elsewhere.

        Raises:
            UsageError: A price is missing: a limit on an unknown sum would be no limit.
        """
        for name, price in prices.items():
            if price.reason:
                raise UsageError(f'--max-cost cannot limit the cost of "{name}": {price.reason}.')
        self.limit_usd, self._prices = limit_usd, prices
        self.spent_usd = 0.0
        self._dearest = dict(dearest or {})
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

    def affordable_s(self, definition: Definition) -> float:
        """Device seconds that the rest of the sum pays; infinite where time costs nothing."""
        rate = self._prices[definition.name].usd_per_device_hour
        return 3600 * max(0.0, self.limit_usd - self.spent_usd) / rate if rate else math.inf

    def overdrawn(self, definition: Definition, device_s: float) -> None:
        """Counts time that was spent on clips that were dropped."""
        self.spent_usd += device_s * (self._prices[definition.name].usd_per_device_hour or 0.0) / 3600

    def spent(self, definition: Definition, record: ClipRecord) -> None:
        """Counts one clip, made or failed; where its cost is not known, the dearest case counts."""
        cost = clip_cost_usd(record, self._prices[definition.name])
        if cost is None:
            self._unknown.add(definition.name)
            cost = self._each(definition) or 0.0
        self.spent_usd += cost
        self._dearest[definition.name] = max(cost, self._dearest.get(definition.name, 0.0))

    def _each(self, definition: Definition) -> float | None:
        clip, price = definition.clip, self._prices[definition.name]
        stated = clip_price(price, clip.seconds, clip.height, clip.width).usd or 0.0
        return max(stated, self._dearest.get(definition.name, 0.0)) or None
