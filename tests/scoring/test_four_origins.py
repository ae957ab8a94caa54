"""One run scored in four ways: our metrics, VBench's with random weights, a program, and an imported table."""

from __future__ import annotations

import csv
import html
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import vbench_lite as vb
from tests.backbones.test_vbench_set import folder as random_set
from tests.scoring.test_judging import judge_file
from vbench_lite.cli import group
from vbench_lite.errors import NotComparable

__all__ = ["random_set"]  # a fixture

ORIGINS = {"warp_error": "", "subject_consistency": "", "realism": "program", "charm": "imported",
           "subject_consistency_imported": "imported"}  # fmt: skip
TABLE = "prompt_id,index,metric,value,unit,higher_is_better,source,version\n" + "".join(
    f"{prompt},{index},{metric},{value},points,true,panel,2\n"
    for prompt in ("mug", "shoe") for index in (0, 1) for metric, value in (("charm", 4), ("subject_consistency", 0.5))
)  # fmt: skip
SUITE = """
[[prompt]]
id = "mug"
text = "a red mug"
[[prompt]]
id = "shoe"
text = "a blue shoe"
"""
SIMULATED = 'route = "diffusion"\nadapter = "simulated"\n[clip]\nframes = 3\nfps = 8\nheight = 128\nwidth = 128\n'


def called(*words: object) -> str:
    done = CliRunner().invoke(group, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def work(random_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run, the files that scored it, and what `vbench score` printed."""
    path = tmp_path_factory.mktemp("four")
    (path / "sim.toml").write_text(SIMULATED)
    (path / "suite.toml").write_text(SUITE)
    (path / "panel.csv").write_text(TABLE)
    judge_file(path)
    called("run", "--suite", path / "suite.toml", "-g", path / "sim.toml", "--clips-per-prompt", 2,
           "--out", path / "run", "--no-report", "--metrics", "conformance")  # fmt: skip
    printed = called("score", path / "run", "--backbones", random_set / "random.toml", "--metrics",
                     f"warp_error,subject_consistency,{path / 'judge.toml'}", "--import", path / "panel.csv",
                     "--workers", 1)  # fmt: skip
    (path / "printed.txt").write_text(printed)
    return path


def test_every_output_shows_the_scores_of_all_four_with_their_origin(work: Path) -> None:
    summary = json.loads((work / "run" / "summary.json").read_text())
    infos, scores = summary["metrics"], summary["generators"]["sim"]["scores"]
    assert {name: infos[name]["origin"] for name in ORIGINS} == ORIGINS
    assert infos["subject_consistency"]["backbone"].startswith("random/dino@")
    assert infos["charm"]["source"].startswith("panel.csv@")
    with (work / "run" / "clips.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name in ORIGINS:
        values = [float(row[name]) for row in rows]
        assert len(values) == 4
        assert scores[name]["value"] == pytest.approx(sum(values) / 4)
    assert scores["subject_consistency"]["value"] != scores["subject_consistency_imported"]["value"] == 0.5
    outputs = {"terminal": (work / "printed.txt").read_text()}
    for kind in ("markdown", "html"):
        path = work / f"report.{'md' if kind == 'markdown' else 'html'}"
        called("report", work / "run", "--format", kind, "--out", path)
        outputs[kind] = path.read_text()
    expected = (
        infos["subject_consistency"]["backbone"], f"realism by a program, version {infos['realism']['version']};",
        f"charm imported, version panel 2, from {infos['charm']['source']};",
    )  # fmt: skip
    for kind, text in outputs.items():
        plain = " ".join(html.unescape(text).split())
        assert {words for words in expected if words not in plain} == set(), kind
        assert "warp_error" in plain or "Warping error" in plain, kind


def test_compare_and_gate_never_set_values_of_one_origin_against_another(work: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(work / "run", other)
    shutil.rmtree(other / "imports")
    (tmp_path / "realism.csv").write_text(TABLE.replace("charm", "realism"))
    called("score", other, "--metrics", "detail", "--import", tmp_path / "realism.csv", "--workers", 1)
    assert vb.open_run(other).metrics["realism"].origin == "imported"
    policy = tmp_path / "policy.toml"
    policy.write_text('[[check]]\nmetric = "realism"\nrule = "non-inferior"\nmargin = 0.5\n')
    for judged in (lambda: vb.compare(work / "run", other), lambda: vb.gate(other, work / "run", policy)):
        with pytest.raises(NotComparable, match=r'the origin of the metric "realism" differs'):
            judged()
    (pair,) = vb.compare(work / "run", work / "run")
    assert set(ORIGINS) <= {c.metric for c in pair.comparisons}
