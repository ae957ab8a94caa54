"""`--thresholds` and `--reference` of `vbench score` and `vbench run`: stored in the run, shown with what they ask."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.calling import vbench
from tests.made_clips import clip_of, moving_square
from vbench_lite.analysis.comparable import GeneratorPair, differences, unlike_for
from vbench_lite.analysis.quantities import find_quantity
from vbench_lite.run.view import Run, Side, open_run

LENIENT = "[usable]\ntemporal_flickering = { min = 0.1 }\n"
STRICT = "[usable]\ntemporal_flickering = { min = 0.99999 }\n"


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "cache"))
    Path("s.txt").write_text("a red sneaker\na blue car\n")
    for folder, names in {"clips": ["a red sneaker-0", "a blue car-0"], "real": ["one", "two", "three"]}.items():
        Path(folder).mkdir()
        for nth, name in enumerate(names):
            Path(folder, f"{name}.mp4").write_bytes(clip_of("mp4", moving_square(6 + nth)))
    Path("lenient.toml").write_text(LENIENT)
    Path("strict.toml").write_text(STRICT)


def score(*options: str, target: tuple[str, ...] = ("results/clips",)) -> tuple[str, Run]:
    metrics = ("--metrics", "conformance,temporal_flickering")
    return vbench("score", *target, *metrics, *options).output, open_run("results/clips")


FIRST = ("clips", "--suite", "s.txt")


def test_thresholds_stay_with_the_run_until_others_are_given() -> None:
    output, run = score(target=FIRST)
    assert "not evaluated" in output
    assert run.summary["clips"].cost["usd_per_usable_clip"].reason == "not evaluated: no thresholds"
    assert score("--thresholds", "lenient.toml")[1].summary["clips"].usable == 2
    output, run = score()
    assert "2 of 2, 100 %" in output
    assert run.summary.usable.thresholds["temporal_flickering"].source == "file"
    assert score("--thresholds", "strict.toml")[1].summary["clips"].usable == 0
    Path("none.toml").write_text('[[prompt]]\nid = "a"\ntext = "a red sneaker"\n')
    assert score("--thresholds", "none.toml")[1].summary["clips"].usable is None, "the suite states no thresholds"


def test_the_share_of_real_clips_that_pass_is_shown_and_a_small_one_is_a_warning() -> None:
    output, run = score("--reference", "real", "--thresholds", "lenient.toml", target=FIRST)
    assert run.summary.usable.reference_share == 1
    assert "Of the real reference clips, 100 % would be usable" in output
    assert "Warning" not in output
    output, run = score("--thresholds", "strict.toml")
    assert run.manifest.reference == "real", "the reference is stored as well"
    assert "Warning: 100 % of the real reference clips fail the thresholds" in " ".join(output.split())
    vbench("report", "results/clips", "-o", "page.md", "--format", "markdown")
    vbench("report", "results/clips", "-o", "page.html")
    assert "of the real reference clips fail the thresholds" in Path("page.html").read_text()
    assert score("--reference", "none")[1].summary.usable.reference_share is None


def test_runs_judged_by_other_thresholds_or_real_clips_are_not_compared_and_the_command_makes_them_comparable() -> None:
    score("--thresholds", "lenient.toml", "--reference", "real", target=FIRST)
    vbench("score", *FIRST, "--metrics", "conformance,temporal_flickering", "--out", "results/other")
    pair = GeneratorPair(Side(open_run("results/clips"), "clips"), Side(open_run("results/other"), "clips"))
    (difference,) = differences(pair)
    assert (difference.baseline, difference.candidate) == ("real", "none")
    why = unlike_for(find_quantity("usable", {}), pair)
    assert why is not None
    for sentence in (difference.remedy, why):
        vbench(*sentence[sentence.index("vbench ") :].split()[1:])
    pair = GeneratorPair(Side(open_run("results/clips"), "clips"), Side(open_run("results/other"), "clips"))
    assert (list(differences(pair)), unlike_for(find_quantity("usable", {}), pair)) == ([], None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--reference", "nowhere"), "is not a folder of clips"),
        (("--reference", "results"), "is not a folder of clips"),
        (("--thresholds", "nowhere.toml"), "no suite"),
        (("--thresholds", "s.txt"), "contains no thresholds"),
        (("--thresholds", "empty.toml"), "such as detail"),
    ],
)
def test_what_cannot_be_used_is_refused_before_any_work(options: tuple[str, ...], words: str) -> None:
    Path("results").mkdir()
    Path("empty.toml").write_text("[usable]\n")
    assert words in vbench("score", *FIRST, *options, code=2).output
    assert words in vbench("run", "--suite", "s.txt", *options, code=2).output
    assert not any(Path("results").iterdir())


def test_run_takes_both_and_the_same_command_without_them_keeps_them() -> None:
    Path("sim.toml").write_text(
        'route = "diffusion"\nadapter = "simulated"\n[clip]\nframes = 6\nwidth = 64\nheight = 64\nfps = 8\n'
    )
    command = ("run", "--suite", "s.txt", "-g", "sim.toml", "--metrics", "conformance,temporal_flickering", "--json")
    vbench(*command, "--thresholds", "lenient.toml", "--reference", "real")
    first = open_run("results/s")
    assert first.manifest.thresholds["temporal_flickering"].min == 0.1
    document = json.loads(vbench(*command).stdout)
    assert document["summary"]["usable"]["reference_share"] == 1
    vbench(*command, "--thresholds", "strict.toml")
    assert open_run("results/s").summary["sim"].usable == 0
