"""Questions are repeatable by rater and seed, balanced, and partly asked twice. Votes lie in files of their own."""

from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from vbench_lite.errors import UsageError
from vbench_lite.review.material import Entry, Material, Slot
from vbench_lite.review.questions import Asking, make_questions
from vbench_lite.run.votes import REPLACED, ClipRef, Vote, check_rater, read_votes, vote_path, write_vote


def material(prompts: int = 40, generators: str = "abc", runs: tuple[str, ...] = ("r",)) -> Material:
    entries = tuple(Entry(run, name) for run in runs for name in generators)
    clips = {
        Slot(f"p{n}", 0): {e: ClipRef(e.run, e.generator, 0, f"{e.run}{e.generator}{n}") for e in entries}
        for n in range(prompts)
    }
    texts = {f"p{n}": f"prompt {n}" for n in range(prompts)}
    return Material(Path(), "r", "R", texts, clips, {}, several_runs=len(runs) > 1, entries=entries)


def test_the_same_rater_is_asked_the_same_and_another_one_in_another_order() -> None:
    one, again, other = (make_questions(material(), Asking("pairs", rater)) for rater in ("anna", "anna", "ben"))
    assert one == again
    assert {q.id for q in one if not q.repeat} == {q.id for q in other if not q.repeat}
    assert [q.id for q in one] != [q.id for q in other]


@pytest.mark.parametrize("rater", ["anna", "ben", "c"])
def test_sides_are_balanced_for_every_pair_of_generators(rater) -> None:
    asked = [q for q in make_questions(material(), Asking("pairs", rater)) if not q.repeat]
    left = Counter((q.clips[0].generator, q.clips[1].generator) for q in asked)
    for a, b in combinations("abc", 2):
        assert left[a, b] == left[b, a] == 20


def test_a_tenth_is_repeated_later_with_swapped_sides() -> None:
    asked = make_questions(material(), Asking("pairs", "anna"))
    assert sum(q.repeat for q in asked) == 12
    place = {tuple(sorted(q.clips)): n for n, q in enumerate(asked) if not q.repeat}
    first = {tuple(sorted(q.clips)): q for q in asked if not q.repeat}
    for nth, question in enumerate(asked):
        if question.repeat:
            key = tuple(sorted(question.clips))
            assert nth - place[key] >= 5
            assert question.clips == first[key].clips[::-1]
            assert question.id != first[key].id


def test_a_limit_gives_all_raters_a_common_part() -> None:
    asked = [
        {q.id for q in make_questions(material(), Asking("pairs", rater, limit=30)) if not q.repeat}
        for rater in ("anna", "ben", "cem")
    ]
    assert all(len(each) == 30 for each in asked)
    assert len(set.intersection(*asked)) >= 10
    assert len(set.union(*asked)) > 50


def test_pairs_with_weight_come_first() -> None:
    asked = make_questions(material(), Asking("pairs", "anna"), {frozenset((Entry("r", "a"), Entry("r", "b"))): 10.0})
    first = [frozenset(c.generator for c in q.clips) for q in asked[:30]]
    assert first.count(frozenset("ab")) > 20


def test_two_runs_are_paired_across_by_the_name_of_the_generator() -> None:
    asked = make_questions(material(runs=("r", "s")), Asking("pairs", "anna"))
    for question in asked:
        one, two = question.clips
        assert one.generator == two.generator
        assert one.run != two.run


def _vote(id_: str = "abcd", sha: str = "1", rater: str = "anna", **fields) -> Vote:
    clips = (ClipRef("r", "a", 0, sha),)
    return Vote(id=id_, rater=rater, mode="usable", prompt_id="p", clips=clips, answers={"usable": "keep"}, **fields)


def test_votes_are_merged_by_copying_and_replaced_clips_and_broken_files_are_dropped(tmp_path) -> None:
    write_vote(tmp_path, _vote())
    write_vote(tmp_path, _vote("efgh", sha="old"))
    write_vote(tmp_path, _vote(rater="ben"))
    write_vote(tmp_path, _vote("warmup", warm_up=True))
    vote_path(tmp_path, "ben", "torn").write_text('{"format": 1')
    vote_path(tmp_path, "ben", "copy").write_text(vote_path(tmp_path, "ben", "abcd").read_text())
    found = read_votes(tmp_path, {("r", "a", "p", 0): "1"}, ["r"])
    assert [(v.rater, v.id) for v in found.counted] == [("anna", "abcd"), ("ben", "abcd")]
    assert len(found.warm_ups) == 1
    assert found.drop_counts == {REPLACED: 1, "the file is not a vote": 2}
    assert len(read_votes(tmp_path, {}, ["other"]).counted) == 3  # clips of a run that is not at hand


@pytest.mark.parametrize("label", ["", "..", "a/b", "a\x00", "é", "a" * 41])
def test_labels_that_are_no_folder_names_are_refused(label) -> None:
    with pytest.raises(UsageError, match="rater label"):
        check_rater(label)
