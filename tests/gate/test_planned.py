"""Which quantities and categories one [[check]] is about, under which id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gate.releases import write
from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.errors import BadFile
from vbench_lite.gate.planned import check_id, expand
from vbench_lite.gate.policy import read_policy
from vbench_lite.run.view import Side, open_run


def planned(tmp_path: Path, text: str, **release: Any) -> list[tuple[str, str]]:
    """(id, category) of each planned check."""
    run = open_run(write(tmp_path / "run", **{"prompts": 7} | release))
    (tmp_path / "gate.toml").write_text(f"[[check]]\n{text}")
    policy = read_policy(tmp_path / "gate.toml")
    (check,) = policy.checks
    sides = GeneratorPair(Side(run, "model"), Side(run, "model"))
    found = expand(check, sides, policy)
    return [(check_id(check, quantity, "model", category), category) for quantity, category in found]


MEAN = "rule = 'non-inferior'\nmargin = 0"
SCORES = ("temporal_flickering", "clip_frames", "warp_error", "detail", "clip_text")


def test_scores_are_those_of_clips_with_a_direction_but_conformance(tmp_path: Path) -> None:
    found = planned(tmp_path, f"metric = 'scores'\n{MEAN}")
    assert found == [(f"model/{name}/non-inferior", "") for name in SCORES]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (f"metric = 'detail'\n{MEAN}", ["detail/non-inferior"]),
        (f"metric = 'device_s'\n{MEAN}", ["device_s_per_clip/non-inferior"]),
        (f"metric = 'detail'\n{MEAN}\nstatistic = 'worst-decile'", ["detail/non-inferior/worst-decile"]),
        ("metric = 'motion'\nrule = 'max'\nvalue = 1", ["motion/max"]),
        ("rule = 'no-new-failures'", ["no-new-failures"]),
        ("rule = 'no-new-failures'\neach = 'category'", [f"no-new-failures/{name}" for name in (
            "drinks", "footwear", "home", "toys", "watches")]),
        ("metric = 'fvd'\nrule = 'min'\nvalue = 1\neach = 'category'\ncategories = ['toys', 'home']",
         ["fvd/min/toys", "fvd/min/home"]),
        ("metric = 'fvd'\nrule = 'min'\nvalue = 1\ncategories = ['toys', 'home']", ["fvd/min"]),
        ("metric = 'none'\nrule = 'min'\nvalue = 1\nunmeasured = 'skip'", ["none/min"]),
        ("metric = 'detail'\nrule = 'min'\nvalue = 1\ncategories = ['none']\nunmeasured = 'skip'", ["detail/min"]),
    ],
)  # fmt: skip
def test_a_check_is_planned_for_each_of_its_categories(tmp_path: Path, text: str, ids: list[str]) -> None:
    assert [id_ for id_, _ in planned(tmp_path, text)] == [f"model/{id_}" for id_ in ids]


def test_a_run_of_one_category_has_no_checks_by_category(tmp_path: Path) -> None:
    text = f"metric = 'detail'\n{MEAN}\neach = 'category'"
    assert planned(tmp_path, text, prompts=1) == []
    assert [category for _, category in planned(tmp_path, text, prompts=2)] == ["drinks", "footwear"]


@pytest.mark.parametrize(
    ("text", "metric", "says"),
    [
        (f"metric = 'motion'\n{MEAN}", {}, 'gate.toml:2: "motion" has no direction: use "min" or "max"'),
        ("metric = 'motion'\nrule = 'min'\nvalue = 0", {"origin": "program"}, 'gate.toml:2: "motion" has no direction'),
        (f"metric = 'detail'\n{MEAN}\ncategories = ['toy']", {}, 'gate.toml:5: no category named "toy"'),
        (f"{MEAN}\nmetric = 'details'", {}, 'gate.toml:4: no metric or cost named "details"'),
    ],
)  # fmt: skip
def test_what_cannot_be_checked_is_an_error_with_its_line(
    tmp_path: Path, text: str, metric: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadFile) as caught:
        planned(tmp_path, text, metric=metric)
    assert says in str(caught.value)
    assert planned(tmp_path, f"metric = 'detail'\n{MEAN}", metric=metric) == [("model/detail/non-inferior", "")]
