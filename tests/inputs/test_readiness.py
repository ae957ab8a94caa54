"""A missing requirement of a generator is reported with the command that installs it; no model is loaded."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from vbench_lite.inputs.catalogue import find_definition
from vbench_lite.inputs.readiness import what_is_missing
from vbench_lite.records import Definition


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for key in ("KLING_ACCESS_KEY", "KLING_SECRET_KEY"):
        monkeypatch.delenv(key, raising=False)


def test_built_in_ones_are_ready() -> None:
    for kind in ("diffusion", "transformer", "hybrid"):
        assert what_is_missing(find_definition(f"tiny-{kind}")) == ""


def test_hub_weights_are_fetched_at_their_revision() -> None:
    definition = find_definition("wan2.1-t2v-1.3b")
    assert what_is_missing(definition) == f"needs: hf download {definition.model} --revision {definition.revision}"


def test_package_and_weights_are_both_asked_for() -> None:
    assert what_is_missing(find_definition("cosmos-predict1-7b")).startswith(
        "needs: pip install cosmos_guardrail && hf download nvidia/"
    )


def test_weights_that_are_on_no_hub_are_not_looked_for_there() -> None:
    missing = what_is_missing(find_definition("animatediff-v1-5"))
    assert "hf download" not in missing
    assert missing.endswith("animatediff-v1-5.toml describes how to get them")


def test_a_model_folder_that_is_not_there_is_no_name_on_a_hub(tmp_path: Path) -> None:
    missing = what_is_missing(Definition("mine", "diffusion", "diffusers", model="../weights", folder=tmp_path))
    assert missing.startswith("needs weights in ")
    assert missing.endswith("mine.toml describes how to get them")


def test_a_service_with_two_keys_asks_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    kling = find_definition("kling-v3")
    assert what_is_missing(kling) == "needs: export KLING_ACCESS_KEY=... && export KLING_SECRET_KEY=..."
    monkeypatch.setenv("KLING_ACCESS_KEY", "...")  # as the command was printed
    assert what_is_missing(kling) == "needs: export KLING_ACCESS_KEY=... && export KLING_SECRET_KEY=..."
    monkeypatch.setenv("KLING_ACCESS_KEY", "a")
    monkeypatch.setenv("KLING_SECRET_KEY", "b")
    assert what_is_missing(kling) == ""


def test_a_program_is_looked_for_in_its_folder() -> None:
    program = Definition("mine", "diffusion", "command", settings={"command": ["no-such-program"]}, source="its page")
    assert what_is_missing(program) == "needs the program no-such-program, see its page"
    assert what_is_missing(replace(program, settings={"command": [sys.executable]})) == ""
    assert what_is_missing(replace(program, settings={"command": ["x"], "cwd": "clone"})).startswith(
        "needs the folder clone"
    )
