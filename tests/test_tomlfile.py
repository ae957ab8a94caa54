from pathlib import Path

import pytest

from vbench_lite.errors import BadFile
from vbench_lite.tomlfile import TomlFile, digest

TEXT = """title = "x"
[clip]
frames = "nine"
[[prompt]]
id = "a"
[[prompt]]
id = 3
"""


@pytest.fixture
def file(tmp_path: Path) -> TomlFile:
    path = tmp_path / "f.toml"
    path.write_text(TEXT)
    return TomlFile(path)


def test_errors_name_the_line_of_the_key(file: TomlFile) -> None:
    with pytest.raises(BadFile, match=r'f\.toml:3: "clip\.frames" is \'nine\': expected a whole number'):
        file.get("clip.frames", int)


def test_errors_in_repeated_tables_name_the_right_one(file: TomlFile) -> None:
    assert file.line_of("prompt.id", 1) == 7
    assert file.line_of("prompt.text", 1) == 6  # missing: the table itself


def test_a_missing_key_without_default_is_an_error_and_with_one_is_not(file: TomlFile) -> None:
    assert file.get("licence", str, "none") == "none"
    with pytest.raises(BadFile, match='"licence" is missing'):
        file.get("licence", str)


def test_a_key_that_means_nothing_is_refused(file: TomlFile) -> None:
    with pytest.raises(BadFile, match=r'f\.toml:1: "title" is not known here'):
        file.only(("clip", "prompt"))


def test_broken_toml_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("a = 1\nb = = 2\n")
    with pytest.raises(BadFile, match=r"broken\.toml:2: is not valid TOML"):
        TomlFile(path)


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})
