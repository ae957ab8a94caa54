"""Prompt lists of other tools become suites whose ids do not depend on their order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vbench_lite.errors import BadFile
from vbench_lite.inputs.suites import load_suite

VBENCH = [
    {"prompt_en": "a bird and a cat", "dimension": ["multiple_objects"],
     "auxiliary_info": {"multiple_objects": {"object": "bird and cat"}}},
    {"prompt_en": "A fantasy landscape", "dimension": ["appearance_style"]},
    {"prompt_en": "a fantasy landscape", "dimension": ["scene", "background_consistency"]},
    {"prompt_en": "The bund Shanghai, oil painting", "dimension": ["appearance_style"]},
    {"prompt_en": "The bund Shanghai, oil painting", "dimension": ["overall_consistency", "aesthetic_quality"]},
]


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, "utf-8")
    return str(folder / name)


def test_vbench_file_merges_equal_prompts_and_keeps_every_dimension(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path, "VBench_full_info.json", json.dumps(VBENCH)))
    assert [p.text for p in suite.prompts] == [
        "a bird and a cat", "A fantasy landscape", "a fantasy landscape", "The bund Shanghai, oil painting"
    ]
    assert suite.prompts[3].tags == ("appearance_style", "overall_consistency", "aesthetic_quality")
    assert suite.prompts[3].category == "appearance_style"
    assert suite.clips_per_prompt == 5
    assert suite.source == "VBench_full_info.json: 5 entries, 4 different prompts"
    assert len({p.id for p in suite.prompts}) == 4


def test_ids_stay_when_the_file_is_reordered(tmp_path: Path) -> None:
    there = load_suite(write(tmp_path, "a.json", json.dumps(VBENCH)))
    back = load_suite(write(tmp_path, "b.json", json.dumps(VBENCH[::-1])))
    assert {p.text: p.id for p in there.prompts} == {p.text: p.id for p in back.prompts}


def test_text_file_is_one_prompt_a_line(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path, "mine.txt", "a red cup\n\n  # 1 fan, cheering  \n"))
    assert [p.text for p in suite.prompts] == ["a red cup", "# 1 fan, cheering"]
    assert suite.prompts[0].id == "a-red-cup"


def test_json_lines_and_csv_say_the_same(tmp_path: Path) -> None:
    lines = '{"prompt": "a red cup, steaming", "id": "cup", "category": "kitchen", "tags": ["steam"]}\n"a dog"\n'
    table = 'id,prompt,category,tags\ncup,"a red cup, steaming",kitchen,steam\n,a dog,,\n'
    from_lines = load_suite(write(tmp_path, "same.jsonl", lines))
    from_table = load_suite(write(tmp_path, "same.csv", table))
    assert from_lines.prompts == from_table.prompts
    assert from_lines.digest == from_table.digest


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.json", "[1]", r"x\.json:1: entry 1 has no prompt"),
        ("x.json", "{", r"x\.json:1: is not valid JSON"),
        ("x.json", "[]", "contains no prompt"),
        ("x.jsonl", '"fine"\n{"text": 3}\n', r"x\.jsonl:2: the line has no prompt"),
        ("x.csv", "name,words\na,b\n", r"x\.csv:1: no column for the prompt"),
        ("x.csv", 'text\na cat\n"a dog\na bird\n', r"x\.csv:3: is not valid CSV: a cell begins with a quote"),
        ("x.csv", "id,text\n../up,a cat\n", r'x\.csv:2: the id "\.\./up" names a folder'),
        ("x.csv", "id,text\na,a cat\na,a dog\n", r'x\.csv:3: two prompts have the id "a"'),
        ("x.txt", "\n\n", "contains no prompt"),
    ],
)
def test_what_is_no_prompt_list_is_refused_with_its_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(BadFile, match=message):
        load_suite(write(tmp_path, name, text))


def test_prompt_with_a_control_character_is_refused_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"bad\.csv:2: contains a prompt with the control character"):
        load_suite(write(tmp_path, "bad.csv", 'prompt\n"a\x00b"\n'))


def test_file_of_an_unknown_kind_is_not_read_as_toml(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"expected \.toml, \.json, \.jsonl, \.csv, \.txt"):
        load_suite(write(tmp_path, "prompts.yaml", "- a red cup\n"))
