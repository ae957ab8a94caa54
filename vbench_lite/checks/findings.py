"""The records of findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CODES = {
    "incomplete": "Clips of the plan were never generated.",
    "seed-without-effect": "Several clips of one prompt are the same file, although their seeds differ.",
    "copied-clips": "One clip occurs for several prompts, or for several generators.",
    "not-reproducible": "A clip that was generated again with its seed has different frames.",
    "reproducibility-unknown": "No clip was generated again, so this property is not known.",
    "time-drift": "The time per clip rose or fell during the run.",
    "scorer-drift": "The pinned anchor clips do not get their known scores.",
    "scorer-not-pinned": "There are no known scores for these networks, so a drift of the scorer cannot be detected.",
    "prompts-at-ceiling": "Prompts of which every clip of every generator is usable.",
    "prompts-at-floor": "Prompts of which no clip of any generator is usable.",
    "best-prompts": "The prompts that separate the generators most.",
}
"""Code of a finding > its meaning."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding, with the next command."""

    code: str
    """A key of `CODES`."""
    generator: str = ""
    """The affected generator; "" for the whole run."""
    severity: Literal["problem", "note"] = "problem"
    """A problem makes figures of the run unreliable. A note is information."""
    sentence: str
    command: str
    """The next command. It works as printed."""
    prompts: tuple[str, ...] = ()
    """Ids of the affected prompts."""


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """All findings of one run.

    Example:
        >>> CheckReport(run="results/ads", findings=()).problems
        ()
    """

    run: str
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that make figures of the run unreliable."""
        return tuple(finding for finding in self.findings if finding.severity == "problem")
