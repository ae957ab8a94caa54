"""Metrics of users: files, modules, entry points, their own extractors, and what is said of invalid ones."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from vbench_lite.cli import group
from vbench_lite.errors import MetricError, UnknownName
from vbench_lite.features.extractor import ClipFeatures
from vbench_lite.metrics import registry, select, shipped_metrics
from vbench_lite.metrics.base import ClipContext, score_clip
from vbench_lite.video import encode_mp4
from vbench_lite.world import held_out_compositions, render

DOCS = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
GREENNESS = DOCS.split('```python title="metrics/greenness.py"\n')[1].split("```")[0]
"""The example of the documentation."""


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "metrics").mkdir()
    return tmp_path


def vbench(*arguments, code=0):
    done = CliRunner().invoke(group, [str(a) for a in arguments])
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


def clips_of(folder, level):
    """Four prompts, two clips each, with their green channel scaled."""
    folder.mkdir()
    compositions = held_out_compositions()[::20][:4]
    for composition in compositions:
        for k in range(2):
            frames = render(composition, k, 17, 64, 64)
            frames[..., 1] = frames[..., 1] * level
            (folder / f"{composition.caption}-{k}.mp4").write_bytes(encode_mp4(frames, 8))
    prompts = "".join(f'[[prompt]]\nid = "p{n}"\ntext = "{c.caption}"\n' for n, c in enumerate(compositions))
    Path("mine.toml").write_text(f'title = "Mine"\nreference = "world"\n{prompts}')


def test_the_documented_file_has_no_more_than_15_lines():
    assert len([line for line in GREENNESS.splitlines() if line.strip()]) <= 15


def test_a_file_in_an_empty_folder_is_a_metric_everywhere(workspace):
    (workspace / "metrics" / "greenness.py").write_text(GREENNESS)
    assert "greenness" in vbench("list", "metrics")
    for name, level in (("base", 1.0), ("greyer", 0.6)):
        clips_of(workspace / name, level)
        vbench("score", name, "--suite", "mine.toml", "--out", f"out/{name}")
    with (workspace / "out/base/clips.csv").open() as file:
        values = [float(row["greenness"]) for row in csv.DictReader(file)]
    assert len(values) == 8
    summary = json.loads((workspace / "out/base/summary.json").read_text())
    entry = summary["metrics"]["greenness"]
    assert (entry["title"], entry["unit"], entry["range"]) == ("Greenness", "fraction", [0.0, 1.0])
    assert entry["description"].startswith("Mean of the green channel")
    found = summary["generators"]["base"]["scores"]["greenness"]
    assert found["value"] == pytest.approx(np.mean(values))
    assert found["n"] == 8
    (workspace / "metrics" / "greenness.py").unlink()  # a stored run needs the file no more
    vbench("report", "out/base", "-o", "page.html")
    page = (workspace / "page.html").read_text()
    assert "Greenness" in page
    assert "Mean of the green channel" in page
    compared = json.loads(vbench("compare", "out/base:base", "out/greyer:greyer", "--json"))
    assert "greenness" in json.dumps(compared)
    (workspace / "policy.toml").write_text('[[check]]\nmetric = "greenness"\nrule = "non-inferior"\nmargin = 0.01\n')
    verdict = CliRunner().invoke(
        group, ["gate", "out/greyer:greyer", "--baseline", "out/base:base", "--policy", "policy.toml", "--json"]
    )
    assert verdict.exit_code in (0, 3, 4), verdict.output
    assert [check for check in json.loads(verdict.stdout)["checks"] if check["metric"] == "greenness"]


def test_selftest_checks_what_a_user_metric_claims(workspace, monkeypatch):
    from vbench_lite.scoring import damage, selftest

    monkeypatch.setattr(selftest, "DAMAGES", {"noise": damage.DAMAGES["noise"]})
    path = workspace / "claims.py"
    path.write_text(GREENNESS + '    falls_with = ("noise",)\n    unmoved_by = ("caption swap",)\n')
    found = json.loads(
        CliRunner().invoke(group, ["selftest", "--clips", "8", "--metrics", str(path), "--json"]).stdout
    )
    cells = {cell["damage"]: cell for cell in found["cells"]}
    assert cells["noise"]["claim"] == "down"
    assert cells["caption swap"]["holds"] is True
    assert cells["noise"]["metric"] == "greenness"


def test_a_run_scores_with_the_chosen_metrics_only(workspace):
    clips_of(workspace / "base", 1.0)
    (workspace / "only_greenness.py").write_text(GREENNESS)
    vbench("score", "base", "--suite", "mine.toml", "--out", "out", "--metrics", "motion,only_greenness.py")
    assert list(json.loads((workspace / "out/summary.json").read_text())["metrics"]) == ["motion", "greenness"]
    vbench("score", "out", "--metrics", "only_greenness:Greenness,vbench")
    names = list(json.loads((workspace / "out/summary.json").read_text())["metrics"])
    assert names[0] == "greenness"
    assert set(names[1:]) == {name for name, metric in shipped_metrics().items() if "vbench" in metric.sets}


def test_an_entry_point_adds_a_metric(workspace, monkeypatch):
    (workspace / "plugin.py").write_text(GREENNESS)
    monkeypatch.syspath_prepend(str(workspace))
    package = workspace / "plugin-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[vbench_lite.metrics]\ngreenness = plugin:Greenness\n")
    assert "greenness" in registry.known_metrics()
    assert "greenness" in [metric.name for metric in select()]
    assert "greenness" not in [metric.name for metric in select("builtin")]


BAD = {
    "no title": (
        'title, unit, range, higher_is_better = "Greenness", ', "unit, range, higher_is_better = ",
        '"title" is missing: expected a text',
    ),
    "no score": ("def score", "def scores", '"score" is missing: expected a method score(self, context)'),
    "no finish": ("def finish", "def finished", 'Green.finish" is missing: expected a method'),
    "wrong base": ("(ClipMetric)", "", "defines no metric"),
    "shipped name": ('"greenness"', '"motion"', 'two metrics are called "motion"'),
}
"""The other defects of a class are in test_registry.py."""


@pytest.mark.parametrize("kind", BAD)
def test_an_invalid_metric_is_refused_with_file_attribute_and_what_is_expected(workspace, kind):
    old, new, words = BAD[kind]
    assert old in GREENNESS
    path = workspace / "metrics" / "bad.py"
    path.write_text(GREENNESS.replace(old, new))
    with pytest.raises(MetricError) as error:
        select()
    assert words in str(error.value)
    assert "bad.py" in str(error.value)


@pytest.mark.parametrize(
    ("returned", "words"),
    [("float('nan')", "returned nan"), ("'much'", "returned 'much'"), ("7.0", 'outside of its "range" of 0 to 1')],
)
def test_a_score_that_is_no_valid_number_is_refused_with_the_metric_and_the_value(workspace, returned, words):
    (workspace / "own.py").write_text(GREENNESS.replace('context["green"]["means"].mean()', returned))
    (metric,) = select("own.py")
    with pytest.raises(MetricError, match="greenness") as error:
        score_clip(metric, ClipContext(ClipFeatures(1, 8, 8, 8.0, False, {"green": {"means": np.zeros(1)}})))
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [("motoin", 'Did you mean "motion"'), ("no.py", "no file of metrics"), ("no_such:Thing", "no module"),
     ("json:Thing", "no class"), ("motion,,detail", "no metric")],
)
def test_what_is_not_there_is_named(workspace, wanted, words):
    with pytest.raises(UnknownName) as error:
        select(wanted)
    assert words in str(error.value)


def test_a_changed_file_is_read_again(workspace):
    path = workspace / "own.py"
    path.write_text(GREENNESS)
    assert select("own.py")[0].version == "1"
    path.write_text(GREENNESS.replace('version = "greenness", "1"', 'version = "greenness", "2"'))
    assert select("own.py")[0].version == "2"


def test_two_extractors_of_one_name_are_refused(workspace):
    from vbench_lite.metrics.registry import extractors_of

    for name in ("one", "two"):
        (workspace / f"{name}.py").write_text(GREENNESS.replace('"greenness"', f'"{name}"'))
    with pytest.raises(MetricError, match='two feature extractors are called "green"'):
        extractors_of(select("one.py,two.py"))
