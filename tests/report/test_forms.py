"""The forms of a report: what each holds, and that a stranger's text stays text in all of them."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from tests.built_runs import Fake
from tests.report.conftest import EVIL, scored
from vbench_lite import formatting as words
from vbench_lite.cli.report_command import FORMATS, command
from vbench_lite.errors import StoreError, UnknownName, UsageError
from vbench_lite.report import REPORTERS, choose_reporter, page_shows, terminal_table, write_report
from vbench_lite.report.data import gather
from vbench_lite.report.formats.markdown import render
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.view import Run, open_run


def write(folder: RunFolder, out, form: str, clips: str = "auto") -> str:
    return write_report([Run(folder)], out, form, clips).read_text("utf-8")


def test_markdown_fits_a_comment_and_keeps_strangers_text_inert(ads) -> None:
    text = render(gather([Run(ads)]))
    assert len(text.encode()) < 60_000
    assert "<script>" not in text.replace("`", "")  # only ever inside code spans
    for line in text.splitlines():
        if "window.pwned" in line:
            assert line.count("`") >= 2
    assert "| Detail ↑ |" in text


def test_markdown_of_a_large_suite_is_cut_with_a_word(tmp_path) -> None:
    folder = scored(tmp_path, prompts=40, texts={n: f"{n} " + "word " * 600 for n in range(40)}, video=False)
    text = render(gather([Run(folder)]))
    assert len(text.encode()) < 60_000


def test_json_is_one_strict_document_with_every_section(ads, tmp_path) -> None:
    document = json.loads(write(ads, tmp_path / "r.json", "json"), parse_constant=lambda name: pytest.fail(name))
    assert document["format"] == 2
    assert len(document["answers"]) == 6
    generator = document["scenarios"][0]["generators"]["tiny-diffusion"]
    assert generator["unevenness"]["detail"]["worst_tenth"]["value"] < generator["scores"]["detail"]["value"]
    assert len(generator["usable_of_k"]) == 2


def test_csv_holds_the_clips_of_all_runs(releases, tmp_path) -> None:
    path = write_report([Run(r) for r in releases], tmp_path / "all.csv", "csv")
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert len(rows) == 3 * 2 * 20 * 2
    assert {row["run"] for row in rows} == {"v0", "v1", "v2"}


def test_metrics_are_flat_finite_numbers(ads, tmp_path) -> None:
    flat = json.loads(write(ads, tmp_path / "metrics.json", "metrics"))
    assert (flat["tiny-transformer.failed"], flat["tiny-diffusion.missing"]) == (1, 1)
    assert all(isinstance(value, int | float) for value in flat.values())
    assert "tiny-diffusion.energy_wh_per_clip" not in flat


def test_the_model_card_block_is_yaml_that_hugging_face_reads(ads, tmp_path) -> None:
    yaml = pytest.importorskip("yaml")
    text = write(ads, tmp_path / "card.md", "model-card")
    blocks = [yaml.safe_load(block) for block in text.split("---\n") if block.strip()]
    assert [block["model-index"][0]["name"] for block in blocks] == ["tiny-transformer", "tiny-diffusion"]
    metrics = blocks[0]["model-index"][0]["results"][0]["metrics"]
    assert {"clip_text", "fvd", "usable_share"} <= {metric["type"] for metric in metrics}
    assert all(isinstance(metric["value"], int | float) for metric in metrics)


def test_plots_come_as_svg_and_png_and_are_the_same_every_time(ads, tmp_path) -> None:
    from vbench_lite.report.figures.cost_quality import cost_quality
    from vbench_lite.report.figures.kit import FigureRenderer
    from vbench_lite.report.figures.svg import without_links

    folder = write_report([Run(ads)], tmp_path / "a", "plots")
    names = {path.name for path in folder.iterdir()}
    assert {"plane-usable.svg", "plane-usable.png", "spread-detail.svg", "best-usable.svg"} <= names
    again = cost_quality(gather([Run(ads)]).main, FigureRenderer(png=True))
    for panel in again.panels:
        assert (folder / f"{panel.name}.svg").read_text() == without_links(panel.svg)
        assert (folder / f"{panel.name}.png").read_bytes() == panel.png


def test_the_terminal_table_fits_a_hundred_columns(ads) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(terminal_table(open_run(ads.path)))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 100
    for shown in ("tiny-transformer", "clip_text", "usable clips", "usable clip", "1 failed"):
        assert shown in text


def test_a_reference_that_holds_the_clips_themselves_is_a_warning_in_every_form(ads, tmp_path) -> None:
    copy = Path(shutil.copytree(ads.path, tmp_path / "ads"))
    summary = json.loads((copy / "summary.json").read_text())
    of_one, why = summary["generators"]["tiny-diffusion"]["scores"], "both sets are the same 20 clips"
    of_one["kvd"] = {**of_one["detail"], "value": 0.0, "reason": why, "reason_code": "shared_clips"}
    summary["metrics"]["kvd"] = {**summary["metrics"]["detail"], "name": "kvd", "per": "set"}
    (copy / "summary.json").write_text(json.dumps(summary))
    text = f"The clips of tiny-diffusion are compared with a reference that shares clips: {why}."
    assert f"Warning: {text}" in terminal_table(open_run(copy)).notes
    assert text in render(gather([open_run(copy)])).replace("\\", "")


def test_every_form_is_offered_on_the_command_line() -> None:
    assert tuple(reporter.name for reporter in REPORTERS) == FORMATS


def test_the_command_prints_texts_and_names_the_page_it_wrote(ads, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed = CliRunner().invoke(command, [str(ads.path), "--format", "metrics"])
    assert json.loads(printed.output)["tiny-diffusion.clips"] == 48
    written = CliRunner().invoke(command, [str(ads.path), "-o", "x.md"])
    assert written.output.strip() == "x.md"
    assert (tmp_path / "x.md").read_text().startswith("## Product shots")
    page = CliRunner().invoke(command, [str(ads.path), "--clips", "none"])
    assert page.output.strip() == "reports/ads.html"


def test_with_several_arguments_files_that_are_no_runs_are_passed_over(ads, tmp_path) -> None:
    (tmp_path / "README.md").write_text("no run")
    printed = CliRunner().invoke(command, [str(ads.path), str(tmp_path / "README.md"), "--format", "metrics"])
    assert printed.exit_code == 0


def test_a_run_that_is_not_scored_and_a_form_that_is_none_are_refused(tmp_path) -> None:
    from tests.built_runs import build_run

    folder = build_run(tmp_path / "raw", prompts=1, clips=1, video=False).folder
    with pytest.raises(StoreError, match="the run is not scored"):
        write_report([Run(folder)], tmp_path / "x.html")
    with pytest.raises(UnknownName, match="markdown"):
        write_report([Run(folder)], tmp_path / "x", "markdwn")
    with pytest.raises(StoreError, match="vbench run"):
        open_run(str(tmp_path / "nowhere"))


def test_evil_is_evil() -> None:
    assert "<script>" in EVIL  # the other tests stand on this


def test_the_ending_of_the_file_decides_the_format_and_another_format_is_refused(ads, tmp_path) -> None:
    endings = {"a.html": "html", "a.md": "markdown", "a.json": "json", "a.csv": "csv", "a.tex": "latex"}
    endings["a.PARQUET"] = "parquet"
    assert {name: choose_reporter(None, Path(name)).name for name in endings} == endings
    for name in ("table.tex", "page.html", "table.md"):
        with pytest.raises(UsageError, match=r"Write to .*\.csv"):
            write_report([Run(ads)], tmp_path / name, "csv")
        assert not (tmp_path / name).exists()
    for name in ("figure.png", "table.xlsx", "clip.MP4"):
        with pytest.raises(UsageError, match="has the file extension of"):
            choose_reporter("html", Path(name))
    assert choose_reporter("markdown", Path("notes.txt")).name == "markdown"
    assert choose_reporter("csv", Path("clips.tsv2")).name == "csv"
    with pytest.raises(UsageError, match="--format"):
        choose_reporter(None, Path("report.xyz"))


def test_the_latex_table_has_a_row_per_generator_and_escapes_text(ads, tmp_path) -> None:
    text = write(ads, tmp_path / "table.tex", "latex")
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert [row.split(" & ")[0] for row in rows] == ["tiny-transformer", "tiny-diffusion"]
    assert {row.count(" & ") for row in rows} == {text.count(" & ", text.index("Generator"), text.index(r"\midrule"))}
    assert not re.search(r"(?<!\\)[%#_]", text.replace("$-$", ""))


def test_parquet_holds_the_rows_of_the_table_with_types(ads, tmp_path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow", reason="the extra 'parquet' installs it")
    write_report([Run(ads)], tmp_path / "clips.parquet")
    table = pandas.read_parquet(tmp_path / "clips.parquet")
    assert len(table) == 96
    assert table["detail"].dtype == float


def test_a_spreadsheet_has_no_formula_and_the_plain_csv_keeps_every_sign(tmp_path) -> None:
    folder = scored(tmp_path / "run", prompts=2, generators=[Fake("a", failed=[(0, 0)])], video=False)
    text = folder.table_path.read_text().replace("the generator gave no frames", "=HYPERLINK(1)")
    folder.table_path.write_text(text)
    assert "'=HYPERLINK(1)" in write(folder, tmp_path / "s.csv", "spreadsheet")
    assert "'=" not in write(folder, tmp_path / "plain.csv", "csv")


def test_metric_names_hold_only_signs_that_mlflow_accepts(tmp_path) -> None:
    folder = scored(tmp_path / "run", prompts=2, generators=[Fake("a@steps=4,mode=b+c")], video=False)
    flat = json.loads(write(folder, tmp_path / "m.json", "metrics"))
    assert all(re.fullmatch(r"[A-Za-z0-9_\-. /]+", name) for name in flat)


def test_a_page_knows_the_results_that_it_shows(tmp_path) -> None:
    """Two runs with one folder name, and a page that is newer than both: only the digest tells them apart."""
    one, two = (scored(tmp_path / part / "ads", prompts=2, seed=n, video=False) for n, part in enumerate("ab"))
    page = write_report([Run(one)], tmp_path / "ads.html", clips="none")
    assert page_shows(page, Run(one))
    assert not page_shows(page, Run(two))
    assert not page_shows(tmp_path / "none.html", Run(one))


@pytest.mark.parametrize("count", [1, 2, 4, 5, 12])
@pytest.mark.parametrize("width", [80, 100])
def test_no_number_and_no_name_is_broken_on_the_terminal(tmp_path, count, width) -> None:
    fakes = [Fake(f"a-model-with-quite-a-long-name-{n:02d}", skill=n / 4, device_s=0.1 * n + 0.1) for n in range(count)]
    run = Run(scored(tmp_path, prompts=6, generators=fakes, video=False))
    text = io.StringIO()
    Console(width=width, file=text).print(terminal_table(run))
    assert max(map(len, text.getvalue().splitlines())) <= width
    for fake in fakes:
        assert fake.name in text.getvalue()
    for generator in run.summary.values():
        for estimate in generator.scores.values():
            written = words.write(estimate)
            assert written.value in text.getvalue()
            assert written.interval in text.getvalue()
