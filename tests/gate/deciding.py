"""One call from a drawn release and its baseline to the verdict, and what tests read off it."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.gate.releases import Scores, write
from vbench_lite.gate import Verdict, choose_policy, decide
from vbench_lite.gate.policy import read_policy
from vbench_lite.run.view import open_run


def gate(tmp_path: Path, policy: str | None = None, base: dict[str, Any] | None = None, **candidate: Any) -> Verdict:
    old, new = write(tmp_path / "base", **(base or {})), write(tmp_path / "new", **candidate)
    if policy is not None:
        (tmp_path / "gate.toml").write_text(policy)
        rules = read_policy(tmp_path / "gate.toml")
    else:
        rules = choose_policy(None, None)
    return decide(open_run(new), open_run(old), rules)


def failed(verdict: Verdict) -> set[str]:
    return {check.id.removeprefix("model/") for check in verdict.of("fail")}


def kinds(verdict: Verdict) -> set[str]:
    return {finding.kind for finding in verdict.findings}


def loses(metric: str, spreads: float, category: str | None = None) -> Any:
    sizes = {
        "temporal_flickering": 0.01, "clip_frames": 0.015, "warp_error": -0.0008, "detail": 0.08, "clip_text": 0.04,
    }  # fmt: skip

    def worsen(scores: Scores, categories: np.ndarray) -> None:
        scores[metric][np.full(len(categories), True) if category is None else categories == category] -= (
            spreads * sizes[metric]
        )

    return worsen
