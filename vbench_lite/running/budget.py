"""Limits the cost of a run: a batch starts only if its highest expected cost stays within the limit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from vbench_lite.errors import GeneratorError, UsageError
from vbench_lite.measuring.rates import clip_cost_usd, clip_price
from vbench_lite.records import ClipRecord, Definition, Price
from vbench_lite.running.batches import Batch


class Budget:
    """The cost of a run so far, including earlier clips of the folder, and its limit.

    A clip that is being generated counts with the cost of its generator's most expensive clip so far, in this run or an
    earlier one. If no cost was measured yet, the first batch runs alone. A batch that costs more than all earlier
    batches is ended when the limit is reached.
    """

    def __init__(
        self, limit_usd: float, prices: Mapping[str, Price], highest_usd: Mapping[str, float] | None = None
    ) -> None:
        """
        Args:
            limit_usd: The limit in US dollars.
            prices: Prices by generator, as in run.json.
            highest_usd: Cost of the most expensive clip in earlier runs, by generator.

        Raises:
            UsageError: A price is missing, so the cost cannot be limited.
        """
        for name, price in prices.items():
            if price.reason:
                raise UsageError(f'--max-cost cannot limit the cost of "{name}": {price.reason}.')
        self.limit_usd, self._prices = limit_usd, prices
        self.spent_usd = 0.0
        self._highest = dict(highest_usd or {})
        self._unknown: set[str] = set()

    def allows(self, definition: Definition, batch: Batch, at_hand: int) -> bool:
        """Whether a batch may start while `at_hand` clips are being generated.

        Raises:
            GeneratorError: The cost of a generated clip is not known, so the cost cannot be limited.
        """
        each = self._each(definition)
        if each is None and definition.name in self._unknown:
            raise GeneratorError(
                f'--max-cost cannot limit the cost of "{definition.name}": the cost of its clips is not known. State a '
                "price under [price] in its definition, or with --prices FILE."
            )
        if each is None:
            return at_hand == 0 and self.spent_usd < self.limit_usd
        return self.spent_usd + each * (at_hand + len(batch.requests)) <= self.limit_usd

    def affordable_s(self, definition: Definition) -> float:
        """Device seconds that the remaining budget pays for; infinite if time costs nothing."""
        rate = self._prices[definition.name].usd_per_device_hour
        return 3600 * max(0.0, self.limit_usd - self.spent_usd) / rate if rate else math.inf

    def overdrawn(self, definition: Definition, device_s: float) -> None:
        """Charge the time of clips that were dropped."""
        self.spent_usd += device_s * (self._prices[definition.name].usd_per_device_hour or 0.0) / 3600

    def spent_before(self, records: Sequence[ClipRecord]) -> None:
        """Charge the failed attempts that these clips replaced. An unknown cost counts as the most expensive clip."""
        for record in records:
            unknown = self._highest.get(record.generator, 0.0)
            self.spent_usd += unknown if record.retried_usd is None else record.retried_usd

    def spent(self, definition: Definition, record: ClipRecord) -> None:
        """Charge one generated or failed clip. A clip of unknown cost counts as the most expensive clip."""
        cost = clip_cost_usd(record, self._prices[definition.name])
        if cost is None:
            self._unknown.add(definition.name)
            cost = self._each(definition) or 0.0
        self.spent_usd += cost
        self._highest[definition.name] = max(cost, self._highest.get(definition.name, 0.0))

    def _each(self, definition: Definition) -> float | None:
        clip, price = definition.clip, self._prices[definition.name]
        stated = clip_price(price, clip.seconds, clip.height, clip.width).usd or 0.0
        return max(stated, self._highest.get(definition.name, 0.0)) or None
