"""clips.csv as grids, cell by cell; and files of format 1, brought to today's form."""

import dataclasses

import numpy as np
import pytest

from vbench_lite.errors import StoreError
from vbench_lite.records import FORMAT, Prompt, Suite
from vbench_lite.run import format1
from vbench_lite.run.clips import ClipGrid, read_grids
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
    [("generator,index\n", "lacks the columns prompt_id, status"), (TABLE + "one,a\n", "row 9 has a different number"),
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


def test_rows_are_put_by_generator_prompt_and_whole_number_and_texts_are_flags_or_numbers(table):
    text = """generator,prompt_id,index,status,motion,flag
one,a,01,ok,1,true
one,a,-1,ok,1,true
one,a,1.0,ok,1,true
one,d,0,ok,1,true
three,a,0,ok,1,true
one,b,1,ok,-2.5e-1,False
one,b,1,ok,nan,-inf
two,b,1,ok,0.125,false
"""
    grids = read_grids(table(text), manifest(), "Score it")
    assert not grids["one"].made[0].any()
    assert grids["one"].made.tolist() == [[False, False], [False, True]]
    assert np.isnan(grids["one"].values("motion")).all()
    assert (grids["two"].values("motion")[1, 1], grids["two"].values("flag")[1, 1]) == (0.125, 0.0)
    assert np.isnan(grids["one"].values("none")).all()
    assert grids["one"].values("none").shape == (2, 2)
    assert grids["one"].missing.tolist() == [[True, True], [True, False]]


def test_a_plan_without_prompts_has_an_empty_table(table):
    empty = dataclasses.replace(manifest(), plan=PlanRecord((), 2))
    grid = read_grids(table(), empty, "Score it")["one"]
    assert (grid.made.shape, grid.clips, grid.clips_of) == ((0, 0), 0, ())


def test_grids_of_numbers_keep_them_and_prompts_without_a_category_have_none(table):
    other = dataclasses.replace(manifest(), plan=PlanRecord(("d", "a"), 1))
    grid = read_grids(table(), other, "Score it")["one"]
    assert grid.categories == ("", "vowels")
    numbers = ClipGrid("one", ("a",), ("",), {"status": np.array([["ok", "x"]]), "score": np.array([[1.5, np.inf]])})
    np.testing.assert_array_equal(numbers.values("score"), [[1.5, np.nan]])
    assert numbers.text("none").tolist() == [["", ""]]


@pytest.mark.parametrize(
    ("write", "words"), [(None, "is missing: the run is not scored. Score it."), (b"\xff\xfe", "cannot be read: "),
                         (b"generator,prompt_id,index,status\none,a,0,\"ok", "cannot be read: ")],
)  # fmt: skip
def test_a_table_that_cannot_be_read_is_named(tmp_path, write, words):
    path = tmp_path / "clips.csv"
    if write is not None:
        path.write_bytes(write)
    with pytest.raises(StoreError) as caught:
        read_grids(path, manifest(), "Score it")
    assert str(caught.value).startswith(f"{path} {words}")
    assert str(caught.value).endswith(" Score it.")


def test_codes_of_format_1_come_from_its_words():
    because = np.array([["failed: x", "conformance: black; y: 3 is above 2"], ["", "z: not scored; w: odd"]], object)
    assert format1.unusable_codes(because).tolist() == [
        ["failed", "other;above_threshold:y"], ["", "not_scored:z;below_threshold:w"],
    ]  # fmt: skip
    status = np.array(["failed", "failed", "ok"], object)
    never = format1.NEVER_GENERATED
    reason = np.array([f"{never}, ever", f"x {never}", never], object)
    assert format1.status(status, reason).tolist() == ["missing", "failed", "ok"]
    assert [format1.column(name) for name in ("flicker", "detail")] == ["temporal_flickering", "detail"]


def test_questions_of_format_1_have_their_ranks():
    names = ["clip_frames", "warp_error", "flicker", "detail", "clip_text", "fvd_corrected", "fvd", "kvd", "own"]
    found = format1.summary({"metrics": {name: {"unit": "sides/s"} for name in names}})["metrics"]
    assert [(each["question"], each["rank"]) for each in found.values()] == [
        ("coherence", 1), ("coherence", 2), ("coherence", 3), ("detail", 1), ("prompt", 1), ("set", 1), ("set", 2),
        ("set", 3), ("", 10),
    ]  # fmt: skip
    assert {each["unit"] for each in found.values()} == {"frame sides/s", "squared distance"}
