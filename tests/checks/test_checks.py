"""Each fault of a run gives its finding, a sound run gives none, and the printed commands are accepted."""

import csv
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import vbench_lite as vb
from tests.built_runs import Fake, build_run
from tests.gate.releases import write
from vbench_lite.analysis.summary import summarise
from vbench_lite.checks import CODES, CheckReport, check_run
from vbench_lite.cli import group
from vbench_lite.jobs.job import Job, Order
from vbench_lite.records import Scored
from vbench_lite.run.view import Run
from vbench_lite.video import encode_mp4, read_clip

Row = dict[str, str]


def problems(report: CheckReport) -> list[str]:
    return [finding.code for finding in report.problems]


def edited(run: str, change: Callable[[int, Row], None]) -> str:
    """The run with its rows of clips.csv changed in place."""
    path = Path(run) / "clips.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for nth, row in enumerate(rows):
        change(nth, row)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return run


def test_a_sound_run_has_no_problem(tmp_path):
    assert vb.check(write(tmp_path / "run")).problems == ()


def test_a_seed_without_effect_is_found_by_bytes_and_by_scores(tmp_path):
    same_file = write(tmp_path / "a", sha256=lambda prompt, clip: f"clip of {prompt}")
    assert problems(vb.check(same_file)) == ["seed-without-effect"]

    def second_clip_equal(scores, categories):
        for grid in scores.values():
            grid[:, 1] = grid[:, 0]

    (finding,) = vb.check(write(tmp_path / "b", worsen=second_clip_equal)).problems
    assert (finding.code, len(finding.prompts)) == ("seed-without-effect", 40)


def test_copies_are_found_within_and_between_generators(tmp_path):
    one = write(tmp_path / "a", sha256=lambda prompt, clip: f"{0 if prompt < 3 else prompt}-{clip}")
    (finding,) = vb.check(one).problems
    assert finding.code == "copied-clips"
    assert finding.prompts == ("p000", "p001", "p002")
    assert finding.sentence.startswith("6 of 80 clips are copies (the same file for several prompts)")

    built = build_run(tmp_path / "b", prompts=6, generators=(Fake("one"), Fake("two")))  # one file for both
    summarise(built.folder, built.scored)
    (finding,) = [each for each in vb.check(built.folder.path).problems if each.code == "copied-clips"]
    assert (finding.generator, "several generators" in finding.sentence) == ("", True)


@pytest.mark.parametrize(("slope", "expected"), [(0.5, ["time-drift"]), (-0.4, ["time-drift"]), (0.03, [])])
def test_times_that_drift_are_found_and_noise_is_not(tmp_path, slope, expected):
    run = edited(
        write(tmp_path / "run"), lambda n, row: row.update(wall_s=str(float(row["wall_s"]) * (1 + slope * n / 80)))
    )
    assert problems(vb.check(run)) == expected


def test_clips_of_one_batch_are_one_reading(tmp_path):
    run = write(tmp_path / "run", batch=5)  # 8 measurements of 10 clips each
    assert vb.check(edited(run, lambda n, row: row.update(wall_s=f"{1 + n // 10}"))).problems == ()


def test_a_scorer_that_drifts_is_found(tmp_path):
    anchors = {"anchors": {"drift": {"detail": 0.02, "clip_text": 0.0}, "tolerance": 0.001}}
    (finding,) = vb.check(write(tmp_path / "run", notes=anchors)).problems
    assert (finding.code, "detail is off by 2.00%" in finding.sentence) == ("scorer-drift", True)


def test_prompts_at_the_ends_and_the_best_prompts_are_named(tmp_path):
    built = build_run(tmp_path / "run", prompts=9, clips=3, generators=(Fake("one"), Fake("two", skill=-1.0)))
    table = summarise(built.folder, built.scored)
    assert table["one"].usable is not None

    def sort_out(nth: int, row: Row) -> None:
        prompt = int(row["prompt_id"][1:])
        row["usable"] = "true" if prompt == 0 else "false" if prompt == 1 else str(nth % 2 == 0).lower()
        if prompt == 2 and row["generator"] == "two":
            row["detail"] = row["clip_text"] = "0"

    found = {finding.code: finding for finding in vb.check(edited(str(built.folder.path), sort_out)).findings}
    assert found["prompts-at-ceiling"].prompts == ("p000",)
    assert found["prompts-at-floor"].prompts == ("p001",)
    assert found["best-prompts"].prompts[0] == "p002"


def again(path: Path, generators: tuple[Fake, ...]) -> Run:
    return Run(build_run(path, prompts=3, generators=generators).folder)


def test_the_same_frames_in_another_file_are_reproducible_and_other_frames_are_not(tmp_path):
    generators = (Fake("one"), Fake("two"))
    built = build_run(tmp_path / "run", prompts=3, generators=generators)
    summarise(built.folder, built.scored)
    second = again(tmp_path / "again", generators)
    assert "not-reproducible" not in problems(check_run(Run(built.folder), second))
    for record in second.records("two"):
        frames, info = read_clip(second.folder.clip_path(record))
        second.folder.write_clip(record, encode_mp4(255 - frames, info.fps))
    for record in second.records("one"):
        second.folder.write_clip(record, second.folder.clip_path(record).read_bytes() + b"\0\0\0\x08free")
    found = [each for each in check_run(Run(built.folder), second).problems if each.code == "not-reproducible"]
    assert [finding.generator for finding in found] == ["two"]


def test_seeds_that_change_nothing_but_noise_are_found(tmp_path):
    built = build_run(tmp_path / "run", prompts=3, generators=(Fake("one"),))
    summarise(built.folder, built.scored)
    run, second = Run(built.folder), again(tmp_path / "again", (Fake("one"),))
    assert "seed-without-effect" not in problems(check_run(run, second))
    frames, info = read_clip(second.folder.clip_path(second.records("one")[0]))
    for record in run.records("one"):
        run.folder.write_clip(record, encode_mp4(frames // 2 + 50 + record.index % 2, info.fps))
    assert "seed-without-effect" in problems(check_run(run, run))


def test_clips_are_generated_again_and_every_command_is_accepted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text("".join(f'[[prompt]]\nid = "p{n}"\ntext = "a red car {n}"\n' for n in range(2)))
    clip = '[clip]\nframes = 2\nheight = 16\nwidth = 16\n[settings]\nvariety = 1\n'
    Path("sim.toml").write_text(f'route = "diffusion"\nadapter = "simulated"\n{clip}')
    job = Job(Order("small.toml", ("sim.toml",), out=Path("results/small")))
    job.generate()
    summarise(job.folder, Scored({}, {}, {}))  # no score is needed
    found = [vars(each) for each in vb.check("results/small").findings]
    done = CliRunner().invoke(group, ["check", "results/small", "--again", "1", "--json"])
    assert done.exit_code == 4, done.output
    second = json.loads(done.stdout)["findings"]
    assert [f["code"] for f in second if f["severity"] == "problem"] == ["seed-without-effect", "copied-clips"]
    assert {f["code"] for f in found} - {f["code"] for f in second} == {"reproducibility-unknown"}
    for finding in [*found, *second]:
        assert finding["code"] in CODES
        program, name, *words = shlex.split(finding["command"])
        assert program == "vbench"
        group.get_command(None, name).make_context(name, words)  # refuses an unknown option or a missing argument


def test_a_baseline_keeps_no_clips_to_compare_with():
    done = CliRunner().invoke(group, ["check", str(Path(__file__).parents[2] / "results" / "baseline"), "--again", "1"])
    assert "has no clips" in str(done.exception)
