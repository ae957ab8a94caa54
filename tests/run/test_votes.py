"""Votes: which count, which are warm-ups, which are dropped, and what is refused."""

import dataclasses

import pytest

from vbench_lite.errors import StoreError, UsageError
from vbench_lite.run.people import FittedLimit, People, RaterSummary
from vbench_lite.run.reading import typed
from vbench_lite.run.votes import (
    NOT_SCORED,
    REPLACED,
    ClipRef,
    Drop,
    ReviewRate,
    Vote,
    Votes,
    check_rater,
    copy_votes,
    read_rate,
    read_vote,
    read_votes,
    vote_path,
    votes_path,
    write_rate,
    write_vote,
)

LEFT, RIGHT = ClipRef("monday", "one", 0, "aa"), ClipRef("other", "two", 1, "bb")
PAIR = Vote(id="q001", rater="bob", mode="pairs", prompt_id="p", clips=(LEFT, RIGHT), answers={"quality": "left"})
KEEP = Vote(
    id="q002", rater="ann", mode="usable", prompt_id="p", clips=(LEFT,), answers={"usable": "keep"}, seconds=2.5
)
PRESENT = {("monday", "one", "p", 0): "aa", ("today", "one", "p", 0): "aa"}


def written(run, *votes):
    for vote in votes:
        write_vote(run, vote)
    return run


def test_a_vote_comes_back_as_it_was_written(tmp_path):
    written(tmp_path, PAIR, KEEP)
    assert read_vote(vote_path(tmp_path, "ann", "q002")) == KEEP
    found = read_votes(tmp_path, PRESENT, ["monday"])
    assert (found.counted, found.warm_ups, found.dropped) == ((KEEP, PAIR), (), ())
    assert (found.of("usable"), found.of("pairs"), found.raters) == ([KEEP], [PAIR], ["ann", "bob"])


def test_votes_are_sorted_into_counted_warm_ups_and_dropped(tmp_path):
    warm = dataclasses.replace(KEEP, id="warm1", warm_up=True, expected="keep")
    stale = dataclasses.replace(KEEP, id="stale", clips=(dataclasses.replace(LEFT, sha256="cc"),))
    gone = dataclasses.replace(KEEP, id="gone1", clips=(dataclasses.replace(LEFT, index=7),))
    written(tmp_path, PAIR, KEEP, warm, stale, gone)
    (votes_path(tmp_path) / "ann" / "torn.json").write_text("{")
    found = read_votes(tmp_path, PRESENT, ["monday"])
    assert (found.counted, found.warm_ups) == ((KEEP, PAIR), (warm,))
    dropped = {"gone1": REPLACED, "stale": REPLACED, "torn": "the file is not a vote"}
    assert found.dropped == tuple(Drop(f"ann/{id_}.json", reason) for id_, reason in dropped.items())
    assert found.drop_counts == {REPLACED: 2, "the file is not a vote": 1}
    assert len(read_votes(tmp_path, PRESENT, ["monday", "other"]).counted) == 1  # the pair's right clip is not there


def test_clips_of_a_renamed_folder_are_its_own(tmp_path):
    (_, found) = read_votes(written(tmp_path, KEEP, PAIR), PRESENT, ["today"], home="today").counted
    assert found.clips == (dataclasses.replace(LEFT, run="today"), RIGHT)
    (_, kept) = read_votes(tmp_path, PRESENT, ["next"], home="next").counted
    assert kept == PAIR


def test_a_vote_under_another_name_is_refused(tmp_path):
    written(tmp_path, KEEP)
    moved = vote_path(tmp_path, "ann", "q009")
    vote_path(tmp_path, "ann", "q002").rename(moved)
    with pytest.raises(StoreError, match="contains the vote ann/q002, which does not match"):
        read_vote(moved)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rater": "../x"}, "is not a valid file name"), ({"id": "abc"}, "is not a valid file name"),
        ({"clips": (LEFT, RIGHT)}, 'the mode "usable" names 2 clips'),
        ({"answers": {}}, 'answer to "usable" is missing'),
        ({"answers": {"usable": "left"}}, '"left" is not an answer to "usable"'),
        ({"answers": {"usable": "keep", "prompt": "keep"}}, '"keep" is not an answer to "prompt"'),
    ],
)  # fmt: skip
def test_an_impossible_vote_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(KEEP, **change)


def test_a_pair_names_two_clips():
    with pytest.raises(ValueError, match="names 1 clips"):
        dataclasses.replace(PAIR, clips=(LEFT,))


def test_labels_of_raters_become_names_of_folders():
    assert check_rater(" Anna B ") == "anna-b"
    assert check_rater("a" * 40) == "a" * 40
    for label in ("", "a" * 41, "a/b", "-a"):
        with pytest.raises(UsageError, match="the rater label"):
            check_rater(label)


def test_the_rate_and_the_votes_are_copied_in_place_of_others(tmp_path):
    here, there = written(tmp_path / "a", KEEP), written(tmp_path / "b", PAIR)
    assert read_rate(here) is None
    write_rate(here, ReviewRate(30.0, "2026-01-01", "a list"))
    copy_votes(here, there)
    assert read_rate(there) == ReviewRate(30.0, "2026-01-01", "a list")
    assert read_votes(there, {}, ()).counted == (KEEP,)


def test_what_a_stored_part_on_people_does_not_state_is_not_known(tmp_path):
    found = typed({"votes": 3, "raters": [{"name": "ann", "votes": 3}]}, People, tmp_path)
    assert found == People(votes=3, raters=(RaterSummary(name="ann", votes=3),))
    unknown = (found.fitted, found.seconds_per_clip, found.usd_per_hour, found.raters[0].minutes)
    assert (*unknown, found.raters[0].same_again, found.raters[0].agreement) == (None,) * 6
    limit = FittedLimit()
    assert (limit.min, limit.max, found.raters[0].repeated) == (None, None, 0)


def test_votes_on_clips_that_are_not_scored_yet_say_so(tmp_path):
    new, gone = dataclasses.replace(LEFT, sha256="cc"), dataclasses.replace(LEFT, index=1, sha256="dd")
    newer = dataclasses.replace(KEEP, id="newer", clips=(new,))
    half = dataclasses.replace(PAIR, id="half1", clips=(LEFT, gone))
    both = dataclasses.replace(PAIR, id="both1", clips=(new, gone))
    written(tmp_path, newer, half, both)
    found = read_votes(tmp_path, PRESENT, ["monday"], made=["cc", None])
    assert found.dropped == (
        Drop("ann/newer.json", NOT_SCORED), Drop("bob/both1.json", REPLACED), Drop("bob/half1.json", REPLACED),
    )
    assert found.drop_counts == {REPLACED: 2, NOT_SCORED: 1}
    assert list(found.drop_counts) == sorted((NOT_SCORED, REPLACED))


def test_a_clip_of_another_generator_prompt_or_number_is_not_its_own(tmp_path):
    other = [
        dataclasses.replace(KEEP, id=f"vote{nth}", clips=(dataclasses.replace(LEFT, **change),))
        for nth, change in enumerate(({"generator": "two"}, {"index": 1}, {"sha256": "zz"}))
    ] + [dataclasses.replace(KEEP, id="vote9", prompt_id="q")]
    found = read_votes(written(tmp_path, *other), PRESENT, ["today"], home="today")
    assert [vote.clips[0].run for vote in found.counted] == ["monday"] * 4


@pytest.mark.parametrize(("id_", "allowed"), [("a" * 3, False), ("a" * 4, True), ("a" * 64, True), ("a" * 65, False),
                                              ("A123", False), ("a-12", False)])  # fmt: skip
def test_the_id_of_a_vote_has_4_to_64_letters_and_digits(id_, allowed):
    if allowed:
        assert dataclasses.replace(KEEP, id=id_).id == id_
    else:
        with pytest.raises(ValueError, match="is not a valid file name"):
            dataclasses.replace(KEEP, id=id_)


def test_a_label_that_cannot_be_used_is_shown_with_its_first_60_signs():
    with pytest.raises(UsageError) as caught:
        check_rater("x" * 61)
    assert f'"{"x" * 60}"' in str(caught.value)
    assert check_rater("a.b_c-9") == "a.b_c-9"


def test_votes_lie_by_rater_and_id_and_what_is_not_stated_has_its_default(tmp_path):
    assert vote_path(tmp_path, "ann", "q002") == tmp_path / "votes" / "ann" / "q002.json"
    bare = Vote(id="q002", rater="ann", mode="usable", prompt_id="p", clips=(LEFT,), answers={"usable": "keep"})
    assert bare == dataclasses.replace(
        KEEP, seconds=None, reasons=(), at="", repeat=False, warm_up=False, expected=None, simulated=False, format=1
    )
    assert (ReviewRate(1.0).date, ReviewRate(1.0).source, ReviewRate(1.0).format) == ("", "", 1)
    with pytest.raises(StoreError, match="there is no such vote"):
        read_vote(vote_path(tmp_path, "ann", "q002"))
    write_rate(tmp_path, ReviewRate(2.5))
    assert read_votes(tmp_path, {}, ()) == Votes((), (), ())
    copy_votes(tmp_path / "none", tmp_path)
    assert read_rate(tmp_path) is None
