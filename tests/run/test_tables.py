"""clips.csv as grids, cell by cell; and files of format 1, brought to today's form."""

import numpy as np
import pytest

from vbench_lite.errors import StoreError
from vbench_lite.records import FORMAT, Prompt, Suite
from vbench_lite.run import format1
from vbench_lite.run.clips import read_grids
from vbench_lite.run.manifest import Manifest, PlanRecord, StoredDefinition

TABLE = """generator,prompt_id,index,status,motion,flag,mixed
two,a,0,ok,9,true,1
one,b,0,failed,,,
one,a,0,ok,0.5,true,word

one,a,1,ok,inf,false,2
one,a,2,ok,7,true,3
one,c,0,ok,7,true,3
one,a,x,ok,7,true,3
"""


def manifest(clips_of=None, format=FORMAT, clips=2):
    suite = Suite("s", "S", (Prompt("a", "an a", "vowels"), Prompt("b", "a b", "others"), Prompt("d", "a d")), "")
    names = ("one", "two")
    stored = {name: StoredDefinition(name, "diffusion", "simulated") for name in names}
    return Manifest(format, "run", suite, PlanRecord(("a", "b"), clips, clips_of=clips_of or {}), stored)


@pytest.fixture
def table(tmp_path):
    def write(text=TABLE):
        (tmp_path / "clips.csv").write_text(text)
        return tmp_path / "clips.csv"

    return write


def test_every_asked_clip_has_a_cell(table):
    grids = read_grids(table(), manifest(), "Score it")
    one, two = grids["one"], grids["two"]
    assert (one.prompts, one.categories, one.clips, one.clips_of) == (("a", "b"), ("vowels", "others"), 4, ())
    assert one.made.tolist() == [[True, True], [False, False]]
    assert one.missing.tolist() == [[False, False], [False, True]]
    assert one.tried.tolist() == [[True, True], [True, False]]
    assert one.asked.all()
    nan = np.nan
    np.testing.assert_array_equal(one.values("motion"), [[0.5, nan], [nan, nan]])
    np.testing.assert_array_equal(one.values("flag"), [[1, 0], [nan, nan]])
    np.testing.assert_array_equal(one.values("mixed"), [[nan, 2], [nan, nan]])
    np.testing.assert_array_equal(two.values("motion"), [[9, nan], [nan, nan]])
    assert one.text("absent").tolist() == [["", ""], ["", ""]]
    assert (one.has("motion"), one.has("absent")) == (True, False)


def test_prompts_may_have_different_numbers_of_clips(table):
    grid = read_grids(table(), manifest({"a": 3}, clips=1), "Score it")["one"]
    assert (grid.clips_of, grid.clips) == ((3, 1), 4)
    assert grid.asked.tolist() == [[True, True, True], [True, False, False]]
    assert grid.tried.tolist() == grid.asked.tolist()
    assert not grid.missing.any()
    np.testing.assert_array_equal(grid.values("motion")[0], [0.5, np.nan, 7])


@pytest.mark.parametrize("read_first", [True, False])
def test_some_of_the_prompts_keep_their_own_cells(table, read_first):
    grid = read_grids(table(), manifest({"a": 3}, clips=1), "Score it")["one"]
    if read_first:
        grid.values("motion")
    part = grid.only(np.array([True, False]))
    assert (part.generator, part.prompts, part.categories, part.clips_of) == ("one", ("a",), ("vowels",), (3,))
    np.testing.assert_array_equal(part.values("motion"), [[0.5, np.nan, 7]])
    np.testing.assert_array_equal(part.values("flag"), [[1, 0, 1]])
    assert part.made.tolist() == [[True, True, True]]
    assert grid.only(np.array([True, True])) is grid


@pytest.mark.parametrize(
    ("text", "words"),
    [("generator,index\n", "lacks the columns prompt_id, status"), (TABLE + "one,a\n", "row 9 has another number"),
     ("", "lacks the columns")],
)  # fmt: skip
def test_another_file_is_no_table_of_clips(table, text, words):
    with pytest.raises(StoreError, match=rf"{words}.*Score it\."):
        read_grids(table(text), manifest(), "Score it")


def test_a_table_of_format_1_is_read_with_todays_names_and_codes(table):
    text = f"""generator,prompt_id,index,status,reason,flicker,unusable_because
one,a,0,failed,{format1.NEVER_GENERATED},,
one,a,1,failed,no frames,,failed: no frames
one,b,0,ok,,0.9,flicker: 0.9 is below 0.95; motion: 3 is above 2; detail: not scored
"""
    grid = read_grids(table(text), manifest(format=1), "Score it")["one"]
    assert grid.text("status").tolist() == [["missing", "failed"], ["ok", ""]]
    assert grid.missing.tolist() == [[True, False], [False, True]]
    assert grid.values("temporal_flickering")[1, 0] == 0.9
    codes = "below_threshold:temporal_flickering;above_threshold:motion;not_scored:detail"
    assert grid.text("unusable_codes").tolist() == [["", "failed"], [codes, ""]]


def test_a_summary_of_format_1_gets_todays_names_units_and_questions():
    old = {
        "metrics": {"flicker": {"unit": "share"}, "kvd": {"unit": "squared"}, "own": {"unit": "m"}, "odd": 3,
                    "warp_error": {"unit": "squared"}, "none": {"unit": None}},
        "usable": {"thresholds": {"flicker": 1}}, "generators": {"one": {"scores": {"flicker": 2}}, "two": 4},
        "notes": {"anchors": {"drift": {"flicker": 5}}},
    }  # fmt: skip
    assert format1.summary(old) == {
        "metrics": {
            "temporal_flickering": {"unit": "fraction", "question": "coherence", "rank": 3},
            "kvd": {"unit": "squared distance", "question": "set", "rank": 3},
            "own": {"unit": "m", "question": "", "rank": 10}, "odd": 3,
            "warp_error": {"unit": "mse", "question": "coherence", "rank": 2},
            "none": {"unit": None, "question": "", "rank": 10},
        },
        "usable": {"thresholds": {"temporal_flickering": 1}},
        "generators": {"one": {"scores": {"temporal_flickering": 2}}, "two": 4},
        "notes": {"anchors": {"drift": {"temporal_flickering": 5}}},
    }  # fmt: skip


def test_a_manifest_and_a_history_of_format_1_get_todays_names():
    assert format1.manifest({"suite": {"usable": {"flicker": 1}, "x": 2}, "y": 3}) == {
        "suite": {"usable": {"temporal_flickering": 1}, "x": 2}, "y": 3,
    }
    old = {"promotions": [{"means": {"one": {"flicker": 1}, "two": 2}, "medians": {"one": {"flicker": 3}}, "at": 4}, 5]}
    assert format1.history(old) == {
        "promotions": [
            {"means": {"one": {"temporal_flickering": 1}, "two": 2}, "medians": {"one": {"temporal_flickering": 3}},
             "at": 4}, 5,
        ]
    }  # fmt: skip


@pytest.mark.parametrize("broken", [{}, {"suite": 3}, {"suite": {"usable": 3}}])
def test_what_is_no_record_of_format_1_is_left_for_the_check_of_types(broken):
    assert format1.manifest(broken) == broken
    assert format1.summary({"metrics": 3, "usable": {"thresholds": 1}, "generators": 2, "notes": {"anchors": 4}}) == {
        "metrics": 3, "usable": {"thresholds": 1}, "generators": 2, "notes": {"anchors": 4},
    }
    assert format1.history({"promotions": 3}) == {"promotions": 3}
