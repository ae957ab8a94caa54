"""The whole way, with a real generator: damaged weights are stopped, the same weights with new seeds are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

from vbench_lite.cli.gate_command import command as gate
from vbench_lite.cli.run_command import command as run
from vbench_lite.inputs import catalogue

NAME = "tiny-diffusion"
FOLDER = catalogue.shipped_folder() / NAME
PROMPTS = 20


def definition(folder: Path, noise: float) -> Path:
    """A copy of the generator whose transformer's weights are off by a share of their own spread."""
    shutil.copytree(FOLDER, folder / NAME, ignore=shutil.ignore_patterns("*.py", "*.md", "*.csv"))
    path = folder / NAME / f"{NAME}.toml"
    text = path.read_text("utf-8").replace("num_inference_steps = 16", "num_inference_steps = 8")
    path.write_text(text.split("[weights]")[0], "utf-8")
    rng = np.random.default_rng(0)
    for file in sorted((folder / NAME).glob("model/transformer/*.safetensors")) if noise else []:
        weights = load_file(file)
        for name, value in weights.items():
            if value.ndim > 1:
                weights[name] = (value + noise * value.std() * rng.standard_normal(value.shape)).astype(value.dtype)
        save_file(weights, file, {"format": "pt"})
    return path


def make(path: Path, out: Path, seed: int = 0) -> str:
    arguments = ["--suite", "ads", "-g", str(path), "--limit", str(PROMPTS), "--clips-per-prompt", "1",
                 "--seed", str(seed), "--device", "cpu", "--out", str(out), "--no-report"]  # fmt: skip
    result = CliRunner().invoke(run, arguments)
    assert result.exit_code == 0, result.output
    return str(out)


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("sound")
    path = definition(folder, noise=0.0)
    return path, make(path, folder / "run")


def test_damaged_weights_are_stopped(tmp_path: Path, baseline: tuple[Path, str]) -> None:
    damaged = make(definition(tmp_path, noise=0.5), tmp_path / "run")
    result = CliRunner().invoke(gate, [damaged, "--baseline", baseline[1]])
    assert result.exit_code == 3, result.output


def test_the_same_weights_with_new_seeds_are_not_stopped(tmp_path: Path, baseline: tuple[Path, str]) -> None:
    fresh = make(baseline[0], tmp_path / "run", seed=1)
    result = CliRunner().invoke(gate, [fresh, "--baseline", baseline[1]])
    assert result.exit_code in (0, 4), result.output
    assert "FAIL" not in result.output
