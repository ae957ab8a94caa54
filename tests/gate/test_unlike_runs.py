"""Same, other and unlike runs: what is called identical, what is compared all the same, what is refused."""

from pathlib import Path
from typing import Any

import pytest

from tests.gate.deciding import gate, kinds, loses
from vbench_lite.errors import NotComparable


def test_the_same_run_passes_and_is_called_identical(tmp_path: Path) -> None:
    verdict = gate(tmp_path)
    assert (verdict.outcome, verdict.exit_code) == ("pass", 0)
    assert kinds(verdict) == {"identical"}
    assert "identical" in verdict.headline


def test_identical_runs_pass_however_few_prompts_there_are_to_show_it(tmp_path: Path) -> None:
    assert gate(tmp_path, base={"prompts": 12}, prompts=12).outcome == "pass"


def test_the_same_generator_with_new_seeds_passes(tmp_path: Path) -> None:
    verdict = gate(tmp_path, seed=1)
    assert verdict.outcome == "pass"
    assert kinds(verdict) == {"seeds"}


def test_equal_weights_that_differ_pass(tmp_path: Path) -> None:
    assert gate(tmp_path, weights="b").outcome == "pass"


OTHER = {"device": {"kind": "cuda", "name": "H200", "count": 1}}
PRICES = {"prices": {"model": {"usd_per_device_hour": 0.5}}}


def test_quality_goes_on_across_devices_and_cost_does_not(tmp_path: Path) -> None:
    rules = "[[check]]\nrule = 'no-new-failures'\n[[check]]\nmetric = 'device_s_per_clip'\nrule = 'non-inferior'\n"
    rules += "margin = 25\nunit = 'percent'\nunmeasured = 'skip'"
    verdict = gate(tmp_path, rules, weights="b", device_s=0.01, manifest=OTHER)
    assert verdict.outcome == "pass"
    skipped = {check.metric: check.reason for check in verdict.of("skipped")}
    assert "1 x Test CPU in the baseline, 1 x H200 in the candidate" in skipped["device_s_per_clip"]
    assert "vbench run" in skipped["device_s_per_clip"]


@pytest.mark.parametrize("manifest", [OTHER, PRICES])
def test_a_demand_on_money_is_undecided_across_devices_and_prices(tmp_path: Path, manifest: dict[str, Any]) -> None:
    rules = "[[check]]\nmetric = 'usd_per_clip'\nrule = 'non-inferior'\nmargin = 5\nunit = 'percent'"
    verdict = gate(tmp_path, rules, weights="b", manifest=manifest)
    assert verdict.outcome == "undecided"
    assert "differs" in verdict.checks[0].reason


def clip(**how: Any) -> dict[str, Any]:
    form = {"frames": 9, "fps": 8.0, "height": 64, "width": 64} | how
    definition = {"name": "model", "route": "diffusion", "adapter": "diffusers", "clip": form, "weights_digest": "a"}
    return {"generators": {"model": definition}}


@pytest.mark.parametrize(
    ("how", "names"),
    [
        ({"prompts": 20}, "the suite differs"),
        ({"clips": 3}, "the number of clips differs: 2 per prompt in the baseline, 3 per prompt"),
        ({"metric": {"version": "2"}}, 'the version of the metric "temporal_flickering" differs: 1 in the baseline, 2'),
        ({"metric": {"backbone": "other@9"}}, "the backbone of the metric"),
        ({"notes": {"protocol": "8 frames"}}, "the scoring protocol differs"),
        ({"manifest": clip(frames=17)}, "the form of clip differs: 9 frames of 64x64 at 8.0 per second"),
    ],
)
def test_unlike_runs_are_refused_by_name_and_with_a_command(tmp_path: Path, how: dict[str, Any], names: str) -> None:
    same = {"notes": {"protocol": "9 frames"}}
    with pytest.raises(NotComparable, match=names) as caught:
        gate(tmp_path, base=same, **same | how)
    assert "vbench" in str(caught.value) or "[clip]" in str(caught.value)


def test_anchor_clips_that_score_differently_block(tmp_path: Path) -> None:
    verdict = gate(tmp_path, drift=0.01)
    assert verdict.outcome == "undecided"
    assert kinds(verdict) == {"anchor-drift", "identical"}
    assert gate(tmp_path, drift=0.001).outcome == "pass"


def test_the_same_seeds_on_the_same_device_that_drift_are_said_to(tmp_path: Path) -> None:
    verdict = gate(tmp_path, sha256=lambda p, c: f"again-{p}-{c}", worsen=loses("clip_text", 0.01))
    message = next(finding.message for finding in verdict.findings if finding.kind == "drift")
    assert "80 of 80 clips differ (the recorded versions are the same); clip_text by up to 0.0004" in message


def test_other_versions_of_the_libraries_are_named_where_clips_differ(tmp_path: Path) -> None:
    verdict = gate(
        tmp_path, sha256=lambda p, c: f"again-{p}-{c}",
        base={"manifest": {"software": {"python": "3.11.7", "torch": "2.14.1", "av": "18.1.0"}}},
        manifest={"software": {"python": "3.13.0", "torch": "2.14.1", "av": "19.0.2"}},
    )
    message = next(finding.message for finding in verdict.findings if finding.kind == "drift")
    assert "differ (different versions: av 18.1.0 and 19.0.2, python 3.11.7 and 3.13.0); no score changed" in message
