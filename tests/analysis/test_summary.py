import csv
import dataclasses
import hashlib
import json

import pytest

from tests.built_runs import DEFAULT, METRICS, SETS, Fake, build_run
from vbench_lite.analysis.clip_rows import COLUMNS
from vbench_lite.analysis.summary import summarise
from vbench_lite.measuring.rates import clip_cost_usd
from vbench_lite.records import Price, ReasonCode, Score

CONTRACT = (
    "generator, route, prompt_id, category, index, seed, status, reason_code, reason, path, sha256, frames, height, "
    "width, fps, "
    "wall_s, device_s, gpu_busy_s, peak_memory_mb, peak_reserved_mb, peak_rss_mb, energy_j, energy_method, "
    "load_average, load_other_cpus, load_mhz, load_throttled, cost_usd, "
    "usable, unusable_because, unusable_codes, unscored_because"
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
    assert [r["status"] for r in table[:6]] == ["ok", "failed", "ok", "ok", "missing", "missing"]
    assert table[1]["reason"] == "the generator gave no frames"
    assert (table[1]["reason_code"], table[1]["unusable_codes"]) == ("bad_output", "bad_output")
    assert (table[4]["reason_code"], table[4]["usable"], table[4]["cost_usd"]) == ("missing", "", "")
    assert table[4]["detail"] == ""


def test_clips_csv_opens_in_pandas_as_it_is(tmp_path) -> None:
    import pandas

    run = build_run(tmp_path, prompts=4)
    summarise(run.folder, run.scored)
    table = pandas.read_csv(run.folder.table_path)
    assert table["usable"].dtype == bool
    assert table["clip_text"].dtype == float
    assert all((tmp_path / path).exists() for path in table["path"])


def test_failed_clips_stay_in_the_denominators_and_missing_ones_do_not(tmp_path) -> None:
    fake = Fake("a", skill=9, failed=[(0, 0)], missing=[(1, 0)])
    run = build_run(tmp_path, prompts=10, generators=[fake], video=False)
    figures = summarise(run.folder, run.scored)["a"]
    assert (figures.clips, figures.failed, figures.missing, figures.tried, figures.usable) == (20, 1, 1, 19, 18)
    assert figures.cost["attempts_per_usable_clip"].value == pytest.approx(19 / 18)
    assert (figures.scores["detail"].n, figures.scores["detail"].unscored) == (18, 1)


def test_an_incomplete_generator_costs_as_much_a_clip_as_the_complete_one(tmp_path) -> None:
    gaps = [(n, k) for n in range(6) for k in range(2)]
    whole = build_run(tmp_path / "whole", prompts=10, generators=[Fake("a")], video=False)
    part = build_run(tmp_path / "part", prompts=10, generators=[Fake("a", missing=gaps)], video=False)
    costs = [summarise(run.folder, run.scored)["a"].cost["device_s_per_clip"].value for run in (whole, part)]
    assert costs[1] == pytest.approx(costs[0], rel=0.1)


def test_usability_is_not_evaluated_without_thresholds_and_reference(tmp_path) -> None:
    run = build_run(tmp_path, prompts=4, generators=[Fake("a")], video=False)
    figures = summarise(run.folder, dataclasses.replace(run.scored, reference={}))["a"]
    assert figures.usable is None
    for name in ("usd_per_usable_clip", "attempts_per_usable_clip"):
        assert (figures.cost[name].value, figures.cost[name].reason_code) == (None, ReasonCode.NOT_EVALUATED)
    assert {row["usable"] for row in csv.DictReader(run.folder.table_path.open())} == {""}


def test_clips_of_machines_with_different_prices_keep_their_own_cost(tmp_path) -> None:
    run = build_run(tmp_path, prompts=2, clips=1, generators=[Fake("a")], video=False)
    for record, rate in zip(run.folder.records(), (1.0, 3.0), strict=True):
        price = Price(usd_per_device_hour=rate)
        run.folder.write_record(dataclasses.replace(record, price=price, cost_usd=clip_cost_usd(record, price)))
    summarise(run.folder, run.scored)
    rows = list(csv.DictReader(run.folder.table_path.open()))
    assert [float(r["cost_usd"]) for r in rows] == pytest.approx(
        [rate * float(r["device_s"]) / 3600 for rate, r in zip((1.0, 3.0), rows, strict=True)]
    )


def test_every_cost_and_score_is_an_estimate_or_null_with_a_reason(tmp_path) -> None:
    hopeless = Fake("none", skill=-20, usd_per_device_hour=None)
    gone = Fake("gone", missing=[(n, k) for n in range(4) for k in range(2)])
    run = build_run(tmp_path, prompts=4, generators=[*DEFAULT, hopeless, gone], video=False)
    summary = summarise(run.folder, run.scored)
    assert set(summary.metrics) == {*METRICS, *SETS}
    for figures in summary.generators.values():
        assert set(figures.cost) >= COSTS
        for estimate in (*figures.scores.values(), *figures.cost.values()):
            assert estimate.value is not None or estimate.reason
    assert summary["none"].cost["attempts_per_usable_clip"].reason == "none in 8"
    assert summary["none"].cost["usd_per_clip"].reason == "no price is known for this device"
    assert summary["gone"].scores["detail"].value is None


def test_a_gpu_run_has_energy_in_watt_hours_and_the_highest_memory(tmp_path) -> None:
    run = build_run(tmp_path, prompts=6, generators=[Fake("a", gpu=True, device_s=36.0)], video=False)
    costs = summarise(run.folder, run.scored)["a"].cost
    assert costs["energy_wh_per_clip"].value == pytest.approx(250 * 36 / 3600, rel=0.1)
    assert costs["peak_memory_mb"].value == max(r.measurement.peak_memory_mb for r in run.folder.records())


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
    assert stored["format"] == 2
    assert stored["usable"]["thresholds"]["warp_error"]["max"] > 0
    assert stored["usable"]["thresholds"]["warp_error"]["source"] == "reference"


def test_a_metric_that_applies_to_no_clip_says_so_and_one_that_applies_to_some_counts_those(tmp_path) -> None:
    run = build_run(tmp_path, prompts=3, clips=1, generators=[Fake("a", failed=[(2, 0)])], video=False)
    never, unknown = Score(None, "no text", ReasonCode.NOT_APPLICABLE), Score(None, "too dark; or too short")
    clips = {key: {**scores, "clip_text": never} for key, scores in run.scored.clips.items()}
    first, second = clips
    clips[first] |= {"detail": unknown, "clip_frames": never}
    scored = dataclasses.replace(run.scored, clips=clips, features={"a": b"features"})
    found = summarise(run.folder, scored)
    scores = found["a"].scores
    assert scores["clip_text"].value is None
    assert scores["clip_text"].reason == "no clip has this score: the generator gave no frames"
    assert (scores["detail"].n, scores["detail"].unscored) == (1, 2)
    assert scores["detail"].value == clips[second]["detail"].value
    assert (scores["clip_frames"].n, scores["clip_frames"].unscored) == (1, 1), "no part of the third clip"
    rows = list(csv.DictReader(run.folder.table_path.open()))
    assert rows[0]["unscored_because"] == "clip_frames, clip_text: no text; detail: too dark, or too short"
    assert rows[2]["unscored_because"] == ""
    assert found.notes.features == {"a": hashlib.sha256(b"features").hexdigest()}
    assert run.folder.features_path("a").read_bytes() == b"features"


def test_a_set_metric_without_a_result_and_a_metric_of_no_clip(tmp_path) -> None:
    run = build_run(tmp_path, prompts=2, clips=1, generators=[Fake("a")], video=False)
    never = Score(None, "no text", ReasonCode.NOT_APPLICABLE)
    clips = {key: {**scores, "clip_text": never} for key, scores in run.scored.clips.items()}
    scores = summarise(run.folder, dataclasses.replace(run.scored, clips=clips, sets={}))["a"].scores
    assert scores["fvd"].reason == "not computed for this generator"
    assert scores["fvd"].reason_code is ReasonCode.NOT_SCORED
    assert (scores["clip_text"].value, scores["clip_text"].reason) == (None, "no text")
    assert (scores["clip_text"].n, scores["clip_text"].reason_code) == (0, ReasonCode.NOT_APPLICABLE)
