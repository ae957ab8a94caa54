"""Votes as arrays."""

import numpy as np

from tests.analysis.people.voting import choice, look
from vbench_lite.analysis.people.tables import pair_table, usable_table


def test_looks_become_rows_without_repeats_and_pairs() -> None:
    table = usable_table([
        look("p1", False, rater="bob", seconds=4.0), look("p0", True), look("p0", False, rater="bob", generator="b"),
        look("p0", False, repeat=True), choice("p0", "a", "b", "left"),
    ])  # fmt: skip
    assert table.clips == (("r", "a", "p0", 0), ("r", "a", "p1", 0), ("r", "b", "p0", 0))
    assert (table.clip.tolist(), table.keep.tolist()) == ([1, 0, 2], [0, 1, 0])
    assert np.isnan(table.seconds).tolist() == [False, True, True]
    assert table.seconds[0] == 4
    assert {table.keep.dtype, table.seconds.dtype, usable_table([]).keep.dtype} == {np.dtype(float)}
    assert (table.clip.dtype, usable_table([]).clip.dtype) == (np.intp, np.intp)
    assert (table.clusters.prompts.tolist(), table.clusters.raters.tolist()) == ([1, 0, 0], [1, 0, 1])
    assert table.of_generator("r", "a").tolist() == [True, True, False]
    assert table.of_generator("s", "a").tolist() == [False] * 3
    assert usable_table([]).of_generator("r", "a").tolist() == []


def test_pairs_become_rows_with_the_points_of_the_left_clip() -> None:
    answers = ("left", "right", "same", "neither")
    votes = [choice(f"p{n}", "b", "s:a", answer) for n, answer in enumerate(answers)]
    table = pair_table([*votes, choice("p9", "b", "c", "left", repeat=True), look("p0", True)], "quality", "r")
    assert table.entries == ("b", "s:a")
    assert (table.left.tolist(), table.right.tolist()) == ([0] * 4, [1] * 4)
    assert (table.points.tolist(), table.both.tolist()) == ([1, 0, 0.5, 0.5], [0, 0, 0, 1])
    assert table.decided.tolist() == [True, True, False, False]
    assert table.pair[1] == (("r", "b", "p1", 0), ("s", "a", "p1", 0))
    empty = pair_table(votes, "prompt", "r")
    assert (empty.entries, empty.points.tolist()) == ((), [])
    assert {each.dtype for each in (table.both, table.points, empty.both)} == {np.dtype(float)}
    assert {each.dtype for each in (table.left, empty.left, empty.right)} == {np.dtype(np.intp)}
