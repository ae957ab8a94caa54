"""The files around the package: one address, workflows and forms that are well formed, a release that is checked."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from vbench_lite import __version__, environment

ROOT = Path(__file__).parents[1]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
PAGES = [
    path for pattern in ("*.md", "*.yml", "*.toml", "*.cff", ".github/**/*.*", "docs/**/*.*", "vbench_lite/**/*.*")
    for path in ROOT.glob(pattern) if path.suffix in {".md", ".yml", ".toml", ".cff", ".py", ".txt"}
]  # fmt: skip


def targets_of_make() -> dict[str, str]:
    return dict(re.findall(r"^([a-z-]+):.*?(?: ## (.*))?$", (ROOT / "Makefile").read_text("utf-8"), flags=re.M))


def commands_of_the_workflow() -> list[str]:
    return [step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step]


def test_every_file_names_the_one_address_of_the_repository() -> None:
    name = environment.REPOSITORY.removeprefix("https://github.com/")
    found: dict[str, set[str]] = {}
    for path in PAGES:
        text = path.read_text("utf-8", errors="replace")
        for owner in re.findall(r"(?:github\.com/|uses: )([\w-]+/vbench-lite)\b", text):
            found.setdefault(owner, set()).add(path.relative_to(ROOT).as_posix())
    assert set(found) == {name}, found
    assert {"CITATION.cff", "docs/examples/gate.github.yml", "vbench_lite/environment.py"} <= found[name]


def test_the_script_of_the_address_changes_every_place(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    name = environment.REPOSITORY.removeprefix("https://github.com/")
    files = subprocess.run(["git", "grep", "-lF", name], cwd=ROOT, capture_output=True, text=True, check=True)
    for file in [*files.stdout.split(), ".ci/repository"]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    subprocess.run("git init -q && git add -A", shell=True, cwd=tmp_path, check=True)
    subprocess.run([".ci/repository", "github.com/someone/their-fork"], cwd=tmp_path, check=True, capture_output=True)
    left = subprocess.run(["git", "grep", "-F", name], cwd=tmp_path, capture_output=True, text=True)
    assert left.stdout == ""
    assert "uses: someone/their-fork@main" in (tmp_path / "docs/examples/gate.github.yml").read_text("utf-8")


def test_the_workflow_runs_the_tested_pythons_and_commands_that_exist() -> None:
    assert WORKFLOW["jobs"]["tests"]["strategy"]["matrix"]["python"] == environment.tested_pythons()
    made = {command.split()[1] for command in commands_of_the_workflow() if command.startswith("make ")}
    assert {"check", "site", "packages", "gate"} == made <= set(targets_of_make())
    for script in re.findall(r"\.ci/\w+", (ROOT / "Makefile").read_text("utf-8")):
        assert (ROOT / script).stat().st_mode & 0o100, f"{script} is not executable"


def test_make_alone_describes_every_target() -> None:
    printed = subprocess.check_output(["make", "-C", str(ROOT), "--no-print-directory"], text=True)
    described = dict(re.findall(r"^make (\S+) +(.+)$", printed, flags=re.M))
    assert described == targets_of_make()


@pytest.mark.parametrize("path", [path for path in FORMS if path.stem != "config"], ids=lambda path: path.stem)
def test_an_issue_form_has_what_github_requires(path: Path) -> None:
    form: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    assert set(form) == {"name", "description", "labels", "body"}
    assert len({field["id"] for field in form["body"]}) == len(form["body"])
    assert any(field.get("validations", {}).get("required") for field in form["body"])
    for field in form["body"]:
        assert field["type"] in {"input", "textarea", "dropdown", "checkboxes"}
        assert field["attributes"]["label"]
        assert ("options" in field["attributes"]) == (field["type"] in {"dropdown", "checkboxes"})


def test_there_is_a_form_for_each_kind_of_issue() -> None:
    assert {path.stem for path in FORMS} == {"config", "crash", "new-generator", "new-metric", "wrong-number"}


def test_the_citation_states_version_and_licence_of_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (citation["version"], citation["license"]) == (__version__, project["license"])
    assert citation["repository-code"] == environment.REPOSITORY


def release_check(folder: Path, *, version: str = "1.2.0", changelog: str, stated: str = "1.2.0", owner: str = "us"):
    (folder / "vbench_lite").mkdir()
    (folder / "vbench_lite/__init__.py").write_text(f'__version__ = "{stated}"\n')
    (folder / "vbench_lite/environment.py").write_text(f'REPOSITORY = "https://github.com/{owner}/vbench-lite"\n')
    (folder / "CITATION.cff").write_text(f"version: {stated}\n")
    (folder / "CHANGELOG.md").write_text(changelog)
    script = [sys.executable, str(ROOT / ".ci" / "release"), version, "--check"]
    return subprocess.run(script, cwd=folder, capture_output=True, text=True)


def test_a_release_is_ready_where_files_and_changelog_agree(tmp_path: Path) -> None:
    done = release_check(tmp_path, changelog="# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2027-01-31\n\n- A change.\n")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"changelog": "## Unreleased\n- A change.\n\n## 1.2.0 - 2027-01-31\n- x\n"}, 'entries under "Unreleased"'),
        ({"changelog": "## 1.2.0\n- undated\n"}, 'no section "## 1.2.0 - YYYY-MM-DD"'),
        ({"changelog": "## 1.2.0 - 2027-01-31\n\n## 1.1.0 - 2026-12-01\n- old\n"}, "has no entry"),
        ({"changelog": "## 1.2.0 - 2027-01-31\n- x\n", "stated": "1.1.0"}, "CITATION.cff states the version 1.1.0"),
        ({"changelog": "## 1.2.0 - 2027-01-31\n- x\n", "owner": "OWNER"}, "no address yet"),
        ({"changelog": "", "version": "next"}, "usage: .ci/release VERSION"),
    ],
)
def test_a_release_that_is_not_ready_names_what_is_missing(tmp_path: Path, given: dict[str, str], message: str) -> None:
    done = release_check(tmp_path, **given)
    assert done.returncode == 1
    assert message in done.stderr
