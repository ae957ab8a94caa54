"""What made a clip is known by digests: another model, class or script is another plan."""

import os
from pathlib import Path

import pytest

from vbench_lite.records import Definition
from vbench_lite.run import identity
from vbench_lite.run.manifest import store_definition
from vbench_lite.run.shareable import shareable, short_path


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "cache"))


def of_class(name: str) -> Definition:
    return Definition("mine", "diffusion", name)


def test_a_changed_class_has_another_digest(tmp_path):
    Path("made_up_one.py").write_text("class Mine: pass\n")
    before = identity.code_digest(of_class("made_up_one:Mine"))
    Path("made_up_one.py").write_text("class Mine: steps = 4\n")
    assert before is not None
    assert identity.code_digest(of_class("made_up_one:Mine")) != before


def test_modules_of_the_same_folder_count_however_they_are_imported():
    Path("pack").mkdir()
    Path("pack/__init__.py").write_text("")
    Path("pack/model.py").write_text("from . import deep\nfrom pack.other import x\nimport json\nclass Mine: pass\n")
    Path("pack/deep.py").write_text("from .deeper import y\n")
    Path("pack/deeper.py").write_text("y = 1\n")
    Path("pack/other.py").write_text("x = 1\n")
    names = {path.name for path in identity.code_files(of_class("pack.model:Mine"))}
    assert names >= {"model.py", "deep.py", "deeper.py", "other.py"}
    before = identity.code_digest(of_class("pack.model:Mine"))
    Path("pack/deeper.py").write_text("y = 2\n")
    assert identity.code_digest(of_class("pack.model:Mine")) != before


def test_modules_that_import_each_other_end():
    Path("ring_a.py").write_text("import ring_b\nclass Mine: pass\n")
    Path("ring_b.py").write_text("import ring_a\n")
    assert {path.name for path in identity.code_files(of_class("ring_a:Mine"))} == {"ring_a.py", "ring_b.py"}


def test_a_script_of_a_command_counts_with_what_it_imports():
    Path("tool").mkdir()
    Path("tool/make.py").write_text("import parts\n")
    Path("tool/parts.py").write_text("steps = 1\n")
    command = ["python", "make.py", "--out", "{out}"]
    definition = Definition("mine", "diffusion", "command", settings={"command": command, "cwd": "tool"})
    assert {path.name for path in identity.code_files(definition)} == {"make.py", "parts.py"}
    before = identity.code_digest(definition)
    Path("tool/parts.py").write_text("steps = 2\n")
    assert identity.code_digest(definition) != before


def test_a_script_beside_the_definition_counts_and_an_interpreter_does_not(tmp_path):
    Path("gen.sh").write_text("echo 1\n")
    Path("program").write_bytes(b"\x7fELF\0\0")
    definition = Definition(
        "mine", "diffusion", "command", settings={"command": ["{here}/gen.sh", "program", "{out}"]}, folder=tmp_path
    )
    assert [path.name for path in identity.code_files(definition)] == ["gen.sh"]


@pytest.mark.parametrize(
    "command",
    [
        ["python", "-m", "tool.make", "{out}"], ["python", "-m", "tool", "{out}"],
        ["run", "--config=tool/make.py"], ["sh", "-c", "python tool/make.py {out}"],
    ],
)
def test_a_script_counts_however_a_command_names_it(command):
    Path("tool").mkdir()
    for name in ("make", "__main__", "__init__"):
        Path(f"tool/{name}.py").write_text("steps = 1\n")
    definition = Definition("mine", "diffusion", "command", settings={"command": command})
    before = identity.code_digest(definition)
    for name in ("make", "__main__"):
        Path(f"tool/{name}.py").write_text("steps = 2\n")
    assert identity.code_digest(definition) != before


def test_files_of_one_name_all_count():
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "make.py").write_text("steps = 1\n")
    definition = Definition("mine", "diffusion", "command", settings={"command": ["sh", "a/make.py", "b/make.py"]})
    before = identity.code_digest(definition)
    Path("a/make.py").write_text("steps = 2\n")
    assert identity.code_digest(definition) != before


def test_the_adapters_of_the_package_have_no_code_digest():
    assert identity.code_digest(Definition("x", "diffusion", "diffusers")) is None


def test_weights_of_any_size_count_and_large_ones_are_hashed_once(tmp_path, monkeypatch):
    monkeypatch.setattr(identity, "SMALL", 10)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(b"a" * 100)
    definition = Definition("x", "diffusion", "diffusers", model=str(folder))
    before = identity.weights_digest(definition)
    hashed = []
    monkeypatch.setattr(identity, "_hashed", lambda path: hashed.append(path) or "other")
    assert identity.weights_digest(definition) == before
    assert hashed == [], "the digest comes from the cache"
    times = (folder / "weights.bin").stat()
    (folder / "weights.bin").write_bytes(b"b" * 100)
    os.utime(folder / "weights.bin", ns=(times.st_atime_ns, times.st_mtime_ns))  # a tool may set the time back
    assert identity.weights_digest(definition) != before


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (Definition("x", "undisclosed", "http"), "the service may change"),
        (Definition("x", "diffusion", "diffusers", model="org/name"), "hub id org/name without a revision"),
        (Definition("x", "diffusion", "command", settings={"command": ["prog", "{out}"]}), "not a file"),
    ],
)
def test_what_no_digest_covers_is_listed(definition, words):
    assert words in " ".join(identity.not_covered(definition))


def test_a_pinned_hub_id_is_covered():
    assert list(identity.not_covered(Definition("x", "diffusion", "diffusers", model="a/b", revision="1"))) == []


def test_no_secret_and_no_path_of_the_machine_is_stored(tmp_path):
    settings = {
        "command": ["/opt/tools/make.py", "{out}"], "env": {"HF_TOKEN": "hf_secret"}, "nested": {"env": {"A": "b"}},
        "headers": {"Authorization": "Key 1"}, "cwd": "~/models",
    }
    definition = Definition("x", "diffusion", "command", model="/data/models/wan", settings=settings, folder=tmp_path)
    text = str(store_definition(definition))
    for private in ("hf_secret", "Key 1", "/opt/tools", "/data/models", str(Path.home()), str(tmp_path)):
        assert private not in text
    assert "HF_TOKEN" in text
    assert shareable({"env": {"A": "b"}}) == {"env": {"A": "(set)"}}
    assert short_path(str(tmp_path / "a" / "b.toml")) == "a/b.toml"
