"""What two runs differ in, and which difference makes a figure mean something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gate.releases import write
from vbench_lite.analysis.comparable import GeneratorPair, differences, unlike_for
from vbench_lite.analysis.family import family_of_sides
from vbench_lite.analysis.quantities import quantities
from vbench_lite.run.view import Side, open_run


def pair(tmp_path: Path, old: dict[str, Any] | None = None, overlap: Any = "all", **new: Any) -> GeneratorPair:
    runs = [open_run(write(tmp_path / name, **how)) for name, how in (("old", old or {}), ("new", new))]
    return GeneratorPair(*(Side(run, "model") for run in runs), overlap)


def with_clip(frames: int) -> dict[str, Any]:
    clip = {"frames": frames, "fps": 8.0, "height": 64, "width": 48}
    definition = {
        "name": "model", "route": "diffusion", "adapter": "diffusers", "model": "model", "clip": clip, "folder": "",
    }  # fmt: skip
    return {"generators": {"model": definition}}


def test_the_form_of_clip_is_stated_for_both_sides(tmp_path: Path) -> None:
    (found,) = differences(pair(tmp_path, {"manifest": with_clip(9)}, manifest=with_clip(17)))
    assert (found.what, found.baseline, found.candidate) == (
        "the form of clip", "9 frames of 48x64 at 8.0 per second", "17 frames of 48x64 at 8.0 per second",
    )  # fmt: skip
    assert "[clip]" in found.remedy


def test_runs_of_the_same_plan_differ_in_nothing(tmp_path: Path) -> None:
    found = pair(tmp_path, weights="b")
    assert list(differences(found)) == []
    assert (found.same_prompts, found.is_identical, found.seeds_differ) == (True, False, "")
    assert pair(tmp_path / "again").is_identical


@pytest.mark.parametrize(
    ("asked", "prompts", "unlike"), [("common", 12, True), ("common", 20, False), ("sample", 12, False)]
)
def test_a_set_metric_over_other_prompts_is_another_number(
    tmp_path: Path, asked: str, prompts: int, unlike: bool
) -> None:
    found = pair(tmp_path, {"prompts": 20}, asked, prompts=prompts)
    fvd, detail = (quantities(found.baseline.run.metrics)[name] for name in ("fvd", "detail"))
    assert ("asked different prompts" in (unlike_for(fvd, found) or "")) is unlike
    assert unlike_for(detail, found) is None
    assert len(found.old.prompts) == prompts


def test_a_comparison_reversed_has_every_figure_of_the_other_side(tmp_path: Path) -> None:
    sides = pair(tmp_path, weights="b", failed=lambda prompt, clip: prompt == 3).members
    family = family_of_sides(sides)
    for name in ("detail", "warp_error", "usable", "device_s_per_clip"):
        there, back = family.between(*sides, name), family.between(*reversed(sides), name)
        assert there is not None
        assert back is not None
        assert (back.baseline, back.candidate, back.difference) == (there.candidate, there.baseline, -there.difference)
        assert (back.low, back.high) == (-there.high, -there.low)
        assert (back.unscored_baseline, back.unscored_candidate) == (there.unscored_candidate, there.unscored_baseline)
        assert back.reversed() == there
