"""The public names, and the calls of docs/python.md."""

import subprocess
import sys
from pathlib import Path

import pytest

import vbench_lite as vb
from vbench_lite.errors import NotComparable, UsageError

BASELINE = Path(__file__).parents[1] / "results" / "baseline"


def test_every_public_name_is_there_and_documented():
    for name in vb.__all__:
        found = getattr(vb, name)
        assert name == "__version__" or (found.__doc__ or "").strip(), f"{name} has no docstring"


def test_all_lists_exactly_the_names_that_the_package_gives_out():
    given = {name for names in vb._HOME.values() for name in names} | set(vb._MODULES) | {"__version__"}
    assert set(vb.__all__) == given
    assert sorted(vb.__all__, key=str.lower) == sorted(vb.__all__, key=str.lower)
    assert len(vb.__all__) == len(set(vb.__all__))


def test_functions_keep_their_names_though_folders_have_the_same():
    import vbench_lite.gate.policy
    import vbench_lite.report.data
    import vbench_lite.run.folder

    assert callable(vb.run)
    assert callable(vb.gate)
    assert callable(vb.report)
    assert vbench_lite.open_run("results/baseline" if Path("results/baseline").exists() else BASELINE).generators


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = vb.nonsense


def test_importing_the_package_imports_no_torch():
    code = "import sys, vbench_lite as vb; vb.open_run; vb.run; print('torch' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_run_from_python_is_the_run_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text('[[prompt]]\nid = "a"\ntext = "a red car"\n[[prompt]]\nid = "b"\ntext = "a cup"\n')
    Path("sim.toml").write_text(
        'route = "diffusion"\nadapter = "simulated"\n[clip]\nframes = 4\nheight = 16\nwidth = 16\n'
    )
    run = vb.run("small.toml", ["sim.toml"], "out", clips_per_prompt=1)
    assert len(run.clips) == 2
    assert set(run.clips["status"]) == {"ok"}
    assert run.summary["sim"].scores["conformance"].n == 2
    again = vb.score("out")
    assert again.summary == run.summary
    assert vb.report(run, "page.md", format="markdown").read_text().startswith("#")


def test_bad_arguments_are_our_own_errors(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no suite named"):
        vb.run("nowhere")
    with pytest.raises(UsageError, match="no generator named"):
        vb.run("ads", ["nobody"])
    with pytest.raises(UsageError, match="no folder of clips"):
        vb.score("nowhere", suite="ads")


def test_two_generators_of_one_run_are_compared_and_gated():
    one, two = (f"{BASELINE}:tiny-{route}" for route in ("transformer", "diffusion"))
    (pair,) = vb.compare(one, two)
    assert {c.metric for c in pair.comparisons} >= {"detail", "device_s_per_clip"}
    assert vb.gate(one, baseline=one).outcome == "pass"
    with pytest.raises(NotComparable):
        vb.compare(Path(__file__).parent / "data" / "format1" / "run", BASELINE)
