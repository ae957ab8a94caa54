"""Compare two runs, or two generators of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vbench_lite.analysis.card import CardDifference, card_differences
from vbench_lite.analysis.comparable import GeneratorPair, match, require_comparable
from vbench_lite.analysis.cost.machines import machine_warnings
from vbench_lite.analysis.family import Comparison, Family, Outcome, family_of_run
from vbench_lite.run.view import Run


@dataclass(frozen=True, kw_only=True)
class PairComparison:
    """The comparison of two generators."""

    baseline: str
    candidate: str
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...]
    family: str
    """A sentence on the family of comparisons and its adjustment."""
    card: tuple[CardDifference, ...] = ()
    """The differences of the two run cards."""

    def headline(self) -> str:
        """The result in one sentence."""
        groups = {word: [c.metric for c in self.comparisons if c.words == word] for word in ("better", "worse")}
        parts = [f"{word} on {', '.join(names)}" for word, names in groups.items() if names]
        few = (Outcome.TOO_FEW_PROMPTS, Outcome.TOO_FEW_BATCHES)
        judged = [c for c in self.comparisons if c.words not in (Outcome.NOT_JUDGED, Outcome.NOT_COMPARED)]
        if judged and all(c.words in few for c in judged):
            return f"{self.candidate}: too few prompts to tell"
        rest = sum(c.words is Outcome.NO_DIFFERENCE for c in judged)
        if rest:
            parts.append(f"no difference shown on {'the rest' if parts else 'anything'} ({rest})")
        return f"{self.candidate} compared with {self.baseline}: {'; '.join(parts) or 'nothing could be compared'}"


def compare_runs(baseline: Run, candidate: Run) -> list[PairComparison]:
    """Compare the generators of two runs, prompt by prompt.

    Pairs of clips in which one clip has no value are left out and counted. The fractions of failed and usable clips
    show them. (The gate does not leave them out.) Two generators of one run are judged in the family of all pairs of
    that run, so the result is the same as on its page.

    Raises:
        NotComparable: The runs differ in suite, prompts, clips, backbones, versions, protocols or clip form.
    """
    if baseline.path.resolve() == candidate.path.resolve():
        _ = baseline.grids  # read once for both
        candidate = baseline.selecting(candidate.selected)
    pairs = match(baseline, candidate)
    for pair in pairs:
        require_comparable(pair)
    family = compare_family(pairs)
    return [
        PairComparison(
            baseline=pair.baseline.name, candidate=pair.candidate.name,
            comparisons=tuple(table_of(family, pair).values()),
            notes=tuple(_notes(pair)), family=family.statement(), card=tuple(card_differences(*pair.members)),
        )
        for pair in pairs
    ]  # fmt: skip


def compare_family(pairs: Sequence[GeneratorPair]) -> Family:
    """The family of some pairs: that of their run, or the pairs alone."""
    first = pairs[0]
    if len(pairs) == 1 and first.baseline.run.path.resolve() == first.candidate.run.path.resolve():
        run = first.baseline.run.selecting(None)
        whole = family_of_run(run)
        names = [(pair.baseline.generator, pair.candidate.generator) for pair in whole.pairs]
        if any({first.baseline.generator, first.candidate.generator} == {*both} for both in names):
            return whole
    return Family(tuple(pairs))


def table_of(family: Family, pair: GeneratorPair) -> dict[str, Comparison]:
    """Quantity > comparison of a pair in the family of `compare_family`."""
    wanted = pair.baseline.generator, pair.candidate.generator
    for each, table in zip(family.pairs, family.tables, strict=True):
        names = each.baseline.generator, each.candidate.generator
        if each is pair or names == wanted:
            return table
        if names == wanted[::-1]:
            return {name: comparison.reversed() for name, comparison in table.items()}
    raise AssertionError("the family does not contain the pair")


def _notes(pair: GeneratorPair) -> list[str]:
    notes = [note for note in (pair.seeds_differ, pair.simulated_votes) if note]
    notes += machine_warnings([pair.baseline, pair.candidate])
    for who, side in pair.sides:
        missing = int(side.grid.missing.sum())
        if missing:
            notes.append(f"the {who} is incomplete: {missing} of {side.grid.clips} clips were never generated")
    old, new = (side.run.metrics for _, side in pair.sides)
    only = [f'"{name}"' for name in (*(m for m in old if m not in new), *(m for m in new if m not in old))]
    if only:
        notes.append(f"only one of the runs has {', '.join(only)}")
    return notes
