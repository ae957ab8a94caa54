"""Digests of weights and code, worked out again from the bytes of the files, and the record of a definition."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from vbench_lite import __version__
from vbench_lite.inputs import catalogue
from vbench_lite.measuring.devices import find_device
from vbench_lite.records import FORMAT, ClipSpec, Definition, Price, Prompt, PromptImage, Suite
from vbench_lite.run import identity
from vbench_lite.run.manifest import Manifest, PlanRecord, StoredDefinition, Typed, build_manifest, store_definition
from vbench_lite.run.plan import Plan
from vbench_lite.run.shareable import relative_path, shareable, short_path
from vbench_lite.tomlfile import digest


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "cache"))


def files(texts: dict[str, str]) -> None:
    for name, text in texts.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def names(paths: Any) -> set[str]:
    return {str(path.relative_to(Path.cwd())) for path in paths}


def of(adapter: str = "diffusers", **how: Any) -> Definition:
    return Definition("mine", "diffusion", adapter, **how)


# -- weights


def test_the_digest_of_weights_is_that_of_their_files(tmp_path: Path) -> None:
    files({"model/a": "one", "model/deep/b": "two"})
    folder = tmp_path / "model"
    expected = digest({"a": sha("one"), "deep/b": sha("two")})
    assert identity.weights_digest(of(model=str(folder))) == expected
    assert identity.weights_digest(of(model=str(folder / "a"))) == digest({".": sha("one")})
    declared = {"x.bin": "0" * 64}
    assert identity.weights_digest(of(model=str(folder), weights=declared)) == digest(declared)


def test_no_weights_on_this_machine_have_no_digest(tmp_path: Path) -> None:
    files({"model/a": "one"})
    for model, adapter in (("", "diffusers"), ("model", "diffusers"), ("/nowhere/model", "diffusers"),
                           (str(tmp_path / "model"), "recorded")):  # fmt: skip
        assert identity.weights_digest(of(adapter, model=model)) is None


def test_a_generator_of_parts_has_the_digests_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = (of(weights={"a": "1"}), of(weights={"b": "2"}))
    monkeypatch.setattr(catalogue, "parts", lambda definition: parts if definition.adapter == "hybrid" else ())
    assert identity.weights_digest(of("hybrid")) == digest([digest({"a": "1"}), digest({"b": "2"})])
    assert identity.code_digest(of("hybrid")) is None
    files({"gen.py": "x = 1"})
    parts = (of(), of("command", settings={"command": ["python", "gen.py"]}))
    assert identity.code_digest(of("hybrid")) == digest([None, digest({"gen.py": sha("x = 1")})])
    parts = (of("http"), of(model="org/a"))
    assert list(identity.not_covered(of("hybrid"))) == [
        '"mine": the service may change its model at any time', '"mine": the hub id org/a without a revision',
    ]  # fmt: skip


@pytest.mark.parametrize(("size", "stored"), [(10, 0), (11, 1)])
def test_digests_of_large_files_alone_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, stored: int
) -> None:
    monkeypatch.setattr(identity, "SMALL", 10)
    files({"a": "x" * size})
    assert identity.file_digest(Path("a")) == sha("x" * size)
    cached = list((tmp_path / "cache" / "digests").glob("*.json"))
    assert [json.loads(path.read_text()) for path in cached] == [{"sha256": sha("x" * size)}] * stored
    for path in cached:
        path.write_text('{"sha256": 5}')
        assert identity.file_digest(Path("a")) == "5"
        for broken in ("[]", "{", "{}", "3"):
            path.write_text(broken)
            assert identity.file_digest(Path("a")) == sha("x" * size)
    assert identity.SMALL == 10


def test_without_a_cache_that_can_be_written_large_files_are_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "SMALL", 10)
    files({"a": "x" * 11, "cache": "a file"})
    assert identity.file_digest(Path("a")) == sha("x" * 11)


def test_files_up_to_64_mebibytes_are_small() -> None:
    assert identity.SMALL == 67_108_864


# -- code


def test_the_digest_of_code_names_each_file_and_lists_those_of_one_name() -> None:
    files({"a/make.py": "one", "b/make.py": "two", "run_sh": "echo"})
    command = of("command", settings={"command": ["sh", "run_sh", "a/make.py"]})
    assert identity.code_digest(command) == digest({"make.py": sha("one"), "run_sh": sha("echo")})
    both = of("command", settings={"command": ["b/make.py", "a/make.py"]})
    assert identity.code_digest(both) == digest({"make.py": [sha("one"), sha("two")]})
    for other in (of(), of("command"), of("command", settings={"command": "sh run_sh"}), of("none_such:Mine"),
                  of("none.such:Mine"), of("sys:Mine")):  # fmt: skip
        assert identity.code_digest(other) is None


def test_a_class_counts_with_what_it_imports_from_its_own_folder() -> None:
    files({
        "own/mine.py": "import own.a, json\nfrom . import b\nfrom .c import d\nfrom own.deep.e import f\nimport g",
        "own/a.py": "import own.h", "g.py": "",
    } | dict.fromkeys([f"own/{name}.py" for name in ("__init__", "b", "c", "d", "deep/e", "g", "h", "unused")], ""))
    found = names(identity.code_files(of("own.mine:Mine")))
    expected = {f"own/{name}.py" for name in ("mine", "a", "b", "c", "d", "deep/e", "g", "h")}
    assert found - {"own/__init__.py"} == expected


def test_a_file_that_is_no_python_imports_nothing() -> None:
    files({"broken.py": "import (", "good.py": "import broken\nfrom . import other", "other.py": "\0"})
    command = of("command", settings={"command": ["python", "good.py"]})
    assert names(identity.code_files(command)) == {"broken.py", "good.py", "other.py"}


def test_modules_that_import_each_other_are_listed_once() -> None:
    files({"a.py": "import b, a", "b.py": "import c", "c.py": "import a, b"})
    found = identity.code_files(of("command", settings={"command": ["a.py", "./a.py"]}))
    assert [path.name for path in found] == ["a.py", "b.py", "c.py"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["python", "-m", "pack.tool"], {"pack/tool.py"}),
        (["python", "-m", "pack"], {"pack/__init__.py", "pack/__main__.py"}),
        (["python", "-m", "top.pack.tool"], {"pack/tool.py"}), (["python", "-x", "pack.tool"], set()),
        (["--file=pack/tool.py"], {"pack/tool.py"}), (["sh", "-c", "python pack/tool.py --x"], {"pack/tool.py"}),
        (["{here}/pack/tool.py"], {"pack/tool.py"}), (["pack"], set()), (["-m"], set()),
        ([3, "pack/tool.py"], {"pack/tool.py"}), (["x" * 5000], set()), (["a\0b"], set()),
    ],
)  # fmt: skip
def test_the_files_that_a_command_names(tmp_path: Path, words: list[str], expected: set[str]) -> None:
    files(dict.fromkeys(("pack/__init__.py", "pack/__main__.py", "pack/tool.py"), ""))
    assert names(identity.code_files(of("command", settings={"command": words}, folder=tmp_path))) == expected


def test_a_command_is_read_from_its_own_folder() -> None:
    files({"tool/make.py": "import parts", "tool/parts.py": "", "make.py": "other"})
    settings = {"command": ["python", "make.py", "-m", "parts"], "cwd": "tool"}
    assert names(identity.code_files(of("command", settings=settings))) == {"tool/make.py", "tool/parts.py"}


@pytest.mark.parametrize(("content", "script"), [
    (b"x" * 8192 + b"\0", True), (b"x" * 8191 + b"\0", False), (b"", True), (b"x" * 10_000, True),
    (b"x" * 10_001, False),
])  # fmt: skip
def test_a_script_is_a_small_text_file(monkeypatch: pytest.MonkeyPatch, content: bytes, script: bool) -> None:
    monkeypatch.setattr(identity, "SMALL", 10_000)
    Path("made").write_bytes(content)
    command = of("command", settings={"command": ["made"]})
    assert (names(identity.code_files(command)) == {"made"}) is script


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (of("http"), ["the service may change its model at any time"]),
        (of("command", settings={"command": ["none"]}), ["the program is not a file of the working folder"]),
        (of("command", settings={"command": ["gen.py"]}), ["libraries and weights of the program's own environment"]),
        (of(model="org/name"), ["the hub id org/name without a revision"]),
        (of(model="name"), ["the hub id name without a revision"]),
        (of(model="org/name", revision="1"), []), (of(model="gen.py"), []), (of(), []),
        (of(model="a/b/c"), ["a/b/c, which is missing"]), (of(model="/no/model"), ["/no/model, which is missing"]),
    ],
)  # fmt: skip
def test_what_no_digest_covers_is_said_in_words(definition: Definition, words: list[str]) -> None:
    files({"gen.py": "x = 1"})
    assert list(identity.not_covered(definition)) == [f'"mine": {each}' for each in words]


# -- what run.json holds


def test_a_definition_is_stored_with_its_digests_and_short_paths(tmp_path: Path) -> None:
    files({"gens/model/a": "one", "gens/make.py": "x = 1"})
    folder = tmp_path / "gens"
    definition = Definition(
        "mine", "diffusion", "command", model=str(folder / "model"), revision="r", source="/srv/here", licence="MIT",
        clip=ClipSpec(frames=5), inputs=(("image",),), settings={"command": ["{here}/make.py"], "env": {"A": "b"}},
        price=Price(usd_per_clip=0.5), folder=folder, about={"note": "see /srv/notes"},
    )  # fmt: skip
    assert store_definition(definition) == StoredDefinition(
        name="mine", route="diffusion", adapter="command", model="model", revision="r", source="here", licence="MIT",
        clip=ClipSpec(frames=5), inputs=(("image",),), settings={"command": ["{here}/make.py"], "env": {"A": "(set)"}},
        price=Price(usd_per_clip=0.5), weights={}, folder="gens", about={"note": "see notes"},
        weights_digest=digest({"a": sha("one")}), code_digest=digest({"make.py": sha("x = 1")}),
    )  # fmt: skip
    hub = store_definition(of(model="org/name"))
    assert (hub.model, hub.weights_digest, hub.code_digest, hub.folder) == ("org/name", None, None, ".")


def test_the_manifest_of_a_new_run_holds_the_plan_and_the_machine(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    image = PromptImage(str(tmp_path / "a.png"), "0" * 64)
    prompts = (Prompt("a", "an a", image=image), Prompt("b", "a b"))
    suite = Suite("ads", "Ads", prompts, "d", reference=str(tmp_path / "real"))
    plan = Plan(suite, prompts[:1], 3, 5, "builtin", (of(),), {"a": 4})
    typed, device = Typed(suite="ads.toml", generators={"mine": "mine.toml"}), find_device("cpu")
    now = datetime(2026, 11, 29, 12, 0, 1, 5, tzinfo=UTC)
    found = build_manifest(plan, device, {"mine": Price(usd_per_clip=1.0)}, "mine", typed=typed, now=now)
    stored = (Prompt("a", "an a", image=PromptImage("images/0000000000000000.png", "0" * 64)), prompts[1])
    assert found == Manifest(
        format=FORMAT, name="mine", suite=Suite("ads", "Ads", stored, "d", reference="real"),
        plan=PlanRecord(("a",), 3, 5, "builtin", clips_of={"a": 4}), generators={"mine": store_definition(of())},
        created="2026-11-29T12:00:01+00:00", device=device.facts, software=found.software, git=found.git,
        prices={"mine": Price(usd_per_clip=1.0)}, typed=typed,
    )  # fmt: skip
    assert found.suite.prompts[0].image is not None
    assert found.suite.prompts[0].image.path == "images/0000000000000000.png"
    known = {"vbench_lite", "python", "torch", "diffusers", "transformers", "numpy", "av", "threads", "system"}
    assert set(found.software) == known
    assert found.software["vbench_lite"] == __version__
    assert all(found.software[name] for name in ("python", "numpy", "system"))


def test_a_library_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    from vbench_lite.run import manifest

    def version(name: str) -> str:
        if name == "torch":
            return "2.9.0"
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(manifest, "version", version)
    found = manifest.software()
    names = ("torch", "diffusers", "transformers", "numpy", "av")
    assert [found[name] for name in names] == ["2.9.0", None, None, None, None]


def test_the_threads_of_a_run_are_those_that_were_set_or_those_of_the_processors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import os

    from vbench_lite.run.manifest import software

    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert software()["threads"] == "7"
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 2, 5})
    assert software()["threads"] == "3"
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 9)
    assert software()["threads"] == "9"


@pytest.mark.parametrize(
    ("settings", "adapter", "asked"),
    [({}, "diffusers", True), ({}, "recorded", False), ({"conform": True}, "recorded", True),
     ({"conform": False}, "x", False)],
)  # fmt: skip
def test_a_form_of_clip_is_asked_of_all_but_recorded_clips(settings: Any, adapter: str, asked: bool) -> None:
    stored = StoredDefinition("one", "diffusion", adapter, clip=ClipSpec(), settings=settings)
    assert stored.asked_form == (ClipSpec() if asked else None)
    assert stored.sweep == {}
    swept = StoredDefinition("one", "diffusion", adapter, about={"sweep": {"of": "mine", "steps": 4}})
    assert swept.sweep == {"of": "mine", "steps": 4}


@pytest.mark.parametrize(("name", "allowed"), [
    ("a" * 150, True), ("a" * 151, False), ("9._@=,+-", True), ("_a", False), ("-a", False), ("a/b", False),
    ("", False), ("Z", True), ("é", False),
])  # fmt: skip
def test_names_of_generators_and_prompts_are_names_of_folders(name: str, allowed: bool) -> None:
    def make(generator: str, prompt: str) -> Manifest:
        suite = Suite("s", "", (Prompt(prompt, ""),), "")
        return Manifest(2, "run", suite, PlanRecord((), 1), {generator: StoredDefinition("x", "diffusion", "y")})

    if allowed:
        make(name, name)
        return
    for kind, names_of in (("generator", (name, "p")), ("prompt", ("g", name))):
        with pytest.raises(ValueError, match=f"the {kind} name '.*' cannot be the name of a folder"):
            make(*names_of)


@pytest.mark.parametrize(
    ("digits", "valid"), [("0" * 64, True), ("0" * 63, False), ("0" * 65, False), ("G" * 64, False)]
)
def test_images_of_a_manifest_have_a_digest(digits: str, valid: bool) -> None:
    suite = Suite("s", "", (Prompt("a", "", image=PromptImage("x", digits)),), "")
    if valid:
        Manifest(2, "run", suite, PlanRecord(("a",), 1), {})
        return
    with pytest.raises(ValueError, match="the image of the prompt 'a' has no sha256"):
        Manifest(2, "run", suite, PlanRecord(("a",), 1), {})


# -- no secrets and no paths

SET = "(set)"


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"api_key": "x", "hf_token": "y", "tokens": 4, "my-secret": "z", "password": "w", "tokenizer": "t"},
         {"api_key": SET, "hf_token": SET, "tokens": 4, "my-secret": SET, "password": SET, "tokenizer": "t"}),
        (["--token", "x", "--api-key", "y", "--size", "z", "-password", "w", "v"],
         ["--token", SET, "--api-key", SET, "--size", "z", "-password", SET, "v"]),
        (["--token=x", "--size=y"], [f"--token={SET}", "--size=y"]), (("a", 1), ["a", 1]), ([], []),
        ("https://ana:pw@example.org/a", f"https://{SET}@example.org/a"),
        ("https://example.org/a/b", "https://example.org/a/b"), ("file:///srv/a.txt", "file://a.txt"),
        ("x=/srv/a,/srv/b", "x=a,b"), ("~/models/wan", "wan"), ("a/b", "a/b"), ("{out}/a", "{out}/a"),
        ({"headers": {"A": "x"}, "env": {"B": "y"}}, {"headers": {"A": SET}, "env": {"B": SET}}),
        ({"env": "x"}, {"env": "x"}), ({1: True, "b": None}, {"1": True, "b": None}), (1.5, 1.5),
        ([["--token", "x"]], [["--token", SET]]), ([1, "--token", 2], [1, "--token", SET]),
    ],
)  # fmt: skip
def test_what_is_stored_of_a_setting(value: Any, stored: Any) -> None:
    assert shareable(value) == stored


def test_paths_are_those_from_the_working_folder_or_their_last_part(tmp_path: Path) -> None:
    package = Path(identity.__file__).parents[2]
    assert [short_path(str(path)) for path in (tmp_path / "a" / "b", "a/b", "/srv/a/b", package / "x" / "y", "")] == [
        "a/b", "a/b", "b", "x/y", "",
    ]  # fmt: skip
    assert [relative_path(path) for path in (str(tmp_path / "real"), "real", "world", "", str(tmp_path.parent))] == [
        "real", "real", "world", "", "..",
    ]  # fmt: skip
