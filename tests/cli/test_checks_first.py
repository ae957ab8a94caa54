"""Before a clip is generated or paid for, everything is checked that can be; a dry run makes the same checks."""

from __future__ import annotations

import json
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
MODELS = Path(__file__).parents[2] / "generators"
MODEL_SETTINGS = [
    ("tiny-diffusion", 'num_inference_step = 4', 'Did you mean "num_inference_steps"'),
    ("tiny-diffusion", 'num_inference_steps = "4"', '"num_inference_steps" is \'4\''),
    ("tiny-diffusion", "num_inference_steps = 0", "expected a whole number, 1 or more"),
    ("tiny-diffusion", "guidance_scale = true", '"guidance_scale" is True'),
    ("tiny-diffusion", 'offload = "cpu"', '"offload" is \'cpu\''),
    ("tiny-diffusion", 'dtype = "float8"', '"dtype" is \'float8\''),
    ("tiny-diffusion", "vae_tiling = 1", '"vae_tiling" is 1: expected true or false'),
    ("tiny-transformer", "temprature = 1.0", 'Did you mean "temperature"'),
    ("tiny-transformer", "temperature = 0", "expected a number above 0"),
    ("tiny-transformer", 'top_k = "5"', '"top_k" is \'5\': expected a whole number'),
    ("tiny-transformer", "top_p = 1.5", '"top_p" is 1.5'),
    ("tiny-transformer", 'order = "row column"', "expected frame, row and column"),
    ("tiny-transformer", "rows = 0", '"rows" is 0'),
    ("tiny-transformer", "rows = 4", "frames only, not 64x64"),
    ("tiny-transformer", "frames_per_code = 1", "has room for"),
    ("tiny-hybrid", "num_inference_step = 4", 'Did you mean "num_inference_steps"'),
    ("tiny-hybrid", "strength = 1.5", '"strength" is 1.5'),
    ("tiny-hybrid", 'strength = "0.5"', '"strength" is \'0.5\''),
]
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
    Path("real.toml").write_text('title = "t"\nreference = "absent"\n[[prompt]]\nid = "p"\ntext = "a red ball"\n')


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
        (("-g", "misspelt"), 'the simulated adapter has no setting "accurracy". Did you mean "accuracy"?'),
        (("-g", "setting"), 'the command adapter has no setting "timelimit"'),
        (("-g", "shell"), '"command" must be a list'),
        (("-g", "nowhere"), "the command has no {out}"),
        (("-g", "half"), 'lacks "refiner"'),
        (("-g", "inner"), 'no adapter named "simulatd"'),
        (("--backbones", "absent.toml"), "absent/weights.pt"),
        (("--backbones", "broken.toml"), "broken.toml:2"),
        (("--backbones", "standart"), 'Did you mean "standard"'),
        (("--metrics", "motoin"), 'Did you mean "motion"'),
        (("--sweep", "accurracy=1,2"), "accurracy"),
        (("--suite", "real.toml"), "absent, which is not a folder of clips"),
        (("--reference", "absent"), "absent is not a folder of clips"),
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


@pytest.mark.parametrize(("name", "setting", "said"), MODEL_SETTINGS)
def test_settings_of_models_are_checked_without_loading_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, setting: str, said: str
) -> None:
    """A copy of a shipped definition with one setting changed or added."""
    source = next(MODELS.rglob(f"{name}.toml"))
    key = setting.partition(" ")[0]
    lines = [line for line in source.read_text().splitlines() if not line.startswith(f"{key} =")]
    model = json.dumps(str(source.parent / "model"))
    text = "\n".join(lines).replace('model = "model"', f"model = {model}").replace(
        "[settings]", f"[settings]\n{setting}"
    )
    Path("generators", "changed.toml").write_text(text.partition("[weights]")[0])
    stderr = said_by_run(monkeypatch, capsys, "-g", "good", "-g", "changed", "--dry-run")
    assert said in stderr
    assert not Path("results").exists()
