"""What two runs differ in, and which difference makes a figure mean something else."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from tests.gate.releases import write
from vbench_lite.analysis.comparable import (
    GeneratorPair,
    align,
    differences,
    is_only_reported,
    match,
    require_comparable,
    shared_prompts,
    unlike_for,
)
from vbench_lite.analysis.family import family_of_sides
from vbench_lite.analysis.quantities import quantities
from vbench_lite.errors import NotComparable
from vbench_lite.records import Price
from vbench_lite.run.summary import Floor, Usability
from vbench_lite.run.view import Run, Side, open_run


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
    assert ("runs have different prompts" in (unlike_for(fvd, found) or "")) is unlike
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


def changed(run: Run, **plan: Any) -> Run:
    """The same run with another plan."""
    manifest = dataclasses.replace(run.manifest, plan=dataclasses.replace(run.manifest.plan, **plan))
    run.folder.write_manifest(manifest)
    return open_run(run.path)


OTHER_SUITE = {"name": "ads", "title": "", "digest": "x", "prompts": [{"id": "p000", "text": "new"}]}
OTHER_METRIC = {"metric": {"version": "2", "unit": "points", "backbone": "net@1"}}


@pytest.mark.parametrize(
    ("how", "plan", "overlap", "what"),
    [
        ({}, {"reference": "real"}, "all", [("the reference of real clips", "none", "real", "--reference none")]),
        ({}, {"backbones": "standard"}, "all",
         [("the set of backbones", '"builtin"', '"standard"', "--backbones builtin")]),
        ({}, {"prompts": ("p000", "p001")}, "all",
         [("the choice of prompts", "6 of 6 prompts", "2 of 6 prompts", "--clips-per-prompt 2")]),
        ({}, {"clips_of": {"p001": 5}}, "all",
         [("the number of clips", "2 per prompt", "2 to 5 per prompt, 15 in all", "vbench run --suite ads")]),
        ({"prompts": 7}, {}, "all", [("the suite", '"ads" ', '"ads" ', '1 prompts differ, such as "p006". Run')]),
        ({"prompts": 7}, {"reference": "real"}, "all", [("the suite", '"ads" ', '"ads" ', "Run the candidate with")]),
        ({"prompts": 7}, {"reference": "real"}, "common",
         [("the reference of real clips", "none", "real", "Score one again")]),
        ({"prompts": 7}, {}, "sample", []),
        ({"manifest": {"suite": OTHER_SUITE}, "prompts": 1}, {}, "common",
         [("every prompt", '"ads" ', '"ads" x', "Run the candidate with the plan")]),
        ({"notes": {"protocol": "b"}}, {}, "all", [("the scoring protocol", "a", "b", "Score both with one version")]),
    ],
)  # fmt: skip
def test_each_difference_is_stated_for_both_sides_with_a_remedy(
    tmp_path: Path, how: dict[str, Any], plan: dict[str, Any], overlap: Any, what: list[tuple[str, str, str, str]]
) -> None:
    found = pair(tmp_path, {"prompts": 6, "notes": {"protocol": "a"}}, overlap, **({"prompts": 6} | how))
    for run in (found.baseline.run, found.candidate.run):
        (run.path / "clips").mkdir()
    if plan:
        found = dataclasses.replace(found, candidate=Side(changed(found.candidate.run, **plan), "model"))
    stated = list(differences(found))
    assert [each.what for each in stated] == [each[0] for each in what]
    for each, (_, old, new, remedy) in zip(stated, what, strict=True):
        assert each.baseline.startswith(old)
        assert each.candidate.startswith(new)
        assert remedy in each.remedy
    if stated:
        with pytest.raises(NotComparable, match=stated[0].what):
            require_comparable(found)
    else:
        require_comparable(found)


def test_a_metric_of_another_version_unit_and_network_differs_three_times(tmp_path: Path) -> None:
    found = [d for d in differences(pair(tmp_path, **OTHER_METRIC)) if d.what.endswith('"detail"')]
    assert [(d.what.split(" of ")[0], d.baseline, d.candidate) for d in found] == [
        ("the version", "1", "2"), ("the backbone", "None", "net@1"), ("the unit", "", "points"),
    ]  # fmt: skip


def named(tmp_path: Path, *names: str) -> Run:
    """A run of several generators, of which only the manifest is needed."""
    whole = open_run(write(tmp_path, prompts=2))
    model = whole.manifest.generators["model"]
    made = {name: dataclasses.replace(model, name=name) for name in names}
    whole.folder.write_manifest(dataclasses.replace(whole.manifest, generators=made))
    return open_run(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "pairs"),
    [
        ("ab", "ab", "aa bb"), ("ab", "abc", "aa bb"), ("a", "b", "ab"), ("ab:a", "b", "ab"), ("ab:a", "ab", "aa"),
        ("ab", "ab:b", "bb"), ("ab", "ac", None), ("ab:a", "bc", None), ("ab", "bc:c", None), ("ab:a", "ab:b", "ab"),
    ],
)  # fmt: skip
def test_generators_are_matched_by_the_name_that_is_given_else_by_their_own(
    tmp_path: Path, old: str, new: str, pairs: str | None
) -> None:
    sides = []
    for folder, text in (("old", old), ("new", new)):
        names, _, selected = text.partition(":")
        sides.append(named(tmp_path / folder, *names).selecting(selected or None))
    if pairs is None:
        with pytest.raises(NotComparable, match=rf"no generator \"[{old}]\".*Name one on each side, such as .*old:"):
            match(*sides)
    else:
        found = match(*sides, prompts="common")
        assert " ".join(p.baseline.generator + p.candidate.generator for p in found) == pairs
        assert {p.prompts for p in found} == {"common"}
        assert all((p.baseline.run, p.candidate.run) == tuple(sides) for p in found)


def test_grids_are_aligned_over_shared_prompts_and_the_first_clips(tmp_path: Path) -> None:
    old, new = (open_run(write(tmp_path / str(n), prompts=n, clips=k)) for n, k in ((6, 3), (4, 2)))
    new = changed(new, prompts=("p003", "p000", "p002"), clips_of={"p000": 1})
    one, other = align(old.grids["model"], new.grids["model"])
    assert one.prompts == other.prompts == ("p000", "p002", "p003")
    assert one.categories == other.categories == ("footwear", "home", "toys")
    assert one.made.shape == other.made.shape == (3, 2)
    assert (one.clips_of, other.clips_of) == ((), (1, 2, 2))
    assert one.values("detail")[1:].tolist() == old.grids["model"].values("detail")[2:4, :2].tolist()
    some, _ = align(old.grids["model"], new.grids["model"], {"p002", "p005"})
    assert some.prompts == ("p002",)
    assert align(old.grids["model"], old.grids["model"])[0] is old.grids["model"]
    assert align(old.grids["model"], old.grids["model"], {"p001"})[1].prompts == ("p001",)
    assert shared_prompts(new.manifest, old.manifest) == ["p000", "p002", "p003"]


def test_only_prompts_of_some_categories_are_taken(tmp_path: Path) -> None:
    found = pair(tmp_path, prompts=10)
    found = GeneratorPair(found.candidate, found.candidate)
    old, new = found.only({"drinks", "toys"})
    assert old.prompts == new.prompts == ("p001", "p003", "p006", "p008")
    assert found.only(set()) == (found.old, found.new)
    assert found.same_clips.all()


@pytest.mark.parametrize(
    ("quantity", "how", "reported"),
    [
        ("motion", {}, True),
        ("detail", {}, False),
        ("peak_rss_mb", {}, True),
        ("peak_memory_mb", {}, True),
        ("device_s_per_clip", {}, False),
        ("peak_reserved_mb", {}, False),
        ("peak_memory_mb", {"manifest": {"device": {"kind": "cuda", "name": "H200", "count": 1}}}, True),
    ],
)
def test_what_has_no_direction_and_main_memory_between_runs_is_only_reported(
    tmp_path: Path, quantity: str, how: dict[str, Any], reported: bool
) -> None:
    found = pair(tmp_path, **how)
    known = quantities(found.baseline.run.metrics)
    assert is_only_reported(known[quantity], found) is reported
    itself = GeneratorPair(found.baseline, found.baseline)
    assert is_only_reported(known[quantity], itself) is (quantity == "motion")


def test_memory_of_two_gpu_runs_is_judged(tmp_path: Path) -> None:
    gpu = {"manifest": {"device": {"kind": "cuda", "name": "H200", "count": 1}}}
    found = pair(tmp_path, gpu, **gpu)
    known = quantities(found.baseline.run.metrics)
    assert [is_only_reported(known[name], found) for name in ("peak_memory_mb", "peak_rss_mb")] == [False, True]


HOURLY = {"usd_per_device_hour": 0.2}
PER_CLIP = {"usd_per_clip": 0.5}


@pytest.mark.parametrize(
    ("quantity", "how", "why"),
    [
        ("usd_per_clip", {"prices": {"model": HOURLY}}, "the price differs: .*0.1.* in the base.*0.2.*--prices FILE"),
        ("device_s_per_clip", {"prices": {"model": HOURLY}}, None),
        ("attempts_per_usable_clip", {"prices": {"model": HOURLY}}, None),
        ("usd_per_usable_clip", {"prices": {"model": PER_CLIP}}, "the price differs"),
        ("usd_per_clip", {"prices": {"model": PER_CLIP}, "device": {"kind": "cuda", "name": "X", "count": 1}},
         "the device differs: 1 x Test CPU in the baseline, 1 x X in the candidate.*--out results/baseline-here"),
        ("device_s_per_clip", {"device": {"kind": "cuda", "name": "X", "count": 1}}, "the device differs"),
        ("detail", {"device": {"kind": "cuda", "name": "X", "count": 1}}, None),
        ("attempts_per_usable_clip", {"device": {"kind": "cuda", "name": "X", "count": 1}}, None),
    ],
)  # fmt: skip
def test_costs_mean_something_else_at_another_price_or_device(
    tmp_path: Path, quantity: str, how: dict[str, Any], why: str | None
) -> None:
    found = pair(tmp_path, manifest=how)
    reason = unlike_for(quantities(found.baseline.run.metrics)[quantity], found)
    if why is None:
        assert reason is None
    else:
        assert re.search(why, reason or "")


@pytest.mark.parametrize(
    ("old", "new", "unlike"),
    [(0.1, 0.2, True), (0.1, None, False), (None, 0.2, False), (None, None, False), (0.1, 0.1, False)],
)
def test_two_generators_at_hourly_prices_need_the_same_one(
    tmp_path: Path, old: float | None, new: float | None, unlike: bool
) -> None:
    sides = []
    for name, rate in (("old", old), ("new", new)):
        run = named(tmp_path / name, name)
        price = Price(usd_per_device_hour=rate, usd_per_clip=None if rate else 0.5 if name == "old" else 0.7)
        run.folder.write_manifest(dataclasses.replace(run.manifest, prices={name: price}))
        sides.append(Side(open_run(run.path), name))
    found = GeneratorPair(*sides)
    reason = unlike_for(quantities(found.baseline.run.metrics)["usd_per_clip"], found)
    assert ("the price differs" in (reason or "")) is unlike


def test_other_thresholds_make_other_usable_clips_and_those_of_the_reference_do_not(tmp_path: Path) -> None:
    def with_thresholds(name: str, least: float, source: str) -> Side:
        run = open_run(write(tmp_path / name, manifest={"typed": {"thresholds": "t.toml"}}))
        (run.path / "clips").mkdir()
        floors = {"detail": Floor(least, None, source)}
        run.folder.write_summary(dataclasses.replace(run.summary, usable=Usability(floors)))
        return Side(open_run(run.path), "model")

    old = with_thresholds("old", 0.5, "suite")
    known = quantities(old.run.metrics)
    for name, least, source, differs in (
        ("a", 0.6, "suite", True), ("b", 0.5, "file", False), ("c", 0.5, "reference", True),
    ):  # fmt: skip
        found = GeneratorPair(old, with_thresholds(name, least, source))
        for quantity in ("usable", "usd_per_usable_clip", "attempts_per_usable_clip", "failed", "usd_per_clip"):
            reason = unlike_for(known[quantity], found) or ""
            assert ("--thresholds t.toml" in reason) is (differs and "usable" in quantity)
    both = GeneratorPair(*(with_thresholds(name, least, "reference") for name, least in (("d", 0.1), ("e", 0.2))))
    assert unlike_for(known["usable"], both) is None


def test_a_suite_that_differs_in_no_prompt_names_none(tmp_path: Path) -> None:
    found = pair(tmp_path, prompts=6)
    other = open_run(write(tmp_path / "other", prompts=6))
    manifest = dataclasses.replace(other.manifest, suite=dataclasses.replace(other.manifest.suite, digest="x"))
    other.folder.write_manifest(manifest)
    (difference,) = differences(GeneratorPair(found.candidate, Side(open_run(other.path), "model")))
    assert difference.what == "the suite"
    assert difference.remedy.startswith("Run the candidate with the plan of the baseline: vbench run")
