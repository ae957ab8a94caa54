"""Files that users write: what cannot be read is an error with its place, never a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from vbench_lite.cli import group
from vbench_lite.errors import BadFile, UnknownName, UsageError, VbenchError
from vbench_lite.inputs.catalogue import find_definition, parts, read_definition
from vbench_lite.inputs.readiness import what_is_missing
from vbench_lite.inputs.suite_import import import_suite
from vbench_lite.inputs.suites import load_suite, read_suite
from vbench_lite.running import sweep
from vbench_lite.tomlfile import TomlFile
from vbench_lite.userfile import lines_of, read_text

SUITE = 'title = "s"\n[[prompt]]\nid = "p"\ntext = "a cat"\n'
DEFINITION = 'route = "diffusion"\nadapter = "command"\n'


def file_of(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("target", "problem"), [("{name}", "leads back to itself"), ("gone", "leads to gone, which does not exist")],
)  # fmt: skip
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("prompts/l.toml", "run --dry-run --suite l"), ("l.toml", "run --dry-run --suite l.toml"),
        ("l.csv", "run --dry-run --suite l.csv"), ("generators/l.toml", "run --dry-run --suite ads -g l"),
        ("l.toml", "run --dry-run --suite ads -g ./l.toml"), ("l", "run --dry-run --suite ads --prices l"),
        ("metrics/l.py", "run --dry-run --suite ads --metrics metrics/l.py"),
        ("clips/l.mp4", "score clips --suite ads"), ("l.toml", "run --dry-run --suite ads --thresholds l.toml"),
    ],
)  # fmt: skip
def test_a_symbolic_link_that_leads_nowhere_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, arguments: str, target: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    link = Path(name)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target.format(name=link.name))
    done = CliRunner().invoke(group, arguments.split())
    assert isinstance(done.exception, VbenchError), done.output
    assert f"the symbolic link {link} {problem.format(name=link.name)}" in str(done.exception)
    assert "Errno" not in str(done.exception)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\v", "\f", "\x1c"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_line_feeds_end_a_line(separator: str, end: str) -> None:
    assert lines_of(f"a{separator}b{end}c{end}") == [f"a{separator}b", "c"]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\v", "\f"])
@pytest.mark.parametrize("name", ["u.txt", "u.jsonl", "u.csv", "u.json"])
def test_separators_inside_a_prompt_are_kept(tmp_path: Path, name: str, separator: str) -> None:
    prompt = f"a cat{separator}on a mat"
    quoted = prompt.replace("\v", "\\u000b").replace("\f", "\\u000c")
    text = {
        "u.txt": f"{prompt}\na dog\n", "u.jsonl": f'{{"prompt": "{quoted}"}}\n{{"prompt": "a dog"}}\n',
        "u.csv": f"prompt\n{prompt}\na dog\n", "u.json": f'["{quoted}", "a dog"]',
    }[name]
    suite = import_suite(file_of(tmp_path, name, text))
    assert [p.text for p in suite.prompts] == [prompt, "a dog"]


@pytest.mark.parametrize(
    ("name", "text"), [("s.toml", SUITE), ("s.txt", "a cat\n"), ("s.csv", "prompt\na cat\n"), ("s.json", '["a cat"]'),
                       ("s.jsonl", '"a cat"\n')],
)  # fmt: skip
def test_byte_order_mark_does_not_matter(tmp_path: Path, name: str, text: str) -> None:
    plain, marked = file_of(tmp_path, name, text), file_of(tmp_path, f"bom-{name}", b"\xef\xbb\xbf" + text.encode())
    assert load_suite(str(marked)).prompts == load_suite(str(plain)).prompts


@pytest.mark.parametrize("sign", ["\n", "\r", "\x1b", "\x07", "\x9b", "\0"])
@pytest.mark.parametrize("key", ["text", "category", "tags"])
def test_control_characters_are_refused_in_suites(tmp_path: Path, sign: str, key: str) -> None:
    written = f"a\\u{ord(sign):04x}b"
    value = f'["{written}"]' if key == "tags" else f'"{written}"'
    others = "" if key == "text" else 'text = "a cat"\n'
    path = file_of(tmp_path, "s.toml", f'[[prompt]]\nid = "p"\n{others}{key} = {value}\n')
    with pytest.raises(BadFile, match=rf's\.toml:\d+: "{key}" contains the control character'):
        read_suite(path)
    others = "" if key == "text" else '"text": "a cat", '
    json = file_of(tmp_path, "s.json", f'[{{{others}"{key}": {value}}}]')
    with pytest.raises(BadFile, match="control character"):
        import_suite(json)


DEEP = 100_000
HOSTILE = {
    "nested lists": "a = " + "[" * DEEP + "]" * DEEP,
    "nested tables": "a = " + "{a = " * DEEP + "1" + "}" * DEEP,
    "dotted key": "a" + ".a" * DEEP + " = 1",
    "long number": "a = " + "9" * 5000,
    "number of 80 bits": f"a = {2**80}",
    "nan": "a = nan", "infinity": "a = [1, -inf]", "inside": "a = { b = [{ c = +nan }] }",
    "not utf-8": b"a = '\xff'", "utf-16": "a = 1".encode("utf-16"),
}  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_toml_names_its_file(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(BadFile, match=r"f\.toml"):
        TomlFile(file_of(tmp_path, "f.toml", content))


@pytest.mark.parametrize(
    "content",
    ["[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, "9" * 5000, "NaN", '[{"prompt": "a", "x": Infinity}]',
     '[{"prompt": "a", "dimension": 5}]', '[{"prompt": "a", "tags": [1]}]', '[{"prompt": "a", "id": []}]',
     '[{"prompt": "a", "category": {}}]', '[{"prompt": 5}]', "{}", "null", '"a"', '[{"prompt": "\\ud800"}]'],
)  # fmt: skip
@pytest.mark.parametrize("name", ["f.json", "f.jsonl"])
def test_hostile_json_names_its_file(tmp_path: Path, name: str, content: str) -> None:
    if name == "f.jsonl" and content == '"a"':
        pytest.skip("one prompt")
    with pytest.raises(BadFile, match=r"f\.json"):
        import_suite(file_of(tmp_path, name, content))


def test_null_is_as_a_key_that_is_not_there(tmp_path: Path) -> None:
    text = '[{"prompt": "a cat", "id": null, "category": null, "tags": null, "dimension": null}]'
    (prompt,) = import_suite(file_of(tmp_path, "f.json", text)).prompts
    assert (prompt.id, prompt.category, prompt.tags) == ("a-cat", "", ())


@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
def test_what_is_no_file_is_said(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "f.toml"
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "link": lambda: path.symlink_to("nowhere")}[kind]()
    with pytest.raises(BadFile, match=r"f\.toml"):
        read_text(path)


@pytest.mark.parametrize(
    "line",
    ["weights = { a = 5 }", 'about = { python_packages = "x" }', "about = { python_packages = [1] }", "settings = 3",
     "clip = { fps = nan }", "clip = { frames = 1e3 }", "clip = { frames = true }", "model = 3", "price = 3"],
)  # fmt: skip
def test_wrong_types_in_a_definition_name_the_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadFile, match=r"g\.toml:3: "):
        read_definition(file_of(tmp_path, "g.toml", DEFINITION + line + "\n"))


@pytest.mark.parametrize(
    "settings", ["command = 5", "command = []", "cwd = 5", f'cwd = "{"x" * 5000}"', 'command = ["\\u0000"]'],
)
def test_readiness_is_known_whatever_the_settings_are(tmp_path: Path, settings: str) -> None:
    packages = 'about = { python_packages = ["no.such", ""] }\n'
    path = file_of(tmp_path, "g.toml", f"{DEFINITION}{packages}[settings]\n{settings}")
    assert "needs" in what_is_missing(read_definition(path))


@pytest.mark.parametrize("model", ["x" * 5000, "\\u0000"])
def test_model_that_cannot_be_a_path_is_kept_as_a_name(tmp_path: Path, model: str) -> None:
    assert read_definition(file_of(tmp_path, "g.toml", f'{DEFINITION}model = "{model}"\n')).model


@pytest.mark.parametrize("name", ["x" * 5000, "a/" * 3000 + "b.toml", "\0.toml", "x" * 5000 + ":Class"])
def test_name_that_cannot_be_a_path_is_unknown(name: str) -> None:
    with pytest.raises(UsageError):
        find_definition(name)
    with pytest.raises(UnknownName):
        load_suite(name)


def test_hybrid_of_itself_is_refused(tmp_path: Path) -> None:
    text = 'route = "hybrid"\nadapter = "hybrid"\n[settings]\ndraft = "h.toml"\nrefiner = "h.toml"\n'
    with pytest.raises(UsageError, match="is also a hybrid"):
        parts(read_definition(file_of(tmp_path, "h.toml", text)))


@pytest.mark.parametrize("word", ["9" * 5000, "[" * DEEP])
def test_value_of_a_sweep_that_is_no_toml_is_a_word(word: str) -> None:
    assert sweep.parse(f"strength={word}") is not None


@pytest.mark.parametrize("key", ["title", "licence", "source", "reference"])
@pytest.mark.parametrize("sign", ["\\u0000", "\\u001b", "\\n"])
def test_control_characters_are_refused_in_the_facts_of_a_suite(tmp_path: Path, key: str, sign: str) -> None:
    path = file_of(tmp_path, "s.toml", f'{key} = "a{sign}b"\n[[prompt]]\nid = "p"\ntext = "a cat"\n')
    with pytest.raises(BadFile, match=rf's\.toml:1: "{key}" contains the control character'):
        read_suite(path)
