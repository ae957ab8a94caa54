"""The text that generators are given, and the text that metrics use."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from tests.runs import cpu, simulated
from vbench_lite.errors import BadFile, PlanConflict
from vbench_lite.inputs.suites import load_suite
from vbench_lite.records import Suite
from vbench_lite.run.manifest import build_manifest
from vbench_lite.run.plan import make_plan
from vbench_lite.run.plan_changes import extended, refuse_other_plan

TOML = """[[prompt]]
id = "cat"
text = "a cat"
generator_text = "A tabby cat sits."
[[prompt]]
id = "dog"
text = "a dog"
"""
VBENCH = [
    {"prompt_en": text, "dimension": [name]}
    for text, name in (("a cat", "scene"), ("a dog", "color"), ("a cat", "color"))
]


def suite_of(folder: Path, text: str, name: str = "mine.toml") -> Suite:
    (folder / name).write_text(text, "utf-8")
    return load_suite(str(folder / name))


def manifest(suite: Suite) -> Any:
    return build_manifest(make_plan(suite, [simulated()], 1, None, 0, "builtin"), cpu(), {}, "run")


def test_generators_are_given_the_generator_text_and_metrics_the_text(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, TOML)
    plan = make_plan(suite, [simulated()], 1, None, 0, "builtin")
    assert [request.prompt for request in plan.requests(plan.definitions[0])] == ["A tabby cat sits.", "a dog"]
    assert [prompt.text for prompt in suite.prompts] == ["a cat", "a dog"]
    assert suite_of(tmp_path, TOML.replace("tabby", "black")).digest == suite.digest
    assert suite_of(tmp_path, TOML.replace("a dog", "a pug")).digest != suite.digest


def test_the_plan_covers_what_is_sent_and_no_text_beside_it(tmp_path: Path) -> None:
    stored = manifest(suite_of(tmp_path, TOML))
    other_text = manifest(suite_of(tmp_path, TOML.replace('"a cat"', '"a small cat"')))
    refuse_other_plan(tmp_path, stored, other_text)  # the clips stay
    assert extended(stored, other_text).suite.prompts[0].text == "a small cat"
    for old, new in (("A tabby", "A black"), ('"a dog"', '"a pug"'), ('generator_text = "A tabby cat sits."\n', "")):
        with pytest.raises(PlanConflict, match="the text of the prompt"):
            refuse_other_plan(tmp_path, stored, manifest(suite_of(tmp_path, TOML.replace(old, new))))
    same = dataclasses.replace(stored.suite.prompts[0], text="A tabby cat sits.", generator_text="")
    unchanged = dataclasses.replace(stored, suite=dataclasses.replace(stored.suite, prompts=(same, stored.prompts[1])))
    refuse_other_plan(tmp_path, stored, unchanged)


def test_files_of_expanded_prompts_are_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "VBench_full_info.json").write_text(json.dumps(VBENCH))
    (tmp_path / "longer.txt").write_text("A tabby cat.\nA wet dog.\nAnother cat.\n")
    suite = suite_of(tmp_path, 'prompts = "VBench_full_info.json"\ngenerator_texts = "longer.txt"\n')
    assert [(p.text, p.sent) for p in suite.prompts] == [("a cat", "A tabby cat."), ("a dog", "A wet dog.")]
    assert suite.prompts[0].tags == ("scene", "color")
    files = "VBench_full_info.json with the generator texts of longer.txt"
    assert suite.source == f"{files}: 3 entries, 2 different prompts"
    plain = suite_of(tmp_path, 'prompts = "VBench_full_info.json"\n')
    assert (plain.digest, plain.prompts[0].sent) == (suite.digest, "a cat")


def test_prompt_lists_may_hold_generator_texts(tmp_path: Path) -> None:
    table = "text,generator_text\na cat,A tabby cat.\na dog,\n"
    line = json.dumps({"prompt": "a cat", "generator_text": "A tabby cat."})
    for text, name in ((table, "a.csv"), (line, "a.jsonl")):
        assert suite_of(tmp_path, text, name).prompts[0].sent == "A tabby cat."


@pytest.mark.parametrize(
    ("toml", "texts", "line", "words"),
    [
        ('prompts = "list.json"\ngenerator_texts = "longer.txt"', "one\ntwo\n", None, "2 lines for the 3 entries"),
        ('prompts = "list.json"\ngenerator_texts = "longer.txt"', "one\n\nthree\n", 2, "is empty"),
        ('prompts = "list.json"\ngenerator_texts = "longer.txt"', "one\ntwo\x1b\nthree\n", 2, "control character"),
        ('prompts = "list.json"\ngenerator_texts = "no.txt"', "", None, "no such file"),
        ('title = "x"\nprompts = "list.toml"', "", 2, "expected a file of .json"),
        ('generator_texts = "longer.txt"\n' + TOML, "", 1, '"generator_texts" needs "prompts"'),
        ('prompts = "list.json"\n' + TOML, "", 1, 'has both "prompts" and'),
        (TOML.replace("A tabby cat sits.", " "), "", 4, '"generator_text" is empty'),
        (TOML.replace("A tabby cat sits.", "A\\u001b cat"), "", 4, "control character"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, toml: str, texts: str, line: int | None, words: str) -> None:
    (tmp_path / "list.json").write_text(json.dumps(VBENCH))
    (tmp_path / "longer.txt").write_text(texts)
    with pytest.raises(BadFile) as error:
        suite_of(tmp_path, toml)
    assert words in str(error.value)
    assert error.value.line == line
