"""The selftest's own test: metrics that work pass, one that is blind fails loudly."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from vbench_lite.backbones import Backbones, load
from vbench_lite.metrics import select, shipped_metrics
from vbench_lite.metrics.registry import networks_of
from vbench_lite.scoring import anchors, selftest
from vbench_lite.scoring.damage import DAMAGES, LEVELS
from vbench_lite.scoring.selftest import rank_correlation
from vbench_lite.world import Composition, render


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def cells():
    """Pixel metrics only: the whole table takes the networks a minute."""
    metrics = select("builtin")
    of_pixels = {name for metric in metrics if not networks_of([metric])
                 for name in (*metric.rises_with, *metric.falls_with, *metric.unmoved_by)}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selftest, "DAMAGES", {name: damage for name, damage in DAMAGES.items() if name in of_pixels})
        found = selftest.run(Backbones("none"), metrics, clips=8)
    return {(cell.damage, cell.metric): cell for cell in found}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_keeps_the_form_of_a_clip_grows_and_is_repeatable(name):
    clip = render(Composition(0, 0, 0, 1), 0)
    off = []
    for level in range(1, LEVELS + 1):
        damaged = DAMAGES[name](clip, level)
        assert damaged.shape == clip.shape
        assert damaged.dtype == np.uint8
        assert np.array_equal(damaged, DAMAGES[name](clip, level))
        off.append(np.abs(damaged.astype(int) - clip).mean())
    assert off[0] > 0
    assert off[-1] > 1.5 * off[0]


def test_every_claim_on_pixels_holds(cells):
    broken = [key for key, cell in cells.items() if cell.holds is False]
    assert broken == []
    assert sum(cell.holds is True for cell in cells.values()) >= 12


def test_what_cannot_be_read_is_no_claim_kept(cells):
    cell = cells["caption swap", "clip_text"]
    assert cell.correlation is None
    assert cell.holds is None


def test_a_blind_metric_fails_the_command_loudly(monkeypatch):
    from vbench_lite.cli.selftest_command import command
    from vbench_lite.metrics.detail import Detail
    from vbench_lite.records import Score

    monkeypatch.setattr(selftest, "DAMAGES", {"blur": DAMAGES["blur"]})
    monkeypatch.setattr("vbench_lite.backbones.load", lambda name, **_: Backbones("none"))
    monkeypatch.setattr(Detail, "score", lambda self, context: Score(1.0))
    done = CliRunner().invoke(command, ["--clips", "8"])
    assert done.exit_code == 1
    assert "FAILED: detail under blur must go down" in done.output
    assert "Networks: none.\n" in done.output
    assert "No value of fvd_corrected, fvd, kvd: this set of backbones has no video network.\n" in done.output
    as_json = json.loads(CliRunner().invoke(command, ["--clips", "8", "--json", "--backbones", "vbench"]).stdout)
    assert (as_json["failed"], as_json["networks"]) == (1, [])
    assert {"clip_text", "fvd", "subject_consistency"} <= set(as_json["unavailable"])
    assert "subject_consistency" in {cell["metric"] for cell in as_json["cells"]}


def test_rank_correlation_of_known_series():
    assert rank_correlation([1, 2, 3, 5]) == pytest.approx(1)
    assert rank_correlation([3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([2, 2, 2]) == 0
    assert abs(rank_correlation([1, 2, 4, 3, 5, 6])) < selftest.REACTS


def test_pinned_clips_score_as_pinned():
    found = anchors.drift(load("builtin"))
    assert found["warning"] is None, found
    assert set(found["drift"]) >= {"clip_text", "temporal_flickering", "motion", "video_features"}


def test_a_moved_score_is_a_warning_that_names_the_metric(monkeypatch):
    moved = anchors.expected()
    for scores in moved.values():
        scores["slide"]["temporal_flickering"] *= 1.01
    monkeypatch.setattr(anchors, "expected", lambda: moved)
    found = anchors.drift(load("builtin"))
    assert "temporal_flickering" in found["warning"]


def test_networks_without_pinned_scores_say_so():
    found = anchors.drift(dataclasses.replace(load("builtin", kinds=["video"]), image=SimpleNamespace(name="own/clip")))
    assert found["drift"] is None
    assert found["reason"].startswith("no scores are pinned for own/clip + builtin/video@")


@pytest.mark.parametrize(("kinds", "missing"), [
    (["image"], {"video_features"}), (["video"], {"clip_text", "clip_frames"}),
    ([], {"video_features", "clip_text", "clip_frames"}),
])  # fmt: skip
def test_fewer_networks_are_compared_in_what_they_give(kinds, missing):
    every = {metric for scores in anchors.expected().values() for metric in scores["slide"]}
    found = anchors.drift(load("builtin", kinds=kinds))
    assert set(found["drift"]) == every - missing
    assert found["warning"] is None


def test_every_damage_is_noticed_by_a_metric_that_claims_it():
    shipped = shipped_metrics().values()
    claimed = {name for metric in shipped for name in (*metric.rises_with, *metric.falls_with)}
    assert claimed >= set(DAMAGES) | {"opposite motion", "reversal", "object swap", "caption swap"}


def test_given_clips_are_damaged_and_have_no_prompts():
    clips = [render(Composition(n % 12, n % 6, n % 5, n % 8), n, 6, 32, 32) for n in range(16)]
    metrics = select("temporal_flickering,detail,motion_adherence")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selftest, "DAMAGES", {name: DAMAGES[name] for name in ("noise", "blur")})
        seen = []
        cells = selftest.run_on(Backbones("none"), metrics, clips, workers=1, tick=lambda: seen.append(1))
        assert len(seen) == selftest.observations_on(16)
    found = {(cell.damage, cell.metric): cell for cell in cells}
    assert found["noise", "temporal_flickering"].holds
    assert found["blur", "detail"].holds
    assert found["noise", "motion_adherence"].correlation is None


def test_a_folder_of_few_clips_is_refused(tmp_path):
    from tests.cli.calling import vbench

    assert "16 or more are needed" in vbench("selftest", "--folder", str(tmp_path), code=2).output
