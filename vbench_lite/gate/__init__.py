"""The release gate: three outcomes, from stored files alone.

Two errors are kept apart. A release that is worse than a margin in any check passes with a probability of at most the
policy's level: a pass needs every check to pass, so each may use the whole level (the intersection-union argument).
A release that is inside every margin fails with at most the same probability: one failing check is enough to fail,
so those p values are adjusted for all checks (Holm). Everything else is undecided, and says what would decide it.
"""

from vbench_lite.gate.decide import decide
from vbench_lite.gate.policy import Policy, choose_policy
from vbench_lite.gate.verdict import CheckResult, Finding, Verdict

__all__ = ["CheckResult", "Finding", "Policy", "Verdict", "choose_policy", "decide"]
