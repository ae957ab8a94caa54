"""Before a clip is generated or paid for, everything is checked that can be; a dry run makes the same checks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vbench_lite.cli import main

CLIP = "[clip]\nframes = 4\nheight = 32\nwidth = 32\n"
COMMAND = f'route = "diffusion"\nadapter = "command"\n{CLIP}[settings]\n'
GENERATORS = {
    "good": f'route = "diffusion"\nadapter = "simulated"\n{CLIP}',
    "unknown": f'route = "diffusion"\nadapter = "simulatd"\n{CLIP}',
    "misspelt": f'route = "diffusion"\nadapter = "simulated"\n{CLIP}[settings]\naccurracy = 1.0\n',
    "setting": f'{COMMAND}command = ["true", "{{out}}"]\ntimelimit = 5\n',
    "shell": f'{COMMAND}command = "make.py --out {{out}}"\n',
    "nowhere": f'{COMMAND}command = ["true"]\n',
    "half": 'route = "hybrid"\nadapter = "hybrid"\n[settings]\ndraft = "good"\n',
    "inner": 'route = "hybrid"\nadapter = "hybrid"\n[settings]\ndraft = "unknown"\nrefiner = "tiny-diffusion"\n',
}
BACKBONES = {
    "absent": '[image]\nloader = "open-clip"\nmodel = "ViT-B-32"\npath = "absent/weights.pt"\n',
    "broken": '[image]\nloader = "magic"\n',
}


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("generators").mkdir()
    for name, text in GENERATORS.items():
        Path("generators", f"{name}.toml").write_text(text)
    for name, text in BACKBONES.items():
        Path(f"{name}.toml").write_text(text)
    Path("two.txt").write_text("a red ball\na blue ball\n")


def said_by_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["vbench", "run", "--suite", "two.txt", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code in (1, 2)
    return capsys.readouterr().err


@pytest.mark.parametrize("dry", [(), ("--dry-run",), ("--pilot", "1")])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-g", "unknown"), 'no adapter named "simulatd". Did you mean "simulated"?'),
        (("-g", "misspelt"), '"misspelt" sets "accurracy"'),
        (("-g", "setting"), 'the command adapter has no setting "timelimit"'),
        (("-g", "shell"), '"command" must be a list'),
        (("-g", "nowhere"), "the command never says {out}"),
        (("-g", "half"), 'lacks "refiner"'),
        (("-g", "inner"), 'no adapter named "simulatd"'),
        (("--backbones", "absent.toml"), "absent/weights.pt"),
        (("--backbones", "broken.toml"), "broken.toml:2"),
        (("--backbones", "standart"), 'Did you mean "standard"'),
        (("--metrics", "motoin"), 'Did you mean "motion"'),
        (("--sweep", "accurracy=1,2"), "accurracy"),
    ],
)
def test_what_cannot_work_is_refused_before_any_clip(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str,
    dry: tuple[str, ...],
) -> None:  # fmt: skip
    stderr = said_by_run(monkeypatch, capsys, "-g", "good", *arguments, *dry)
    assert stderr.startswith("Error: ")
    assert said in stderr
    assert not Path("results").exists()
