"""The printed commands, word by word."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.gate.releases import write
from vbench_lite.analysis import commands
from vbench_lite.analysis.commands import again_command, finish_command, more_command, run_command, score_command
from vbench_lite.run.view import Run, Side, open_run


def made(folder: Path, *, clips: bool = True, typed: dict[str, Any] | None = None, **plan: Any) -> Run:
    """A run of six prompts with two clips of each, in the working folder."""
    write(folder, prompts=6, manifest={"typed": typed or {}})
    if clips:
        (folder / "clips").mkdir()
    run = open_run(folder)
    manifest = dataclasses.replace(run.manifest, plan=dataclasses.replace(run.manifest.plan, **plan))
    run.folder.write_manifest(manifest)
    return open_run(folder)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


PLAIN = "vbench run --suite ads -g model --clips-per-prompt 2"
TYPED = {"suite": "my.toml", "generators": {"model": "./m.toml"}, "prices": "p.toml", "thresholds": "t.toml"}
PLAN = {
    "prompts": ("p000", "p001", "p002"), "seed": 7, "backbones": "standard", "metrics": "detail", "reference": "real",
}  # fmt: skip


def test_each_command_of_a_plain_run() -> None:
    run = made(Path("run"))
    side = Side(run, "model")
    assert run_command(run, side) == f"{PLAIN} --out results/ads-model"
    assert run_command(run, side, clips_per_prompt=3, prompts=4, out="x") == (
        "vbench run --suite ads -g model --limit 4 --clips-per-prompt 3 --out x"
    )
    assert finish_command(run) == f"{PLAIN} --out run"
    assert finish_command(run, "--resume", prompts=5) == (
        "vbench run --suite ads -g model --limit 5 --clips-per-prompt 2 --resume --out run"
    )
    assert again_command(run, "model", "other") == (
        "vbench run --suite ads -g model -g other --clips-per-prompt 2 --out run-again"
    )
    assert more_command(run, clips_per_prompt=4) == "vbench run --suite ads -g model --clips-per-prompt 4 --out run"
    assert more_command(run, prompts=6) == f"{PLAIN} --out run"
    assert score_command(run) == "vbench score run"
    assert score_command(run, backbones="standard", thresholds="t.toml", reference="") == (
        "vbench score run --backbones standard --thresholds t.toml --reference none"
    )
    assert score_command(run, reference="real") == "vbench score run --reference real"


def test_what_was_typed_and_planned_is_in_the_command() -> None:
    run = made(Path("run"), typed=TYPED, **PLAN)
    whole = (
        "vbench run --suite my.toml -g ./m.toml --limit 3 --clips-per-prompt 2 --seed 7 --backbones standard "
        "--metrics detail --prices p.toml --thresholds t.toml --reference real --out run"
    )
    assert finish_command(run) == whole
    assert more_command(run, prompts=5) == whole.replace("--limit 3", "--limit 5")
    assert run_command(run, Side(made(Path("other")), "model")) == (
        whole.replace("./m.toml", "model").replace("--out run", "--out results/ads-model")
    )
    assert again_command(run, "model") == whole + "-again"


def test_a_baseline_without_clips_is_made_and_promoted_again() -> None:
    run = made(Path("base"), clips=False)
    again = f'{PLAIN} --out base-again && vbench baseline promote base-again --to base --reason "made and scored again"'
    whole = again.replace('"', "'") + ' --by "$(whoami)"'
    assert score_command(run) == commands.renew_command(run) == more_command(run) == whole
    assert more_command(run, clips_per_prompt=3, prompts=5) == whole.replace("prompt 2", "prompt 3").replace(
        "--clips", "--limit 5 --clips", 1
    )


def test_a_promotion_names_the_run_the_place_and_the_reason() -> None:
    promoted = "vbench baseline promote runs/x --to results/baseline --reason better"
    assert commands.promote_command("runs/x", "results/baseline", "better") == f'{promoted} --by "$(whoami)"'
    assert commands.promote_command("runs/x", "results/baseline", "better", new_anchor="new suite") == (
        f"{promoted} --new-anchor 'new suite' --by \"$(whoami)\""
    )


def test_the_baseline_of_another_suite_gets_a_folder_of_its_own() -> None:
    assert commands.baseline_folder("film") == "results/baseline"
    write(Path("results") / "baseline", prompts=6)
    assert commands.baseline_folder("ads") == "results/baseline"
    assert commands.baseline_folder("film") == "results/baseline-film"
