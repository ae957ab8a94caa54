"""The gate's decisions are the numbers that its documentation states: neither changes without the other."""

from __future__ import annotations

import pytest

from tests.documented import text_of
from vbench_lite.gate.decide import ANCHOR_SCALE, GUARD_WEIGHT
from vbench_lite.gate.evidence import categories, run_problems, scores
from vbench_lite.gate.looks import boundaries
from vbench_lite.gate.policy import choose_policy
from vbench_lite.gate.shown import render


@pytest.mark.parametrize(
    ("found", "value", "page", "sentence"),
    [
        (scores.COLLAPSE_SD, 2.2, "gate.md", "more than 2.2 standard deviations below the other run's mean"),
        (GUARD_WEIGHT, 0.1, "gate.md", "with a tenth of the weight for guards and for collapsed clips"),
        (ANCHOR_SCALE, 1.5, "gate.md", "compared with this first baseline, with 1.5 times its margin"),
        (categories.FULL, 12, "gate.md", "a category of n < 12 prompts: sqrt(12 / n)"),
        (run_problems._HALF, 0.5, "gate.md", "half of them are frozen, black or blank"),
        (render.MOST_ANNOTATIONS, 10, "gate.md", "annotates at most ten findings"),
        (render.MOST_MARKDOWN, 60_000, "gate.md", "the step summary (60 kB at most)"),
        (choose_policy(None, None).min_clips, 29, "gate.md", "no check passes on fewer than 29 clips"),
        (choose_policy(None, None).min_prompts, 10, "gate.md", "min_prompts = 10 # no check passes on fewer"),
        (boundaries.EARLY_GUARD, 0.1, "iteration.md", "passes before the last look only with p <= 0.1"),
        (boundaries.EARLY_SHARE, 0.85, "iteration.md", "8.5 % of the clips (.85 of `rare_losses`)"),
    ],
)  # fmt: skip
def test_a_number_of_the_gate_is_the_documented_one(found: object, value: object, page: str, sentence: str) -> None:
    assert found == value
    assert sentence in text_of(page)
