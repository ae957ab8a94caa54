"""The schemas in docs/ are those of the code, and the files of a run are valid by them."""

import json
from pathlib import Path

import pytest

from tests.built_runs import Fake, build_run
from vbench_lite.analysis.summary import summarise
from vbench_lite.run.schema import json_schema

DOCS = Path(__file__).parents[2] / "docs" / "schema"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    fakes = [Fake("a", failed=[(0, 0)]), Fake("b", missing=[(1, 0)], usd_per_device_hour=None)]
    run = build_run(tmp_path_factory.mktemp("run") / "run", prompts=4, generators=fakes, video=False)
    summarise(run.folder, run.scored)
    return run.folder.path


@pytest.mark.parametrize("file", ["run", "summary"])
def test_files_of_a_run_are_valid_and_damaged_ones_are_not(folder, file) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="pip install -e '.[dev]'")
    validator = jsonschema.Draft202012Validator(json_schema(file))
    value = json.loads((folder / f"{file}.json").read_text("utf-8"))
    assert list(validator.iter_errors(value)) == []
    for key in ("suite", "generators"):
        assert list(validator.iter_errors({name: item for name, item in value.items() if name != key}))
        assert list(validator.iter_errors(value | {key: 1}))


@pytest.mark.parametrize("file", ["run", "summary"])
def test_the_published_schema_is_that_of_the_code(file) -> None:
    """Write it again with: python -m tests.run.test_schema"""
    assert json.loads((DOCS / f"{file}.schema.json").read_text("utf-8")) == json_schema(file)


if __name__ == "__main__":
    DOCS.mkdir(exist_ok=True)
    for name in ("run", "summary"):
        (DOCS / f"{name}.schema.json").write_text(json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n")
