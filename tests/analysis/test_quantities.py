"""Names of figures, and their values by clip and by prompt."""

from __future__ import annotations

import numpy as np
import pytest

from vbench_lite.analysis.quantities import (
    COSTS,
    HUMAN,
    RATIOS,
    SHARES,
    Quantity,
    clip_values,
    find_cost,
    find_quantity,
    quantities,
    ratio_parts,
)
from vbench_lite.errors import UnknownName
from vbench_lite.records import MetricInfo
from vbench_lite.run.clips import ClipGrid

INFOS = {
    "detail": MetricInfo("detail", "%", True, "1", None, "clip", range=(0.0, 1.0)),
    "fvd": MetricInfo("fvd", "", False, "1", None, "set"),
    "human_usable": MetricInfo("human_usable", "", True, "1", None, "clip"),
}
GRID = ClipGrid(
    "g", ("p", "q", "r"), ("", "", ""),
    {
        "status": np.array([["ok", "failed"], ["ok", "missing"], ["ok", "ok"]], "U9"),
        "usable": np.array([[1.0, 0.0], [0.0, np.nan], [1.0, np.nan]]),
        "cost_usd": np.array([[2.0, 1.0], [np.nan, np.nan], [5.0, 4.0]]),
        "energy_j": np.array([[3600.0, 7200.0], [np.nan, 1.0], [0.0, 1800.0]]),
        "detail": np.array([[0.5, 0.7], [0.6, 0.8], [np.nan, 0.9]]),
    },
)  # fmt: skip
NAN = np.nan


def test_figures_are_found_by_name_and_by_column() -> None:
    known = quantities(INFOS)
    assert list(known)[:3] == ["detail", "fvd", "device_s_per_clip"]
    assert known["detail"] == Quantity("detail", "%", True, "score", "detail", range=(0.0, 1.0))
    assert (known["fvd"].kind, known["human_usable"].kind, known["human_usable"]) == ("set", "human", HUMAN[0])
    assert len(known) == 2 + len(COSTS) + len(SHARES) + len(RATIOS) + len(HUMAN)
    assert find_quantity("fvd", INFOS) is not None
    assert find_quantity("energy_j", INFOS).name == find_quantity("energy_wh_per_clip", INFOS).name
    with pytest.raises(UnknownName, match="vbench list metrics"):
        find_quantity("detial", INFOS)
    costs = (find_cost("cost_usd"), find_cost("usd_per_usable_clip"), find_cost("wall_s_per_clip"))
    assert [cost and cost.name for cost in costs] == ["usd_per_clip", "usd_per_usable_clip", "wall_s_per_clip"]
    assert (find_cost(""), find_cost("usable"), find_cost("detail")) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("failed", [[0, 1], [0, NAN], [0, 0]]), ("usable", [[1, 0], [0, NAN], [1, NAN]]),
        ("usd_per_clip", [[2, 1], [NAN, NAN], [5, 4]]), ("energy_wh_per_clip", [[1, 2], [NAN, NAN], [0, 0.5]]),
        ("detail", [[0.5, NAN], [0.6, NAN], [NAN, 0.9]]),
    ],
)  # fmt: skip
def test_a_failed_clip_has_a_cost_and_no_score_and_a_missing_one_has_nothing(name: str, values: list) -> None:
    assert np.array_equal(clip_values(quantities(INFOS)[name], GRID), np.array(values, float), equal_nan=True)


def test_what_is_spent_and_got_by_prompt() -> None:
    money, attempts = (ratio_parts(quantity, GRID) for quantity in RATIOS)
    assert [part.tolist() for part in money] == [[3, 5, 9], [1, 0, 1]]
    assert [part.tolist() for part in attempts] == [[2, 1, 2], [1, 0, 1]]
    unknown = ClipGrid("g", GRID.prompts, GRID.categories, {**GRID.cells, "cost_usd": np.full((3, 2), NAN)})
    assert np.isnan(ratio_parts(RATIOS[0], unknown)[0]).all()
