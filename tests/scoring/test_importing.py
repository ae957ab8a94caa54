"""Tables of scores that other tools computed: bound to clips, checked, compared, and never mixed up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import vbench_lite as vb
from tests.built_runs import Fake, build_run
from vbench_lite.analysis.summary import summarise
from vbench_lite.cli import group
from vbench_lite.errors import BadFile, MetricError, NotComparable
from vbench_lite.scoring.importing import import_table, with_imports

HEAD = "generator,prompt_id,index,metric,value,unit,higher_is_better"


def scored(path: Path, *generators: str, table: str = "", texts: dict[int, str] | None = None) -> Any:
    """A run of two prompts and two clips each, with a table imported into it."""
    built = build_run(path, prompts=2, generators=[Fake(name) for name in generators], video=False, texts=texts)
    if table:
        import_table(built.folder, written(path.parent, table))
    summarise(built.folder, with_imports(built.folder, built.scored))
    return vb.open_run(path)


def written(folder: Path, text: str, name: str = "scores.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


def rows(metric: str, *values: object, more: str = "points,true") -> str:
    clips = [(prompt, index) for prompt in ("p000", "p001") for index in (0, 1)]
    lines = [f"a,{p},{k},{metric},{value},{more}" for (p, k), value in zip(clips, values, strict=False)]
    return "\n".join([HEAD, *lines, ""])


def test_imported_scores_are_stored_with_their_source_and_gaps_have_reasons(tmp_path: Path) -> None:
    run = scored(tmp_path / "run", "a", "b", table=rows("realism", 4, "nan", "good"))
    info = run.metrics["realism"]
    assert (info.origin, info.unit, info.higher_is_better) == ("imported", "points", True)
    assert info.source.startswith("scores.csv@")
    estimate = run.summary["a"].scores["realism"]
    assert (estimate.value, estimate.n, estimate.unscored) == (4.0, 1, 3)
    text = (tmp_path / "run" / "clips.csv").read_text()
    assert "realism: the table has 'nan', which is not a number" in text
    assert "realism: the table has 'good', which is not a number" in text
    assert text.count("realism: it is not in scores.csv") == 5
    assert run.summary["b"].scores["realism"].value is None


def test_files_name_clips_by_their_place_in_the_run_or_by_their_prompt(tmp_path: Path) -> None:
    table = "file,metric,value\nclips/a/p000/1.mp4,realism,3\nelsewhere/a cat-0.mp4,realism,5\n"
    run = scored(tmp_path / "run", "a", table=table, texts={1: "a cat"})
    assert run.grids["a"].values("realism")[0, 1] == 3
    assert run.grids["a"].values("realism")[1, 0] == 5


def test_a_result_file_of_vbench_is_imported_beside_the_metrics_of_the_same_name(tmp_path: Path) -> None:
    clips = [{"video_path": f"./x/a cat-{k}.mp4", "video_results": value} for k, value in enumerate((90.0, 50.0))]
    moving = [clip | {"video_results": nth == 0} for nth, clip in enumerate(clips)]
    flicker = [clip | {"video_results": 0.9} for clip in clips]
    result = {"imaging_quality": [0.7, clips], "dynamic_degree": [0.5, moving], "temporal_flickering": [0.9, flicker]}
    path = written(tmp_path, json.dumps(result), "eval_results.json")
    built = build_run(tmp_path / "run", prompts=2, generators=[Fake("a")], video=False, texts={1: "a cat"})
    found = import_table(built.folder, path)
    values = {value[3]: [] for value in found.values}
    for value in found.values:
        values[value[3]].append(value[4])
    assert sorted(name.removesuffix("_imported") for name in values) == sorted(result)
    assert "temporal_flickering_imported" in values  # this package computes one of the same name
    quality = next(name for name in values if name.startswith("imaging_quality"))
    assert values[quality] == [0.9, 0.5]


@pytest.mark.parametrize(
    ("table", "line", "words"),
    [
        (f"{HEAD}\na,p000,0,realism,1,,\na,p009,0,realism,1,,\n", 3, 'has no prompt "p009"'),
        (f"{HEAD}\na,p000,2,realism,1,,\n", 2, "there is no #2"),
        (f"{HEAD}\nz,p000,0,realism,1,,\n", 2, 'has no generator "z". Its generators: a, b'),
        (f"{HEAD}\n,p000,0,realism,1,,\n", 2, "names no generator"),
        (f"{HEAD}\na,p000,0,realism,1,,\na,p000,0,realism,2,,\n", 3, "is also in line 2"),
        (f"{HEAD}\na,p000,0,realism,1,points,\na,p000,1,realism,1,percent,\n", 3, "here and 'points' in line 2"),
        (f"{HEAD}\na,p000,0,realism,1,,true\na,p000,1,realism,1,,false\n", 3, 'the higher_is_better of "realism"'),
        (f"{HEAD}\na,p000,0,realism,1,,maybe\n", 2, "expected true, false or nothing"),
        (f"{HEAD}\na,p000,-1,realism,1,,\n", 2, "expected a whole number from 0"),
        (f"{HEAD}\na,p000,0,Realism!,1,,\n", 2, "lower-case letters"),
        (f"{HEAD}\na,p000,0,realism\n", 2, "the row does not have"),
        ("generator,prompt_id,metric,value\na,p000,realism,1\n", 1, 'the column "index" is missing'),
        ("generator,prompt_id,index,metric,value,colour\n", 1, 'the column "colour" is not known'),
        (f"{HEAD}\n", None, "contains no score"),
        (f'{HEAD}\na,p000,0,realism,1,,\na,p000,1,realism,"2,,\na,p001,0,realism,3,,\n', 3, "quote that is not closed"),
        (f'{HEAD}\na,p000,0,realism,1,,\na,p000,1,"realism,2,,\na,"p001",0,realism,3,,\n', 3, "is not valid CSV"),
        (f"{HEAD}\na,p000,0,wall_s,1,,\n", 2, '"wall_s" is a column of clips.csv or a figure of every run'),
        (f"{HEAD}\na,p000,0,realism,1,,\n".replace(",", ";"), 1, "its cells are separated by ';': expected commas"),
        ("\n\n", 1, 'the column "metric" is missing'),
        ("generator,file,metric,value\na,0001.mp4,realism,1\n", 2, "is not a clip of"),
    ],
)  # fmt: skip
def test_a_table_with_a_wrong_row_is_refused_as_a_whole(
    tmp_path: Path, table: str, line: int | None, words: str
) -> None:
    built = build_run(tmp_path / "run", prompts=2, generators=[Fake("a"), Fake("b")], video=False)
    with pytest.raises(BadFile) as error:
        import_table(built.folder, written(tmp_path, table))
    assert words in str(error.value)
    assert error.value.line == line
    assert not (tmp_path / "run" / "imports").exists()


def test_scores_without_a_direction_are_shown_and_never_ranked_or_gated(tmp_path: Path) -> None:
    old = scored(tmp_path / "old", "a", table=rows("realism", 1, 1, 1, 1, more=","))
    new = scored(tmp_path / "new", "a", table=rows("realism", 5, 5, 5, 5, more=","))
    (pair,) = vb.compare(old, new)
    assert next(c.words for c in pair.comparisons if c.metric == "realism") == "not judged"
    policy = written(tmp_path, '[[check]]\nmetric = "realism"\nrule = "min"\nvalue = 3\n', "policy.toml")
    with pytest.raises(BadFile, match='"realism" has no direction, so it cannot be checked'):
        vb.gate(new, old, policy)


def test_scores_of_other_sources_units_or_directions_are_never_compared(tmp_path: Path) -> None:
    old = scored(tmp_path / "old", "a", table=rows("realism", 1, 1, 1, 1))
    head = HEAD + ",source\n"
    for name, more in (("unit", "percent,true,"), ("direction", "points,false,"), ("source", "points,true,people")):
        table = head + "".join(f"a,p00{p},{k},realism,1,{more}\n" for p in (0, 1) for k in (0, 1))
        new = scored(tmp_path / name, "a", table=table)
        with pytest.raises(NotComparable, match='of the metric "realism" differs'):
            vb.compare(old, new)
    same = scored(tmp_path / "same", "a", table=rows("realism", 2, 2, 2, 2))
    (pair,) = vb.compare(old, same)
    assert next(c.difference for c in pair.comparisons if c.metric == "realism") == 1


def test_a_table_replaces_the_one_of_its_name_and_two_tables_do_not_share_a_metric(tmp_path: Path) -> None:
    built = build_run(tmp_path / "run", prompts=2, generators=[Fake("a")], video=False)
    import_table(built.folder, written(tmp_path, rows("realism", 1)))
    import_table(built.folder, written(tmp_path, rows("realism", 2)))
    found = with_imports(built.folder, built.scored)
    assert [scores["realism"].value for scores in found.clips.values()] == [2, None, None, None]
    with pytest.raises(BadFile, match=r'"realism" was already imported from scores.csv'):
        import_table(built.folder, written(tmp_path, rows("realism", 2), "other.csv"))
    import_table(built.folder, written(tmp_path, rows("length", 2), "other.csv"))
    with pytest.raises(MetricError, match='"length" is computed here and was also imported'):
        with_imports(built.folder, with_imports(built.folder, built.scored))


def test_the_command_says_what_it_imported(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("vbench_lite.jobs.rescoring.score_folder", lambda folder, *_: vb.open_run(folder.path).summary)
    scored(tmp_path / "run", "a", "b")
    table = written(tmp_path, rows("detail", 1, "nan", more=","))
    done = CliRunner().invoke(group, ["score", str(tmp_path / "run"), "--import", str(table)])
    assert done.exit_code == 0, done.output
    assert "imported 2 scores of detail_imported" in done.stderr
    assert "1 rows have no number" in done.stderr
    assert "never ranked or gated: detail_imported" in done.stderr
