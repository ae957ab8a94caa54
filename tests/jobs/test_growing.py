"""A run at planned looks stops when the gate is decided, goes on after an interruption, and is judged at its look."""

import dataclasses
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import vbench_lite as vb
from tests.gate.releases import write
from vbench_lite.cli import group
from vbench_lite.errors import NotComparable, PlanConflict, StoreError, UsageError
from vbench_lite.gate.looks.expected import expected_looks
from vbench_lite.gate.looks.record import read_looks
from vbench_lite.gate.policy import choose_policy
from vbench_lite.jobs.growing import GrowingRun
from vbench_lite.jobs.job import Order
from vbench_lite.run.view import open_run

POLICY = """
rare_losses = 0
min_prompts = 6
[[check]]
metric = "temporal_flickering"
rule = "non-inferior"
margin = 0.2
"""


class StopAfter:
    """A user who asks to end after some clips."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    @property
    def requested(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A suite, a generator and its baseline, in the working folder."""
    folder = tmp_path_factory.mktemp("growing")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        prompts = (f'[[prompt]]\nid = "p{n}"\ntext = "a red car {n}"\ncategory = "{"ab"[n % 2]}"\n' for n in range(10))
        Path("small.toml").write_text("clips_per_prompt = 1\n" + "".join(prompts))
        clip = '[clip]\nframes = 3\nheight = 16\nwidth = 16\n[settings]\nnoise = 9\n[price]\nusd_per_clip = 0.5\n'
        Path("sim.toml").write_text(f'route = "diffusion"\nadapter = "simulated"\n{clip}')
        Path("gate.toml").write_text(POLICY)
        vb.run("small.toml", ["sim.toml"], "results/base", metrics="temporal_flickering")
        yield folder


def order(**given) -> Order:
    return Order("small.toml", ("sim.toml",), metrics="temporal_flickering", out=Path("results/new"), seed=1, **given)


def test_a_run_is_interrupted_resumed_decided_and_judged_at_its_look(workspace):
    growing = GrowingRun(order(), "results/base", "gate.toml")
    stopped = growing.run(lambda *_: None, StopAfter(2))
    assert stopped.verdict is None
    assert read_looks(Path("results/new")).looks == ()

    looks = []
    grown = GrowingRun(order(), "results/base", "gate.toml").run(lambda result, _: looks.append(result))
    assert [(look.number, look.prompts, look.outcome) for look in looks] == [(1, 4, "undecided"), (2, 6, "pass")]
    assert (grown.verdict.outcome, grown.saved.clips, grown.saved.of, grown.saved.usd) == ("pass", 4, 10, 2.0)
    assert {prompt.category for prompt in open_run("results/new").manifest.prompts} == {"a", "b"}

    again = GrowingRun(order(), "results/base", "gate.toml").run(lambda *_: pytest.fail("nothing is left to look at"))
    assert again.outcome is None
    assert again.verdict == grown.verdict == vb.gate("results/new", baseline="results/base", policy="gate.toml")
    promotion = "baseline promote results/new --to results/next --reason better --by me"
    with pytest.raises(StoreError, match="stopped at look 2 with 6 of 10 prompts") as refused:
        CliRunner().invoke(group, promotion.split(), catch_exceptions=False)
    rest = str(refused.value).partition("first: ")[2]
    Path("other.toml").write_text(POLICY.replace("0.2", "0.3"))
    with pytest.raises(PlanConflict, match="the policy differs"):
        GrowingRun(order(), "results/base", "other.toml").run(lambda *_: None)
    shutil.copytree("results/new", "results/whole")
    for command in (rest.replace("results/new", "results/whole"), promotion.replace("results/new", "results/whole")):
        assert CliRunner().invoke(group, shlex.split(command.removeprefix("vbench "))).exit_code == 0


def test_shards_make_their_parts_of_a_look_and_the_last_one_evaluates_it(workspace):
    def shard(part: str, out: str):
        given = dataclasses.replace(order(shard=part), out=Path(out))
        return GrowingRun(given, "results/base", "gate.toml").run(lambda *_: None)

    for part in "12":
        grown = shard(f"{part}/2", f"results/part{part}")
        assert (grown.verdict, grown.elsewhere) == (None, 2)
    shutil.copytree("results/part2", "results/part1", dirs_exist_ok=True)
    grown = shard("1/2", "results/part1")  # evaluates look 1 and makes its part of look 2
    assert [look.outcome for look in grown.planned.looks] == ["undecided"]
    assert grown.elsewhere == 1
    grown = shard("2/2", "results/part1")
    assert [look.outcome for look in grown.planned.looks] == ["undecided", "pass"]
    whole = open_run("results/new")
    assert [record.sha256 for record in open_run("results/part1").records("sim")] == [
        record.sha256 for record in whole.records("sim")
    ]


def test_an_unfinished_run_names_the_command_that_goes_on(workspace):
    class Killed(Exception):
        pass

    def kill(*_: object) -> None:
        raise Killed

    growing = GrowingRun(dataclasses.replace(order(), out=Path("results/cut")), "results/base", "gate.toml")
    with pytest.raises(Killed):
        growing.run(kill)
    (finding,) = vb.check("results/cut").problems
    verdict = vb.gate("results/cut", baseline="results/base", policy="gate.toml")
    assert finding.code == "incomplete"
    assert finding.command == verdict.remedies[0].command
    assert "--against results/base --policy gate.toml" in finding.command
    done = CliRunner().invoke(group, shlex.split(finding.command)[1:])
    assert done.exit_code == 0, done.output
    assert vb.check("results/cut", again=1).findings == ()


def test_a_run_of_fixed_size_does_not_become_one_with_looks(workspace):
    fixed = Order("small.toml", ("sim.toml",), metrics="temporal_flickering", out=Path("results/base"))
    with pytest.raises(PlanConflict, match="was not planned with looks"):
        GrowingRun(fixed, "results/base", "gate.toml").run(lambda *_: None)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"pilot": 1}, UsageError, "--pilot cannot"),
        ({"limit": 4}, NotComparable, "plan differs: 10 prompts, 10 clips in results/base, 4 prompts, 4 clips"),
        ({"clips_per_prompt": 2}, NotComparable, "plan differs"),
        ({"backbones": "standard"}, NotComparable, "set of backbones differs"),
    ],
)
def test_what_the_gate_would_refuse_is_refused_before_a_clip_is_generated(workspace, given, error, words):
    with pytest.raises(error, match=words):
        GrowingRun(order(**given), "results/base", "gate.toml")


def test_a_dry_run_predicts_the_clips_and_generates_none(workspace):
    words = "run --suite small.toml -g sim.toml --against results/base --policy gate.toml --out results/dry --dry-run"
    done = CliRunner().invoke(group, words.split())
    assert done.exit_code == 0, done.output
    assert "With --against, no prediction for an equal release" in done.output  # one clip per prompt has no variance
    assert not Path("results/dry").exists()


def test_the_prediction_follows_the_variance_of_the_baseline(tmp_path):
    policy = choose_policy(None, None)
    known = {}
    for clips in (2, 8):
        baseline = open_run(write(tmp_path / str(clips), clips=clips))
        looks = type("Looks", (), {"fractions": (0.4, 0.7, 1.0), "order": tuple(baseline.manifest.plan.prompts)})
        known[clips] = expected_looks(baseline, policy, looks, clips)
    assert 0.4 <= known[8].equal < known[2].equal <= 1.0
    assert known[2].loss < 0.9
