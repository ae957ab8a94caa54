"""vbench compare: what is better and worse, in words that hold; unlike runs are refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tests.gate.releases import Scores, write
from vbench_lite.analysis.compare import Comparison, PairComparison, compare_runs
from vbench_lite.analysis.family import LEVEL, Outcome, family_of_sides
from vbench_lite.cli.compare_command import command
from vbench_lite.errors import NotComparable, StoreError
from vbench_lite.run.view import Side, open_run


def compare(tmp_path: Path, base: dict[str, Any] | None = None, **candidate: Any) -> PairComparison:
    old, new = write(tmp_path / "base", **(base or {})), write(tmp_path / "new", **candidate)
    [pair] = compare_runs(open_run(old), open_run(new))
    return pair


def row(pair: PairComparison, metric: str) -> Comparison:
    return next(c for c in pair.comparisons if c.metric == metric)


def worse_text_better_detail(scores: Scores, _: np.ndarray) -> None:
    scores["clip_text"] -= 0.02
    scores["detail"] += 0.04
    scores["warp_error"] += 0.0005


def test_better_and_worse_follow_the_direction_of_the_metric(tmp_path: Path) -> None:
    pair = compare(tmp_path, weights="b", worsen=worse_text_better_detail)
    words = {c.metric: c.words for c in pair.comparisons}
    assert words["clip_text"] == words["warp_error"] == "worse"
    assert words["detail"] == "better"
    assert words["temporal_flickering"] == "no difference shown"
    assert words["motion"] == "not judged"
    assert "better on detail" in pair.headline()
    rest = sum(c.words == "no difference shown" for c in pair.comparisons)
    parts = f"better on detail; worse on warp_error, clip_text; no difference shown on the rest ({rest})"
    assert pair.headline() == f"{pair.candidate} compared with {pair.baseline}: {parts}"


def test_the_difference_is_candidate_minus_baseline_and_lies_in_its_interval(tmp_path: Path) -> None:
    found = row(compare(tmp_path, weights="b", worsen=worse_text_better_detail), "clip_text")
    assert found.difference == pytest.approx((found.candidate or 0) - (found.baseline or 0))
    assert found.difference == pytest.approx(-0.02, abs=0.004)
    assert (found.low or 0) < found.difference < (found.high or 0) < 0


@pytest.mark.parametrize("metric", ["warp_error", "device_s_per_clip", "attempts_per_usable_clip", "failed"])
def test_intervals_of_what_is_better_low_are_the_right_way_round(tmp_path: Path, metric: str) -> None:
    pair = compare(tmp_path, base={"failed": lambda p, c: p % 9 == 0}, weights="b", worsen=worse_text_better_detail,
                   device_s=0.7, failed=lambda p, c: p % 4 == c)  # fmt: skip
    found = row(pair, metric)
    assert found.low is not None
    assert found.low < (found.difference or 0) < (found.high or 0)


def test_a_run_and_itself_show_no_difference_and_exact_zeros(tmp_path: Path) -> None:
    pair = compare(tmp_path)
    assert all(c.words in ("no difference shown", "not judged") for c in pair.comparisons)
    assert all(c.difference == 0 for c in pair.comparisons)
    rest = sum(c.words == "no difference shown" for c in pair.comparisons)
    both = f"{pair.candidate} compared with {pair.baseline}"
    assert pair.headline() == f"{both}: no difference shown on anything ({rest})"


def test_five_prompts_are_too_few_to_tell(tmp_path: Path) -> None:
    pair = compare(tmp_path, base={"prompts": 5}, prompts=5, weights="b", worsen=worse_text_better_detail)
    assert row(pair, "clip_text").words == "too few prompts to tell"
    assert pair.headline().endswith("too few prompts to tell")


def test_words_are_rarely_wrong_for_the_whole_family(tmp_path: Path) -> None:
    """60 pairs of equal generators, a dozen comparisons each: the share of pairs with any wrong word keeps to 5 %."""
    wrong = 0
    for seed in range(60):
        runs = [
            open_run(write(tmp_path / f"{seed}-{nth}", prompts=12, suite_seed=seed, seed=seed + nth)) for nth in (0, 1)
        ]
        [table] = family_of_sides([Side(run, "model") for run in runs]).tables
        assert len(table) >= 10
        wrong += any(found.words in (Outcome.BETTER, Outcome.WORSE) for found in table.values())
    assert wrong <= 60 * LEVEL + 3 * (60 * LEVEL * (1 - LEVEL)) ** 0.5


def test_failed_clips_leave_the_pairs_and_are_counted(tmp_path: Path) -> None:
    pair = compare(tmp_path, weights="b", failed=lambda p, c: p < 10)
    assert row(pair, "clip_text").clips == 60
    assert row(pair, "clip_text").unscored_candidate == 20
    assert row(pair, "failed").words == "worse"


def test_runs_with_other_seeds_are_said_to_pair_by_prompt(tmp_path: Path) -> None:
    assert "pairs share only their prompt" in compare(tmp_path, seed=3).notes[0]


def test_different_suites_are_refused_with_the_command_that_resolves_it(tmp_path: Path) -> None:
    with pytest.raises(NotComparable, match=r"the suite differs.*vbench run --suite ads -g model --clips-per-prompt 2"):
        compare(tmp_path, prompts=30)


def test_costs_are_not_compared_across_devices(tmp_path: Path) -> None:
    other = {"device": {"kind": "cuda", "name": "H200", "count": 1}}
    found = row(compare(tmp_path, manifest=other), "device_s_per_clip")
    assert found.words == "not compared"
    assert "1 x H200" in (found.reason or "")


def test_main_memory_of_two_runs_is_reported_and_not_judged(tmp_path: Path) -> None:
    """It includes library files, which differ between installations."""
    pair = compare(tmp_path, rss_mb=2000.0)
    memory = row(pair, "peak_rss_mb")
    assert memory.difference is not None
    assert memory.difference > 500
    assert memory.words == "not judged"
    assert memory.p_adjusted is None


def test_an_unscored_run_says_how_to_score_it(tmp_path: Path) -> None:
    folder = Path(write(tmp_path / "a"))
    (folder / "clips.csv").unlink()
    with pytest.raises(StoreError, match="restore the file from version control"):
        compare_runs(open_run(folder), open_run(folder))


@pytest.mark.parametrize("text", ["", "generator,prompt_id\n", "generator,prompt_id,index,status\na,b\n", "\x00\xff"])
def test_a_broken_table_is_a_sentence(tmp_path: Path, text: str) -> None:
    folder = Path(write(tmp_path / "a"))
    (folder / "clips.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(StoreError, match="restore the file from version control"):
        compare_runs(open_run(folder), open_run(folder))


def test_the_command_prints_a_table_or_json(tmp_path: Path) -> None:
    old, new = write(tmp_path / "a"), write(tmp_path / "b", weights="b", worsen=worse_text_better_detail)
    text = CliRunner().invoke(command, [old, new]).output
    assert "clip_text" in text
    assert "worse" in text
    found = json.loads(CliRunner().invoke(command, [old, f"{new}:model", "--json"]).output)
    assert {c["metric"]: c["words"] for c in found["pairs"][0]["comparisons"]}["clip_text"] == "worse"
    assert found["pairs"][0]["headline"]
