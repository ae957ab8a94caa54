"""A run card holds what makes the numbers again, and two cards say what differs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import vbench_lite as vb
from tests.built_runs import Fake, build_run
from vbench_lite.analysis.card import run_card
from vbench_lite.analysis.summary import summarise
from vbench_lite.cli import group
from vbench_lite.run.manifest import GitState, Manifest
from vbench_lite.run.plan import clip_seed
from vbench_lite.tomlfile import digest


def built(path: Path, sent: str = "", settings: dict[str, Any] | None = None) -> vb.Run:
    fakes = [Fake("a"), Fake("b", failed=[(0, 0)])]
    run = build_run(path, prompts=2, generators=fakes, video=False, texts={0: "a cat"})
    manifest = run.folder.manifest()
    first = dataclasses.replace(manifest.suite.prompts[0], generator_text=sent)
    suite = dataclasses.replace(manifest.suite, prompts=(first, *manifest.suite.prompts[1:]))
    a = dataclasses.replace(manifest.generators["a"], settings=settings or {}, licence="Apache-2.0")
    run.folder.write_manifest(dataclasses.replace(manifest, suite=suite, generators={**manifest.generators, "a": a}))
    summarise(run.folder, run.scored)
    return vb.open_run(path)


def with_manifest(run: vb.Run, manifest: Manifest) -> vb.Run:
    """The same run with another run.json, which is not written."""
    other = vb.open_run(run.path)
    other.__dict__["manifest"] = manifest
    return other


@pytest.fixture(scope="module")
def runs(tmp_path_factory: Any) -> tuple[vb.Run, vb.Run]:
    folder = tmp_path_factory.mktemp("cards")
    other = built(folder / "new", "A tabby cat.", {"num_inference_steps": 30, "guidance_scale": 5.0})
    return built(folder / "old"), other


def test_a_card_states_prompts_seeds_settings_scorers_and_commands(runs: tuple[vb.Run, vb.Run], tmp_path: Path) -> None:
    card = run_card(runs[1])
    assert card.prompts[0].text_sha256 == hashlib.sha256(b"a cat").hexdigest()
    assert card.prompts[0].sent_sha256 == hashlib.sha256(b"A tabby cat.").hexdigest()
    assert card.prompts[1].sent_sha256 == card.prompts[1].text_sha256
    assert (card.suite.expanded, card.suite.prompts, card.suite.seed) == (1, 2, 0)
    assert card.suite.text_digest != card.suite.sent_digest
    assert card.suite.seeds_digest == digest([clip_seed(0, p, k) for p in ("p000", "p001") for k in (0, 1)])
    a, b = card.generators["a"], card.generators["b"]
    assert (a.frames, a.fps, a.height, a.width, a.steps, a.guidance) == (17, 8.0, 64, 64, 30.0, 5.0)
    assert (b.steps, b.guidance) == (20.0, None)  # counted while the clips were made
    assert (b.clips, b.failed, b.missing) == (4, 1, 0)
    assert card.scorers["clip_text"].backbone == "builtin/clip@0123abcd"
    assert card.software["torch"] == "2.9.0"
    assert card.commit == "0" * 40
    changed = dataclasses.replace(runs[1].manifest, git=GitState("0" * 40, dirty=True))
    assert run_card(with_manifest(runs[1], changed)).commit == f"{'0' * 40} with changes"
    assert run_card(with_manifest(runs[1], dataclasses.replace(changed, git=None))).commit == ""
    assert card.commands[0].startswith("vbench run --suite ads -g a -g b --clips-per-prompt 2")
    assert list(run_card(dataclasses.replace(runs[1], selected="b")).generators) == ["b"]


def test_the_command_writes_markdown_and_json_with_the_same_values(runs: tuple[vb.Run, vb.Run], tmp_path: Path) -> None:
    for name in ("card.md", "card.json"):
        arguments = ["report", str(runs[1].path), "--format", "run-card", "-o", str(tmp_path / name)]
        done = CliRunner().invoke(group, arguments)
        assert done.exit_code == 0, done.output
    (card,) = json.loads((tmp_path / "card.json").read_text())["cards"]
    text = (tmp_path / "card.md").read_text()
    for value in (card["suite"]["sent_digest"], card["generators"]["a"]["weights_digest"], *card["commands"]):
        assert value in text
    assert "| `guidance` | `5` |" in text
    assert "| `guidance` | `not stated` |" in text


def test_compare_names_what_two_cards_differ_in(runs: tuple[vb.Run, vb.Run]) -> None:
    old, new = runs
    first, second = vb.compare(old, new)
    found = {d.entry: (d.baseline, d.candidate) for d in first.card}
    assert found["generator.guidance"] == ("none", "5.0")
    assert found["suite.expanded"] == ("0", "1")
    assert found["generator.settings.num_inference_steps"] == ("none", "30")
    assert "suite.sent_digest" in found
    assert not {"suite.text_digest", "generator.settings"} & set(found)
    assert {d.entry for d in second.card} == {"suite.expanded", "suite.sent_digest"}
    done = CliRunner().invoke(group, ["compare", f"{old.path}:a", f"{new.path}:a"])
    assert "generator.guidance: none in the baseline, 5.0 in the candidate" in done.output
    assert vb.compare(old, old)[0].card == ()


def test_a_card_digests_the_texts_and_names_the_device(runs: tuple[vb.Run, vb.Run]) -> None:
    card, manifest = run_card(runs[1]), runs[1].manifest
    assert card.suite.text_digest == digest([[p.id, p.text] for p in manifest.prompts])
    assert card.suite.sent_digest == digest([["p000", "A tabby cat."], ["p001", manifest.prompts[1].text]])
    assert card.suite.digest == manifest.suite.digest
    assert card.hardware == str(manifest.device)
    assert card.prompts[0].id == "p000"
