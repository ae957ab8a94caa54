"""The decisions of the analysis are the numbers that the documentation states: neither changes without the other."""

from __future__ import annotations

import pytest

from tests.documented import text_of
from vbench_lite.analysis import family, usable
from vbench_lite.analysis.answers import unevenness
from vbench_lite.analysis.cost import batches, economics, machines
from vbench_lite.analysis.people import crossed, needed, thresholds


@pytest.mark.parametrize(
    ("found", "value", "page", "sentence"),
    [
        (family.LEVEL, 0.05, "compare.md", "Their intervals have a joint coverage of 95 % (Bonferroni)"),
        (usable.WORST_SHARE, 0.05, "report.md", "the value that 95 % of the reference clips reach"),
        (unevenness.WORST, 0.1, "report.md", "mean of the worst tenth | over all attempts"),
        (batches.MIN_BATCHES, 4, "report.md", "Below 4 batches there is no interval"),
        (economics.MIN_USABLE_PROMPTS, 5, "report.md", "No interval with usable clips of fewer than 5 prompts"),
        (machines.DIFFERS, 0.1, "running.md", "difference is a tenth of the processors or more"),
        (machines.SPOILS, 0.25, "running.md", "From a quarter (on a CPU), or if clocks were throttled"),
        (crossed.MIN_RATERS, 3, "review.md", "With fewer than three raters the variance between raters cannot be"),
        (needed.HALF_WIDTH, 0.05, "review.md", "still needed for an interval of ±5 percentage points"),
        (thresholds.MOST, 3, "review.md", "Up to three metrics get a threshold"),
    ],
)  # fmt: skip
def test_a_number_of_the_analysis_is_the_documented_one(
    found: object, value: object, page: str, sentence: str
) -> None:
    assert found == value
    assert sentence in text_of(page)
