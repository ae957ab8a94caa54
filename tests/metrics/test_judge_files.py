"""A judge's file becomes metrics, value by value; and what no judge can be is refused."""

import pytest

from vbench_lite.errors import BadFile
from vbench_lite.metrics._judge import JudgedMetric, judged_metrics, known_judges

FILE = """
command = ["python", "judge.py", "{clip}"]
version = "3"
cwd = "work"
env = { SEED = 7 }
time_limit_s = 2
load_limit_s = 9.5
workers = 2
stop_after_failures = 4
source = "a paper"
licence = "MIT"
[[score]]
name = "sharp_edges"
range = [1, "inf"]
unit = "points"
higher_is_better = false
question = "detail"
rank = 3
title = "Edges"
pitfalls = "none known"
description = "How sharp edges are."
[[score]]
name = "good_looks"
range = [0, 5]
"""


@pytest.fixture
def metrics(tmp_path):
    def read(text=FILE):
        (tmp_path / "judge.toml").write_text(text)
        return judged_metrics(tmp_path / "judge.toml")

    return read


def test_every_key_of_a_file_reaches_the_judge(metrics, tmp_path):
    first, second = metrics()
    judge = first.judge
    assert second.judge is judge
    assert (judge.name, judge.command, judge.scores) == ("judge", ("python", "judge.py", "{clip}"), (
        "sharp_edges", "good_looks",
    ))  # fmt: skip
    assert (judge.cwd, judge.env, judge.resident, judge.folder) == ("work", {"SEED": "7"}, False, tmp_path.resolve())
    limits = (judge.time_limit_s, judge.load_limit_s, judge.workers, judge.stop_after_failures)
    assert limits == (2, 9.5, 2, 4)
    assert first.version == f"3+{judge.identity[:8]}"


def test_every_key_of_a_score_reaches_its_metric(metrics):
    first, second = metrics()
    assert issubclass(first, JudgedMetric)
    assert (first.name, first.title, first.unit, first.range) == ("sharp_edges", "Edges", "points", (1, float("inf")))
    assert (first.higher_is_better, first.question, first.rank) == (False, "detail", 3)
    assert (first.pitfalls, first.description) == ("none known", "How sharp edges are.")
    assert (first.source, first.licence) == ("a paper", "MIT")
    assert (second.title, second.unit, second.range, second.rank) == ("Good looks", "", (0, 5), 10)
    assert (second.higher_is_better, second.question, second.pitfalls) == (None, "", "")
    assert second.description == "A score of the program in judge.toml."


def test_what_a_file_does_not_state_has_the_documented_default(metrics):
    judge = metrics('command = ["a", "{clip}"]\nversion = "1"\n[[score]]\nname = "x"\nrange = [0, 1]\n')[0].judge
    limits = (judge.time_limit_s, judge.load_limit_s, judge.workers, judge.stop_after_failures)
    assert limits == (300, 1800, 1, 5)
    assert (judge.cwd, judge.env, judge.resident) == ("", {}, False)


def test_scores_of_another_version_scale_or_script_are_not_comparable(metrics, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain = metrics()[0].judge.identity
    assert metrics()[0].judge.identity == plain
    assert metrics(FILE.replace("time_limit_s = 2", "time_limit_s = 8"))[0].judge.identity == plain
    for old, new in (('"3"', '"4"'), ("[0, 5]", "[0, 6]"), ('"points"', '"marks"'), ('"{clip}"]', '"{clip}", "-v"]')):
        assert metrics(FILE.replace(old, new))[0].judge.identity != plain
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "judge.py").write_text("print(1)")
    first = metrics()[0].judge.identity
    (tmp_path / "work" / "judge.py").write_text("print(2)")
    assert len({plain, first, metrics()[0].judge.identity}) == 3


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (', "{clip}"]', "]", "has no {clip}"), ('["python", "judge.py", "{clip}"]', "[]", '"command" is empty'),
        ("time_limit_s = 2", "time_limit_s = 0", '"time_limit_s" is 0: expected a number of seconds above 0'),
        ("workers = 2", "workers = 0", '"workers" is 0: expected 1 or more'),
        ('"good_looks"', '"Good"', 'the name of the score is "Good"'),
        ('"good_looks"', '"sharp_edges"', 'the score "sharp_edges" occurs twice'),
        ('"detail"', '"speed"', '"question" is "speed"'), ("[0, 5]", "[5, 5]", '"range" is'),
        ("[0, 5]", "[0, 5, 6]", '"range" is'), ("[0, 5]", "[false, 5]", '"range" is'),
        ("[0, 5]", '[0, 5, "x"]', '"range" is'), ("[0, 5]", '["x", 5]', '"range" is'),
    ],
)  # fmt: skip
def test_what_is_no_judge_is_refused(metrics, old, new, words):
    assert old in FILE
    with pytest.raises(BadFile, match=words):
        metrics(FILE.replace(old, new))


def test_a_resident_program_is_given_clips_later(metrics):
    judge = metrics(FILE.replace(', "{clip}"]', "]\nresident = true"))[0].judge
    assert (judge.resident, judge.command) == (True, ("python", "judge.py"))


def test_a_judge_of_the_working_folder_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert known_judges()["videoscore2"].is_absolute()
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "videoscore2.toml").write_text("")
    assert known_judges()["videoscore2"].resolve() == tmp_path / "metrics" / "videoscore2.toml"
