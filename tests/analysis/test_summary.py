import csv
import json

import pytest

from tests.built_runs import DEFAULT, METRICS, SETS, Fake, build_run
from vbench_lite.analysis.summary import COLUMNS, summarise

CONTRACT = (
    "generator, route, prompt_id, category, index, seed, status, reason, path, sha256, frames, height, width, fps, "
    "wall_s, device_s, gpu_busy_s, peak_memory_mb, peak_reserved_mb, peak_rss_mb, energy_j, energy_method, cost_usd, "
    "usable, unusable_because"
)
COSTS = {
    "device_s_per_clip", "usd_per_clip", "usd_per_usable_clip", "attempts_per_usable_clip", "energy_wh_per_clip",
    "peak_memory_mb",
}  # fmt: skip


def test_clips_csv_has_the_columns_of_the_contract_and_a_row_a_requested_clip(tmp_path) -> None:
    fakes = (Fake("a", failed=[(0, 1)], missing=[(2, 0), (2, 1)]), Fake("b", "hybrid"))
    run = build_run(tmp_path, prompts=3, generators=fakes, video=False)
    summarise(run.folder, run.scored)
    assert ", ".join(COLUMNS) == CONTRACT
    with run.folder.table_path.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    assert header == [*CONTRACT.split(", "), *METRICS]
    assert len(rows) == 2 * 3 * 2
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert [r["status"] for r in table[:6]] == ["ok", "failed", "ok", "ok", "failed", "failed"]
    assert table[1]["reason"] == "the generator gave no frames"
    assert table[4]["reason"].startswith("missing")
    assert table[4]["usable"] == "false"
    assert table[4]["detail"] == ""


def test_clips_csv_opens_in_pandas_as_it_is(tmp_path) -> None:
    import pandas

    run = build_run(tmp_path, prompts=4)
    summarise(run.folder, run.scored)
    table = pandas.read_csv(run.folder.table_path)
    assert table["usable"].dtype == bool
    assert table["clip_text"].dtype == float
    assert all((tmp_path / path).exists() for path in table["path"])


def test_failed_and_missing_clips_stay_in_the_denominators(tmp_path) -> None:
    fake = Fake("a", skill=9, failed=[(0, 0)], missing=[(1, 0)])
    run = build_run(tmp_path, prompts=10, generators=[fake], video=False)
    figures = summarise(run.folder, run.scored)["generators"]["a"]
    assert (figures["clips"], figures["failed"], figures["usable"]) == (20, 2, 18)
    assert figures["cost"]["attempts_per_usable_clip"]["value"] == pytest.approx(20 / 18)
    assert figures["scores"]["detail"]["n"] == 18
    assert figures["scores"]["detail"]["unscored"] == 2


def test_every_cost_and_score_is_an_estimate_or_null_with_a_reason(tmp_path) -> None:
    hopeless = Fake("none", skill=-20, usd_per_device_hour=None)
    gone = Fake("gone", missing=[(n, k) for n in range(4) for k in range(2)])
    run = build_run(tmp_path, prompts=4, generators=[*DEFAULT, hopeless, gone], video=False)
    summary = summarise(run.folder, run.scored)
    assert set(summary["metrics"]) == {*METRICS, *SETS}
    for figures in summary["generators"].values():
        assert set(figures["cost"]) >= COSTS
        for estimate in (*figures["scores"].values(), *figures["cost"].values()):
            assert {"value", "low", "high", "n", "unscored"} <= set(estimate)
            assert estimate["value"] is not None or estimate["reason"]
    assert summary["generators"]["none"]["cost"]["attempts_per_usable_clip"]["reason"] == "none in 8"
    assert summary["generators"]["none"]["cost"]["usd_per_clip"]["reason"] == "no price is known for this device"
    assert summary["generators"]["gone"]["scores"]["detail"]["value"] is None


def test_a_gpu_run_has_energy_in_watt_hours_and_the_highest_memory(tmp_path) -> None:
    run = build_run(tmp_path, prompts=6, generators=[Fake("a", gpu=True, device_s=36.0)], video=False)
    costs = summarise(run.folder, run.scored)["generators"]["a"]["cost"]
    assert costs["energy_wh_per_clip"]["value"] == pytest.approx(250 * 36 / 3600, rel=0.1)
    assert costs["peak_memory_mb"]["value"] == max(r.measurement.peak_memory_mb for r in run.folder.records())


def test_the_same_records_and_scores_give_the_same_bytes(tmp_path) -> None:
    files = []
    for name in ("a", "b"):
        run = build_run(tmp_path / name, prompts=3)
        summarise(run.folder, run.scored)
        files.append((run.folder.table_path.read_bytes(), run.folder.summary_path.read_bytes()))
    assert files[0] == files[1]


def test_summary_json_is_strict_json_with_the_thresholds_beside(tmp_path) -> None:
    run = build_run(tmp_path, prompts=2, clips=1, video=False)
    summarise(run.folder, run.scored)
    stored = json.loads(run.folder.summary_path.read_text(), parse_constant=lambda name: pytest.fail(name))
    assert stored["format"] == 1
    assert stored["usable"]["thresholds"]["warp_error"]["max"] > 0
    assert stored["usable"]["thresholds"]["warp_error"]["source"] == "reference"
