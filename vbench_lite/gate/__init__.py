"""The release gate: pass, fail or undecided, computed from stored files.

The gate controls two error rates separately. A release that is worse than a margin in any check passes with a
probability of at most the policy's level. A pass needs every check to pass, so each check may use the whole level (the
intersection-union argument). A release that is inside every margin fails with at most the same probability. One failed
check fails the release, so these p values are adjusted for all checks (Holm). All other releases are undecided, and the
verdict states what would decide them.
"""

from vbench_lite.gate.decide import decide
from vbench_lite.gate.policy import Policy, choose_policy
from vbench_lite.gate.verdict import CheckResult, Finding, Verdict

__all__ = ["CheckResult", "Finding", "Policy", "Verdict", "choose_policy", "decide"]
