"""Totals by closed forms: the ends of every range, the weights, and what is missing."""

from __future__ import annotations

import pytest

from vbench_lite.analysis.answers.vbench_totals import FAMILIES, VBENCH, VBENCH_2, VBENCH_I2V, family_of, totals


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.title)
def test_the_ends_of_the_ranges_give_0_and_1_and_nothing_is_cut_off(family):
    ends = {name: family.ranges.get(name, (0.0, 1.0)) for name in family.dimensions}
    for share in (0.0, 0.25, 1.0, 1.5, -0.5):
        found = totals(family, {name: low + share * (high - low) for name, (low, high) in ends.items()})
        assert found.total == pytest.approx(share)
        assert all(group.value == pytest.approx(share) for group in found.groups.values())


def influence(family, dimension):
    """How far the total moves when one dimension goes from the lowest to the highest value."""
    low = {name: family.ranges.get(name, (0.0, 1.0))[0] for name in family.dimensions}
    return totals(family, low | {dimension: family.ranges.get(dimension, (0.0, 1.0))[1]}).total


def test_weights_are_those_of_vbench():
    assert influence(VBENCH, "subject_consistency") == pytest.approx(4 / 5 / 6.5)
    assert influence(VBENCH, "dynamic_degree") == pytest.approx(4 / 5 * 0.5 / 6.5)
    assert influence(VBENCH, "scene") == pytest.approx(1 / 5 / 9)
    assert influence(VBENCH_I2V, "camera_motion") == pytest.approx(0.1 / 2.1 / 2)
    assert influence(VBENCH_I2V, "i2v_subject") == pytest.approx(1 / 2.1 / 2)
    assert influence(VBENCH_I2V, "dynamic_degree") == pytest.approx(0.5 / 5.5 / 2)
    assert influence(VBENCH_2, "composition") == pytest.approx(1 / 2 / 5)
    assert influence(VBENCH_2, "camera_motion") == pytest.approx(1 / 7 / 5)
    assert [len(family.dimensions) for family in FAMILIES] == [16, 9, 18]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.title)
def test_without_any_one_dimension_there_is_no_total_and_its_group_alone_is_lost(family):
    for lost in family.dimensions:
        found = totals(family, {name: 0.5 for name in family.dimensions if name != lost})
        assert (found.total, found.missing) == (None, (lost,))
        empty = [name for name, group in found.groups.items() if group.value is None]
        assert empty == [name for name, dimensions in family.groups.items() if lost in dimensions]


def test_the_benchmark_is_known_by_the_dimensions_that_it_alone_has():
    assert family_of(["subject_consistency", "camera_motion"]) is VBENCH
    assert family_of([*VBENCH_I2V.dimensions]) is VBENCH_I2V
    assert family_of([*VBENCH_2.dimensions]) is VBENCH_2
    assert family_of([]) is VBENCH
