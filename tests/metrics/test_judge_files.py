"""A judge's file becomes metrics, value by value; and what no judge can be is refused."""

import re

import pytest

from vbench_lite.errors import BadFile
from vbench_lite.metrics._judge import JudgedMetric, checked_value, judged_metrics, known_judges

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
    assert first.version == second.version == f"3+{judge.identity[:8]}"
    assert [metric.__name__ for metric in (first, second)] == ["Judged_sharp_edges", "Judged_good_looks"]
    assert (first.per, first.origin) == ("clip", "program")


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


def test_a_script_beside_the_file_belongs_to_the_identity_in_every_working_folder(metrics, tmp_path):
    text = FILE.replace('"judge.py"', '"{here}/judge.py"')
    found = {metrics(text)[0].judge.identity}
    for content in ("print(1)", "print(2)"):
        (tmp_path / "judge.py").write_text(content)
        found.add(metrics(text)[0].judge.identity)
    assert len(found) == 3


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        (', "{clip}"]', "]", 2, '"command" has no {clip}'), ('["python", "judge.py", "{clip}"]', "[]", 2, "is empty"),
        ('["python", "judge.py", "{clip}"]', "7", 2, '"command" is 7: expected a list'),
        ('version = "3"', "version = 3", 3, '"version" is 3: expected a string'),
        ('version = "3"', 'verson = "3"', 3, '"verson" is not known here. Known: about, command, cwd, env'),
        ('version = "3"\n', "", None, '"version" is missing: expected a string'),
        ('cwd = "work"', "cwd = 3", 4, '"cwd" is 3: expected a string'),
        ("env = { SEED = 7 }", "env = 3", 5, '"env" is 3: expected a table'),
        ("env = { SEED = 7 }", "resident = 3", 5, '"resident" is 3: expected true or false'),
        ("time_limit_s = 2", "time_limit_s = 0", 6, '"time_limit_s" is 0: expected a number of seconds above 0'),
        ("load_limit_s = 9.5", "load_limit_s = -1", 7, '"load_limit_s" is -1: expected a number of seconds above 0'),
        ("workers = 2", "workers = 0", 8, '"workers" is 0: expected 1 or more'),
        ("workers = 2", "workers = 1.5", 8, '"workers" is 1.5: expected a whole number'),
        ("stop_after_failures = 4", "stop_after_failures = 0", 9, '"stop_after_failures" is 0: expected 1 or more'),
        ('source = "a paper"', "source = 3", 10, '"source" is 3: expected a string'),
        ('licence = "MIT"', "licence = 3", 11, '"licence" is 3: expected a string'),
        ("unit", "unlt", 15, '"unlt" is not known here. Known: description, higher_is_better, name'),
        ('"points"', "3", 15, '"score.unit" is 3: expected a string'),
        ("higher_is_better = false", "higher_is_better = 1", 16, 'better" is 1: expected true or false'),
        ('"detail"', '"speed"', 17, '"question" is "speed": expected one of coherence, detail, prompt, set'),
        ('"detail"', "3", 17, '"score.question" is 3: expected a string'),
        ("rank = 3", 'rank = "x"', 18, "\"score.rank\" is 'x': expected a whole number"),
        ('"Edges"', "3", 19, '"score.title" is 3: expected a string'),
        ('"none known"', "3", 20, '"score.pitfalls" is 3: expected a string'),
        ('"How sharp edges are."', "3", 21, '"score.description" is 3: expected a string'),
        ('name = "good_looks"', "", 22, '"score.name" is missing: expected a string'),
        ('"good_looks"', '"Good"', 23, 'the name of the score is "Good": expected up to 60 lower-case letters'),
        ('"good_looks"', '"sharp_edges"', 23, 'the score "sharp_edges" occurs twice'),
        ('"good_looks"', '"reason"', 23, '"reason" is a column of clips.csv'),
        ('"good_looks"', "7", 23, '"score.name" is 7: expected a string'),
        ("range = [0, 5]", "", 22, '"score.range" is missing: expected a list'),
        ("[0, 5]", "7", 24, '"score.range" is 7: expected a list'), ("[0, 5]", "[5, 5]", 24, '"range" is [5, 5]: '),
        ("[0, 5]", "[0, 5, 6]", 24, '"range" is [0, 5, 6]: '), ("[0, 5]", "[false, 5]", 24, '"range" is [False, 5]: '),
        ("[0, 5]", '[0, 5, "x"]', 24, '"range" is [0, 5, '), ("[0, 5]", '["x", 5]', 24, '"range" is ['),
        ("[0, 5]", "[5, 4]", 24, '"range" is [5, 4]: '), ("[0, 5]", "[5]", 24, '"range" is [5]: '),
        ("[0, 5]", "[0, 5]\nrange2 = 1", 25, '"range2" is not known here'),
    ],
)  # fmt: skip
def test_what_is_no_judge_is_refused_with_its_line(metrics, old, new, line, words):
    assert old in FILE
    with pytest.raises(BadFile, match=re.escape(words)) as error:
        metrics(FILE.replace(old, new))
    assert error.value.line == line
    assert error.value.path.name == "judge.toml"


@pytest.mark.parametrize(
    ("scores", "line", "words"),
    [
        ("", None, '"score" is missing: expected a list'), ("score = []", 3, "has no [[score]]"),
        ("score = 3", 3, '"score" is 3: expected a list'), ("score = [3]", 3, "expected [[score]] tables"),
    ],
)  # fmt: skip
def test_a_judge_without_scores_is_refused(metrics, scores, line, words):
    with pytest.raises(BadFile, match=re.escape(words)) as error:
        metrics(f'version = "1"\ncommand = ["{{clip}}"]\n{scores}\n')
    assert error.value.line == line


def test_the_smallest_limits_are_accepted(metrics):
    text = FILE.replace("time_limit_s = 2", "time_limit_s = 0.5").replace("workers = 2", "workers = 1")
    judge = metrics(text.replace("failures = 4", "failures = 1"))[0].judge
    assert (judge.time_limit_s, judge.workers, judge.stop_after_failures) == (0.5, 1, 1)
    (metric,) = metrics(FILE[: FILE.rindex("[[score]]")].replace('[1, "inf"]', '["-inf", 0.5]'))
    assert metric.range == (-float("inf"), 0.5)


LARGE = 10**400


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4, (4.0, "")), (1.0, (1.0, "")), (5, (5.0, "")), (None, (None, "the program returned no value")),
        (5.1, (None, "the answer is 5.1, outside of 1 to 5")), (0, (None, "the answer is 0, outside of 1 to 5")),
        (True, (None, "the answer is True, which is not a number")),
        ("x" * 100, (None, f"the answer is '{'x' * 79}, which is not a number")),
        (float("inf"), (None, "the answer is inf, which is not a number")),
        (LARGE, (None, f"the answer is 1{'0' * 79}, which is not a number")),
    ],
)  # fmt: skip
def test_an_answer_is_a_finite_number_inside_of_the_range(value, expected):
    found = checked_value(value, (1.0, 5.0))
    assert found == expected
    assert type(found[0]) in (float, type(None))


def test_a_resident_program_is_given_clips_later(metrics):
    judge = metrics(FILE.replace(', "{clip}"]', "]\nresident = true"))[0].judge
    assert (judge.resident, judge.command) == (True, ("python", "judge.py"))


def test_a_judge_of_the_working_folder_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert known_judges()["videoscore2"].is_absolute()
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "videoscore2.toml").write_text("")
    assert known_judges()["videoscore2"].resolve() == tmp_path / "metrics" / "videoscore2.toml"
