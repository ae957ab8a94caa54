"""Which versions of the libraries are accepted, which were tested, and what is said of others."""

from __future__ import annotations

import importlib
import importlib.metadata
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.version import Version

from vbench_lite import cli, environment
from vbench_lite.environment import Library, State
from vbench_lite.errors import LibraryError
from vbench_lite.report import write_report
from vbench_lite.run.view import open_run

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
REQUIREMENTS = [Requirement(text) for text in PYPROJECT["project"]["dependencies"]]
TESTED = tomllib.loads(environment.TESTED.read_text("utf-8"))


def library(installed: str | None, bounds: str = "av>=18.0", newest: str | None = "19.0.2") -> Library:
    return Library(Requirement(bounds), installed, newest)


@pytest.fixture
def other_av(monkeypatch: pytest.MonkeyPatch):
    """Pretends that another version of av is installed."""

    def install(version: str | None) -> None:
        rest = [lib for lib in environment.libraries() if lib.name != "av"]
        monkeypatch.setattr(environment, "libraries", lambda: [*rest, library(version)])

    return install


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.name)
def test_each_dependency_has_a_lowest_and_a_newest_tested_version(requirement: Requirement) -> None:
    lowest = [bound.version for bound in requirement.specifier if bound.operator == ">="]
    assert len(lowest) == 1
    assert Version(lowest[0]) <= Version(TESTED["newest"][requirement.name])


def test_only_dependencies_are_listed_as_tested() -> None:
    core = {requirement.name for requirement in REQUIREMENTS}
    groups = PYPROJECT["project"]["optional-dependencies"].values()
    extras = {Requirement(text).name for texts in groups for text in texts}
    assert core <= set(TESTED["newest"]) <= core | extras
    assert f">={TESTED['pythons'][0]}" == PYPROJECT["project"]["requires-python"]


@pytest.mark.parametrize(
    ("installed", "state"),
    [("18.0.0", State.TESTED), ("19.0.2", State.TESTED), ("19.0.2+local", State.TESTED), ("18.1.0rc1", State.TESTED),
     ("19.1.0", State.NEWER), ("20.0", State.NEWER), ("17.9", State.REFUSED), (None, State.MISSING)],
)
def test_an_installed_version_has_one_of_four_states(installed: str | None, state: State) -> None:
    assert library(installed).state is state


def test_an_excluded_version_is_refused() -> None:
    assert library("18.2", "av>=18.0,!=18.2").state is State.REFUSED
    assert library("20.1", "av>=18.0,<20").state is State.REFUSED


def test_what_is_installed_here_fits() -> None:
    assert {lib.name for lib in environment.libraries()} >= {"torch", "av", "numpy", "open-clip-torch"}
    environment.check_libraries()


def test_libraries_that_do_not_fit_are_named_with_one_command_for_all() -> None:
    found = [library("14.0.0"), library(None, "rich>=13.7"), library("2.14.1", "torch>=2.9", "2.14.1")]
    with pytest.raises(LibraryError) as caught:
        environment.check_libraries(found)
    message, command = str(caught.value).split(" Fix: ")
    assert "av is 14.0.0, needed >=18.0; rich is missing, needed >=13.7" in message
    assert shlex.split(command) == [sys.executable, "-m", "pip", "install", "av>=18.0", "rich>=13.7"]


def row_of(name: str, output: str) -> str:
    """What doctor prints of one thing, with the lines joined into which it is wrapped."""
    rows: list[str] = []
    for line in output.splitlines():
        if line.startswith(("FAIL ", "ok   ", "-    ")):
            rows.append("")
        if rows:
            rows[-1] += f" {line.rstrip(chr(92)).strip()}"
    (found,) = (" ".join(row.split()) for row in rows if row.split()[1:2] == [name])
    return found


def vbench(folder: Path, versions: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, which finds other versions of some libraries first, by their metadata."""
    for name, version in versions.items():
        place = folder / f"{name}-{version}.dist-info"
        place.mkdir()
        (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    command = [sys.executable, "-m", "vbench_lite", *arguments]  # which looks into the working folder first
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_doctor_warns_of_installed_versions_outside_the_tested_ones_and_fails_below_the_bounds(tmp_path: Path) -> None:
    done = vbench(tmp_path, {"av": "999.1", "rich": "999.0+local", "scipy": "0.1"}, "doctor")
    assert done.returncode == 1, done.stderr
    for name, version in {"av": "999.1", "rich": "999.0+local"}.items():
        row = row_of(name, done.stdout)
        assert row.startswith(f"- {name} {version}, warning: newer than the tested versions, ")
        assert f"pip install '{name}<={TESTED['newest'][name]}'" in row
    row = row_of("scipy", done.stdout)
    assert row.startswith("FAIL scipy 0.1, needed: ")
    assert "pip install 'scipy>=" in row
    assert row_of("numpy", done.stdout).startswith("ok numpy ")


def test_a_command_stops_before_it_uses_an_installed_version_below_the_bounds(tmp_path: Path) -> None:
    done = vbench(tmp_path, {"av": "14.0.0", "diffusers": "0.35"}, "run", "--suite", "ads", "--dry-run")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: unsuitable versions of libraries: av is 14.0.0, needed >=18.0; diffusers is ")
    words = shlex.split(done.stderr.partition(" Fix: ")[2])
    assert words[:4] == [sys.executable, "-m", "pip", "install"]
    assert [Requirement(word).name for word in words[4:]] == ["av", "diffusers"]


def test_an_unexpected_error_ends_with_the_libraries_that_are_newer_than_tested(
    other_av, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise TypeError("open() got an unexpected keyword argument")

    monkeypatch.setattr(cli, "group", broken)
    with pytest.raises(TypeError) as caught:
        cli.main()
    assert "av 20" not in "".join(getattr(caught.value, "__notes__", []))
    other_av("20.0.0")
    with pytest.raises(TypeError) as caught:
        cli.main()
    assert "av 20.0.0 (tested: 18.0 to 19.0.2)" in caught.value.__notes__[0]


def test_each_extra_names_the_libraries_that_it_adds() -> None:
    found = {name: {lib.name for lib in libraries} for name, libraries in environment.extras().items()}
    assert {"dev", "docs", "parquet", "ray"} <= set(found)
    assert found["parquet"] == {"pyarrow"}
    assert not found["dev"] & {lib.name for lib in environment.libraries()}


def test_a_library_of_an_extra_that_is_missing_is_a_sentence_with_the_command_of_the_whole_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(LibraryError) as caught:
        write_report([open_run(str(ROOT / "results" / "baseline"))], tmp_path / "clips.parquet")
    message, command = str(caught.value).split('The extra "parquet" installs it: ')
    assert message == "pyarrow cannot be imported. "
    assert [word.split(">=")[0] for word in shlex.split(command)[4:]] == ["pyarrow"]


def test_doctor_names_each_extra_and_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Library(Requirement("pyarrow>=18"), None)
    monkeypatch.setattr(environment, "extras", lambda: {"parquet": [absent], "none": []})
    output = CliRunner().invoke(cli.group, ["doctor"]).output
    assert "extra: parquet" in output
    assert "not installed: pyarrow" in output
    assert "'pyarrow>=18'" in output  # a long path of the interpreter puts it on a line of its own


NO_AV = """
import sys
sys.modules["av"] = None
sys.argv = ["vbench", "doctor"]
from vbench_lite.cli import main
main()
"""


def test_doctor_goes_on_where_a_library_cannot_be_imported() -> None:
    done = subprocess.run([sys.executable, "-c", NO_AV], capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "av cannot be imported: " in done.stdout
    for check in ("generator tiny-diffusion", "backbone builtin/image", "key FAL_KEY"):
        assert check in done.stdout, "checks that need no av still run"


def test_an_import_that_fails_is_a_sentence_with_the_command_that_installs_the_library() -> None:
    error = ModuleNotFoundError("No module named 'cv2.dnn'", name="cv2.dnn")
    assert "pip install --force-reinstall --no-deps opencv-python-headless" in str(environment.import_problem(error))


@pytest.mark.parametrize(
    ("library", "error", "arguments"),
    [
        ("rich", 'ImportError("a function was removed")', "list suites"),
        ("msgspec", 'AttributeError("module has no attribute")', "list generators"),
        ("numpy", 'ValueError("dtype size changed")', "report results/baseline"),
        ("click", 'ImportError("a function was removed")', "--help"),
    ],
)
def test_a_library_that_breaks_while_it_is_imported_is_a_sentence_with_the_command_that_repairs_it(
    tmp_path: Path, library: str, error: str, arguments: str
) -> None:
    (tmp_path / f"{library}.py").write_text(f"raise {error}\n")
    (tmp_path / "results").symlink_to(ROOT / "results")
    done = vbench(tmp_path, {}, *arguments.split())
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {library} cannot be imported: {error.split(chr(34))[1]}. Fix: ")
    assert shlex.split(done.stderr.split("Fix: ")[1].partition(". All")[0])[-1].strip() == library
    assert "Traceback" not in done.stderr


def test_two_libraries_that_do_not_go_together_are_named_with_the_command_that_solves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images-2.0.dist-info").mkdir()
    (tmp_path / "images-2.0.dist-info/METADATA").write_text(
        "Metadata-Version: 2.1\nName: images\nVersion: 2.0\nRequires-Dist: av==1.5\nRequires-Dist: numpy>=1\n"
    )
    (tmp_path / "images-2.0.dist-info/top_level.txt").write_text("images_of_a_test\n")
    (tmp_path / "images_of_a_test.py").write_text('raise RuntimeError("operator nms does not exist\\nlong text")\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError) as caught:
        importlib.import_module("images_of_a_test")
    problem = str(environment.import_problem(caught.value))
    installed = importlib.metadata.version("av")
    assert "operator nms does not exist; images needs av==1.5 (installed: " + installed in problem
    assert "pip install images. " in problem


def test_an_error_of_the_package_itself_is_no_problem_of_a_library() -> None:
    for call in (lambda: environment.Version("no version"), lambda: environment.Library(None, "1").name):  # type: ignore[arg-type]
        with pytest.raises(Exception) as caught:  # noqa: PT011
            call()
        assert environment.import_problem(caught.value) is None


def test_a_module_of_this_package_that_cannot_be_imported_is_a_bug() -> None:
    assert environment.import_problem(ModuleNotFoundError("no", name="vbench_lite.nothing")) is None


NO_CLICK = """
import runpy, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "LIBRARY":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
sys.argv = ["vbench", "doctor"]
runpy.run_module("vbench_lite", run_name="__main__")
"""


@pytest.mark.parametrize("library", ["click", "packaging"])
def test_a_library_that_the_command_line_needs_is_named_with_the_command_that_installs_it(library: str) -> None:
    code = NO_CLICK.replace("LIBRARY", library)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {library} cannot be imported")
    assert f"-m pip install {library}" in done.stderr
    assert "Traceback" not in done.stderr
