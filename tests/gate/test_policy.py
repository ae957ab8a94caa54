"""Policies: errors name the line, the shipped ones load, the right one rules, and words say what is demanded."""

import dataclasses
from pathlib import Path

import pytest

from vbench_lite.errors import BadFile
from vbench_lite.gate.policy import Check, Policy, choose_policy, read_policy, shipped_policies
from vbench_lite.gate.shown.explain import explain

GOOD = """title = "ours"
[changed]
by = "Ana"
on = 2026-11-22
why = "text matters most"

[[check]]
metric = "clip_text"
rule = "non-inferior"
margin = 0.01
"""


def policy(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(text)
    return path


MEAN = "[[check]]\nrule = 'non-inferior'\nmetric = 'a'\nmargin = 0"
RATIO = "[[check]]\nrule = 'non-inferior'\nmetric = 'usd_per_usable_clip'"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[[check]]\nrule = 'best'\nmetric = 'a'", 2, 'expected one of non-inferior'),
        ("[[check]]\nmetric = 'a'", 1, '"rule" is missing'),
        ("[[check]]\nrule = 'min'\nmetric = 'a'", 1, '"value" is missing'),
        ("[[check]]\nrule = 'non-inferior'\nmetric = 'a'", 1, '"margin" is missing'),
        ("[[check]]\nrule = 'non-inferior'\nmetric = 'a'\nmargin = -1", 4, "expected 0 or more"),
        ("[[check]]\nrule = 'non-inferior'\nmargin = 1", 1, '"metric" is missing'),
        ("[[check]]\nrule = 'min'\nmetric = 'a'\nvalue = 'x'", 4, "expected a number"),
        ("[[check]]\nrule = 'min'\nmetric = 'a'\nvalue = 1\n[[check]]\nrule = 'max'\nvlue = 2", 7, '"vlue" is not'),
        ("[[check]]\nrule = 'non-inferior'\nmetric = 'a'\nmargin = 1\nunit = 'sigma'", 5, "absolute, percent, sd, se"),
        ("[[check]]\nrule = 'non-inferior'\nmetric = 'usd_per_usable_clip'\nmargin = 1", 1, "is a ratio"),
        ("[[check]]\nrule = 'non-inferior'\nmetric = 'a'\nmargin = 1\nagainst = 'history'", 5, 'evidence = "point"'),
        ("[[check]]\nrule = 'no-new-failures'\nmetric = 'a'", 3, "counts clips"),
        ("confidence = 0.5\n[[check]]\nrule = 'no-new-failures'", 1, "between 0.5 and 1"),
        ("confidence = 1\n[[check]]\nrule = 'no-new-failures'", 1, "between 0.5 and 1"),
        ("undecided = 'maybe'\n[[check]]\nrule = 'no-new-failures'", 1, "block, fail, pass"),
        ("confidence = 0.501\nrare_losses = 1\n[[check]]\nrule = 'no-new-failures'", 2, '"rare_losses" is 1.0'),
        ("rare_losses = -0.1\n[[check]]\nrule = 'no-new-failures'", 1, '"rare_losses" is -0.1'),
        ("prompts = 'some'\n[[check]]\nrule = 'no-new-failures'", 1, "one of all, common"),
        ("[changed]\nwho = 'Ana'\n[[check]]\nrule = 'no-new-failures'", 2, '"who" is not known'),
        ("check = [1]", 1, r"expected \[\[check\]\] tables"),
        ("[[check]]\nrule = 'no-new-failures'\nmargin = 1", 3, "expected a fraction of the clips, below 1"),
        ("[[check]]\nrule = 'no-new-failures'\nlast = 2", 3, '"last" does not apply to "no-new-failures"'),
        ("[[check]]\nrule = 'min'\nmetric = 'a'\nvalue = 1\nfloor = 1", 5, '"floor" does not apply to "min"'),
        ("[[check]]\nrule = 'superior'\nmetric = 'a'\nvalue = 1", 4, '"value" does not apply to "superior"'),
        ("[[check]]\nrule = 'superior'\nmetric = 'a'\nfloor = -0.1", 4, '"floor" is -0.1: expected 0 or more'),
        (f"{RATIO}\nmargin = 1\nunit = 'percent'\nstatistic = 'worst-decile'", 6, "has no worst-decile"),
        (f"{MEAN}\nstatistic = 'median'", 5, 'add evidence = "point"'),
        (f"{MEAN}\nstatistic = 'collapsed'\nunit = 'sd'", 5, 'use rule = "non-inferior"'),
        ("[[check]]\nrule = 'superior'\nmetric = 'a'\nstatistic = 'collapsed'", 4, 'use rule = "non-inferior"'),
        (f"{MEAN}\nevidence = 'point'\nagainst = 'history'\nlast = 0", 7, '"last" is 0: expected 1 or more'),
        (f"{MEAN}\nunmeasured = 'pass'", 5, "one of undecided, skip"),
        (f"{MEAN}\neach = 'prompt'", 5, "one of , category"),
        (f"{MEAN}\nundecided = 'outside'", 5, "one of block, inside"),
        ("title = 'x'", None, "without checks"),
        ("title = 'x", None, "not valid TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, line: int | None, says: str) -> None:
    with pytest.raises(BadFile, match=says) as caught:
        read_policy(policy(tmp_path, text))
    assert caught.value.line == line


@pytest.mark.parametrize(
    "text",
    [
        MEAN, f"{RATIO}\nmargin = 5\nunit = 'percent'", "[[check]]\nrule = 'no-new-failures'\nmargin = 0.99",
        f"{MEAN}\nstatistic = 'collapsed'", f"{MEAN}\nevidence = 'point'\nagainst = 'history'\nlast = 1",
        f"{MEAN}\nevidence = 'point'\nstatistic = 'median'", f"confidence = 0.501\nrare_losses = 0\n{MEAN}",
        "[[check]]\nrule = 'min'\nmetric = 'usd_per_usable_clip'\nvalue = 1", f"{MEAN}\nwhy = 'so'",
    ],
)  # fmt: skip
def test_what_lies_just_inside_the_limits_is_accepted(tmp_path: Path, text: str) -> None:
    assert len(read_policy(policy(tmp_path, text)).checks) == 1


def test_what_a_policy_does_not_state_has_its_documented_default(tmp_path: Path) -> None:
    found = read_policy(policy(tmp_path, "[[check]]\nrule = 'min'\nmetric = 'a'\nvalue = 1"))
    (check,) = found.checks
    assert check == Check(
        rule="min", metric="a", margin=0.0, unit="absolute", value=1.0, statistic="mean", evidence="interval",
        against="baseline", last=5, floor=0.0, each="", categories=(), undecided="block", unmeasured="undecided",
    )  # fmt: skip
    assert found == Policy(
        title="gate", checks=(check,), digest=found.digest, path=tmp_path / "gate.toml", origin="--policy",
        confidence=0.95, undecided="block", min_prompts=10, rare_losses=0.1, anchor_tolerance=0.005,
        allow_same_clips=False, prompts="all", changed_by="", changed_on="", changed_why="",
    )  # fmt: skip
    assert found == Policy("gate", found.checks, found.digest, found.path, "--policy")
    assert (check.line_of("value"), check.line_of("margin")) == (4, 2)
    assert (found.level, found.strict, found.min_clips) == (pytest.approx(0.05), pytest.approx(0.04), 29)


def test_every_key_of_a_policy_is_read(tmp_path: Path) -> None:
    found = read_policy(policy(
        tmp_path, "title = 'Ours'\nconfidence = 0.9\nundecided = 'fail'\nmin_prompts = 7\nrare_losses = 0.2\n"
        "anchor_tolerance = 0.1\nallow_same_clips = true\nprompts = 'common'\n"
        "[changed]\nby = 'Ana'\non = 2026-11-22\nwhy = 'so'\n"
        "[[check]]\nmetric = 'a'\nrule = 'non-inferior'\nmargin = 2\nunit = 'percent'\nfloor = 0.5\nlast = 3\n"
        "statistic = 'median'\nevidence = 'point'\nagainst = 'history'\neach = 'category'\ncategories = ['x']\n"
        "undecided = 'inside'\nunmeasured = 'skip'\nwhy = 'so'"
    ))  # fmt: skip
    check = Check(
        rule="non-inferior", metric="a", margin=2.0, unit="percent", statistic="median", evidence="point",
        against="history", last=3, floor=0.5, each="category", categories=("x",), undecided="inside",
        unmeasured="skip",
    )  # fmt: skip
    assert found == Policy(
        "Ours", (check,), found.digest, tmp_path / "gate.toml", "--policy", 0.9, "fail", 7, 0.2, 0.1, True, "common",
        "Ana", "2026-11-22", "so",
    )  # fmt: skip
    assert (found.level, found.strict, found.min_clips) == (pytest.approx(0.1), pytest.approx(0.08), 11)
    assert dataclasses.replace(found, rare_losses=0.0).min_clips == 0


@pytest.mark.parametrize(
    ("undecided", "evidence", "guard"),
    [("block", "interval", False), ("inside", "interval", True), ("inside", "point", False), ("block", "point", False)],
)
def test_a_guard_need_not_be_shown_and_is_tested(undecided: str, evidence: str, guard: bool) -> None:
    assert Check("min", undecided=undecided, evidence=evidence).is_guard is guard


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no such file"):
        choose_policy(str(tmp_path / "none.toml"), tmp_path)


@pytest.mark.parametrize("name", ["default", "mlperf", "nightly-cost"])
def test_shipped_policies_load_are_signed_and_can_be_explained(name: str) -> None:
    found = read_policy(shipped_policies()[name])
    assert found.changed_by
    assert found.changed_why
    text = "\n".join(explain(found))
    assert found.changed_by in text
    assert "Undecided means" in text


def test_the_given_policy_goes_before_the_baselines_and_that_before_the_default(tmp_path: Path) -> None:
    assert choose_policy(None, tmp_path).origin == "the default"
    (tmp_path / "policy.toml").write_text(GOOD)
    assert choose_policy(None, tmp_path).origin == "the baseline's"
    assert choose_policy("mlperf", tmp_path).title == "99 % of the reference"
    assert (choose_policy(None, None).origin, choose_policy(None, tmp_path).title) == ("the default", "ours")
    given = choose_policy(str(tmp_path / "policy.toml"), None)
    assert (given.origin, given.title) == ("--policy", "ours")


def test_the_digest_knows_meaning_from_layout(tmp_path: Path) -> None:
    first = read_policy(policy(tmp_path, GOOD)).digest
    assert read_policy(policy(tmp_path, "# a word\n" + GOOD.replace(" = ", "="))).digest == first
    assert read_policy(policy(tmp_path, GOOD.replace("0.01", "0.02"))).digest != first
    assert read_policy(policy(tmp_path, GOOD.replace("Ana", "Ben"))).digest != first
    assert read_policy(policy(tmp_path, GOOD.replace("-22", "-23"))).digest != first


def test_words_name_margin_direction_and_signature(tmp_path: Path) -> None:
    text = "\n".join(explain(read_policy(policy(tmp_path, GOOD))))
    assert "clip_text is less than 0.01 worse than the baseline" in text
    assert "Last changed on 2026-11-22 by Ana: text matters most" in text
