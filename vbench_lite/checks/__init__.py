"""`vbench check`: early signs that the numbers of a run are unreliable."""

from vbench_lite.checks.findings import CODES, CheckReport, Finding
from vbench_lite.checks.run_checks import check_run

__all__ = ["CODES", "CheckReport", "Finding", "check_run"]
