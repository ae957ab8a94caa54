"""Findings on runs as a whole: the share from which clips count as dead, copied or reused, and each message."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.gate.releases import Scores, write
from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.family import Comparison, Outcome
from vbench_lite.formatting import Shown
from vbench_lite.gate.evidence.run_problems import cost_notes, find_run_problems, same_generator, vote_notes
from vbench_lite.gate.policy import choose_policy, read_policy
from vbench_lite.gate.verdict import Finding
from vbench_lite.run.people import SIMULATED
from vbench_lite.run.view import Side, open_run

POLICY = choose_policy(None, None)


def pair(tmp_path: Path, base: dict[str, Any] | None = None, **candidate: Any) -> GeneratorPair:
    small = {"prompts": 10, "weights": "b"}
    old = write(tmp_path / "old", **small | {"weights": "a"} | (base or {}))
    new = write(tmp_path / "new", **small | candidate)
    return GeneratorPair(Side(open_run(old), "model"), Side(open_run(new), "model"))


def problems(tmp_path: Path, base: dict[str, Any] | None = None, **candidate: Any) -> list[tuple[str, str, str]]:
    found = list(find_run_problems(pair(tmp_path, base, **candidate), POLICY))
    assert all(each.generator == "model" for each in found)
    return [(each.kind, each.outcome, each.message) for each in found]


def still(count: int, metric: str = "motion") -> Callable[[Scores, np.ndarray], None]:
    """The first clips of 20 have the value 0."""

    def worsen(scores: Scores, _: np.ndarray) -> None:
        scores[metric].ravel()[:count] = 0.0

    return worsen


@pytest.mark.parametrize(
    ("metric", "kind", "text"), [("motion", "frozen", "are frozen: nothing moves in them"),
                                 ("conformance", "black", "are black")],
)  # fmt: skip
@pytest.mark.parametrize(
    ("before", "now", "stopped"), [(0, 9, False), (0, 10, True), (4, 10, True), (5, 10, False), (9, 20, True)]
)
def test_half_of_the_clips_dead_and_twice_as_many_as_before_stop_a_release(
    tmp_path: Path, metric: str, kind: str, text: str, before: int, now: int, stopped: bool
) -> None:
    found = problems(tmp_path, {"worsen": still(before, metric)}, worsen=still(now, metric))
    message = f"{now / 20:.0%} of its clips {text}; in the baseline {before / 20:.0%}"
    assert found == ([(kind, "fail", message)] if stopped else [])


def test_a_dead_clip_is_a_share_of_the_clips_that_were_made(tmp_path: Path) -> None:
    found = problems(tmp_path, worsen=still(8), failed=lambda prompt, clip: prompt >= 8)
    assert found == [("frozen", "fail", "50% of its clips are frozen: nothing moves in them; in the baseline 0%")]


def test_clips_of_prompts_that_ask_for_stillness_are_not_frozen(tmp_path: Path) -> None:
    prompts = [{"id": f"p{n:03d}", "text": f"thing {n}", "tags": ["still"] * (n < 5)} for n in range(10)]
    suite = {"suite": {"name": "ads", "title": "", "digest": "", "usable": {}, "prompts": prompts}}
    assert problems(tmp_path, {"manifest": suite}, manifest=suite, worsen=still(19)) == []
    found = problems(tmp_path, {"manifest": suite}, manifest=suite, worsen=still(20))
    assert found == [("frozen", "fail", "50% of its clips are frozen: nothing moves in them; in the baseline 0%")]


def one_file(prompts: int, clips: int) -> Callable[[int, int], str]:
    """The first clips of the first prompts are one file."""
    return lambda prompt, clip: "same" if prompt < prompts and clip < clips else f"{prompt}-{clip}"


@pytest.mark.parametrize(
    ("prompts", "clips", "message"),
    [
        (2, 1, None), (1, 2, None),  # two of 20 clips are a tenth, which may be
        (3, 1, "3 of 20 clips are copies of one clip (the same bytes), over 3 prompts"),
        (2, 2, "4 of 20 clips are copies of one clip (the same bytes), over 2 prompts"),
    ],
)  # fmt: skip
def test_more_than_a_tenth_of_the_clips_in_one_file_are_copies(
    tmp_path: Path, prompts: int, clips: int, message: str | None
) -> None:
    found = problems(tmp_path, sha256=one_file(prompts, clips))
    assert found == ([("copies", "fail", message)] if message else [])


def test_copies_of_one_prompt_are_an_answer_to_it(tmp_path: Path) -> None:
    assert problems(tmp_path, {"prompts": 4, "clips": 4}, prompts=4, clips=4, sha256=one_file(1, 4)) == []


@pytest.mark.parametrize(("prompts", "expected"), [(1, []), (2, ["copies"])])
def test_fewer_than_four_clips_are_never_called_copies(tmp_path: Path, prompts: int, expected: list[str]) -> None:
    size = {"prompts": prompts}
    assert [kind for kind, *_ in problems(tmp_path, size, **size, sha256=lambda prompt, clip: "same")] == expected


def repeated(count: int, *names: str, moving: bool = True) -> Callable[[Scores, np.ndarray], None]:
    """The first clips of 20 have the same scores."""

    def worsen(scores: Scores, _: np.ndarray) -> None:
        for name in names or ("temporal_flickering", "warp_error", "motion", "detail"):
            scores[name].ravel()[:count] = scores[name].ravel()[0]
        if not moving:
            scores["motion"].ravel()[:8] = 0.0

    return worsen


@pytest.mark.parametrize(
    ("worsen", "message"),
    [
        (repeated(10), None),
        (repeated(11), "11 of 20 clips are copies of one clip (the same scores), over 6 prompts"),
        (repeated(11, "temporal_flickering", "warp_error", "motion"), None),
        (repeated(20, moving=False), "12 of 20 clips are copies of one clip (the same scores), over 6 prompts"),
    ],
)
def test_more_than_half_of_the_moving_clips_with_equal_scores_are_copies(
    tmp_path: Path, worsen: Any, message: str | None
) -> None:
    found = [each for each in problems(tmp_path, worsen=worsen) if each[0] == "copies"]
    assert found == ([("copies", "fail", message)] if message else [])


OWN = (
    "{} of 20 clips are the baseline's own files, although the generators differ. If the change is meant to "
    "leave the clips as they are, "
    "set allow_same_clips = true in the policy"
)


@pytest.mark.parametrize(("count", "stopped"), [(1, False), (2, True)])
def test_more_than_a_twentieth_of_the_baselines_own_files_stop_another_generator(
    tmp_path: Path, count: int, stopped: bool
) -> None:
    found = problems(
        tmp_path, {"sha256": lambda p, c: f"{p}-{c}"}, sha256=lambda p, c: f"{'' if 2 * p + c < count else 'x'}{p}-{c}"
    )
    assert found == ([("own-clips", "fail", OWN.format(count))] if stopped else [])


def test_a_policy_can_allow_the_baselines_own_files(tmp_path: Path) -> None:
    rules = tmp_path / "gate.toml"
    rules.write_text("allow_same_clips = true\n[[check]]\nrule = 'no-new-failures'\n")
    own = {"sha256": lambda p, c: f"{p}-{c}"}
    assert list(find_run_problems(pair(tmp_path, own, **own), read_policy(rules))) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("weights_digest", "b"), ("adapter", "other"), ("revision", "2"), ("settings", {"steps": 9}), ("clip", None)],
)
def test_another_definition_is_another_generator(tmp_path: Path, key: str, value: object) -> None:
    given = {"name": "model", "route": "diffusion", "adapter": "diffusers", "model": "m", "settings": {"steps": 4},
             "clip": {"frames": 9, "fps": 8.0, "height": 64, "width": 64}, "weights_digest": "a"}  # fmt: skip

    def side(name: str, **changes: object) -> Side:
        run = write(tmp_path / name, prompts=2, manifest={"generators": {"model": given | changes}})
        return Side(open_run(run), "model")

    old = side("old")
    assert same_generator(old, side("same", model="elsewhere"))
    assert not same_generator(old, side("other", **{key: value}))
    unknown = side("unknown", weights_digest=None)
    assert same_generator(unknown, side("unknown-too", weights_digest=None))
    assert not same_generator(unknown, side("elsewhere", weights_digest=None, model="elsewhere"))


def again(count: int) -> Callable[[int, int], str]:
    """The first clips of 20 are other files."""
    return lambda prompt, clip: f"{'again-' * (2 * prompt + clip < count)}{prompt}-{clip}"


DEVICES = [{"kind": "cpu", "name": "Other CPU", "count": 1}, {"kind": "cuda", "name": "Test CPU", "count": 1},
           {"kind": "cpu", "name": "Test CPU", "count": 2}]  # fmt: skip


@pytest.mark.parametrize(("count", "shift"), [(1, 0.0), (20, 0.25)])
def test_clips_that_should_be_equal_and_are_not_are_counted(tmp_path: Path, count: int, shift: float) -> None:
    def move(scores: Scores, _: np.ndarray) -> None:
        scores["motion"][3, 1] += shift
        scores["detail"][5, 0] -= 2 * shift

    found = problems(tmp_path, {"sha256": again(0)}, weights="a", sha256=again(count), worsen=move)
    moved = "detail by up to 0.5, motion by up to 0.25" if shift else "no score changed"
    message = f"same generator, seeds and device, but {count} of 20 clips differ (the recorded versions are the same)"
    assert found == [("drift", "note", f"{message}; {moved}")]


def test_equal_clips_are_expected_of_one_device_and_seed_only(tmp_path: Path) -> None:
    same = {"sha256": again(0)}
    [(kind, outcome, message)] = problems(tmp_path, same, weights="a", sha256=again(0))
    assert (kind, outcome, message) == ("identical", "note", "the runs are identical: all 20 clips have the same bytes")
    for device in DEVICES:
        found = problems(tmp_path, same, weights="a", sha256=again(9), manifest={"device": device})
        assert {kind for kind, *_ in found} <= {"machine"}
    found = problems(tmp_path, same, weights="a", seed=1, sha256=again(9))
    message = "the runs have different seeds (0 and 1): pairs share only their prompt"
    assert found == [("seeds", "note", message)]


def test_versions_that_one_run_did_not_record_are_unknown(tmp_path: Path) -> None:
    versions = {"base": {"manifest": {"software": {"torch": "2", "av": "1"}}}, "manifest": {"software": {"av": "1"}}}
    [(kind, _, message)] = problems(tmp_path, weights="a", sha256=again(20), **versions)
    assert kind == "drift"
    assert "(different versions: torch 2 and unknown)" in message


@pytest.mark.parametrize(("drift", "stopped"), [(0.005, False), (-0.006, True), (0.006, True)])
def test_anchor_clips_may_differ_by_the_tolerance(tmp_path: Path, drift: float, stopped: bool) -> None:
    found = problems(tmp_path, drift=drift)
    message = (
        "the scores of the anchor clips differ between the runs (temporal_flickering by 0.60%, tolerated 0.50%): the "
        "scorer changed, not the generator. Score both again with: "
    )
    assert [(kind, outcome) for kind, outcome, _ in found] == [("anchor-drift", "undecided")] * stopped
    assert all(text.startswith(message) for *_, text in found)


@pytest.mark.parametrize("anchors", [{"anchors": None}, {"anchors": {}}, {"anchors": {"drift": {"detail": None}}}])
def test_unknown_anchors_stop_nothing_and_the_worst_metric_is_named(tmp_path: Path, anchors: dict[str, Any]) -> None:
    assert problems(tmp_path, drift=9.0, notes=anchors) == []
    drifts = [{"anchors": {"drift": {"detail": 0.1, "motion": moved, "only": 5.0}}} for moved in (0.1, -0.1)]
    drifts[1]["anchors"]["drift"].pop("only")
    [(_, _, text)] = problems(tmp_path, {"notes": drifts[0]}, notes=drifts[1])
    assert "(motion by 20.00%, tolerated 0.50%)" in text


def test_incomplete_runs_are_undecided_and_one_without_clips_fails(tmp_path: Path) -> None:
    gaps = {"missing": lambda prompt, clip: prompt == 3}
    (first, second) = problems(tmp_path, gaps, missing=lambda prompt, clip: (prompt, clip) == (4, 1))
    for (kind, outcome, message), who, count in ((first, "baseline", 2), (second, "candidate", 1)):
        assert (kind, outcome) == ("incomplete", "undecided")
        start = f"the {who} is incomplete: {count} of 20 clips were never generated. Finish it with: vbench run "
        assert message.startswith(start)
    nothing = {"failed": lambda prompt, clip: True}
    assert problems(tmp_path, **nothing) == [("no-clips", "fail", "none of 20 clips was generated (out of memory)")]
    assert problems(tmp_path, **nothing, reason="") == [("no-clips", "fail", "none of 20 clips was generated")]
    [(kind, outcome, _)] = problems(tmp_path, missing=lambda prompt, clip: True)
    assert (kind, outcome) == ("incomplete", "undecided")


@pytest.mark.parametrize(
    ("checks", "words", "message"),
    [
        ("", Outcome.WORSE, "this policy has no check on cost; usd_per_clip 20 became 30 cents (worse)"),
        ("", Outcome.BETTER, "this policy has no check on cost; usd_per_clip 20 became 30 cents (better)"),
        ("", Outcome.NO_DIFFERENCE, None),
        ("[[check]]\nmetric = 'device_s'\nrule = 'max'\nvalue = 9", Outcome.WORSE, None),
    ],
)
def test_a_change_of_cost_is_noted_where_no_check_watches_cost(
    tmp_path: Path, checks: str, words: Outcome, message: str | None
) -> None:
    (tmp_path / "gate.toml").write_text(f"[[check]]\nrule = 'no-new-failures'\n{checks}")
    sides = pair(tmp_path)
    found = Comparison(
        metric="usd_per_clip", unit="USD", higher_is_better=False, baseline=0.2, candidate=0.3, words=words,
        shown=Shown(scale=100.0, unit="cents"),
    )
    notes = list(cost_notes(sides, read_policy(tmp_path / "gate.toml"), {"usd_per_clip": found, "detail": found}))
    assert notes == ([Finding("cost", "model", message, "note")] if message else [])


@pytest.mark.parametrize(("metric", "simulated", "noted"), [
    ("human_usable", True, True), ("human_preference", True, True), ("human_usable", False, False),
    ("detail", True, False),
])  # fmt: skip
def test_simulated_votes_are_noted_where_a_check_judges_votes(
    tmp_path: Path, metric: str, simulated: bool, noted: bool
) -> None:
    sides = pair(tmp_path)
    path = tmp_path / "old" / "summary.json"
    summary = json.loads(path.read_text())
    path.write_text(json.dumps(summary | {"people": {"votes": 3, "raters": [], "simulated": simulated}}))
    (tmp_path / "gate.toml").write_text(f"[[check]]\nmetric = '{metric}'\nrule = 'min'\nvalue = 0")
    found = list(vote_notes(sides, read_policy(tmp_path / "gate.toml")))
    assert found == [Finding("votes", "model", SIMULATED, "note")] * noted


def test_clips_that_one_of_the_runs_made_count_among_all(tmp_path: Path) -> None:
    lost = {"failed": lambda prompt, clip: prompt == 3}
    found = problems(tmp_path, {"sha256": again(0)}, weights="a", sha256=again(4), **lost)
    assert [kind for kind, *_ in found] == ["drift"]
    assert " 6 of 20 clips differ" in found[0][2]
    small = {"prompts": 2, "sha256": again(0)}
    found = problems(tmp_path / "own", small, prompts=2, sha256=again(3), failed=lambda prompt, clip: prompt == 0)
    assert found[0][0] == "own-clips"
    assert found[0][2].startswith("1 of 4 clips are the baseline's own files")
