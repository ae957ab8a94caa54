"""Policies: errors name the line, the shipped ones load, the right one rules, and words say what is demanded."""

from pathlib import Path

import pytest

from vbench_lite.errors import BadFile
from vbench_lite.gate.policy import choose_policy, read_policy, shipped_policies
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
        ("title = 'x'", None, "demands nothing"),
        ("title = 'x", None, "not valid TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, line: int | None, says: str) -> None:
    with pytest.raises(BadFile, match=says) as caught:
        read_policy(policy(tmp_path, text))
    assert caught.value.line == line


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


def test_the_digest_knows_meaning_from_layout(tmp_path: Path) -> None:
    first = read_policy(policy(tmp_path, GOOD)).digest
    assert read_policy(policy(tmp_path, "# a word\n" + GOOD.replace(" = ", "="))).digest == first
    assert read_policy(policy(tmp_path, GOOD.replace("0.01", "0.02"))).digest != first
    assert read_policy(policy(tmp_path, GOOD.replace("Ana", "Ben"))).digest != first


def test_words_name_margin_direction_and_signature(tmp_path: Path) -> None:
    text = "\n".join(explain(read_policy(policy(tmp_path, GOOD))))
    assert "clip_text is less than 0.01 worse than the baseline" in text
    assert "Last changed on 2026-11-22 by Ana: text matters most" in text
